"""Stopped, started, killed and started twice: the books go on where they were, and once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from support.gateway_process import ROOMY, GatewayProcess, gateway

STOP_WITHIN_S = 5.0
KILLS = 12
TRADERS = 3
SETTLED_WITHIN_S = 20.0
NOT_AT_VENUE = ("unknown", "parked")
PARKED_WITHIN_S = 90.0


def books(running: GatewayProcess) -> dict[str, Any]:
    """Return what must be the same after a restart."""
    positions = running.good("get_positions", limit=100)["positions"]
    orders = running.good("list_orders", scope="all", limit=100)["orders"]
    return {
        "balance": running.good("get_account")["balance"],
        "positions": [(p["position_id"], p["quantity"], p["stop_loss"]) for p in positions],
        "orders": [(o["order_id"], o["status"], o["filled_quantity"]) for o in orders],
        "fills": running.good("list_fills", limit=100)["fills"],
    }


def far_limit(order: dict[str, Any]) -> dict[str, Any]:
    """Return a limit order that rests: its price lies at the stop's, its stop below that."""
    stop = format(float(order["stop_loss"]) - 0.002, ".5f")
    return order | {"order_type": "limit", "limit_price": order["stop_loss"], "stop_loss": stop}


@pytest.mark.slow
def test_stopped_and_started_again_it_goes_on(tmp_path: Path) -> None:
    with gateway(tmp_path, ROOMY) as running:
        first = running.good("place_order", **running.order("0.02"))
        assert first["status"] == "filled"
        assert running.good("place_order", **far_limit(running.order()))["status"] == "working"
        before, at = books(running), running.good("get_status")["venue_time"]
        token = {"Authorization": f"Bearer {running.token}"}
        socket = running.rest.replace("http", "ws") + "/ws?topics=quotes"
        with connect(socket, additional_headers=token, proxy=None) as watching:
            watching.recv(timeout=5)
            code, took = running.stop()  # somebody who watches does not keep it
        assert (code, took < STOP_WITHIN_S) == (0, True)
        assert "Traceback" not in running.errors
        assert running.verified() == 0

        running.start()
        assert books(running) == before
        assert running.good("get_status")["venue_time"] >= at
        closed = running.good("close_position", position_id=first["position_id"])
        assert closed["status"] == "filled"


@dataclass
class Trader:
    """An agent that sends orders as fast as it gets answers, and remembers each by its key."""

    running: GatewayProcess
    name: str
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)

    def trade(self, template: dict[str, Any], stop: threading.Event) -> None:
        """Send until told to stop or until the gateway is gone."""
        headers = {"Authorization": f"Bearer {self.running.token}"}
        with httpx.Client(
            base_url=self.running.rest, headers=headers, timeout=10, trust_env=False
        ) as http:
            while not stop.is_set():
                key = f"{self.name}-{len(self.sent)}"
                self.sent[key] = template | {"idempotency_key": key}
                try:
                    reply = http.post("/api/v1/call/place_order", json=self.sent[key])
                except httpx.HTTPError:
                    return
                self.answered[key] = reply.json()

    def repeat_unanswered(self) -> None:
        """Do what an agent may always do: repeat the call with its key."""
        for key, order in self.sent.items():
            if key not in self.answered:
                self.answered[key] = self.running.call("place_order", **order)


def killed_while_trading(running: GatewayProcess, name: str, after_s: float) -> list[Trader]:
    """Have several agents trade, kill the gateway under them, and start it again."""
    traders = [Trader(running, f"{name}-{number}") for number in range(TRADERS)]
    template = running.order()
    stop = threading.Event()
    threads = [threading.Thread(target=one.trade, args=(template, stop)) for one in traders]
    for thread in threads:
        thread.start()
    time.sleep(after_s)  # the random moment is what is tried
    running.kill()
    stop.set()
    for thread in threads:
        thread.join(20)
    running.start()
    return traders


@pytest.mark.slow
@pytest.mark.timeout(180)  # a dozen starts, on a machine that may be busy
def test_killed_at_random_moments_each_order_is_at_the_venue_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    traders: list[Trader] = []
    limits = ROOMY["limits"] | {"unknown_openings_max": 1000, "unknown_openings_symbol_max": 1000}
    with gateway(tmp_path, ROOMY | {"limits": limits}) as running:
        for number in range(KILLS):
            killed = killed_while_trading(running, f"kill-{number}", chance.uniform(0.02, 0.3))
            for trader in killed:
                trader.repeat_unanswered()
            traders += killed
            assert running.verified() == 0
        settle(running)
        once(running, traders)
        code, _ = running.stop()
        assert code == 0
        assert running.verified() == 0


def settle(running: GatewayProcess) -> None:
    """Wait until every attempt that the venue knows has its end in our books."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while lagging(running) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lagging(running) == set()


def lagging(running: GatewayProcess) -> set[str]:
    open_here = {tag for (tag,) in running.book("select tag from attempts where ended_at is null")}
    return open_here & {tag for (tag,) in running.venue("select tag from orders")}


def once(running: GatewayProcess, traders: list[Trader]) -> None:
    """Hold our record against the venue's own books."""
    sent = {key for trader in traders for key in trader.sent}
    answers = {key: envelope for one in traders for key, envelope in one.answered.items()}
    kept = running.book(
        "select o.key, a.tag, a.state from orders o join attempts a on a.order_id = o.order_id"
    )
    at_venue = Counter(tag for (tag,) in running.venue("select tag from orders"))
    assert set(at_venue.values()) == {1}
    assert sorted(key for key, *_ in kept) == sorted(sent), "a key: one order, one attempt"
    assert set(at_venue) <= {tag for _, tag, _ in kept}, "the venue holds nothing of unknown origin"
    for key, tag, state in kept:
        assert answers[key]["ok"], answers[key]
        if at_venue[tag]:
            assert state == "filled", (key, state)
        else:  # claimed, killed, and no proof that no byte left: looked for, then a human's
            assert state in NOT_AT_VENUE, (key, state)
            assert answers[key]["data"]["status"] in NOT_AT_VENUE
    positions = running.venue("select count(*) from positions where steps > 0")
    assert positions == [(len(at_venue),)], "each fill opened one position"
    print(f"{len(sent)} orders, {len(at_venue)} filled, {len(sent) - len(at_venue)} of open fate")
    assert len(at_venue) > KILLS


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_lost_request_is_looked_for_then_parked_then_a_humans_to_resolve(tmp_path: Path) -> None:
    fault = {"faults": [{"kind": "lost_request", "operation": "submit", "count": 1}]}
    with gateway(tmp_path, ROOMY | {"paper": fault}, operator=True) as running:
        lost = running.good("place_order", **running.order())
        assert lost["status"] == "unknown"
        assert running.refusal("place_order", **running.order("0.02")) == "ORDER_UNKNOWN"
        deadline = time.monotonic() + PARKED_WITHIN_S
        while running.good("get_order", order_id=lost["order_id"])["status"] != "parked":
            assert time.monotonic() < deadline
            time.sleep(1)
        ((order,),) = running.book("select order_id from attempts")
        path = f"/operator/orders/{order}/resolve"
        with running.operator() as desk:
            said = desk.post(path, json={"placed": False, "reason": "the venue shows nothing"})
        assert said.status_code == 200, said.text
        assert running.good("get_positions")["positions"] == []
