"""A16, through the public doors: whatever stops new risk, every exit reaches the venue."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

# Limits under which nothing at all may be opened; the gate takes them up without a restart.
NOTHING = {
    "limits": {
        "order_notional_max": 0.000001,
        "order_notional_fraction": 0.000001,
        "orders_per_day_max": 1,
        "account_orders_per_day_max": 1,
        "orders_per_minute_max": 1,
        "open_positions_max": 1,
        "quote_age_max_s": 0.000001,
        "spread_max_fx_fraction": 0.000001,
        "symbols_allow": [],
        "symbols_deny": ["EURUSD"],
    }
}
STOPS = ("kill switch", "limits of nothing", "restart under the kill switch")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[GatewayProcess, dict[str, Any], dict[str, Any]]]:
    """A gateway with a position and an opening order at rest."""
    with gateway(tmp_path, ROOMY) as running:
        opened = running.good("place_order", **running.order("0.05"))
        assert opened["status"] == "filled"
        below = running.order("0.01")
        limit = below["stop_loss"]
        lower = format(Decimal(limit) - Decimal("0.00200"), "f")
        resting = running.good(
            "place_order",
            **below | {"order_type": "limit", "limit_price": limit, "stop_loss": lower},
        )
        assert resting["status"] == "working"
        yield running, opened, resting


def stop_new_risk(running: GatewayProcess, how: str) -> None:
    if how == "limits of nothing":
        running.settle_in({**ROOMY, "limits": {**ROOMY["limits"], **NOTHING["limits"]}})
    else:
        running.good("engage_kill_switch", scope="symbol", target="EURUSD", reason="A16")
    if how.startswith("restart"):
        running.kill()
        running.start()


@pytest.mark.parametrize("how", STOPS)
def test_tightening_reducing_cancelling_and_closing_pass(
    held: tuple[GatewayProcess, dict[str, Any], dict[str, Any]], how: str
) -> None:
    running, opened, resting = held
    stop_new_risk(running, how)
    refused = running.call("place_order", **running.order("0.02"))
    assert refused["data"] is None or refused["data"]["status"] == "rejected"

    nearer = format(Decimal(opened["stop_loss"]) + Decimal("0.00100"), "f")
    moved = running.good("modify_order", position_id=opened["position_id"], stop_loss=nearer)
    assert moved["status"] == "applied"
    number = int(opened["position_id"][1:])
    ((ticks,),) = running.venue("select stop_loss from positions where number = ?", number)
    assert Decimal(ticks) / 100_000 == Decimal(nearer)

    part = running.good("close_position", position_id=opened["position_id"], quantity="0.02")
    assert part["status"] == "filled"
    ((steps,),) = running.venue("select steps from positions where number = ?", number)
    assert steps == 3

    order = int(resting["venue_order_id"][1:])
    if how == "limits of nothing":  # under the switch the gate has cancelled it itself
        gone = running.good("cancel_order", venue_order_id=resting["venue_order_id"])
        assert gone["status"] == "applied"
    ((status,),) = running.venue("select status from orders where number = ?", order)
    assert status == "canceled"

    rest = running.good("close_position", position_id=opened["position_id"])
    assert rest["status"] == "filled"
    assert running.venue("select number from positions where steps > 0") == []
    assert running.verified() == 0
