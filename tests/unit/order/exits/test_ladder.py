"""The ladder: wider step by step, each inside its collar, and at last the market."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordergate.model.market import Quote
from ordergate.model.orders import Side
from ordergate.model.values import Symbol
from ordergate.order.exits.ladder import RUNGS, WIDTHS, rung_price, spent
from support.exit_scenes import AT
from support.manual_market import fx

D = Decimal
QUOTE = Quote(Symbol("EURUSD"), D("1.00003"), D("1.00013"), AT, "manual", True)


@pytest.mark.parametrize(
    ("rung", "sell", "buy"),
    [(0, "0.99503", "1.00513"), (1, "0.99003", "1.01013"), (2, "0.98003", "1.02013")],
)
def test_each_step_reaches_farther(rung: int, sell: str, buy: str) -> None:
    spec, collar = fx("EURUSD"), D("0.005")
    assert rung_price(rung, Side.SELL, QUOTE, spec, collar=collar) == D(sell)
    assert rung_price(rung, Side.BUY, QUOTE, spec, collar=collar) == D(buy)


def test_the_last_steps_are_at_the_market() -> None:
    for rung in range(len(WIDTHS), RUNGS):
        assert rung_price(rung, Side.SELL, QUOTE, fx("EURUSD"), collar=D("0.005")) is None
        assert not spent(rung)
    assert spent(RUNGS)


def test_without_a_price_or_a_price_left_the_venue_decides() -> None:
    assert rung_price(0, Side.SELL, None, fx("EURUSD"), collar=D("0.005")) is None
    assert rung_price(0, Side.SELL, QUOTE, None, collar=D("0.005")) is None
    assert rung_price(2, Side.SELL, QUOTE, fx("EURUSD"), collar=D("0.5")) is None
