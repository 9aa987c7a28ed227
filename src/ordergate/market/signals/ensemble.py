"""Several strategies voting, each with its weight and its confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.signals.strategies import BadStrategy, Signals, Strategy, strategy

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series

ENSEMBLE: Final = "ensemble"
USUAL: Final[Mapping[str, float]] = {"rule_baseline": 1.0, "volatility_breakout": 1.0}
SCORE_LEAST: Final = 0.2
WEIGHT_MAX: Final = 100.0


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Votes of members; a member that abstains weighs down the score, not the confidence.

    score = (confidence x weight of the buyers - of the sellers) / all weight, -1 to 1. The side of
    the score is taken where it is at least `score_least`; the confidence is the same difference
    over the weight of those who voted. Stop and target are the means of its side, by weight.
    """

    members: tuple[tuple[Strategy, float], ...]
    score_least: float = SCORE_LEAST

    @property
    def name(self) -> str:
        return ENSEMBLE

    @property
    def required_history(self) -> int:
        return max(member.required_history for member, _ in self.members)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(sorted({name for member, _ in self.members for name in member.columns}))

    @property
    def needs_session(self) -> bool:
        return any(member.needs_session for member, _ in self.members)

    def signals(self, series: Series) -> Signals:
        return self.on(Frame(series))

    def on(self, frame: Frame) -> Signals:
        """Return the vote for every bar; raise BadBars where a member lacks a column."""
        votes = [(member.on(frame), weight) for member, weight in self.members]
        weights = sum(weight for _, weight in votes)
        pull = sum(_zeroed(vote.direction * vote.confidence) * weight for vote, weight in votes)
        voted = sum((vote.direction != 0) * weight for vote, weight in votes)
        assert not isinstance(pull, int)
        direction = numpy.where(
            numpy.abs(pull) / weights >= self.score_least, numpy.sign(pull), 0.0
        )
        direction[: self.required_history - 1] = 0.0
        known = direction != 0
        entry = numpy.where(known, frame.column("close"), numpy.nan)
        with numpy.errstate(all="ignore"):
            sure = numpy.where(known, numpy.abs(pull) / voted, numpy.nan)
        return Signals(
            direction=direction,
            entry=entry,
            stop=_mean_of_side([(vote, vote.stop, weight) for vote, weight in votes], direction),
            target=_mean_of_side(
                [(vote, vote.target, weight) for vote, weight in votes], direction
            ),
            confidence=sure,
        )

    def reasons(self, frame: Frame, bar: int = -1) -> tuple[str, ...]:
        said: list[str] = []
        for member, weight in self.members:
            found = member.reasons(frame, bar)
            said += found or [f"{member.name} abstains (weight {weight:g})"]
        return tuple(said)

    def readings(self, frame: Frame, bar: int = -1) -> dict[str, float]:
        read: dict[str, float] = {}
        for member, _ in self.members:
            read |= member.readings(frame, bar)
        return read


def ensemble(weights: Mapping[str, float] | None = None) -> Ensemble:
    """Return a vote of built-in strategies by weight; raise BadStrategy."""
    chosen = weights or USUAL
    for weight in chosen.values():
        if not 0 < weight <= WEIGHT_MAX:
            raise BadStrategy(f"a weight must be above 0 and at most {WEIGHT_MAX:g}")
    return Ensemble(tuple((strategy(name), weight) for name, weight in chosen.items()))


def _mean_of_side(votes: Sequence[tuple[Signals, Numbers, float]], direction: Numbers) -> Numbers:
    """Return the mean of what those said who voted as the whole did; NaN where it did not."""
    total, weights = numpy.zeros(len(direction)), numpy.zeros(len(direction))
    for vote, values, weight in votes:
        agrees = (vote.direction == direction) & (direction != 0)
        total += numpy.where(agrees, values, 0.0) * weight
        weights += agrees * weight
    with numpy.errstate(all="ignore"):
        return numpy.where(weights > 0, total / weights, numpy.nan)


def _zeroed(values: Numbers) -> Numbers:
    return numpy.where(numpy.isnan(values), 0.0, values)
