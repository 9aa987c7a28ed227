"""Which way, how straight and how wild, by hand and without a view of what comes."""

from __future__ import annotations

import numpy
import pytest

from ordergate.market.features.frame import Frame, cut
from ordergate.market.features.regime import (
    HISTORY,
    TREND_HISTORY,
    VOLATILITY_HISTORY,
    Trend,
    Wildness,
    direction,
    directions,
    straightness,
    volatility,
)
from support.series import of_closes, walk


@pytest.mark.parametrize(
    ("step", "trend"), [(0.1, Trend.UP), (-0.1, Trend.DOWN), (0.0, Trend.RANGE)]
)
def test_the_trend_is_named(step: float, trend: Trend) -> None:
    found = direction(Frame(of_closes([100 + step * n for n in range(80)])))
    assert found is not None
    assert found.trend is trend
    assert found.strength == (1.0 if step else 0.0)


def test_a_market_to_and_fro_is_a_range() -> None:
    found = direction(Frame(of_closes([100 + n % 2 for n in range(80)])))
    assert found is not None
    assert found.trend is Trend.RANGE


def test_straightness_by_hand() -> None:
    """Up 3, down 1, up 2 over three steps: net 4 of a path of 6."""
    made = straightness(numpy.array([10.0, 13.0, 12.0, 14.0]), 3)
    assert numpy.isnan(made[:3]).all()
    assert made[3] == pytest.approx(4 / 6)


def test_a_short_history_says_nothing() -> None:
    assert direction(Frame(walk(TREND_HISTORY - 1))) is None
    assert direction(Frame(walk(TREND_HISTORY))) is not None
    assert volatility(Frame(walk(VOLATILITY_HISTORY - 1))) is None
    assert volatility(Frame(walk(VOLATILITY_HISTORY))) is not None


def test_wild_and_calm_are_told_apart() -> None:
    calm = [100 + 0.1 * (n % 2) for n in range(120)]
    wild = [100 + (3 + n) * (n % 2) for n in range(20)]
    rising = volatility(Frame(of_closes(calm + wild, reach=0.01)))
    falling = volatility(Frame(of_closes(wild * 6 + calm[:20], reach=0.01)))
    assert rising is not None
    assert falling is not None
    assert rising.regime is Wildness.EXTREME
    assert falling.regime is Wildness.LOW
    assert rising.fraction > falling.fraction


def test_a_window_is_all_it_needs() -> None:
    whole = walk(900)
    short = Frame(cut(whole, 700))
    assert direction(short) is not None
    assert directions(short)[-1] == directions(Frame(whole))[699]
    words = {Trend.UP: 1.0, Trend.DOWN: -1.0, Trend.RANGE: 0.0}
    ways = directions(Frame(whole))
    for upto in range(TREND_HISTORY, 900, 7):
        found = direction(Frame(cut(whole, upto)))
        assert found is not None
        assert words[found.trend] == ways[upto - 1]
    assert HISTORY == VOLATILITY_HISTORY
