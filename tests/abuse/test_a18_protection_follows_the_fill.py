"""A18: the stop is at the venue for the filled quantity within two seconds, or a human is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

PLAIN = {**ROOMY, "paper": {"exits": "resting"}}
# The opening is let through, every request after it is refused.
REFUSING = {
    **ROOMY,
    "paper": {
        "exits": "resting",
        "faults": [
            {"kind": "late_reply", "operation": "submit"},
            {"kind": "reject", "operation": "submit", "count": 1_000, "code": "INVALID_PRICE"},
        ],
    },
}
WITHIN_S = 2.0


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("plain"), PLAIN, operator=True) as one:
        yield one


def stops(running: GatewayProcess) -> list[tuple[int, int]]:
    """Return lots (in steps) and trigger (in ticks) of the stops in the venue's own file."""
    question = (
        "select steps - filled, stop from orders"
        " where kind = 'stop' and status in ('working', 'partial')"
    )
    return sorted(running.venue(question))


def await_stops(running: GatewayProcess, wanted: list[tuple[int, int]]) -> float:
    """Return how long it took until the stops are as wanted; fail after two seconds."""
    began = time.monotonic()
    while stops(running) != wanted:
        assert time.monotonic() - began < WITHIN_S, stops(running)
        time.sleep(0.01)
    return time.monotonic() - began


def ticks(price: str) -> int:
    return int(Decimal(price) * 100_000)


def closed(running: GatewayProcess) -> None:
    for position in running.good("get_account", section="positions")["positions"]:
        assert running.good("close_position", position_id=position["position_id"])["status"] == (
            "filled"
        )
    await_stops(running, [])


def test_the_stop_of_every_fill_rests_at_the_venue(plain: GatewayProcess) -> None:
    for n in range(1, 6):
        placed = plain.good("place_order", **plain.order(f"0.0{n}"))
        assert placed["status"] == "filled"
        await_stops(plain, [(n, ticks(placed["stop_loss"]))])
        (position,) = plain.good("get_account", section="positions")["positions"]
        assert Decimal(position["stop_loss"]) == Decimal(placed["stop_loss"])
        closed(plain)
        assert plain.venue("select number from positions where steps > 0") == []


def test_a15_sells_and_resting_exits_never_exceed_what_is_held(plain: GatewayProcess) -> None:
    placed = plain.good("place_order", **plain.order("0.05"))
    await_stops(plain, [(5, ticks(placed["stop_loss"]))])
    exits = {"symbol": "EURUSD", "side": "sell", "reduce_only": True}
    for kind in ({"order_type": "stop", "stop_price": placed["stop_loss"]}, {}):
        code = plain.refusal("place_order", quantity="0.05", **exits, **kind)
        assert code == "EXCEEDS_POSITION"
    assert plain.refusal("close_position", position_id=placed["position_id"], quantity="0.06") == (
        "EXCEEDS_POSITION"
    )
    plain.good("close_position", position_id=placed["position_id"], quantity="0.02")
    await_stops(plain, [(3, ticks(placed["stop_loss"]))])
    closed(plain)


def test_a33_no_call_strips_the_stop(plain: GatewayProcess) -> None:
    placed = plain.good("place_order", **plain.order("0.05"))
    wanted = [(5, ticks(placed["stop_loss"]))]
    await_stops(plain, wanted)
    (leg,) = plain.good("get_account", section="orders")["open_orders"]
    asked = plain.good("cancel_order", venue_order_id=leg["venue_order_id"])
    assert asked["status"] == "approval_required"
    away = format(Decimal(placed["stop_loss"]) - Decimal("0.001"), "f")
    for call in (
        {"position_id": placed["position_id"], "stop_loss": None},
        {"position_id": placed["position_id"], "stop_loss": away},
        {"venue_order_id": leg["venue_order_id"], "stop_price": away},
        {"venue_order_id": leg["venue_order_id"], "quantity": "0.01"},
    ):
        envelope = plain.call("modify_order", **call)
        stands = not envelope["ok"] or envelope["data"]["status"] == "approval_required"
        assert stands, envelope
    time.sleep(1.2)
    assert stops(plain) == wanted
    closed(plain)


def test_a16_tightening_and_closing_pass_under_the_switch(plain: GatewayProcess) -> None:
    placed = plain.good("place_order", **plain.order("0.05"))
    await_stops(plain, [(5, ticks(placed["stop_loss"]))])
    halt = plain.good("engage_kill_switch", scope="global", reason="A16")
    try:
        nearer = format(Decimal(placed["stop_loss"]) + Decimal("0.0005"), "f")
        plain.good("modify_order", position_id=placed["position_id"], stop_loss=nearer)
        await_stops(plain, [(5, ticks(nearer))])
        closed(plain)
    finally:
        with plain.operator() as desk:
            path = f"/operator/halts/{halt['halt_id']}/release"
            assert desk.post(path, json={"reason": "A16 is done"}).status_code == 200


def test_after_a_kill_the_stop_is_there_before_the_gate_is_ready(plain: GatewayProcess) -> None:
    placed = plain.good("place_order", **plain.order("0.05"))
    plain.kill()
    plain.start()
    assert stops(plain) == [(5, ticks(placed["stop_loss"]))]
    closed(plain)
    assert plain.verified() == 0


def test_a_stop_that_the_venue_will_not_take_is_told_and_halts_new_risk(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, REFUSING) as one:
        placed = one.good("place_order", **one.order("0.05"))
        assert placed["status"] == "filled"
        began = time.monotonic()
        while not (told := one.book("select body from audit where kind = 'exit.naked'")):
            assert time.monotonic() - began < WITHIN_S + 1
            time.sleep(0.01)
        assert placed["position_id"] in told[0][0]
        assert one.refusal("place_order", **one.order("0.03")) == "HALTED"
        # No policy says to close: the position stays, and stays the human's to decide.
        assert one.venue("select number from positions where steps > 0") != []
