"""Bars as columns: what is stored, resampled and calculated with, where single bars are too slow.

The columns are floats for indicators and research; no order is ever priced from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Times: TypeAlias = NDArray[numpy.int64]
    Numbers: TypeAlias = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Four columns of one side of the market."""

    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Bars of one symbol, oldest first, each time once; all columns have the same length.

    Prices are bids where both sides are known (`ask` then holds the other) and trades otherwise.
    Every bar but the last is complete; `complete` says it of the last.
    """

    symbol: Symbol
    timeframe: Timeframe
    time: Times  # starts of the bars, nanoseconds since 1970, UTC; strictly rising
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    volume: Numbers  # NaN where the source has none
    complete: bool
    source: str  # "oanda:eurusd_h1.csv.gz", "ccxt:kraken"
    ask: Prices | None = None

    def __len__(self) -> int:
        return len(self.time)
