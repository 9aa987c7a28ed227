"""Lend stored bars: as they were imported, or made into a higher timeframe on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.ports.bars import BarStore

if TYPE_CHECKING:
    from ordergate.market.bars.library.page import Page
    from ordergate.model.holdings import Holding

BASE_BARS_MAX: Final = 2_000_000  # read at once to make higher ones


class Library:
    """Reads the store; numpy and polars are loaded by the first question."""

    def __init__(self, store: Callable[[], BarStore]) -> None:
        self._open = store
        self._store: BarStore | None = None

    async def bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        venue: str | None,
        limit: int,
        before: datetime | None = None,
    ) -> Page:
        """Return the newest `limit` bars that start before `before`, of one scale of prices.

        A page ends where the scale breaks (an unadjusted split): the next one begins there. Raises
        NotFound, InvalidArgument (several venues), DataUnavailable (none there), StoreDamaged.
        """
        return await asyncio.to_thread(self._page, symbol, timeframe, venue, limit, before)

    async def holdings(self, symbol: str | None = None) -> tuple[Holding, ...]:
        """Return what is stored, or what of one symbol is; raise StoreDamaged."""
        name = None if symbol is None else Symbol(symbol.upper())
        return await asyncio.to_thread(lambda: self._opened().holdings(name))

    def _page(
        self,
        symbol: str,
        timeframe: Timeframe,
        venue: str | None,
        limit: int,
        before: datetime | None,
    ) -> Page:
        import numpy

        from ordergate.market.bars.columnar import moment, nanoseconds, resample_columns, windows
        from ordergate.market.bars.library.page import Page, chosen, is_over, newest, one_scale
        from ordergate.model.hours import day_boundary

        store = self._opened()
        named = store.holdings(Symbol(symbol.upper()))
        holding = chosen(named or store.holdings(), symbol, timeframe, venue)
        day = day_boundary(holding.calendar)
        edge = None if before is None else nanoseconds(before)
        own = holding.key.timeframe is timeframe
        each = 1 if own else timeframe.length // holding.key.timeframe.length
        if not own and edge is not None:
            edge = int(windows(numpy.array([edge - 1]), timeframe, day)[1][0])
        wanted = limit if own else min((limit + 1) * each, BASE_BARS_MAX)
        base = store.read(holding.key, limit=wanted, before=edge)
        if base is None or not len(base):
            raise DataUnavailable("there are no bars there", fix="Try another `before`.")
        series, cut = one_scale(base, holding.jumps)
        reaches_back = cut is not None or int(base.time[0]) > holding.first
        if not own:
            whole = cut is not None or not reaches_back
            ended = moment(int(windows(series.time[-1:], series.timeframe, day)[1][0]))
            complete = series.complete
            series = resample_columns(series, timeframe, day=day)
            closes = moment(int(windows(series.time[-1:], timeframe, day)[1][0]))
            if complete and is_over(ended, closes, holding.calendar):
                series = replace(series, complete=True)
            if not whole:
                series = newest(series, len(series) - 1)  # the oldest lacks its beginning
        more = len(series) > limit
        return Page(newest(series, limit), holding, None if more else cut, reaches_back or more)

    def _opened(self) -> BarStore:
        if self._store is None:
            self._store = self._open()
        return self._store
