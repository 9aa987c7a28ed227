"""The newest ticks of every symbol, kept in memory and bounded."""

from __future__ import annotations

from collections import deque
from typing import Final

from ordergate.model.market import Slice
from ordergate.model.values import Symbol

TICKS_MAX: Final = 1_000
SYMBOLS_MAX: Final = 500


class Tape:
    """Listens to the market; remembers the last thousand ticks a symbol."""

    def __init__(self) -> None:
        self._ticks: dict[Symbol, deque[Slice]] = {}

    def record(self, seen: Slice) -> None:
        """Keep a tick; bars are not ticks and are passed over."""
        if not seen.is_tick:
            return
        ticks = self._ticks.get(seen.symbol)
        if ticks is None:
            if len(self._ticks) >= SYMBOLS_MAX:
                return
            ticks = self._ticks[seen.symbol] = deque(maxlen=TICKS_MAX)
        ticks.append(seen)

    def last(self, symbol: Symbol, limit: int) -> tuple[Slice, ...]:
        """Return the newest `limit` ticks, oldest first."""
        ticks = self._ticks.get(symbol)
        return () if ticks is None else tuple(ticks)[-limit:]
