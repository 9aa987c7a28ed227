"""The market a backtest runs on: bars of each symbol with what is needed to price them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ordergate.model.instruments import Instrument

if TYPE_CHECKING:
    from ordergate.model.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Bars of one symbol: closed ones, oldest first. `finer`: of a lower timeframe, or None."""

    instrument: Instrument
    series: Series
    finer: Series | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MarketData:
    """`rates`: for each quote currency that is not the account's, bars of its price in it."""

    tapes: tuple[Tape, ...]
    rates: Mapping[str, Series] = field(default_factory=dict)
