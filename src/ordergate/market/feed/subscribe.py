"""Take what the feed gives, keep the newest, and answer questions about it from memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from ordergate.market.feed.quality import Course, judge_quote
from ordergate.model.errors import SymbolNotFound
from ordergate.model.hours import session, session_window, window_before
from ordergate.model.instruments import Instrument
from ordergate.model.market import (
    DEALT_ON,
    Bar,
    Quality,
    Quote,
    QuoteQuality,
    Session,
    SessionState,
    Slice,
    Timeframe,
)
from ordergate.model.values import Symbol
from ordergate.ports.feed import Feed
from ordergate.ports.system import Clock

PUMP_EVERY_S: Final = 0.05
BATCH_SLICES: Final = 64
TURN_SLICES_MAX: Final = 1_024
TURN_MAX_S: Final = 0.008  # the event loop waits no longer than this and one batch
TICKS_KEPT: Final = 1_000  # a symbol
BARS_MAX: Final = 5_000
THROUGH: Final = "USD"


class Market:
    """Implements ports.market_facts.MarketFacts over one feed.

    The venue's clock is that of what was delivered: inside a listener it is the slice's end, and
    it reaches the feed's clock when nothing due is left. So quotes and clock always fit together,
    however fast the replay and however slow the machine.
    """

    def __init__(self, *, feed: Feed, clock: Clock, link_timeout_s: Decimal = Decimal(5)) -> None:
        self._feed = feed
        self._clock = clock
        self._link_timeout_s = float(link_timeout_s)
        self._instruments: dict[Symbol, Instrument] = {}
        self._pairs: dict[tuple[str, str], Symbol] = {}
        self._list(feed.instruments())
        self._quotes: dict[Symbol, Quote] = {}
        self._courses: dict[Symbol, Course] = {}
        self._ticks: dict[Symbol, deque[Quote]] = {}
        self._listeners: list[Callable[[Slice], None]] = []
        self._venue_now = feed.venue_now()
        self._pumped_at: float | None = None

    @property
    def source(self) -> str:
        return self._feed.source

    @property
    def synthetic(self) -> bool:
        return self._feed.synthetic

    def venue_now(self) -> datetime:
        return self._venue_now

    def trouble(self) -> str | None:
        """Say why no prices come from outside; None while they do."""
        return self._feed.trouble()

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(self._instruments.values())

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self._instruments.get(symbol)

    def quote(self, symbol: Symbol) -> Quote | None:
        return self._quotes.get(symbol)

    def quality(self, symbol: Symbol) -> QuoteQuality:
        spec = self._instruments.get(symbol)
        window = None if spec is None else session_window(spec.calendar, self._venue_now)
        return judge_quote(
            self._quotes.get(symbol),
            now=self._venue_now,
            link_alive=self._link_alive(),
            opened=None if window is None else window.opens,
            course=self._course(symbol),
        )

    def session(self, symbol: Symbol) -> Session:
        spec = self._instruments.get(symbol)
        if spec is None:
            return Session(SessionState.UNKNOWN, "unknown symbol", None)
        return session(spec.calendar, self._venue_now)

    def rate(self, base: str, quote: str) -> Decimal | None:
        direct = self._rate(base, quote)
        if direct is not None or THROUGH in (base, quote):
            return direct
        into, out_of = self._rate(base, THROUGH), self._rate(THROUGH, quote)
        return None if into is None or out_of is None else into * out_of

    def ticks(self, symbol: Symbol, limit: int) -> tuple[Quote, ...]:
        """Return the newest quotes of a symbol, at most TICKS_KEPT, oldest first."""
        kept = self._ticks.get(symbol, deque())
        return tuple(islice(kept, max(0, len(kept) - max(limit, 0)), None))

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None = None
    ) -> tuple[Bar, ...]:
        """Return the newest bars, at most BARS_MAX, oldest first; () where the feed has none.

        Worked out beside the event loop. Raises SymbolNotFound.
        """
        if symbol not in self._instruments:
            raise SymbolNotFound(f"{symbol} is not a symbol of {self.source}")
        return await asyncio.to_thread(
            self._feed.bars, symbol, timeframe, limit=min(limit, BARS_MAX), before=before
        )

    def listen(self, callback: Callable[[Slice], None]) -> None:
        """Call back for every slice, in order, after its quote is in place."""
        self._listeners.append(callback)

    def pump(self) -> int:
        """Deliver what is due, as much as fits into one turn; return how many slices."""
        began = self._clock.monotonic()
        delivered = 0
        while delivered < TURN_SLICES_MAX:
            clock = self._feed.venue_now()
            batch = self._feed.advance(BATCH_SLICES)
            if self._feed.heartbeat is not None:
                self._list(self._feed.instruments())  # first known when it is first reached
            self._pumped_at = self._clock.monotonic()
            for piece in batch:
                self._take(piece)
            delivered += len(batch)
            if len(batch) < BATCH_SLICES:
                self._venue_now = max(self._venue_now, clock)
                break
            if self._clock.monotonic() - began > TURN_MAX_S:
                break
        return delivered

    async def run(self, stop: asyncio.Event) -> None:
        """Pump until `stop` is set; a backlog is worked off turn by turn."""
        while not stop.is_set():
            behind = self.pump() >= BATCH_SLICES
            await self._clock.sleep(0 if behind else PUMP_EVERY_S)

    def _list(self, specs: tuple[Instrument, ...]) -> None:
        if len(specs) == len(self._instruments):
            return
        self._instruments = {spec.symbol: spec for spec in specs}
        self._pairs = {(spec.base, spec.quote_currency): spec.symbol for spec in specs}

    def _take(self, piece: Slice) -> None:
        course, last = self._course(piece.symbol), self._quotes.get(piece.symbol)
        if last is not None and piece.end < last.time:
            # A price from the past takes nobody's place, and nothing trades on it.
            self._courses[piece.symbol] = course.disordered(self._venue_now)
            return
        if last is not None and self._has_hole(last.time, piece, course):
            course = course.after_hole(piece.end)
        if course.cadence != piece.end - piece.start:
            course = replace(course, cadence=piece.end - piece.start)
        self._courses[piece.symbol] = course
        quote = Quote(
            piece.symbol,
            piece.bid_close,
            piece.ask_close,
            piece.end,
            self._feed.source,
            self._feed.synthetic,
            piece.basis,
        )
        self._venue_now = max(self._venue_now, piece.end)
        self._quotes[piece.symbol] = quote
        self._ticks.setdefault(piece.symbol, deque(maxlen=TICKS_KEPT)).append(quote)
        for callback in self._listeners:
            callback(piece)

    def _course(self, symbol: Symbol) -> Course:
        known = self._courses.get(symbol)
        if known is None:
            known = self._courses[symbol] = Course(heartbeat=self._feed.heartbeat)
        since = self._feed.unchanged_since(symbol)
        return known if since is None else replace(known, unchanged_since=since)

    def _has_hole(self, last: datetime, piece: Slice, course: Course) -> bool:
        """Say whether a slice comes after a silence that was too long, within one session."""
        if piece.start - last <= course.quiet_max or piece.symbol not in self._instruments:
            return False
        calendar = self._instruments[piece.symbol].calendar
        window = session_window(calendar, piece.start)
        return window is not None and window.opens <= last

    def _link_alive(self) -> bool:
        if self._pumped_at is None or not self._feed.alive():
            return False
        return self._clock.monotonic() - self._pumped_at <= self._link_timeout_s

    def _rate(self, base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        direct = self._usable_mid(self._pairs.get((base, quote)))
        if direct is not None:
            return direct
        inverted = self._usable_mid(self._pairs.get((quote, base)))
        return None if inverted is None else 1 / inverted

    def _usable_mid(self, symbol: Symbol | None) -> Decimal | None:
        """Return the mid of a good quote; while closed, of the last session's last one."""
        quote = None if symbol is None else self._quotes.get(symbol)
        if symbol is None or quote is None or quote.bid > quote.ask:
            return None
        if self.quality(symbol).verdict in DEALT_ON | {Quality.ZERO_SPREAD}:
            return quote.mid
        calendar = self._instruments[symbol].calendar
        closed = self.session(symbol).state is SessionState.CLOSED
        if closed and quote.time >= window_before(calendar, self._venue_now).opens:
            return quote.mid
        return None
