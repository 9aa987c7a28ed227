"""Does it know the future? Three checks for anything that gives a number for each bar.

Prefix invariance: of the first k bars alone, every number up to k is the same bit for bit. Poisoned
future: whatever stands after k, nothing at or before it changes. Lag: where the market is followed
one bar later, an edge that was there does not vanish. The first two compare every bar, not those
with signals alone; the third sees what hides the future from the other two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import BadBars, cut
from ordergate.market.features.sessions import moment

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series

Columns = Mapping[str, "Numbers"]
Subject = Callable[["Series"], Columns]

CHOSEN: Final = 20  # places by chance
PREFIX_EVENTS_MAX: Final = 150  # places just after an event
POISON_EVENTS_MAX: Final = 20
RARE: Final = 0.25  # share of the bars up to which a column's values are events
POISONS: Final = ("noise", "extreme", "missing")
SURE: Final = 4.0  # standard errors that an edge must have before its loss says something
KEPT_LEAST: Final = 0.25  # share of such an edge that must outlive a bar of delay
BARS_LEAST: Final = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found; `tried` counts its comparisons. `column` and `bar` name the leak."""

    check: str  # "prefix", "poison" or "lag"
    passed: bool
    tried: int
    message: str
    column: str | None = None
    bar: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    subject: str
    bars: int
    signals: int
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)


def check(name: str, subject: Subject, series: Series, *, seed: int = 1) -> Report:
    """Put a subject to all three checks over a series; `direction` is the column of its signals.

    Raises ValueError for fewer than 50 bars: too few to tell anything.
    """
    if len(series) < BARS_LEAST:
        raise ValueError(f"{len(series)} bars are too few: {BARS_LEAST} are needed")
    whole = subject(series)
    ways = whole.get("direction")
    signals = 0 if ways is None else int(numpy.count_nonzero(numpy.nan_to_num(ways)))
    verdicts = [
        prefix(subject, series, whole, seed=seed),
        poison(subject, series, whole, seed=seed),
    ]
    if ways is not None:
        verdicts.append(lag(ways, series.close))
    return Report(name, len(series), signals, tuple(verdicts))


def brief(name: str, subject: Subject, series: Series, *, tries: int, seed: int = 1) -> Report:
    """Put what is slow to ask to the same checks at a few places: most of them after events.

    What it finds is a leak; what it does not find may still be one. Raises ValueError for fewer
    than 50 bars.
    """
    if len(series) < BARS_LEAST:
        raise ValueError(f"{len(series)} bars are too few: {BARS_LEAST} are needed")
    whole = subject(series)
    ways = numpy.nan_to_num(whole["direction"])
    every = _places(whole, len(series), seed=seed, events=PREFIX_EVENTS_MAX)
    spoken = [k for k in every if ways[k - 1] != 0] or every
    some = spoken[:: max(1, len(spoken) // tries)][:tries]
    verdicts = (
        prefix(subject, series, whole, places=some),
        poison(subject, series, whole, seed=seed, places=some[-2:]),
        lag(ways, series.close),
    )
    return Report(name, len(series), int(numpy.count_nonzero(ways)), verdicts)


def prefix(
    subject: Subject,
    series: Series,
    whole: Columns,
    *,
    seed: int = 1,
    places: Sequence[int] | None = None,
) -> Verdict:
    """Run on the first k bars, for many k, and compare with the whole run up to k."""
    places = places or _places(whole, len(series), seed=seed, events=PREFIX_EVENTS_MAX)
    for tried, k in enumerate(places, start=1):
        found = _difference(subject(cut(series, k)), whole, k)
        if found is not None:
            return _leak("prefix", tried, series, found, f"of the first {k} bars alone")
    return Verdict("prefix", True, len(places), f"the same of the first k bars, {len(places)} k")


def poison(
    subject: Subject,
    series: Series,
    whole: Columns,
    *,
    seed: int = 1,
    places: Sequence[int] | None = None,
) -> Verdict:
    """Replace what comes after k by noise, by extremes and by nothing, and compare up to k.

    A subject may refuse bars without prices; then that poison says nothing of it.
    """
    places = places or _places(whole, len(series), seed=seed, events=POISON_EVENTS_MAX)
    tried = refused = 0
    for k in places:
        for kind in POISONS:
            tried += 1
            try:
                made = subject(poisoned(series, k, kind, seed=seed))
            except BadBars:
                refused += 1
                continue
            found = _difference(made, whole, k)
            if found is not None:
                return _leak("poison", tried, series, found, f"with {kind} after bar {k}")
    said = f"; {refused} times it refused bars without prices" if refused else ""
    return Verdict("poison", True, tried, f"the same whatever comes after{said}")


def lag(direction: Numbers, close: Numbers) -> Verdict:
    """Compare what a signal earns over the next bar with what it earns a bar later.

    Per bar: direction x log change of the close. An edge of at least four standard errors that
    keeps less than a quarter of itself, or one that appears only with the delay, is flagged.
    """
    changes = numpy.diff(numpy.log(close))
    ways = numpy.nan_to_num(direction)
    at_once, later = ways[:-1] * changes, ways[:-2] * changes[1:]
    now, then = _edge(at_once[ways[:-1] != 0]), _edge(later[ways[:-2] != 0])
    said = (
        f"mean {now[0] * 1e4:.2f} bp a signal ({now[1]:.1f} standard errors),"
        f" {then[0] * 1e4:.2f} bp ({then[1]:.1f}) a bar later"
    )
    collapsed = now[1] >= SURE and then[0] < KEPT_LEAST * now[0]
    better = then[1] >= SURE and now[0] < KEPT_LEAST * then[0]
    if collapsed or better:
        what = "the edge is gone a bar later" if collapsed else "it earns only with a delay"
        return Verdict("lag", False, 2, f"{what}: {said}", column="direction")
    return Verdict("lag", True, 2, said)


def poisoned(series: Series, upto: int, kind: str, *, seed: int = 1) -> Series:
    """Return the series with every bar from `upto` on replaced; the bars before are the same."""
    count = len(series) - upto
    chance = numpy.random.default_rng(seed)
    last = float(series.close[upto - 1])
    if kind == "missing":
        rows = [numpy.full(count, numpy.nan)] * 5
    else:
        width = 0.05 if kind == "noise" else 3.0
        close = last * numpy.exp(chance.normal(0.0, width, count))
        opened = numpy.concatenate([[last], close[:-1]])
        rows = [
            opened,
            numpy.maximum(opened, close) * 1.01,
            numpy.minimum(opened, close) * 0.99,
            close,
            chance.integers(0, 1_000_000, count).astype(numpy.float64),
        ]
        if numpy.isnan(series.volume).any():
            rows[4] = numpy.full(count, numpy.nan)

    def changed(column: Numbers, row: Numbers) -> Numbers:
        return numpy.concatenate([column[:upto], row])

    return replace(
        series,
        open=changed(series.open, rows[0]),
        high=changed(series.high, rows[1]),
        low=changed(series.low, rows[2]),
        close=changed(series.close, rows[3]),
        volume=changed(series.volume, rows[4]),
        ask=None,
    )


def _places(whole: Columns, bars: int, *, seed: int, events: int) -> list[int]:
    """Return the lengths to try: by chance, inside every warm-up, and just after events.

    An event is a value of a column that has few, or a signal; where they are many they are thinned
    out evenly.
    """
    chance = numpy.random.default_rng(seed)
    places = {int(k) for k in chance.integers(1, bars, CHOSEN)}
    places |= {2**n for n in range(bars.bit_length()) if 2**n < bars}
    told = numpy.zeros(bars, dtype=numpy.bool_)
    for name, column in whole.items():
        says = ~numpy.isnan(column) & (column != 0)
        if name == "direction" or 0 < says.mean() <= RARE:
            told |= says
    ends = numpy.flatnonzero(told[:-1]) + 1
    step = max(1, math.ceil(len(ends) / events))
    return sorted(places | {int(end) for end in ends[::step]})


def _difference(made: Columns, whole: Columns, upto: int) -> tuple[str, int] | None:
    """Return the first column and bar that differ before `upto`, bit for bit; NaN equals NaN."""
    for name in whole:
        ours, theirs = made[name][:upto], whole[name][:upto]
        if len(ours) != len(theirs):
            return name, min(len(ours), upto - 1)
        same = (ours == theirs) | (numpy.isnan(ours) & numpy.isnan(theirs))
        if not same.all():
            return name, int(numpy.argmin(same))
    return None


def _leak(check: str, tried: int, series: Series, found: tuple[str, int], how: str) -> Verdict:
    column, place = found
    at = f"{moment(int(series.time[place])):%Y-%m-%dT%H:%M:%SZ}"
    return Verdict(check, False, tried, f"{column} of bar {place} is another {how}", column, at)


def _edge(earned: Numbers) -> tuple[float, float]:
    """Return the mean and how many standard errors it is from 0."""
    if len(earned) < BARS_LEAST or not earned.std() > 0:
        return (float(earned.mean()) if len(earned) else 0.0, 0.0)
    mean = float(earned.mean())
    return mean, mean / (float(earned.std()) / math.sqrt(len(earned)))
