"""The common rule of the backtest benchmark on ordergate's engine, and the plainest numba loop.

SMA(10) - SMA(30) > 1e-9 at a close: long 10,000 units, else flat; filled at the next open, half a
spread of half a basis point and 0.2 basis points of commission a side. Ours runs with every cost
behaviour switched on: spread, slippage, commission, swap, margin, stops in every bar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy

from ordergate.adapters.instruments import KNOWN
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.spec import (
    BacktestSpec,
    CostSpec,
    Filling,
    Sizing,
    StrategyRef,
    Style,
    WhenClosed,
)
from ordergate.research.backtest.tapes import MarketData, Tape
from ordergate.research.backtest.wording import Word
from ordergate.sim import layout

BEGIN = 1_577_836_800_000_000_000  # 2020
EPSILON = 1e-9


def walk(bars: int, seed: int = 7) -> Mapping[str, Any]:
    """Return a seeded random walk of four steps a bar, start 1.10, five digits."""
    chance = numpy.random.default_rng(seed)
    steps = numpy.exp(numpy.cumsum(chance.normal(0, 0.5e-4, bars * 4)))
    path = numpy.round(1.10 * steps, 5).reshape(bars, 4)
    opened = numpy.concatenate([[1.10], path[:-1, 3]])
    return {
        "open": opened,
        "high": numpy.maximum(opened, path.max(axis=1)),
        "low": numpy.minimum(opened, path.min(axis=1)),
        "close": numpy.ascontiguousarray(path[:, 3]),
    }


def numbers(path: str) -> Mapping[str, Any]:
    with numpy.load(path) as found:
        return {name: found[name] for name in ("open", "high", "low", "close")}


def laid_on(data: Mapping[str, Any], *, costs: CostSpec | None = None) -> Laid:
    """Lay the bars out for our engine, with every cost."""
    count = len(data["close"])
    series = Series(
        symbol=Symbol("EURUSD"),
        timeframe=Timeframe.M1,
        time=BEGIN + numpy.arange(count, dtype=numpy.int64) * 60_000_000_000,
        volume=numpy.full(count, numpy.nan),
        complete=True,
        source="walk",
        **data,
    )
    every = CostSpec(
        spread_points=Decimal(11),
        slippage_points=Decimal(1),
        commission_per_lot=Decimal(0),
        commission_rate=Decimal("0.00002"),
    )
    spec = BacktestSpec(
        symbols=(Symbol("EURUSD"),),
        timeframe=Timeframe.M1,
        strategy=StrategyRef(name="rule_baseline", style=Style.TARGET),
        costs=costs or every,
        sizing=Sizing(amount=Decimal("0.1")),
        filling=Filling(when_closed=WhenClosed.WAIT),
    )
    always = replace(KNOWN[Symbol("EURUSD")], calendar=CalendarName.ALWAYS)
    return lay(spec, MarketData((Tape(always, series),)))


def word_of(close: Any, fast: int, slow: int) -> Word:
    import talib

    gap = talib.SMA(close, fast)
    gap -= talib.SMA(close, slow)
    ahead = (gap > EPSILON).view(numpy.int8)
    return Word(numpy.int8(layout.FLAT) - ahead)  # long where it is ahead, else flat


def plain_kernel() -> Callable[..., Any]:
    """Return the plainest compiled loop that does the rule and nothing else."""
    import numba

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def kernel(opened: Any, close: Any, fast: int, slow: int, equity: Any) -> Any:
        half, rate, units, cash = 0.5e-4, 0.2e-4, 10_000.0, 100_000.0
        quick = late = drawdown = 0.0
        position = want = 0
        peak = cash
        for bar in range(len(close)):
            if want != position:
                if want == 1:
                    price = opened[bar] * (1 + half)
                    cash -= units * price * (1 + rate)
                else:
                    price = opened[bar] * (1 - half)
                    cash += units * price * (1 - rate)
                position = want
            quick += close[bar]
            late += close[bar]
            if bar >= fast:
                quick -= close[bar - fast]
            if bar >= slow:
                late -= close[bar - slow]
            value = cash + position * units * close[bar]
            equity[bar] = value
            peak = max(peak, value)
            drawdown = max(drawdown, peak - value)
            if bar >= slow - 1:
                want = 1 if quick / fast - late / slow > EPSILON else 0
        return value, drawdown

    return kernel  # type: ignore[no-any-return]
