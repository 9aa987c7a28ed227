from __future__ import annotations

from datetime import UTC, datetime

import numpy

from ordergate.research.backtest.terms import NEVER, interleaved, joined, rolls_of
from ordergate.sim import layout
from support.backtests import bars, spec
from support.backtests import week_of_swap as swapped


def test_rollovers_stand_before_or_after_the_prices_of_their_event() -> None:
    # 2024-01-09 17:00 New York is 22:00 UTC
    hourly = bars([(0, 1, -1, 0)] * 4, begin=datetime(2024, 1, 9, 20, tzinfo=UTC)).time
    length = 3_600_000_000_000
    made = rolls_of(spec(costs=swapped()), hourly, hourly + length)
    assert made.tolist() == [1, 1, 1, NEVER, 0, 0]  # it ends the bar of 21:00: a Tuesday
    holed = hourly[[0, 3]]
    made = rolls_of(spec(costs=swapped()), holed, holed + length)
    assert made.tolist() == [1, 0, 1, NEVER, 0, 0]  # in the hole: before the next bar's prices
    assert rolls_of(spec(), hourly, hourly + length).tolist() == [NEVER, 0, 0]


def test_columns_are_joined_and_the_terms_say_where() -> None:
    made = numpy.zeros(64, dtype=numpy.int64)
    columns = {layout.SLIP: numpy.array([4]), layout.CAP: numpy.array([1, 2, 3])}
    assert joined(columns, made).tolist() == [4, 1, 2, 3]
    assert made[layout.SLIP : layout.SLIP + 4].tolist() == [0, 0, 1, 1]


def test_what_is_read_together_lies_together() -> None:
    table = interleaved((numpy.array([1, 2]), numpy.array([3, 4])))
    assert (table.tolist(), table.dtype) == ([1, 3, 2, 4], numpy.int32)
