"""A vote of strategies, by hand: weights, abstentions, and the terms of the side that won."""

from __future__ import annotations

import numpy
import pytest

from ordergate.market.features.frame import Frame
from ordergate.market.signals.ensemble import Ensemble, ensemble
from ordergate.market.signals.strategies import BadStrategy, custom
from support.series import walk

UP = custom(long="close > 0", short=None, stop_atr=1, reward=2)
UP_WIDE = custom(long="close > 0", short=None, stop_atr=3, reward=2)
DOWN = custom(long=None, short="close > 0", stop_atr=1, reward=2)
SILENT = custom(long="close < 0", short=None)
FRAME = Frame(walk(400))


def last(*members: tuple[object, float], least: float = 0.2) -> tuple[float, float, float]:
    """Return direction, confidence and stop distance in ATRs at the last bar."""
    said = Ensemble(tuple(members), least).on(FRAME)  # type: ignore[arg-type]
    reach = said.entry[-1] - said.stop[-1]
    one = UP.on(FRAME)
    return (
        float(said.direction[-1]),
        float(said.confidence[-1]),
        float(reach / (one.entry[-1] - one.stop[-1])),
    )


def test_two_that_agree_speak_with_their_own_confidence() -> None:
    assert last((UP, 1), (UP, 1)) == pytest.approx((1, 0.5, 1))


def test_stop_and_target_are_the_weighted_means_of_the_side() -> None:
    assert last((UP, 3), (UP_WIDE, 1)) == pytest.approx((1, 0.5, 1.5))


def test_an_abstention_weighs_on_the_score_not_on_the_confidence() -> None:
    assert last((UP, 1), (SILENT, 1)) == pytest.approx((1, 0.5, 1))  # score 0.25
    said = Ensemble(((UP, 1.0), (SILENT, 2.0))).on(FRAME)  # score 0.167
    assert said.direction[-1] == 0
    assert numpy.isnan(said.confidence[-1])


def test_equal_votes_against_each_other_are_none() -> None:
    assert Ensemble(((UP, 1.0), (DOWN, 1.0))).on(FRAME).direction[-1] == 0


def test_the_heavier_side_wins_with_what_is_left_of_its_confidence() -> None:
    """(0.5 x 3 - 0.5 x 1) / 4 = 0.25 score; the same difference over those who voted."""
    assert last((DOWN, 3), (UP, 1))[:2] == pytest.approx((-1, 0.25))


def test_it_waits_for_the_longest_history_and_says_who_abstains() -> None:
    usual = ensemble()
    assert usual.required_history == max(one.required_history for one, _ in usual.members)
    assert [one.name for one, _ in usual.members] == ["rule_baseline", "volatility_breakout"]
    said = Ensemble(((UP, 1.0), (SILENT, 2.0))).reasons(FRAME)
    assert said == ("custom buy: close > 0", "custom abstains (weight 2)")
    assert set(usual.columns) == {"close", "high", "low"}
    assert not usual.needs_session
    assert "atr(14)" in usual.readings(FRAME)
    assert (usual.signals(FRAME.series).direction[: usual.required_history - 1] == 0).all()


def test_weights_are_bounded() -> None:
    for weight in (0, -1, 101):
        with pytest.raises(BadStrategy):
            ensemble({"rule_baseline": weight})
    with pytest.raises(BadStrategy):
        ensemble({"no_such": 1})
