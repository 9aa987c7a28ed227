"""Bars as columns for tests: a seeded walk, and bars written out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol

BEGIN_NS = 1_767_222_000 * 10**9  # 2025-12-31T23:00:00Z, a Wednesday evening in New York


def walk(
    bars: int = 600,
    *,
    seed: int = 1,
    timeframe: Timeframe = Timeframe.M15,
    symbol: str = "EURUSD",
    volume: bool = True,
    drift: float = 0.0,
    complete: bool = True,
) -> Series:
    """Return a random walk around 1.1, one bar after the other without a gap."""
    chance = numpy.random.default_rng(seed)
    close = 1.1 * numpy.exp(numpy.cumsum(chance.normal(drift, 4e-4, bars)))
    opened = numpy.concatenate([[1.1], close[:-1]])[:bars]
    high = numpy.maximum(opened, close) * (1 + 3e-4 * chance.random(bars))
    low = numpy.minimum(opened, close) * (1 - 3e-4 * chance.random(bars))
    traded = chance.integers(0, 60, bars).astype(numpy.float64)
    return Series(
        symbol=Symbol(symbol),
        timeframe=timeframe,
        time=starts(bars, timeframe),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=traded if volume else numpy.full(bars, numpy.nan),
        complete=complete,
        source="walk",
    )


def of_closes(
    closes: Sequence[float],
    *,
    reach: float = 0.5,
    volumes: Sequence[float] | None = None,
    timeframe: Timeframe = Timeframe.H1,
    begin_ns: int = BEGIN_NS,
) -> Series:
    """Return bars that close so, each reaching `reach` above and below its body."""
    close = numpy.array(closes, dtype=numpy.float64)
    opened = numpy.concatenate([close[:1], close[:-1]])
    return Series(
        symbol=Symbol("EURUSD"),
        timeframe=timeframe,
        time=starts(len(close), timeframe, begin_ns),
        open=opened,
        high=numpy.maximum(opened, close) + reach,
        low=numpy.minimum(opened, close) - reach,
        close=close,
        volume=numpy.full(len(close), numpy.nan)
        if volumes is None
        else numpy.array(volumes, dtype=numpy.float64),
        complete=True,
        source="by hand",
    )


def of_bars(
    rows: Sequence[tuple[float, float, float, float]],
    *,
    timeframe: Timeframe = Timeframe.H1,
    begin_ns: int = BEGIN_NS,
) -> Series:
    """Return bars given as (high, low, close, volume); each opens at its close."""
    high, low, close, volume = (
        numpy.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    return Series(
        symbol=Symbol("EURUSD"),
        timeframe=timeframe,
        time=starts(len(rows), timeframe, begin_ns),
        open=close.copy(),
        high=high,
        low=low,
        close=close,
        volume=volume,
        complete=True,
        source="by hand",
    )


def starts(bars: int, timeframe: Timeframe, begin_ns: int = BEGIN_NS) -> numpy.ndarray:
    step = int(timeframe.length.total_seconds()) * 10**9
    return begin_ns + numpy.arange(bars, dtype=numpy.int64) * step
