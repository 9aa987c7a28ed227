"""Live public prices of an exchange: real, without a key, and silent rather than made up."""

from __future__ import annotations

import asyncio
import concurrent.futures
import difflib
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from ordergate.adapters.feeds.ccxt_public.client import Lost, Wire
from ordergate.adapters.feeds.ccxt_public.history import recent
from ordergate.adapters.feeds.ccxt_public.line import ExchangeLine
from ordergate.adapters.feeds.ccxt_public.listing import Said, instrument, said, symbol_of
from ordergate.model.errors import DataUnavailable
from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, Slice, Timeframe, tick
from ordergate.model.values import Symbol
from ordergate.ports.system import Clock

WAITING_MAX: Final = 5_000  # ticks nobody has taken yet; the oldest go first
BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
SILENT_BEATS: Final = 10  # polls without an answer until the link counts as dead
CLOCK_EVERY: Final = timedelta(minutes=10)  # the exchange's clock is read again
CLOCK_AWAY_MAX: Final = timedelta(hours=1)  # a clock farther away is not believed
BARS_S: Final = 9.0
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger("ordergate.ccxt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which prices of which exchange, and how often."""

    exchange: str
    symbols: tuple[str, ...]  # BTC/USD; those the exchange has are taken
    poll_s: float = 1.0
    url: str | None = None
    pace_ms: int | None = None  # instead of ccxt's own rate limit for this exchange


class CcxtFeed:
    """Implements ports.feed.Feed: asks for all tickers again and again, on a thread of its own.

    A tick's time is the exchange's where the ticker names one, else when it was asked: a price is
    never shown younger than it is. Nothing usable within ten polls, and the link is dead. After a
    failure it asks again after 1, 2, 4 ... 30 seconds, or when the exchange says.
    """

    def __init__(self, wanted: Wanted, *, clock: Clock) -> None:
        self._wanted = wanted
        self._clock = clock
        self._line = ExchangeLine(
            lambda: Wire(wanted.exchange, url=wanted.url, pace_ms=wanted.pace_ms),
            name=f"ccxt:{wanted.exchange}",
        )
        self._lock = threading.Lock()
        self._names: dict[Symbol, str] = {}
        self._instruments: tuple[Instrument, ...] = ()
        self._ticks: deque[Slice] = deque(maxlen=WAITING_MAX)
        self._told: dict[Symbol, tuple[tuple[str, ...], datetime]] = {}
        self._answered_s: float | None = None
        self._began_s = clock.monotonic()
        self._began = self._newest = clock.now()
        self._trouble: str | None = "it was not reached yet"
        self._first = threading.Event()

    def start(self, *, wait_s: float) -> None:
        """Begin asking, and wait for the first answer; it goes on trying when none comes.

        Raises NotSupported: the extra is not installed, or ccxt has no such exchange.
        """
        self._line.start(self._work)
        self._first.wait(wait_s)

    def close_now(self) -> None:
        self._line.close_now()

    @property
    def source(self) -> str:
        return f"ccxt:{self._wanted.exchange}"

    @property
    def synthetic(self) -> bool:
        return False

    @property
    def heartbeat(self) -> timedelta:
        return timedelta(seconds=max(self._wanted.poll_s, 1.0))

    def instruments(self) -> tuple[Instrument, ...]:
        return self._instruments

    def unchanged_since(self, symbol: Symbol) -> datetime | None:
        known = self._told.get(symbol)
        return None if known is None else known[1]

    def trouble(self) -> str | None:
        """Say why no price comes; None while the exchange answers, or failed a moment ago."""
        if self.alive():
            return None
        return f"{self.source} gives no prices: {self._trouble or 'it has fallen silent'}"

    def venue_now(self) -> datetime:
        """Return the exchange's clock; ours until it was reached."""
        with self._lock:
            passed = timedelta(seconds=self._clock.monotonic() - self._began_s)
            self._newest = max(self._newest, self._began + passed)
            return self._newest

    def alive(self) -> bool:
        """Say whether the exchange has answered with usable prices within ten polls."""
        answered = self._answered_s
        if answered is None:
            return False
        return self._clock.monotonic() - answered <= SILENT_BEATS * self.heartbeat.total_seconds()

    def advance(self, limit: int) -> tuple[Slice, ...]:
        with self._lock:
            return tuple(self._ticks.popleft() for _ in range(min(limit, len(self._ticks))))

    def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None
    ) -> tuple[Bar, ...]:
        """Return the newest bars of traded prices; raises DataUnavailable, RateLimited."""
        name, now = self._names.get(symbol), self.venue_now()
        if name is None or limit < 1:
            return ()
        asked = self._line.ask(
            lambda wire: recent(
                wire, (symbol, name), timeframe, limit=limit, edge=min(before or now, now), now=now
            )
        )
        try:
            return asked.result(BARS_S)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise DataUnavailable(
                f"{self.source}: no bars within {BARS_S:.0f} s", fix="Ask again, for fewer."
            ) from None

    async def _work(self, wire: Wire, stop: asyncio.Event) -> None:
        failures = 0
        clock_due_s = self._clock.monotonic()
        while not stop.is_set():
            began_s = self._clock.monotonic()
            try:
                if failures or began_s >= clock_due_s:
                    await self._set_clock(wire)
                    clock_due_s = began_s + CLOCK_EVERY.total_seconds()
                if not self._names:
                    self._open(await wire.markets())
                await self._poll(wire)
                failures, self._trouble = 0, None
                self._first.set()
                pause = self._wanted.poll_s - (self._clock.monotonic() - began_s)
            except Lost as lost:
                pause = max(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)], lost.later_s)
                failures += 1
                self._trouble = str(lost)
                _log.warning("feed.lost", source=self.source, reason=str(lost), again_s=pause)
            try:
                async with asyncio.timeout(max(pause, 0.0)):
                    await stop.wait()
            except TimeoutError:
                continue

    async def _set_clock(self, wire: Wire) -> None:
        """Take the exchange's clock, as of the middle of the question; it never goes back."""
        asked_s = self._clock.monotonic()
        milliseconds = await wire.milliseconds()
        middle_s = (asked_s + self._clock.monotonic()) / 2
        told = self._clock.now() if milliseconds is None else _moment(milliseconds)
        if abs(told - self._clock.now()) > CLOCK_AWAY_MAX:
            raise Lost("its clock and ours are more than an hour apart")
        with self._lock:
            self._began, self._began_s = told, middle_s

    def _open(self, markets: Mapping[str, Mapping[str, Any]]) -> None:
        listed = {name: instrument(market) for name, market in markets.items()}
        names = [name for name in self._wanted.symbols if listed.get(name) is not None]
        if not names:
            near = difflib.get_close_matches(self._wanted.symbols[0], list(listed), n=3)
            raise Lost(f"it lists none of feed.ccxt.symbols; such as {', '.join(near) or '?'}")
        self._instruments = tuple(spec for name in names if (spec := listed[name]) is not None)
        self._names = {symbol_of(name): name for name in names}

    async def _poll(self, wire: Wire) -> None:
        asked_at = self.venue_now()
        tickers = await wire.tickers(list(self._names.values()))
        ticks = [
            (spec.symbol, found)
            for spec in self._instruments
            if (found := _said(tickers.get(self._names[spec.symbol]), spec)) is not None
        ]
        if not ticks:
            raise Lost("it gives no bid and ask of anything that was asked for")
        self._keep(ticks, asked_at)
        self._answered_s = self._clock.monotonic()

    def _keep(self, ticks: Sequence[tuple[Symbol, Said]], asked_at: datetime) -> None:
        slices = []
        for symbol, found in ticks:
            at = asked_at if found.at_ms is None else min(_moment(found.at_ms), self.venue_now())
            slices.append(tick(symbol, at, found.bid, found.ask))
            known = self._told.get(symbol)
            if known is None or known[0] != found.fingerprint:
                self._told[symbol] = (found.fingerprint, asked_at)
        with self._lock:
            self._ticks.extend(sorted(slices, key=lambda piece: piece.end))


def _said(ticker: Mapping[str, Any] | None, spec: Instrument) -> Said | None:
    return None if ticker is None else said(ticker, tick=spec.tick_size)


def _moment(milliseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise Lost("its clock is none") from None
