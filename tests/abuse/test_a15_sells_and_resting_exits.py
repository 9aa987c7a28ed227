"""A15, through the public doors: sells and resting exits together never exceed what is held."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from support.gateway_process import GatewayProcess

HELD = "0.1"


@pytest.fixture
def coins(running: GatewayProcess) -> dict[str, Any]:
    """Hold a netted position in an exchange's coin."""
    (quote,) = running.good("get_quotes", symbols=["BTCUSD"])["quotes"]
    stop = str(int(Decimal(quote["bid"]) * Decimal("0.98")))
    opened = running.good("place_order", symbol="BTCUSD", side="buy", quantity=HELD, stop_loss=stop)
    assert opened["status"] == "filled"
    return {**opened, "target": str(int(Decimal(quote["ask"]) * Decimal("1.05")))}


def sell(coins: dict[str, Any], lots: str, **more: Any) -> dict[str, Any]:
    return {"symbol": "BTCUSD", "side": "sell", "quantity": lots, "reduce_only": True} | more


def held_steps(running: GatewayProcess, coins: dict[str, Any]) -> int:
    ((steps,),) = running.venue(
        "select steps from positions where number = ?", int(coins["position_id"][1:])
    )
    return int(steps)


def test_resting_exits_and_sells_at_once_stay_within_the_position(
    running: GatewayProcess, coins: dict[str, Any]
) -> None:
    resting = sell(coins, "0.075", order_type="limit", limit_price=coins["target"])
    assert running.good("place_order", **resting)["status"] == "working"

    over = running.call("place_order", **sell(coins, "0.05"))
    assert over["error"]["code"] == "EXCEEDS_POSITION"

    sizes = [f"0.0{n}" for n in (10, 15, 20, 10, 15, 20)]
    with ThreadPoolExecutor(6) as crowd:
        replies = list(
            crowd.map(lambda lots: running.call("place_order", **sell(coins, lots)), sizes)
        )
    sold = sum(
        (Decimal(lots) for lots, reply in zip(sizes, replies, strict=True) if reply["ok"]),
        Decimal(0),
    )
    assert 0 < sold <= Decimal(HELD) - Decimal("0.075")
    ((left,),) = running.venue(
        "select sum(steps - filled) from orders where done_at = 0 and reduce_only = 1"
        " and symbol = 'BTCUSD'"
    )
    assert left <= held_steps(running, coins)
    for order in running.good("get_account", section="orders")["open_orders"]:
        if order["symbol"] == "BTCUSD":
            running.call("cancel_order", venue_order_id=order["venue_order_id"])
    running.call("close_position", position_id=coins["position_id"])
