"""Small markets with round numbers for backtests: ticks of 0.00001 around 1.00000, hours of 2024.

One step is 0.01 lot = 1,000 units, so a tick of a step is worth one cent of USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy

from ordergate.adapters.instruments import KNOWN
from ordergate.model.instruments import CalendarName, Instrument
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.outcome import Outcome
from ordergate.research.backtest.spec import (
    BacktestSpec,
    CostSpec,
    SizeBy,
    Sizing,
    StrategyRef,
    Style,
)
from ordergate.research.backtest.tapes import MarketData, Tape
from ordergate.research.backtest.wording import Word
from ordergate.sim import layout

TUESDAY = datetime(2024, 1, 9, 8, tzinfo=UTC)  # 03:00 New York, open for hours
HOUR = 3_600_000_000_000
CENT = 10**6  # in 10^-8 USD
FREE = CostSpec(commission_per_lot=Decimal(0), swap=False, spread_points=Decimal(2))
ONE_LOT = Sizing(by=SizeBy.LOTS, amount=Decimal(1))  # 100 steps: a tick is a dollar

Ohlc = tuple[int, int, int, int]


def eurusd(**changes: Any) -> Instrument:
    """Return EURUSD that is always open and minds no distance of stops."""
    base = replace(KNOWN[Symbol("EURUSD")], calendar=CalendarName.ALWAYS, stops_level_ticks=0)
    return replace(base, **changes)


def bars(
    rows: Sequence[Ohlc],
    *,
    asks: Sequence[Ohlc] | None = None,
    begin: datetime = TUESDAY,
    timeframe: Timeframe = Timeframe.H1,
    volume: Sequence[float] | None = None,
    symbol: str = "EURUSD",
) -> Series:
    """Return bars given in ticks away from 1.00000; without `asks` they have one side."""

    def columns(side: Sequence[Ohlc]) -> list[Any]:
        table = (numpy.array(side, dtype=numpy.float64) + 100_000) / 100_000
        return [numpy.ascontiguousarray(table[:, place]) for place in range(4)]

    length = int(timeframe.length.total_seconds()) * 1_000_000_000
    first = int(begin.timestamp()) * 1_000_000_000
    opened, high, low, close = columns(rows)
    return Series(
        symbol=Symbol(symbol),
        timeframe=timeframe,
        time=first + numpy.arange(len(rows), dtype=numpy.int64) * length,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=numpy.full(len(rows), numpy.nan) if volume is None else numpy.array(volume),
        complete=True,
        source="test",
        ask=None if asks is None else Prices(*columns(asks)),
    )


def wider(rows: Sequence[Ohlc], by: int) -> list[Ohlc]:
    """Return the ask bars of bid bars with a spread that never changes."""
    return [(o + by, h + by, low + by, c + by) for o, h, low, c in rows]


def spec(**changes: Any) -> BacktestSpec:
    """Return one lot, no cost but the spread, USD 100,000, brackets."""
    given: dict[str, Any] = {
        "symbols": (Symbol("EURUSD"),),
        "timeframe": Timeframe.H1,
        "strategy": StrategyRef(name="rule_baseline"),
        "costs": FREE,
        "sizing": ONE_LOT,
    }
    return BacktestSpec(**(given | changes))


def styled(style: Style) -> StrategyRef:
    return StrategyRef(name="rule_baseline", style=style)


def laid_on(asked: BacktestSpec, series: Series, **instrument: Any) -> Laid:
    finer = instrument.pop("finer", None)
    return lay(asked, MarketData((Tape(eurusd(**instrument), series, finer),)))


def word(
    want: Sequence[int],
    *,
    stop: Sequence[int] | None = None,
    target: Sequence[int] | None = None,
    more: Mapping[int, Sequence[int]] | None = None,
) -> Word:
    """Return wishes; stops and targets in ticks away from 1.00000, None = none of them."""

    def column(values: Sequence[int] | None) -> Any:
        if values is None:
            return numpy.zeros(1, dtype=numpy.int64)
        return numpy.array([v and v + 100_000 for v in values], dtype=numpy.int64)

    columns = {layout.W_STOP: column(stop), layout.W_TARGET: column(target)}
    for name, values in (more or {}).items():
        columns[name] = numpy.array(values, dtype=numpy.int64)
    return Word(numpy.array(want, dtype=numpy.int8), columns)


def ran(asked: BacktestSpec, series: Series, said: Word, **instrument: Any) -> Outcome:
    return run_laid(laid_on(asked, series, **instrument), said)


def dollars(outcome: Outcome, name: str, row: int = 0) -> float:
    """Return a money column of a trade in USD."""
    return int(getattr(outcome.trades, name)[row]) / 10**8


def away(price: int) -> int:
    """Return ticks as the distance from 1.00000."""
    return int(price) - 100_000


def utc_friday(hour: int) -> datetime:
    """Return an hour of Friday 12 January 2024; New York is five hours behind."""
    return datetime(2024, 1, 12, hour, tzinfo=UTC)


def week_of_swap() -> CostSpec:
    return replace(FREE, swap=True)
