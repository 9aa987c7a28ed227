"""A source of prices: read-only, knows symbols, quotes and bars, has no way to an order."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from ordergate.model.instruments import Instrument
from ordergate.model.market import Bar, Slice, Timeframe
from ordergate.model.values import Symbol

SPEED_MAX: Final = 1_000_000  # venue seconds in a wall second


class Feed(Protocol):
    @property
    def source(self) -> str: ...

    @property
    def synthetic(self) -> bool: ...

    @property
    def heartbeat(self) -> timedelta | None:
        """Return how often every price is confirmed; None where a quiet symbol is no news."""
        ...

    def instruments(self) -> tuple[Instrument, ...]:
        """Return what the feed has; () until a feed from outside was reached for the first time."""
        ...

    def unchanged_since(self, symbol: Symbol) -> datetime | None:
        """Return since when all that is told of a symbol is the same; None = cannot be told."""
        ...

    def trouble(self) -> str | None:
        """Say why no prices come from outside, in words for a person; None while they do."""
        ...

    def venue_now(self) -> datetime:
        """Return the feed's own clock: aware, UTC; never goes back."""
        ...

    def alive(self) -> bool:
        """Say whether the link lives; a replay that has ended is not alive."""
        ...

    def advance(self, limit: int) -> tuple[Slice, ...]:
        """Return at most `limit` slices that have become due since the last call, in time order."""
        ...

    def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: datetime | None
    ) -> tuple[Bar, ...]:
        """Return the newest `limit` bars that start before `before` (default: now), oldest first.

        Never a bar, or a part of one, from after the venue's clock. The running bar has
        complete=False.
        """
        ...


class Pace(Protocol):
    """How a recording is played."""

    @property
    def paused(self) -> bool: ...

    @property
    def speed(self) -> Decimal:
        """Return how many venue seconds pass in a wall second."""
        ...

    def pause(self) -> None:
        """Stand still; quotes are stale until `resume`."""
        ...

    def resume(self) -> None: ...

    def set_speed(self, speed: Decimal) -> None:
        """Go on at this speed; raise ValueError unless above 0 and at most SPEED_MAX."""
        ...
