"""Prices as a venue or a feed gives them: slices, quotes, bars, sessions and their quality."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.values import Symbol


class PriceBasis(enum.StrEnum):
    BID_ASK = "bid_ask"  # both sides known: a limit fills when executable
    TRADE = "trade"  # last prices only: a limit must be penetrated


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of market: one tick (prices equal per side) or one bar. Times: venue clock."""

    symbol: Symbol
    start: datetime
    end: datetime  # equal to start for a tick
    bid_open: Decimal
    bid_high: Decimal
    bid_low: Decimal
    bid_close: Decimal
    ask_open: Decimal
    ask_high: Decimal
    ask_low: Decimal
    ask_close: Decimal
    basis: PriceBasis = PriceBasis.BID_ASK
    volume: Decimal | None = None

    @property
    def is_tick(self) -> bool:
        return self.start == self.end


def tick(symbol: Symbol, at: datetime, bid: Decimal, ask: Decimal) -> Slice:
    """Return the slice of one bid/ask tick."""
    return Slice(symbol, at, at, bid, bid, bid, bid, ask, ask, ask, ask)


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest prices of a symbol, with where they come from and when."""

    symbol: Symbol
    bid: Decimal
    ask: Decimal
    time: datetime  # venue clock, UTC
    source: str  # "simulated", "replay:<file>", "ccxt:<exchange>"
    synthetic: bool
    basis: PriceBasis = PriceBasis.BID_ASK

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        return self.ask - self.bid


class Quality(enum.StrEnum):
    OK = "ok"
    STALE = "stale"
    OUT_OF_ORDER = "out_of_order"  # a price from the past has just come
    GAP = "gap"  # the first prices after a hole in an open session
    FROZEN = "frozen"  # the feed confirms it, and nothing it tells of the symbol ever moves
    CROSSED = "crossed"
    ZERO_SPREAD = "zero_spread"
    MISSING = "missing"


# A venue still deals on these, as it would in the world: exits pass. They open nothing.
DEALT_ON: Final = frozenset({Quality.OK, Quality.OUT_OF_ORDER, Quality.GAP, Quality.FROZEN})


@dataclass(frozen=True, slots=True)
class QuoteQuality:
    """What may be believed of a quote: verdict and age in seconds of the venue clock."""

    verdict: Quality
    age_s: Decimal | None


class SessionState(enum.StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"  # past the calendar's table: treated as closed for opening orders


@dataclass(frozen=True, slots=True)
class Session:
    state: SessionState
    reason: str  # "open", "weekend", "daily break", "holiday", ...
    next_change: datetime | None  # venue clock, UTC


class Timeframe(enum.StrEnum):
    M1 = "M1"
    M5 = "M5"
    M15 = "M15"
    M30 = "M30"
    H1 = "H1"
    H4 = "H4"
    D1 = "D1"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]


_LENGTHS = {
    Timeframe.M1: timedelta(minutes=1),
    Timeframe.M5: timedelta(minutes=5),
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.M30: timedelta(minutes=30),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.H4: timedelta(hours=4),
    Timeframe.D1: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of bid prices; `time` is its start (venue clock, UTC)."""

    symbol: Symbol
    timeframe: Timeframe
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    complete: bool
