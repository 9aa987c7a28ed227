"""Bars from elsewhere: a source that is asked for the past, page by page. Read-only."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol


class BarSource(Protocol):
    @property
    def source(self) -> str:
        """Name where the bars come from, as every answer will: "ccxt:kraken"."""
        ...

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, since: datetime, limit: int
    ) -> Series:
        """Return the oldest bars that start at or after `since` (aware, UTC), at most `limit`.

        Fewer, down to none, when there are no more or the source pages in smaller steps: a caller
        asks again from after the last one until an answer is empty. Gaps stay gaps. Raises
        SymbolNotFound, NotSupported (timeframe), RateLimited, DataUnavailable (no answer in time).
        """
        ...
