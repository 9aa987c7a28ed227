"""Which stored series answers a question, and the page that is answered: one scale of prices."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy

from ordergate.model.errors import InvalidArgument, NotFound
from ordergate.model.holdings import Holding, Jump
from ordergate.model.hours import windows_between
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series


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
    if count >= len(series):
        return series
    begin = len(series) - count
    ask = series.ask
    return replace(
        series,
        time=series.time[begin:],
        open=series.open[begin:],
        high=series.high[begin:],
        low=series.low[begin:],
        close=series.close[begin:],
        volume=series.volume[begin:],
        ask=None
        if ask is None
        else Prices(ask.open[begin:], ask.high[begin:], ask.low[begin:], ask.close[begin:]),
    )
