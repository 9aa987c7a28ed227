"""A8: killed after the order left and before its answer was booked: found out, never sent again."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

pytestmark = pytest.mark.slow

SLOW = {"faults": [{"kind": "late_reply", "operation": "submit", "count": 1, "delay_s": 60}]}
WITHIN_S = 60.0


def cut_short(running: GatewayProcess, order: dict[str, str]) -> None:
    """Place an order whose answer never comes: kill the gateway once the venue holds it."""

    def place() -> None:
        with suppress(httpx.HTTPError):  # the gateway is gone: that is the case
            running.call("place_order", **order)

    sender = threading.Thread(target=place)
    sender.start()
    deadline = time.monotonic() + WITHIN_S
    while not running.venue("select tag from orders"):
        assert time.monotonic() < deadline, "the order never reached the venue"
        time.sleep(0.02)
    running.kill()
    sender.join(WITHIN_S)


@pytest.mark.timeout(150)
def test_a_filled_market_order_is_found_filled_and_its_key_answers_the_one_order(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, {**ROOMY, "paper": SLOW}) as running:
        order = running.order("0.02", idempotency_key="a8")
        cut_short(running, order)
        assert running.book("select state from attempts") == [("sending",)]
        running.settle_in(ROOMY)
        running.start()
        again = running.good("place_order", **order)
        deadline = time.monotonic() + WITHIN_S
        while again["status"] != "filled" and time.monotonic() < deadline:
            time.sleep(0.2)
            again = running.good("get_order", order_id=again["order_id"])
        assert (again["status"], again["filled_quantity"]) == ("filled", "0.02")
        assert len(running.venue("select tag from orders")) == 1, "nothing was sent again"
        assert len(running.book("select tag from attempts")) == 1
        (position,) = running.good("get_positions")["positions"]
        assert position["stop_loss"] == order["stop_loss"]
        assert running.verified() == 0
