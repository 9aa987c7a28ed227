"""Ticks, quotes and timeframes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from ordergate.model.market import Quote, Slice, Timeframe, tick
from ordergate.model.values import Symbol

AT = datetime(2026, 1, 7, 14, tzinfo=UTC)
EURUSD = Symbol("EURUSD")


def test_a_tick_is_a_slice_without_length_and_with_one_price_a_side() -> None:
    one = tick(EURUSD, AT, Decimal("1.1"), Decimal("1.2"))
    assert one.is_tick
    assert {one.bid_open, one.bid_high, one.bid_low, one.bid_close} == {Decimal("1.1")}
    assert {one.ask_open, one.ask_high, one.ask_low, one.ask_close} == {Decimal("1.2")}


def test_a_bar_is_no_tick() -> None:
    prices = [Decimal(1)] * 8
    assert not Slice(EURUSD, AT, AT + timedelta(minutes=1), *prices).is_tick


def test_a_quote_knows_its_middle_and_its_width() -> None:
    quote = Quote(EURUSD, Decimal("1.1000"), Decimal("1.1003"), AT, "simulated", synthetic=True)
    assert quote.mid == Decimal("1.10015")
    assert quote.spread == Decimal("0.0003")


def test_every_timeframe_is_a_whole_multiple_of_the_one_before() -> None:
    lengths = [timeframe.length for timeframe in Timeframe]
    assert lengths == sorted(lengths)
    assert all(longer % shorter == timedelta(0) for shorter, longer in pairwise(lengths))
