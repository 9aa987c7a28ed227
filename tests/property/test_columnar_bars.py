"""Columns make the same higher bars as bar by bar, over clock changes, gaps and weekends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy
from hypothesis import given
from hypothesis import strategies as st

from ordergate.market.bars.columnar import resample_columns
from ordergate.market.bars.resampling import resample
from ordergate.model.market import Bar, Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.examples import examples

EURUSD = Symbol("EURUSD")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Around New York's clock changes, a weekend, a year's end and a plain week.
BEGINNINGS = (
    datetime(2026, 3, 7, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 20, tzinfo=UTC),
    datetime(2025, 12, 31, 20, tzinfo=UTC),
    datetime(2014, 5, 9, 19, tzinfo=UTC),
    datetime(1969, 12, 31, 20, tzinfo=UTC),
)
PAIRS = [(low, high) for low in Timeframe for high in Timeframe if low.length < high.length]


@st.composite
def bars(draw: st.DrawFn) -> tuple[list[Bar], Timeframe]:
    low, high = draw(st.sampled_from(PAIRS))
    begin = draw(st.sampled_from(BEGINNINGS)).replace(minute=0)
    if low is Timeframe.H4:  # those begin where the venue's day does
        begin = begin.replace(hour=21 if begin.month in (3, 5) else 22) - timedelta(days=1)
    steps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=60))
    at, made = begin, []
    for step in steps:
        prices = draw(st.lists(st.integers(10_000, 20_000), min_size=4, max_size=4))
        volume = draw(st.sampled_from([None, Decimal(0), Decimal(3), Decimal(250)]))
        cents = sorted(Decimal(price).scaleb(-4) for price in prices)
        opens, closes = draw(st.sampled_from([(1, 2), (2, 1), (0, 3)]))
        made.append(
            Bar(EURUSD, low, at, cents[opens], cents[3], cents[0], cents[closes], volume, True)
        )
        at += step * low.length
    if draw(st.booleans()):
        last = made[-1]
        made[-1] = Bar(*(getattr(last, n) for n in Bar.__slots__[:-1]), False)
    return made, high


def columns(made: list[Bar]) -> Series:
    time = [(bar.time - EPOCH) // timedelta(microseconds=1) * 1000 for bar in made]
    numbers = {
        name: numpy.array([float(getattr(bar, name)) for bar in made])
        for name in ("open", "high", "low", "close")
    }
    volume = [numpy.nan if bar.volume is None else float(bar.volume) for bar in made]
    return Series(
        EURUSD,
        made[0].timeframe,
        numpy.array(time, numpy.int64),
        **numbers,
        volume=numpy.array(volume),
        complete=made[-1].complete,
        source="test",
    )


@examples(300)
@given(bars())
def test_columns_and_bars_agree(case: tuple[list[Bar], Timeframe]) -> None:
    made, timeframe = case
    expected = resample(made, timeframe)
    found = resample_columns(columns(made), timeframe)
    again = columns(list(expected))
    assert found.time.tolist() == again.time.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        numpy.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert found.complete == expected[-1].complete
