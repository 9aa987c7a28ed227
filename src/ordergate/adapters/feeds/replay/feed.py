"""Recorded ticks or bars as a feed, on the recording's own clock."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn

from ordergate.adapters.feeds.replay.clock import ReplayClock
from ordergate.adapters.feeds.replay.history import History, moment
from ordergate.adapters.feeds.replay.recording import (
    EPOCH,
    MICROSECOND,
    Recording,
    Row,
    recording,
)
from ordergate.adapters.feeds.replay.table import ReplayError
from ordergate.adapters.instruments import fitted
from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, PriceBasis, Slice, Timeframe, tick
from ordergate.model.values import Symbol
from ordergate.ports.system import Clock

AHEAD_ROWS: Final = 512  # rows read at a time; also how far the clock can get ahead of reading


class ReplayFeed:
    """Implements ports.feed.Feed over recorded files.

    A tick is due at its time, a bar at its end: nothing is shown before it was known. The clock
    never runs past the last row read, so a machine that cannot keep up slows the replay down
    instead of skipping prices. A recording that breaks off ends the replay there, with a problem.
    """

    def __init__(
        self,
        recordings: tuple[Recording, ...],
        *,
        clock: Clock,
        speed: Decimal,
        start: datetime | None,
        paused: bool,
    ) -> None:
        self._recordings = recordings
        self._shapes = {symbol: made for made in recordings for symbol in made.symbols}
        self._units = {
            symbol: Decimal(1).scaleb(-made.digits) for symbol, made in self._shapes.items()
        }
        self._instruments = tuple(
            fitted(symbol, self._units[symbol]) for symbol in sorted(self._shapes)
        )
        self._histories = {
            symbol: History(symbol, recorded=made.timeframe, unit=self._units[symbol])
            for symbol, made in self._shapes.items()
        }
        self._rows: Iterator[Row] = heapq.merge(*(made.rows() for made in recordings))
        self._ahead: deque[Row] = deque()
        self._read_until = 0  # due time of the last row read
        self._latest = 0  # the clock's highest value so far
        self._broken: str | None = None
        self._lock = threading.Lock()  # bars are asked for from other threads
        begin = self._seek(start)
        self._clock = ReplayClock(clock, start=begin, speed=speed, paused=paused)

    @classmethod
    def open(
        cls,
        paths: tuple[Path, ...],
        *,
        clock: Clock,
        speed: Decimal = Decimal(1),
        start: datetime | None = None,
        symbol: str | None = None,
        paused: bool = False,
    ) -> ReplayFeed:
        """Open recordings and go to `start` (default: the first row); raise ReplayError.

        CSV (gzip or not) or Parquet, sorted by time, with time,bid,ask or bid_open..ask_close or
        open,high,low,close and maybe volume and symbol. Without a symbol column the symbol is
        `symbol` or the file name's first word. Rows before `start` are history for bars.
        """
        if not paths:
            raise ReplayError("no file to replay")
        asked = None if symbol is None else Symbol(symbol.upper())
        recordings = tuple(recording(path, symbol=asked) for path in paths)
        names = [name for made in recordings for name in made.symbols]
        if len(names) != len(set(names)):
            raise ReplayError("a symbol is in more than one file")
        return cls(recordings, clock=clock, speed=speed, start=start, paused=paused)

    @property
    def source(self) -> str:
        return "replay:" + "+".join(made.path.name for made in self._recordings)

    @property
    def synthetic(self) -> bool:
        return False

    @property
    def heartbeat(self) -> None:
        return None

    def unchanged_since(self, symbol: Symbol) -> None:
        return None

    def trouble(self) -> None:
        return None

    @property
    def paused(self) -> bool:
        return self._clock.paused

    @property
    def speed(self) -> Decimal:
        return self._clock.speed

    def instruments(self) -> tuple[Instrument, ...]:
        return self._instruments

    def venue_now(self) -> datetime:
        return moment(self._now())

    def alive(self) -> bool:
        """Say whether prices flow: False while paused and after the last row."""
        return not self._clock.paused and bool(self._ahead)

    def advance(self, limit: int) -> tuple[Slice, ...]:
        with self._lock:
            self._read_ahead(max(limit, 1))
            now = self._now()
            due: list[Slice] = []
            while len(due) < limit and self._ahead and self._ahead[0].due <= now:
                row = self._ahead.popleft()
                self._remember(row)
                due.append(self._slice(row))
            self._read_ahead(max(limit, 1))
            return tuple(due)

    def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None
    ) -> tuple[Bar, ...]:
        """Return bars of the rows handed out so far; () below the recorded timeframe."""
        with self._lock:
            history = self._histories.get(symbol)
            if history is None:
                return ()
            known_until = self._now()
            if self._ahead:
                known_until = min(known_until, self._ahead[0].due)
            edge = None if before is None else (before - EPOCH) // MICROSECOND
            return history.bars(timeframe, limit=limit, before=edge, known_until=known_until)

    def pause(self) -> None:
        """Stand still; quotes are stale until `resume`."""
        self._clock.pause(at=self._now())

    def resume(self) -> None:
        self._clock.resume()

    def set_speed(self, speed: Decimal) -> None:
        """Go on at `speed` venue seconds in a wall second; raise ValueError when out of range."""
        self._clock.set_speed(speed, at=self._now())

    def problems(self) -> dict[str, int]:
        """Return what was found wrong in the rows read so far, and how often."""
        found = {
            f"{made.path.name}: {what}": count
            for made in self._recordings
            for what, count in sorted(made.problems.items())
        }
        return found if self._broken is None else {**found, self._broken: 1}

    def _now(self) -> int:
        self._latest = max(self._latest, min(self._clock.now(), self._read_until))
        return self._latest

    def _seek(self, start: datetime | None) -> int:
        """Read up to `start`, remember what was before, and return where the clock begins."""
        self._read_ahead(AHEAD_ROWS)
        if not self._ahead or self._broken is not None:
            self._fail("no usable row")
        first = self._ahead[0].start
        begin = first if start is None else (start - EPOCH) // MICROSECOND
        if begin < first:
            self._fail(f"starts at {moment(first):%Y-%m-%dT%H:%M:%SZ}")
        while self._ahead and self._ahead[0].due < begin:
            self._remember(self._ahead.popleft())
            self._read_ahead(1)
        self._read_ahead(AHEAD_ROWS)
        if not self._ahead or self._broken is not None:
            self._fail(f"ends at {moment(self._read_until):%Y-%m-%dT%H:%M:%SZ}")
        return begin

    def _fail(self, why: str) -> NoReturn:
        found = "".join(f"; {what}: {count}" for what, count in self.problems().items())
        raise ReplayError(self._broken or f"{self.source}: {why}{found}")

    def _read_ahead(self, least: int) -> None:
        if len(self._ahead) >= least or self._broken is not None:
            return
        try:
            for row in islice(self._rows, max(AHEAD_ROWS, least)):
                self._ahead.append(row)
                self._read_until = row.due
        except ReplayError as error:
            self._broken = str(error)

    def _remember(self, row: Row) -> None:
        prices = row.prices
        if len(prices) == 2:
            bid = (prices[0], prices[0], prices[0], prices[0])
        else:
            bid = (prices[0], prices[1], prices[2], prices[3])
        self._histories[row.symbol].add(row.start, bid, row.volume)

    def _slice(self, row: Row) -> Slice:
        unit = self._units[row.symbol]
        prices = [price * unit for price in row.prices]
        if len(prices) == 2:
            return tick(row.symbol, moment(row.due), prices[0], prices[1])
        bid_open, bid_high, bid_low, bid_close, *_ = prices
        ask_open, ask_high, ask_low, ask_close = prices[-4:]
        return Slice(
            row.symbol,
            moment(row.start),
            moment(row.due),
            bid_open,
            bid_high,
            bid_low,
            bid_close,
            ask_open,
            ask_high,
            ask_low,
            ask_close,
            PriceBasis.TRADE if len(prices) == 4 else PriceBasis.BID_ASK,
            row.volume,
        )
