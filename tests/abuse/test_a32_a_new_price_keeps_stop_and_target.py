"""A32: a new price for a resting order leaves its stop and target as they were."""

from __future__ import annotations

from decimal import Decimal

from support.gateway_process import GatewayProcess


def test_modifying_the_price_alone_keeps_stop_and_target(running: GatewayProcess) -> None:
    (quote,) = running.good("get_quotes", symbols=["EURUSD"])["quotes"]
    bid = Decimal(quote["bid"])
    prices = {
        name: format((bid * Decimal(share)).quantize(Decimal("0.00001")), "f")
        for name, share in (
            ("limit_price", "0.997"),
            ("stop_loss", "0.993"),
            ("take_profit", "1.01"),
        )
    }
    placed = running.good(
        "place_order", symbol="EURUSD", side="buy", order_type="limit", quantity="0.03", **prices
    )
    assert placed["status"] == "working"
    question = "select limit_price, stop_loss, take_profit from orders where number = ?"
    question = question.replace('"', "").replace("limit_price", '"limit"')
    number = int(placed["venue_order_id"][1:])
    before = running.venue(question, number)[0]
    nearer = format(Decimal(prices["limit_price"]) + Decimal("0.0005"), "f")
    changed = running.good("modify_order", order_id=placed["order_id"], limit_price=nearer)
    assert changed["status"] == "applied"
    after = running.venue(question, number)[0]
    assert after[0] == before[0] + 50
    assert after[1:] == before[1:]
    assert min(after[1:]) > 0
    running.good("cancel_order", order_id=placed["order_id"])
