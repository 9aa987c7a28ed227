"""The probability of backtest overfitting: does the best of the past stay above the middle?

Combinatorially symmetric cross-validation after Bailey, Borwein, Lopez de Prado and Zhu, "The
Probability of Backtest Overfitting", 2014, from sums of blocks: no curve is needed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

BLOCKS: Final = 16  # S: 12,870 halves
BLOCKS_MAX: Final = 20
CELLS_MAX: Final = 2_000_000  # numbers held at once
SAME: Final = 1e-11  # Sharpe ratios this near are equal: sums round


@dataclass(frozen=True, slots=True)
class Blocks:
    """Sums of results and of their squares; S rows, one column a configuration."""

    length: int  # observations in each block
    sums: Numbers
    squares: Numbers


@dataclass(frozen=True, slots=True)
class Overfit:
    """`slope`: of the chosen one's SR outside on its SR inside, over the splits; None where the
    inside never varies. `loss` is the share of splits in which the chosen one lost outside.
    """

    pbo: float
    splits: int
    configurations: int
    slope: float | None
    loss: float
    median_logit: float


def blocks_of(results: Numbers, *, blocks: int = BLOCKS) -> Blocks:
    """Cut results (T rows, one column a configuration) into S equal blocks.

    The T mod S oldest rows are dropped. Raises ValueError where a block would hold less than two.
    """
    rows = results.reshape(len(results), -1)
    length = len(rows) // blocks
    if length < 2:
        raise ValueError(f"{len(rows)} observations do not fill {blocks} blocks")
    cut = rows[len(rows) - length * blocks :].reshape(blocks, length, -1)
    return Blocks(length, cut.sum(axis=1), (cut * cut).sum(axis=1))


def pbo(found: Blocks) -> Overfit:
    """Return PBO over every choice of half of the blocks; raise ValueError for what has no half.

    Of configurations that are equally best inside, the mean of their ranks outside counts.
    """
    count, configurations = found.sums.shape
    if count % 2 or not 2 <= count <= BLOCKS_MAX:
        raise ValueError(f"{count} blocks: an even number up to {BLOCKS_MAX} is needed")
    if configurations < 2:
        raise ValueError("one configuration cannot be chosen among others")
    halves = _halves(count)
    step = max(1, CELLS_MAX // configurations)
    parts = [_split(found, halves[at : at + step]) for at in range(0, len(halves), step)]
    share, inside, outside = (numpy.concatenate(column) for column in zip(*parts, strict=True))
    logits = numpy.log(share / (1.0 - share))
    return Overfit(
        pbo=float((logits <= SAME).mean()),
        splits=len(halves),
        configurations=configurations,
        slope=_slope(inside, outside),
        loss=float((outside < 0.0).mean()),
        median_logit=float(numpy.median(logits)),
    )


@cache
def _halves(count: int) -> Numbers:
    chosen = list(itertools.combinations(range(count), count // 2))
    halves = numpy.zeros((len(chosen), count))
    halves[numpy.arange(len(chosen))[:, None], numpy.array(chosen)] = 1.0
    return halves


def _split(found: Blocks, halves: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return w = rank / (N + 1) outside of the best inside, and its SR inside and outside."""
    inside = _sharpe(found, halves)
    outside = _sharpe(found, 1.0 - halves)
    top = inside.max(axis=1, keepdims=True)
    best = inside >= top - SAME * numpy.maximum(1.0, numpy.abs(top))
    rank = numpy.empty(len(halves))
    for row, chosen in enumerate(best):
        others = outside[row]
        mine = others[chosen][:, None]
        near = SAME * numpy.maximum(1.0, numpy.abs(mine))
        below = (others < mine - near).sum(axis=1)
        equal = (numpy.abs(others - mine) <= near).sum(axis=1)
        rank[row] = (below + (equal + 1) / 2).mean()
    width = best.sum(axis=1)
    return (
        rank / (inside.shape[1] + 1),
        top[:, 0],
        (outside * best).sum(axis=1) / width,
    )


def _sharpe(found: Blocks, halves: Numbers) -> Numbers:
    """Return the SR of each configuration over each half; 0 for one that does nothing there."""
    count = found.length * halves.shape[1] // 2
    mean = halves @ found.sums / count
    square = halves @ found.squares / count
    variance = square - mean * mean
    moves = variance > 1e-14 * square
    return numpy.where(moves, mean / numpy.sqrt(numpy.where(moves, variance, 1.0)), 0.0)


def _slope(inside: Numbers, outside: Numbers) -> float | None:
    centred = inside - inside.mean()
    spread = float(centred @ centred)
    if spread <= 1e-18:
        return None
    return float(centred @ (outside - outside.mean())) / spread
