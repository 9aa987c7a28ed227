"""Turns, levels and the volume by price, by hand; a turn stands where it became known."""

from __future__ import annotations

import numpy
import pytest

from ordergate.market.features.frame import Frame, cut
from ordergate.market.features.levels import WING, levels, profile, swings
from support.series import of_bars, of_closes, walk


def test_a_turn_is_known_wing_bars_after_it() -> None:
    closes = [10, 11, 12, 13, 12, 11, 10, 11, 12, 13]
    found = swings(Frame(of_closes(closes, reach=0.0)))
    assert found.high[6] == 13  # the top stood at bar 3
    assert numpy.isnan(numpy.delete(found.high, 6)).all()
    assert found.low[9] == 10  # of bar 6
    assert int((~numpy.isnan(found.low)).sum()) == 1


def test_of_equal_tops_the_first_counts() -> None:
    highs = [1.0, 2, 3, 5, 5, 3, 2, 1, 1]
    found = swings(Frame(of_bars([(high, 0.5, 0.7, 1) for high in highs])))
    assert [n for n, price in enumerate(found.high) if price == 5] == [6]


def test_a_turn_never_changes_when_more_bars_come() -> None:
    whole = walk(200)
    full = swings(Frame(whole))
    for upto in (20, 77, 150):
        part = swings(Frame(cut(whole, upto)))
        assert numpy.array_equal(part.high, full.high[:upto], equal_nan=True)
        assert numpy.array_equal(part.low, full.low[:upto], equal_nan=True)


def test_levels_are_where_the_market_turned_nearest_first() -> None:
    ride = [10, 12, 14, 16, 18, 20, 18, 16, 14, 12]
    found = levels(Frame(of_closes(ride * 6 + [10, 12, 14], reach=0.1)))
    assert [level.kind for level in found] == ["support", "resistance"]
    support, resistance = found
    assert support.price == pytest.approx(9.9)
    assert resistance.price == pytest.approx(20.1)
    assert resistance.touches == 6
    assert support.touches == 5  # the last low has too few bars after it
    assert resistance.bars_ago == 7


def test_a_short_history_has_no_levels() -> None:
    assert levels(Frame(walk(10))) == ()
    assert levels(Frame(walk(2 * WING))) == ()


def test_the_busiest_price_and_the_area_that_holds_most_volume() -> None:
    rows = [(price, price, price, volume) for price, volume in ((10, 1), (11, 8), (12, 1))]
    found = profile(Frame(of_bars(rows)))
    assert found is not None
    assert found.by == "volume"
    assert found.value_low <= 11 < found.value_high
    assert found.value_high - found.value_low == pytest.approx(2 / 24)
    assert found.busiest == pytest.approx(11, abs=2 / 24)


def test_without_volume_bars_are_counted_and_it_says_so() -> None:
    found = profile(Frame(of_closes([10, 10.1, 10.2, 10.1, 13], reach=0.0)))
    assert found is not None
    assert found.by == "bars"
    assert found.busiest < 10.5


def test_a_market_that_stands_still_has_no_profile() -> None:
    assert profile(Frame(of_closes([10.0] * 20, reach=0.0))) is None
