"""A made-up market that is always open when someone tries it. Synthetic, and labelled so.

Prices are a pure function of (seed, symbol, time): a restart goes on exactly where the market was,
and every past bar can be computed. Each symbol walks alone: crosses do not obey their legs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ordergate.adapters.feeds.simulated.path import Path, key_of, mixed
from ordergate.adapters.feeds.simulated.symbols import LISTINGS, Listing
from ordergate.model.hours import Window, bar_window, window_before, window_from
from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, Slice, Timeframe, tick
from ordergate.model.values import Symbol
from ordergate.ports.system import Clock

WEDNESDAY: Final = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)  # London and New York are open
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
SLOT_MS: Final = 300  # at most one tick of a symbol in so many milliseconds of the wall
QUIET_ONE_IN: Final = 4  # slots without a tick
BACKLOG_SLOTS: Final = 200  # after a stall longer than this the market has gapped
SPREAD_MS: Final = 4_000  # how long a spread lasts


@dataclass(slots=True)
class _Line:
    """One listed symbol, its path, and the trading window it was last seen in."""

    listing: Listing
    path: Path
    key: int
    window: Window

    def is_open(self, at: datetime) -> bool:
        if at >= self.window.closes or at < self.window.opens:
            self.window = window_from(self.listing.instrument.calendar, at)
        return self.window.opens <= at < self.window.closes


class SimulatedFeed:
    """Implements ports.feed.Feed over seeded paths; `speed` is venue seconds in a wall second."""

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 7,
        start: datetime | None = None,
        speed: Decimal | int = 1,
    ) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self._clock = clock
        self._start = (start or WEDNESDAY).astimezone(UTC)
        self._began_s = clock.monotonic()
        self._speed = Fraction(speed)
        self._slot = max(SLOT_MS, int(SLOT_MS * self._speed))
        self._lines = tuple(_line(listing, seed=seed, at=self._start) for listing in LISTINGS)
        self._by_symbol = {line.listing.instrument.symbol: line for line in self._lines}
        self._done: tuple[int, int] | None = None  # (millisecond, line) of the last tick given

    @property
    def source(self) -> str:
        return "simulated"

    @property
    def synthetic(self) -> bool:
        return True

    @property
    def heartbeat(self) -> None:
        return None

    def unchanged_since(self, symbol: Symbol) -> None:
        return None

    def trouble(self) -> None:
        return None

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(line.listing.instrument for line in self._lines)

    def venue_now(self) -> datetime:
        elapsed_us = int(
            Fraction(self._clock.monotonic() - self._began_s) * self._speed * 1_000_000
        )
        return self._start + timedelta(microseconds=elapsed_us)

    def alive(self) -> bool:
        return True

    def advance(self, limit: int) -> tuple[Slice, ...]:
        """Return the ticks that became due; at first one of each symbol, closed ones included."""
        now = _milliseconds(self.venue_now())
        due = self._due(now)
        taken = due[:limit]
        if len(taken) < len(due):
            self._done = taken[-1] if taken else self._done
        else:
            self._done = (now, len(self._lines))
        return tuple(self._tick(at, self._lines[index]) for at, index in taken)

    def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None
    ) -> tuple[Bar, ...]:
        line = self._by_symbol.get(symbol)
        if line is None:
            return ()
        now = self.venue_now()
        edge = now if before is None else min(before, now)
        made: list[Bar] = []
        while len(made) < limit:
            session = window_before(line.listing.instrument.calendar, edge)
            edge = min(edge, session.closes)
            while edge > session.opens and len(made) < limit:
                bar = _bar(line, timeframe, bar_window(timeframe, edge - MILLISECOND), session, now)
                made.append(bar)
                edge = bar.time
        return tuple(reversed(made))

    def _due(self, now: int) -> list[tuple[int, int]]:
        if self._done is None:
            return self._opening()
        begin = max(self._done[0], now - BACKLOG_SLOTS * self._slot)
        due = []
        for index, line in enumerate(self._lines):
            for slot in range(begin // self._slot, now // self._slot + 1):
                bits = mixed(line.key ^ slot)
                at = slot * self._slot + bits % self._slot
                if (bits >> 32) % QUIET_ONE_IN == 0 or not begin <= at <= now:
                    continue
                if (at, index) > self._done and line.is_open(_moment(at)):
                    due.append((at, index))
        return sorted(due)

    def _opening(self) -> list[tuple[int, int]]:
        """Return a first tick for each symbol: at the start, or where its last session ended."""
        due = []
        for index, line in enumerate(self._lines):
            at = self._start
            if not line.is_open(at):
                at = window_before(line.listing.instrument.calendar, at).closes - MILLISECOND
            due.append((_milliseconds(at), index))
        return sorted(due)

    def _tick(self, at: int, line: _Line) -> Slice:
        instrument, usual = line.listing.instrument, line.listing.spread_ticks
        bid = line.path.price(at)
        spread = usual + mixed(line.key ^ mixed(at // SPREAD_MS)) % (usual // 2 + 1)
        step = instrument.tick_size
        return tick(instrument.symbol, _moment(at), bid * step, (bid + spread) * step)


def _line(listing: Listing, *, seed: int, at: datetime) -> _Line:
    key = key_of(seed, listing.instrument.symbol)
    level = int(listing.level / listing.instrument.tick_size)
    path = Path(key, level=level, volatility_ppm=listing.volatility_ppm)
    return _Line(listing, path, key, window_from(listing.instrument.calendar, at))


def _bar(line: _Line, timeframe: Timeframe, window: Window, session: Window, now: datetime) -> Bar:
    """Return the bar of `window` as far as it is in the session and has happened."""
    start = max(window.opens, session.opens)
    end = min(window.closes, session.closes, now)
    span = line.path.range(_milliseconds(start), _milliseconds(end))
    step = line.listing.instrument.tick_size
    return Bar(
        line.listing.instrument.symbol,
        timeframe,
        window.opens,
        span.open * step,
        span.high * step,
        span.low * step,
        span.close * step,
        None,
        window.closes <= now,
    )


def _milliseconds(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)
