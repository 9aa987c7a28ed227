"""Is the best of many better than doing nothing? White's reality check and Hansen's SPA.

White, "A Reality Check for Data Snooping", Econometrica 2000; Hansen, "A Test for Superior
Predictive Ability", JBES 2005 (the consistent one); resampled by the stationary bootstrap of
Politis and Romano, 1994. The variances of SPA are those of the bootstrap itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

DRAWS: Final = 1_000
OBSERVATIONS_LEAST: Final = 20


@dataclass(frozen=True, slots=True)
class Reality:
    """p-values of "none is better than the benchmark"; small ones speak for the best."""

    white: float
    spa: float
    draws: int
    block: float  # mean length of a resampled stretch, observations


def reality_check(
    excess: Numbers, *, draws: int = DRAWS, block: float | None = None, seed: int = 1
) -> Reality:
    """Test results over the benchmark's (T rows, one column a configuration).

    `block` defaults to the square root of T. Raises ValueError for fewer than 20 observations.
    """
    rows = excess.reshape(len(excess), -1)
    count = len(rows)
    if count < OBSERVATIONS_LEAST:
        raise ValueError(f"{count} observations are too few: {OBSERVATIONS_LEAST} are needed")
    length = math.sqrt(count) if block is None else block
    mean = rows.mean(axis=0)
    drawn = _weights(count, draws=draws, block=length, seed=seed) @ rows / count
    root = math.sqrt(count)
    deviation = root * drawn.std(axis=0)
    moves = deviation > 1e-12 * (numpy.abs(rows).max(initial=0.0) or 1.0)
    if not moves.any():
        return Reality(1.0, 1.0, draws, length)
    mean, drawn, deviation = mean[moves], drawn[:, moves], deviation[moves]
    luck = (root * (drawn - mean)).max(axis=1)
    # Hansen: what is hopelessly bad is not pulled up to zero, or it would water the test down.
    hopeless = root * mean / deviation <= -math.sqrt(2.0 * math.log(math.log(count)))
    centre = numpy.where(hopeless, 0.0, mean)
    studied = (root * (drawn - centre) / deviation).max(axis=1)
    return Reality(
        white=_share(luck, float((root * mean).max())),
        spa=_share(numpy.maximum(studied, 0.0), max(0.0, float((root * mean / deviation).max()))),
        draws=draws,
        block=length,
    )


def bootstrap_means(rows: Numbers, *, draws: int = DRAWS, seed: int = 1) -> Numbers:
    """Return the means of resampled rows, a draw a row; stretches of sqrt(T) on average."""
    count = len(rows)
    drawn: Numbers = _weights(count, draws=draws, block=math.sqrt(count), seed=seed) @ rows / count
    return drawn


def _share(luck: Numbers, seen: float) -> float:
    """Return how often luck did as well, the sample itself counted: never quite 0."""
    return (float((luck >= seen).sum()) + 1.0) / (len(luck) + 1.0)


def _weights(count: int, *, draws: int, block: float, seed: int) -> Numbers:
    """Return how often each observation is drawn: stretches of geometric length, wrapped."""
    chance = numpy.random.default_rng(seed)
    weights = numpy.empty((draws, count))
    for draw in range(draws):
        starts = chance.random(count) < 1.0 / block
        starts[0] = True
        first = chance.integers(0, count, count)
        place = numpy.flatnonzero(starts)
        stretch = numpy.cumsum(starts) - 1
        index = (first[place][stretch] + numpy.arange(count) - place[stretch]) % count
        weights[draw] = numpy.bincount(index, minlength=count)
    return weights
