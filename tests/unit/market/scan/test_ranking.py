"""The score by hand, from its parts; its order; and a history too short for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ordergate.market.features.frame import Frame
from ordergate.market.features.regime import Trend, Wildness
from ordergate.market.scan.ranking import (
    VIEW_HISTORY,
    View,
    opportunity,
    points,
    ranked,
    view,
)
from ordergate.market.signals.strategies import custom
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from support.series import of_closes, walk

EURUSD = Symbol("EURUSD")
FULL = View(
    timeframe=Timeframe.H1,
    close=100.0,
    change=0.01,
    trend=Trend.UP,
    strength=0.5,
    rsi=70.0,
    atr=2.0,
    volatility=Wildness.NORMAL,
    volatility_rank=0.5,
    place=1.0,
    signal=1.0,
)
LONG = custom(long="close > 0", short=None)


def test_all_parts_up_are_a_hundred_points() -> None:
    assert points(FULL) == {"trend": 40, "signal": 25, "momentum": 20, "place": 15}
    found = opportunity(EURUSD, [FULL], 0.0)
    assert (found.score, found.direction, found.agreement) == (100, "long", 1)


def test_parts_by_hand() -> None:
    """Half a trend down, RSI 60, in the middle, half a signal: -20 + 12.5 + 10 + 0."""
    one = replace(FULL, trend=Trend.DOWN, strength=0.25, rsi=60.0, place=0.5, signal=0.5)
    assert points(one) == {"trend": -20, "signal": 12.5, "momentum": 10, "place": 0}
    assert opportunity(EURUSD, [one], None).direction == "none"


def test_longer_timeframes_weigh_more_and_disagreement_halves_at_most() -> None:
    """H1 -100 at weight 1, H4 +100 at weight 2: 33.3 points, two thirds agree: x 5/6."""
    down = replace(FULL, trend=Trend.DOWN, rsi=30.0, place=0.0, signal=-1.0)
    four = replace(FULL, timeframe=Timeframe.H4)
    found = opportunity(EURUSD, [four, down], 0.0)
    assert found.agreement == pytest.approx(2 / 3)
    assert found.score == pytest.approx(100 / 3 * 5 / 6)
    assert [one.timeframe for one in found.views] == [Timeframe.H1, Timeframe.H4]


def test_the_spread_takes_its_share_and_never_turns_a_score_round() -> None:
    assert opportunity(EURUSD, [FULL], 0.5).score == pytest.approx(75)
    assert opportunity(EURUSD, [FULL], 0.5).cost == 0.25
    assert opportunity(EURUSD, [FULL], 9.0).score == 0
    assert opportunity(EURUSD, [FULL], None).cost is None


def test_the_strongest_comes_first_whichever_way_and_ties_go_by_name() -> None:
    down = replace(FULL, trend=Trend.DOWN, rsi=30.0, place=0.0, signal=-1.0)
    found = [
        opportunity(Symbol("C"), [replace(FULL, rsi=50.0)], 0.0),
        opportunity(Symbol("B"), [down], 0.0),
        opportunity(Symbol("A"), [FULL], 0.0),
    ]
    assert [(one.symbol, round(one.score)) for one in ranked(found)] == [
        ("A", 100),
        ("B", -100),
        ("C", 80),
    ]


def test_a_view_is_of_the_last_bar() -> None:
    frame = Frame(of_closes([100 + 0.1 * n for n in range(400)], reach=0.0))
    found = view(frame, LONG)
    assert found.trend is Trend.UP
    assert (found.rsi, found.place, found.signal) == (100, 1, 0.5)
    assert found.change == pytest.approx(139.9 / 137.9 - 1)
    assert found.atr == pytest.approx(0.1)


def test_a_short_history_is_refused_with_its_numbers() -> None:
    with pytest.raises(DataUnavailable, match="insufficient_history: 100 closed bars") as refused:
        view(Frame(walk(100)), LONG)
    assert refused.value.details["needed"] >= VIEW_HISTORY
    assert view(Frame(walk(VIEW_HISTORY)), LONG)
