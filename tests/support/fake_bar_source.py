"""A source of bars with a past of its own, a limit a page, and faults to order."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from datetime import datetime

import numpy

from ordergate.model.errors import RateLimited, SymbolNotFound
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support.bar_series import series


class FakeBarSource:
    """Implements ports.bars.BarSource over bars that begin at the times it was given."""

    def __init__(self, times: list[int], *, page: int = 100, running: bool = False) -> None:
        self._times = times
        self._page = page
        self._running = running
        self.name = "fake:past"
        self.closed = False
        self.narrow = False
        self.asked: list[datetime] = []
        self.faults: deque[str] = deque()

    @property
    def source(self) -> str:
        return self.name

    def times(self) -> list[int]:
        return self._times

    def close_now(self) -> None:
        self.closed = True

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, since: datetime, limit: int
    ) -> Series:
        self.asked.append(since)
        fault = self.faults.popleft() if self.faults else ""
        if fault == "slow down":
            raise RateLimited("too many requests", fix="wait")
        if fault == "hang":
            await asyncio.sleep(3600)
        if fault == "gone":
            raise ConnectionResetError("gone")
        if symbol != "EURUSD":
            raise SymbolNotFound("no such symbol", fix="EURUSD")
        at = int(since.timestamp()) * 1_000_000_000
        begin = int(numpy.searchsorted(self._times, 0 if fault == "from the start" else at))
        times = self._times[begin : begin + min(limit, self._page)]
        if self.narrow:  # as exchanges that answer about a stretch of time
            length = int(timeframe.length.total_seconds()) * 1_000_000_000
            times = [start for start in times if start < at + limit * length]
        last = bool(times) and times[-1] == self._times[-1]
        closes = [1 + (at // 10**9) % 977 / 1000 for at in times]
        if fault == "crossed":
            closes[0] = -1.0
        running = last and self._running
        made = series(times, closes, timeframe=timeframe, complete=not running)
        return replace(made, source=self.source)
