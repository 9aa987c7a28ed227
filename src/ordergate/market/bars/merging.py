"""Two histories of one series made into one: nothing twice, and no complete bar changed unasked."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy

from ordergate.model.holdings import Rows
from ordergate.model.series import Prices, Series

if TYPE_CHECKING:
    from ordergate.model.series import Numbers


class Conflict(enum.StrEnum):
    """What to do with a complete bar that another import gives otherwise."""

    REFUSE = "refuse"
    KEEP = "keep"  # what is stored stays
    REPLACE = "replace"  # the new bar takes its place


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    rows: Rows
    added: int  # bars of times that were not there
    same: int  # bars that were there, equal
    differing: int  # complete bars that were there otherwise
    first_differing: int | None = None  # start, nanoseconds
    running: bool = False  # the running bar changed, or ended


def merge(old: Rows, new: Rows, conflict: Conflict) -> Merged:
    """Return both in order of time. A running bar gives way to its newer self, and stays last."""
    new = _without_old_running_bar(old.series, new)
    ours, theirs = old.series, new.series
    there = numpy.isin(theirs.time, ours.time, assume_unique=True)
    place = numpy.searchsorted(ours.time, theirs.time[there])
    equal = numpy.ones(len(place), numpy.bool_)
    for mine, other in zip(_columns(ours), _columns(theirs), strict=True):
        left, right = mine[place], other[there]
        equal &= (left == right) | (numpy.isnan(left) & numpy.isnan(right))
    running = numpy.zeros(len(place), numpy.bool_)
    if not ours.complete:
        running = place == len(ours) - 1
    differing = ~equal & ~running
    taken = running.copy() if conflict is not Conflict.REPLACE else running | differing
    replaced = numpy.zeros(len(ours), numpy.bool_)
    replaced[place[taken]] = True
    if not ours.complete and len(theirs) and theirs.time[-1] > ours.time[-1]:
        replaced[-1] = True  # half a bar in the middle would pass for a whole one
    use = ~there
    use[numpy.flatnonzero(there)[taken]] = True
    rows = _joined(_only(old, ~replaced), _only(new, use))
    where = theirs.time[there][differing]
    return Merged(
        rows,
        added=int((~there).sum()),
        same=int((equal & ~running).sum()),
        differing=int(differing.sum()),
        first_differing=int(where[0]) if len(where) else None,
        running=bool(replaced.any()),
    )


def _without_old_running_bar(ours: Series, new: Rows) -> Rows:
    theirs = new.series
    if theirs.complete or not len(theirs) or theirs.time[-1] > ours.time[-1]:
        return new
    if not ours.complete and theirs.time[-1] == ours.time[-1]:
        return new
    kept = numpy.ones(len(theirs), numpy.bool_)
    kept[-1] = False
    return _only(new, kept)


def _joined(left: Rows, right: Rows) -> Rows:
    time = numpy.concatenate([left.series.time, right.series.time])
    order = numpy.argsort(time, kind="stable")
    ends_right = len(order) > 0 and order[-1] >= len(left.series)
    last = right.series if ends_right else left.series

    def both(mine: Numbers, other: Numbers) -> Numbers:
        made: Numbers = numpy.concatenate([mine, other])[order]
        return made

    ask = None
    if left.series.ask is not None and right.series.ask is not None:
        pairs = zip(_sides(left.series.ask), _sides(right.series.ask), strict=True)
        ask = Prices(*(both(mine, other) for mine, other in pairs))
    pairs = zip(_columns(left.series)[:5], _columns(right.series)[:5], strict=True)
    columns = [both(mine, other) for mine, other in pairs]
    series = replace(
        last,
        time=time[order],
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4],
        ask=ask,
    )
    return Rows(series, numpy.concatenate([left.origin, right.origin])[order])


def _only(rows: Rows, kept: numpy.ndarray[tuple[int], numpy.dtype[numpy.bool_]]) -> Rows:
    series = rows.series
    ask = series.ask
    if kept.all():
        return rows
    complete = series.complete or not kept[-1]
    made = replace(
        series,
        time=series.time[kept],
        open=series.open[kept],
        high=series.high[kept],
        low=series.low[kept],
        close=series.close[kept],
        volume=series.volume[kept],
        complete=complete,
        ask=None if ask is None else Prices(*(side[kept] for side in _sides(ask))),
    )
    return Rows(made, rows.origin[kept])


def _columns(series: Series) -> tuple[Numbers, ...]:
    own = (series.open, series.high, series.low, series.close, series.volume)
    return own if series.ask is None else (*own, *_sides(series.ask))


def _sides(prices: Prices) -> tuple[Numbers, ...]:
    return prices.open, prices.high, prices.low, prices.close
