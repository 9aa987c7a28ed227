"""What a store of bars holds: which series, from where, and where a price scale breaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """One series: the bars of a symbol as one venue or vendor has them."""

    venue: str
    symbol: Symbol
    timeframe: Timeframe

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol} {self.timeframe}"


@dataclass(frozen=True, slots=True)
class Import:
    """Where rows came from; `number` counts from 1 within a series."""

    number: int
    source: str  # a file's name, or "ccxt:kraken"
    sha256: str  # of the file; empty for a download
    imported_at: datetime
    rows: int  # that were new then
    choices: str  # how the file was read: "zone=UTC stamp=start drop=crossed"


@dataclass(frozen=True, slots=True)
class Jump:
    """Prices change their scale between two bars: nothing is computed across it."""

    at: int  # start of the first bar on the new scale, nanoseconds since 1970
    before: float  # last price on the old scale
    after: float
    split: str  # "7:1" where the ratio is that of a split, else empty


@dataclass(frozen=True, slots=True)
class Fetched:
    """The stretch that downloads from a source have gone through without a break."""

    source: str
    begin: int  # nanoseconds since 1970
    to: int  # where the next download goes on


@dataclass(frozen=True, slots=True)
class Holding:
    """One stored series without its rows. Times: starts of bars, nanoseconds since 1970, UTC."""

    key: SeriesKey
    basis: PriceBasis
    calendar: CalendarName | None  # None = nobody said when it trades
    rows: int
    first: int
    last: int
    complete: bool  # of the last bar
    imports: tuple[Import, ...]
    jumps: tuple[Jump, ...]
    fetched: Fetched | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Bars with the number of the import each came from."""

    series: Series
    origin: NDArray[numpy.uint16]
