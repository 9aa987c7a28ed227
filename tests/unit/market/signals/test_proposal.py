"""A signal becomes a proposal only above its floors; what holds it back is said in numbers."""

from __future__ import annotations

import pytest

from ordergate.market.features.frame import Frame
from ordergate.market.signals.proposal import Floors, edge_of, held, propose
from ordergate.market.signals.strategies import Strategy, custom
from support.series import of_closes, walk

STEADY = Frame(of_closes([100.0] * 400, reach=0.5))  # ATR 1


def up(*, reward: float = 2.0) -> Strategy:
    return custom(long="close > 0", short=None, stop_atr=1, reward=reward)


def test_the_edge_by_hand() -> None:
    """Half of 2 R won, half of 1 R lost, a tenth paid."""
    assert edge_of(0.5, 2.0, 0.1) == pytest.approx(0.4)


def test_a_proposal_by_hand() -> None:
    found = propose(up(), STEADY, spread=0.1)
    assert found.proposed
    assert (found.direction, found.entry, found.stop, found.target) == ("long", 100, 99, 102)
    assert (found.confidence, found.reward_risk) == (0.5, 2)
    assert found.edge == pytest.approx(0.4)
    assert found.reasons == ("custom buy: close > 0",)
    assert found.readings == {"close": 100.0}


@pytest.mark.parametrize(
    ("floors", "spread", "reward", "words"),
    [
        (Floors(confidence=0.51), 0.1, 2.0, "confidence 0.500 is below 0.51"),
        (Floors(reward_risk=2.5), 0.1, 2.0, "reward:risk 2.000 is below 2.5"),
        (Floors(), 0.1, 1.0, "edge -0.100 is below 0"),
        (Floors(edge=0.41), 0.1, 2.0, "edge 0.400 is below 0.41"),
        (Floors(), None, 2.0, "the spread, and so the edge, is not known"),
    ],
)
def test_below_a_floor_it_is_held_back(
    floors: Floors, spread: float | None, reward: float, words: str
) -> None:
    found = propose(up(reward=reward), STEADY, spread=spread, floors=floors)
    assert not found.proposed
    assert found.direction == "long"
    assert found.held_back == (words,)


def test_at_a_floor_it_passes() -> None:
    floors = Floors(confidence=0.5, reward_risk=2.0, edge=0.5)
    assert propose(up(), STEADY, spread=0.0, floors=floors).proposed


def test_without_a_signal_there_are_no_terms() -> None:
    found = propose(custom(long="close < 0", short=None), STEADY, spread=0.1)
    assert (found.direction, found.entry, found.stop, found.edge) == ("none", None, None, None)
    assert not found.proposed
    assert found.reasons == ("custom: no condition holds",)
    assert held(found, ["closed"]) is found


def test_more_reasons_can_hold_it_back() -> None:
    found = held(propose(up(), STEADY, spread=0.1), ["the session is closed: weekend"])
    assert found.held_back == ("the session is closed: weekend",)
    assert not found.proposed
    assert held(found, []).held_back == found.held_back


def test_a_sell_stands_the_other_way_round() -> None:
    found = propose(custom(long=None, short="close > 0", stop_atr=1), STEADY, spread=0.1)
    assert (found.direction, found.stop, found.target) == ("short", 101, 98)


def test_the_floors_of_the_field_are_the_defaults() -> None:
    assert (Floors().confidence, Floors().reward_risk, Floors().edge) == (0.42, 0.7, 0.0)
    assert propose(up(), Frame(walk(400)), spread=0.0).direction == "long"
