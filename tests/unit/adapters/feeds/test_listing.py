from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.adapters.feeds.ccxt_public.listing import decimals, instrument, said

MARKET: dict[str, Any] = {
    "symbol": "SOL/USD",
    "spot": True,
    "active": True,
    "precision": {"price": "0.01", "amount": "0.00000001"},
    "limits": {"amount": {"min": "0.02", "max": None}},
}
TICK = Decimal("0.01")


def test_a_spot_market_becomes_an_instrument_that_can_be_booked() -> None:
    spec = instrument(MARKET)
    assert spec is not None
    assert (spec.symbol, spec.base, spec.quote_currency) == ("SOLUSD", "SOL", "USD")
    assert spec.lot_step * spec.tick_size == Decimal("0.00000001")
    assert spec.lot_min == Decimal("0.02")


@pytest.mark.parametrize(
    "changed",
    [{"spot": False}, {"active": False}, {"symbol": "SOL/USD:USD"}, {"precision": {}}],
)
def test_what_is_no_open_spot_market_is_not_listed(changed: dict[str, Any]) -> None:
    assert instrument({**MARKET, **changed}) is None


@pytest.mark.parametrize(
    "ticker",
    [
        {},
        {"bid": "1.00"},
        {"bid": None, "ask": "1.00"},
        {"bid": "nan", "ask": "1.00"},
        {"bid": "inf", "ask": "1.00"},
        {"bid": "-1", "ask": "1.00"},
        {"bid": "0", "ask": "1.00"},
        {"bid": "words", "ask": "1.00"},
    ],
)
def test_a_ticker_without_two_prices_is_no_quote(ticker: dict[str, Any]) -> None:
    assert said(ticker, tick=TICK) is None


def test_prices_off_the_grid_go_outwards_and_a_time_is_kept() -> None:
    found = said({"bid": "1.009", "ask": "1.011", "timestamp": 1_700_000_000_000}, tick=TICK)
    assert found is not None
    assert (found.bid, found.ask, found.at_ms) == (
        Decimal("1.00"),
        Decimal("1.02"),
        1_700_000_000_000,
    )


@pytest.mark.parametrize(
    "row",
    [
        ["x", "1", "2", "0.5", "1", "1"],
        [1, "1", "0.9", "0.5", "1", "1"],
        [1, "1", "2", "1.5", "1", "1"],
        [1, "1", None, "1", "1", "1"],
        [1, "1"],
    ],
)
def test_a_row_that_is_no_bar_is_refused(row: list[Any]) -> None:
    with pytest.raises(ValueError):
        decimals(row)
