"""Bars from elsewhere and bars at rest: sources of the past, files to import, and the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ordergate.model.errors import GateError, IllegalState, InvalidArgument
from ordergate.model.holdings import Holding, Rows, SeriesKey
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers, Times


class FileUnusable(InvalidArgument):
    """A price file cannot be read at all: no such file, cut off, not a table, no known columns."""


class StoreDamaged(GateError):
    """A stored series is not what was written."""


class StoreUnwritable(IllegalState):
    """The disk does not take the change; what was stored before is as it was."""


class BarSource(Protocol):
    @property
    def source(self) -> str:
        """Name where the bars come from, as every answer will: "ccxt:kraken"."""
        ...

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, since: datetime, limit: int
    ) -> Series:
        """Return the oldest bars that start at or after `since` (aware, UTC), at most `limit`.

        There may be fewer where the source pages in smaller steps, and none where no bar begins
        within `limit` bars' time, though later ones do: a caller goes on from there. Gaps stay
        gaps. Raises SymbolNotFound, NotSupported (timeframe), RateLimited, DataUnavailable (no
        answer in time).
        """
        ...

    def close_now(self) -> None:
        """Let go of the connection; nothing is asked afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns of a price file mean what; names as in its header."""

    time: tuple[str, ...]  # one column, or a date and a time
    prices: tuple[str, ...]  # 1 (trades), 2 (bid, ask), 4 (trade bars) or 8 (bid, then ask bars)
    volume: str | None
    symbol: str | None


@dataclass(frozen=True, slots=True)
class Zone:
    """How the times of a file are to be read."""

    name: str | None = None  # IANA name, perhaps with hours: America/New_York+7; None = refuse
    pattern: str | None = None  # strptime's; None = one of the usual ones


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows of a price file as columns, in the file's order.

    A time that cannot be read is UNREADABLE; a price that is no number is NaN and its row is in
    `garbled`; NaN and infinity as written stay.
    """

    time: Times
    prices: tuple[Numbers, ...]
    volume: Numbers | None
    symbol: NDArray[numpy.str_] | None
    garbled: NDArray[numpy.bool_]


class PriceFile(Protocol):
    @property
    def name(self) -> str: ...

    def columns(self) -> tuple[str, ...]:
        """Return the names of the header; raise FileUnusable."""
        ...

    def blocks(self, shape: Shape, zone: Zone) -> Iterator[Block]:
        """Yield the rows, block by block; raise FileUnusable, or TooLarge before memory fills."""
        ...

    def written_at(self) -> datetime:
        """Return when the file was last changed: no bar in it that ended later is complete."""
        ...

    def sha256(self) -> str:
        """Return the digest of the file's bytes, as 64 hex digits."""
        ...


class Shelf(Protocol):
    """One series, held alone while it is changed."""

    @property
    def holding(self) -> Holding | None: ...

    def tail(self, since: int) -> Rows | None:
        """Return the rows that start at or after `since`; None without a series."""
        ...

    def put(self, rows: Rows, *, since: int, holding: Holding) -> None:
        """Put `rows` in the place of what starts at or after `since`: all of it, or nothing.

        Raises StoreUnwritable.
        """
        ...


class BarStore(Protocol):
    def holdings(self, symbol: Symbol | None = None) -> tuple[Holding, ...]:
        """Return every series there is, or of one symbol, by key; raise StoreDamaged."""
        ...

    def holding(self, key: SeriesKey) -> Holding | None: ...

    def read(self, key: SeriesKey, *, limit: int, before: int | None = None) -> Series | None:
        """Return the newest `limit` bars that start before `before`; None without a series."""
        ...

    def verify(self, key: SeriesKey) -> int:
        """Prove that a series' files are as they were written; return its bars.

        Raises StoreDamaged.
        """
        ...

    def edit(self, key: SeriesKey) -> AbstractContextManager[Shelf]:
        """Hold a series alone; raise NotReady when another holds it for too long.

        Raises StoreUnwritable where there may be no series.
        """
        ...
