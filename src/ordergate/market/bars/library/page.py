"""Which stored series answers a question, and the page that is answered: one scale of prices."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.bars.columnar import length_ns, moment, nanoseconds, windows
from ordergate.model.errors import InvalidArgument, NotFound
from ordergate.model.holdings import Holding, Jump
from ordergate.model.hours import DayBoundary, day_boundary, windows_between
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series

if TYPE_CHECKING:
    from ordergate.model.series import Times

HOLE: Final = timedelta(days=10)  # longer than any holiday: what lies before is another history


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Bars of one scale. `cut` is where the scale breaks, so that older ones are left out."""

    series: Series
    holding: Holding
    cut: Jump | None
    full: bool  # older bars may be there


def chosen(
    holdings: Iterable[Holding], symbol: str, timeframe: Timeframe, venue: str | None
) -> Holding:
    """Return the series of this timeframe, else the highest lower one; raise NotFound.

    Where several venues have the symbol, one must be named: raise InvalidArgument.
    """
    everything = tuple(holdings)
    found = [item for item in everything if item.key.symbol == symbol.upper()]
    if not found:
        symbols = sorted({str(item.key.symbol) for item in everything})
        near = difflib.get_close_matches(symbol.upper(), symbols, n=3, cutoff=0.5)
        fix = f"Did you mean {', '.join(near)}?" if near else "`ordergate data import` adds it."
        raise NotFound(f"no such symbol among the {len(symbols)} that were imported", fix=fix)
    venues = sorted({item.key.venue for item in found})
    if venue is None and len(venues) > 1:
        raise InvalidArgument(
            f"{len(venues)} venues have it: {', '.join(venues)[:200]}",
            fix=f'Name one: source "store:{venues[0]}".',
        )
    named = [item for item in found if item.key.venue == (venue or venues[0])]
    fit = [item for item in named if item.key.timeframe.length <= timeframe.length]
    if not fit:
        have = ", ".join(item.key.timeframe for item in named or found)
        where = venue or venues[0]
        raise NotFound(f"{where} has it as {have} alone", fix="Ask for one of these, or higher.")
    return max(fit, key=lambda item: item.key.timeframe.length)


def one_scale(series: Series, jumps: Sequence[Jump]) -> tuple[Series, Jump | None]:
    """Return the newest bars up to the last break of the scale before them, and that break."""
    if not len(series):
        return series, None
    inside = [jump for jump in jumps if series.time[0] < jump.at <= series.time[-1]]
    if not inside:
        return series, None
    last = max(inside, key=lambda jump: jump.at)
    return newest(series, len(series) - int(numpy.searchsorted(series.time, last.at))), last


def is_over(ended: datetime, closes: datetime, calendar: CalendarName | None) -> bool:
    """Say whether a market is closed from `ended` on till `closes`: its bar can change no more."""
    if calendar is None:
        return ended >= closes
    return next(windows_between(calendar, ended, closes), None) is None


def newest(series: Series, count: int) -> Series:
    """Return the last `count` bars."""
    return series if count >= len(series) else _part(series, slice(len(series) - count, None))


def first(series: Series, count: int) -> Series:
    """Return the first `count` bars, all of them complete where more follow."""
    if count >= len(series):
        return series
    return replace(_part(series, slice(0, count)), complete=True)


def _part(series: Series, rows: slice) -> Series:
    ask = series.ask
    return replace(
        series,
        time=series.time[rows],
        open=series.open[rows],
        high=series.high[rows],
        low=series.low[rows],
        close=series.close[rows],
        volume=series.volume[rows],
        ask=None
        if ask is None
        else Prices(ask.open[rows], ask.high[rows], ask.low[rows], ask.close[rows]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Closed bars without a break, when the last of them ended, and the spread it closed with."""

    series: Series
    ends: datetime
    spread: float | None  # None: trades alone are known
    page: Page
    hole: timedelta | None  # older bars lie before a silence of this length and are left out


def past(page: Page, *, limit: int, known_at: datetime | None, running: bool = False) -> Past:
    """Return the newest `limit` bars of a page that had closed by `known_at`, back to a hole.

    An indicator that reaches over years without bars would say nothing of either side.
    """
    series = page.series
    ends = closes(series, day_boundary(page.holding.calendar))
    count = len(series) if series.complete or running else len(series) - 1
    if known_at is not None:
        count = min(count, int(numpy.searchsorted(ends, nanoseconds(known_at), side="right")))
    if not count:
        return Past(newest(series, 0), moment(0), None, page, None)
    unbroken, hole = after_hole(first(series, count))
    ask = series.ask
    spread = None if ask is None else float(ask.close[count - 1] - series.close[count - 1])
    known = spread is not None and spread >= 0  # NaN, too, is not known
    kept = newest(unbroken, limit)
    return Past(kept, moment(int(ends[count - 1])), spread if known else None, page, hole)


def closes(series: Series, day: DayBoundary) -> Times:
    """Return when each bar ends, nanoseconds since 1970; never too early.

    A file's own days may begin at another hour than the market's: then a bar lasts its full length.
    """
    if not len(series):
        return series.time
    opens, ends = windows(series.time, series.timeframe, day)
    made: Times = numpy.where(opens == series.time, ends, series.time + length_ns(series.timeframe))
    return made


def after_hole(series: Series) -> tuple[Series, timedelta | None]:
    """Return the newest bars back to the last silence of HOLE, and how long that was."""
    gaps = numpy.diff(series.time) - length_ns(series.timeframe)
    holes = numpy.flatnonzero(gaps > HOLE // timedelta(microseconds=1) * 1_000)
    if not len(holes):
        return series, None
    last = int(holes[-1])
    return newest(series, len(series) - last - 1), timedelta(microseconds=int(gaps[last]) // 1_000)
