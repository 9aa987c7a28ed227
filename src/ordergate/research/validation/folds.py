"""Cuts of time for walk-forward and cross-validation: train, gap, test; purged and embargoed.

Observations are numbered by time; a fold never mixes, and never repeats a test observation.
After Lopez de Prado, "Advances in Financial Machine Learning", 2018, chapters 7 and 12.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FOLDS_MAX: Final = 200
PATHS_MAX: Final = 2_000


class BadFolds(ValueError):
    """The windows do not fit the observations; the text says which number to change."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Half-open ranges of observation numbers. `train` may have holes after purging."""

    train: tuple[tuple[int, int], ...]
    test: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Windows in observations. `anchored`: training starts at 0 and grows."""

    train: int
    test: int
    gap: int = 0  # between training and test: at least the longest label or trade
    anchored: bool = False


def walk(count: int, windows: Walk) -> tuple[Fold, ...]:
    """Return the folds of a walk through `count` observations, oldest first.

    Each test window begins where the one before ended; the last one may be shorter, but not
    than half. Raises BadFolds where not two folds fit, or more than 200.
    """
    if min(windows.train, windows.test) < 1 or windows.gap < 0:
        raise BadFolds("train and test must be at least 1 observation, the gap at least 0")
    folds: list[Fold] = []
    start = windows.train + windows.gap
    while start + math.ceil(windows.test / 2) <= count:
        if len(folds) == FOLDS_MAX:
            raise BadFolds(f"more than {FOLDS_MAX} folds: a test window longer than {windows.test}")
        end = start - windows.gap
        begin = 0 if windows.anchored else end - windows.train
        folds.append(Fold(((begin, end),), (start, min(start + windows.test, count))))
        start += windows.test
    if len(folds) < 2:
        needed = windows.train + windows.gap + 2 * windows.test
        raise BadFolds(f"{count} observations, {needed} are needed for two folds")
    return tuple(folds)


def purged(
    count: int,
    tests: Sequence[tuple[int, int]],
    *,
    reach: int = 0,
    embargo: int = 0,
) -> tuple[tuple[int, int], ...]:
    """Return what may be trained on beside the tests.

    `reach` is how many observations after its own a label or trade still looks at: training
    observations whose reach touches a test go (purge), and so do those within a test's reach,
    and `embargo` more after it.
    """
    kept = [True] * count
    for start, end in tests:
        for at in range(max(0, start - reach), min(count, end + reach + embargo)):
            kept[at] = False
    return tuple(_ranges(kept))


def combinatorial(
    count: int, *, groups: int, tested: int, reach: int = 0, embargo: int = 0
) -> tuple[tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]], ...]:
    """Return (train, tests) for every choice of `tested` of `groups` equal groups of time.

    The observations that do not fill a group are dropped at the start. Raises BadFolds for more
    than 2,000 paths.
    """
    length = count // groups if groups > 0 else 0
    if length < 1 or not 0 < tested < groups:
        raise BadFolds(f"{groups} groups, {tested} of them tested, of {count} observations")
    paths = math.comb(groups, tested)
    if paths > PATHS_MAX:
        raise BadFolds(f"{paths} paths: at most {PATHS_MAX}, so fewer groups")
    first = count - length * groups
    found = []
    for chosen in itertools.combinations(range(groups), tested):
        tests = tuple((first + g * length, first + (g + 1) * length) for g in chosen)
        train = purged(count, tests, reach=reach, embargo=embargo)
        found.append((tuple((max(a, first), b) for a, b in train if b > first), tests))
    return tuple(found)


def _ranges(kept: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for at, here in enumerate((*kept, False)):
        if here and start is None:
            start = at
        elif not here and start is not None:
            yield start, at
            start = None
