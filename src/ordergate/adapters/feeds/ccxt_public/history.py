"""An exchange's past: bars of traded prices, on our own days, page by page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ordergate.adapters.feeds.ccxt_public.client import Lost, Wire
from ordergate.adapters.feeds.ccxt_public.line import ExchangeLine
from ordergate.adapters.feeds.ccxt_public.listing import decimals, instrument, symbol_of
from ordergate.model.errors import NotSupported, SymbolNotFound
from ordergate.model.hours import bar_window
from ordergate.model.market import Bar, Timeframe
from ordergate.model.series import Series
from ordergate.model.values import ZERO, Symbol
from ordergate.ports.system import Clock

SPELLED: Final = {
    Timeframe.M1: "1m",
    Timeframe.M5: "5m",
    Timeframe.M15: "15m",
    Timeframe.M30: "30m",
    Timeframe.H1: "1h",
    Timeframe.H4: "1h",  # the exchange's H4 and D1 begin with its own day: made here of hours
    Timeframe.D1: "1h",
}
PAGE: Final = 500  # bars in one question; exchanges give 500 to 1,000
PAGES_MAX: Final = 6
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


async def recent(
    wire: Wire,
    which: tuple[Symbol, str],
    timeframe: Timeframe,
    *,
    limit: int,
    edge: datetime,
    now: datetime,
) -> tuple[Bar, ...]:
    """Return the newest `limit` bars that start before `edge`, oldest first; fewer at its end.

    `which` is our symbol and the exchange's name. Raises Lost.
    """
    span = limit * timeframe.length
    begin = bar_window(timeframe, edge - span).opens
    rows = await _rows(wire, which[1], timeframe, since=begin, until=edge, limit=limit)
    made = _bars(which[0], timeframe, rows, now=now)
    return tuple(bar for bar in made if bar.time < edge)[-limit:]


class CcxtBars:
    """Implements ports.bars.BarSource over an exchange's public history, on a line of its own."""

    def __init__(
        self, exchange: str, *, clock: Clock, url: str | None = None, pace_ms: int | None = None
    ) -> None:
        self._clock = clock
        self._exchange = exchange
        self._line = ExchangeLine(
            lambda: Wire(exchange, url=url, pace_ms=pace_ms), name=f"ccxt:{exchange}"
        )
        self._lock = threading.Lock()
        self._open = False

    @property
    def source(self) -> str:
        return f"ccxt:{self._exchange}"

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, since: datetime, limit: int
    ) -> Series:
        """Return the oldest bars from `since` on; see the port."""
        with self._lock:
            if not self._open:
                self._line.start()
                self._open = True

        async def work(wire: Wire) -> tuple[Bar, ...]:
            names = {
                symbol_of(name): name
                for name, market in (await wire.markets()).items()
                if instrument(market) is not None
            }
            if symbol not in names:
                raise SymbolNotFound(f"{symbol} is no spot market of {self.source}")
            if not wire.offers(SPELLED[timeframe]):
                raise NotSupported(f"{self.source} has no bars of {timeframe}")
            # A bar begun before `since` is not whole from here on.
            window = bar_window(timeframe, since)
            begin = since if window.opens == since else window.closes
            until = min(begin + limit * timeframe.length, self._clock.now())
            rows = await _rows(
                wire, names[symbol], timeframe, since=begin, until=until, limit=limit
            )
            made = _bars(symbol, timeframe, rows, now=self._clock.now())
            return tuple(bar for bar in made if bar.time >= since)[:limit]

        return _series(
            await asyncio.wrap_future(self._line.ask(work)), symbol, timeframe, self.source
        )

    def close_now(self) -> None:
        self._line.close_now()


async def _rows(
    wire: Wire, name: str, timeframe: Timeframe, *, since: datetime, until: datetime, limit: int
) -> Sequence[Any]:
    """Ask page after page until `until`, a page gives nothing new, or there were enough."""
    spelled = SPELLED[timeframe]
    if not wire.offers(spelled):
        raise Lost(f"it has no bars of {timeframe}")
    hours = timeframe.length // min(timeframe.length, timedelta(hours=1))
    found: dict[int, Any] = {}
    at = (since - EPOCH) // MILLISECOND
    for _ in range(PAGES_MAX):
        page = await wire.candles(name, spelled, since_ms=at, limit=min(PAGE, limit * hours + 1))
        fresh = {row[0]: row for row in page if isinstance(row[0], int) and row[0] not in found}
        found |= fresh
        if not fresh or EPOCH + max(found) * MILLISECOND >= until:
            break
        at = max(found) + 1
    return [found[start] for start in sorted(found)]


def _bars(symbol: Symbol, timeframe: Timeframe, rows: Iterable[Any], *, now: datetime) -> list[Bar]:
    """Return bars on our own windows; a row that is no bar raises Lost: a hole would be silent."""
    made: list[Bar] = []
    for row in rows:
        try:
            start, prices, volume = decimals(row)
        except (TypeError, ValueError):
            raise Lost("its bars are malformed") from None
        at = EPOCH + start * MILLISECOND
        window = bar_window(timeframe, at)
        bar = Bar(symbol, timeframe, window.opens, *prices, volume, window.closes <= now)
        if made and made[-1].time == bar.time:
            made[-1] = _joined(made[-1], bar)
        elif made or at == window.opens:  # where a history begins, its first day is not whole
            made.append(bar)
    return made


def _joined(first: Bar, second: Bar) -> Bar:
    both = first.volume is not None and second.volume is not None
    return replace(
        first,
        high=max(first.high, second.high),
        low=min(first.low, second.low),
        close=second.close,
        volume=(first.volume or ZERO) + (second.volume or ZERO) if both else None,
        complete=second.complete,
    )


def _series(bars: Sequence[Bar], symbol: Symbol, timeframe: Timeframe, source: str) -> Series:
    import numpy

    def column(values: Iterable[Any]) -> Any:
        return numpy.array([float("nan") if one is None else float(one) for one in values])

    starts = [(bar.time - EPOCH) // MILLISECOND * 1_000_000 for bar in bars]
    return Series(
        symbol,
        timeframe,
        numpy.array(starts, dtype=numpy.int64),
        column(bar.open for bar in bars),
        column(bar.high for bar in bars),
        column(bar.low for bar in bars),
        column(bar.close for bar in bars),
        column(bar.volume for bar in bars),
        complete=bars[-1].complete if bars else True,
        source=source,
    )
