"""Markets for backtests: noise with a spread, and real hours where the recorded data lie."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import numpy
import pytest

from ordergate.adapters.instruments import KNOWN
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol
from ordergate.research.backtest.spec import BacktestSpec, StrategyRef
from ordergate.research.backtest.tapes import MarketData, Tape

EURUSD = Symbol("EURUSD")
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HOUR_NS = 3_600 * 10**9
MONDAY_NS = 1_767_564_000 * 10**9  # 2026-01-04T22:00:00Z, the week's opening


def hours(bars: int) -> numpy.ndarray:
    """Starts of hours of trading weeks: 120 hours from Sunday 22:00, then a weekend."""
    week, hour = numpy.divmod(numpy.arange(bars), 120)
    return (MONDAY_NS + (week * 168 + hour) * HOUR_NS).astype(numpy.int64)


def of_closes(close: numpy.ndarray, *, spread: float = 0.00008, reach: float = 0.0004) -> Series:
    """Return hourly bid and ask bars that close so."""
    close = numpy.round(close, 5)
    opened = numpy.concatenate([close[:1], close[:-1]])
    high = numpy.round(numpy.maximum(opened, close) + reach, 5)
    low = numpy.round(numpy.minimum(opened, close) - reach, 5)

    def ask(column: numpy.ndarray) -> numpy.ndarray:
        return numpy.round(column + spread, 5)

    return Series(
        symbol=EURUSD,
        timeframe=Timeframe.H1,
        time=hours(len(close)),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=numpy.full(len(close), numpy.nan),
        complete=True,
        source="noise",
        ask=Prices(ask(opened), ask(high), ask(low), ask(close)),
    )


def noise(bars: int = 2_000, *, seed: int = 1, spread: float = 0.00008) -> MarketData:
    """Return a market that nothing can be earned in: a walk without memory."""
    chance = numpy.random.default_rng(seed)
    close = 1.1 * numpy.exp(numpy.cumsum(chance.normal(0.0, 8e-4, bars)))
    return market(of_closes(close, spread=spread))


def swinging(bars: int = 2_000, *, seed: int = 1) -> MarketData:
    """Return a market with a planted edge: it swings slowly around one price."""
    chance = numpy.random.default_rng(seed)
    wave = 0.02 * numpy.sin(numpy.arange(bars) * 2 * numpy.pi / 90)
    return market(of_closes(1.1 + wave + chance.normal(0.0, 4e-4, bars)))


def market(series: Series) -> MarketData:
    return MarketData((Tape(KNOWN[EURUSD], series),))


def asked(strategy: StrategyRef, **changes: object) -> BacktestSpec:
    return BacktestSpec(
        symbols=(EURUSD,),
        timeframe=Timeframe.H1,
        strategy=strategy,
        **changes,  # type: ignore[arg-type]
    )


def real_hours(bars: int | None = None) -> MarketData:
    """Return recorded hours of EURUSD, both sides; skips where they are not at hand."""
    path = REAL / "eurusd_oanda_h1_bidask.csv.gz"
    if not path.exists():
        pytest.skip("the recorded prices are not here")
    series = _real(path)
    count = len(series) if bars is None else bars
    cut = slice(0, count)
    sides = series.ask
    assert sides is not None
    return market(
        Series(
            symbol=EURUSD,
            timeframe=Timeframe.H1,
            time=series.time[cut],
            open=series.open[cut],
            high=series.high[cut],
            low=series.low[cut],
            close=series.close[cut],
            volume=series.volume[cut],
            complete=True,
            source=series.source,
            ask=Prices(*(getattr(sides, n)[cut] for n in ("open", "high", "low", "close"))),
        )
    )


@cache
def _real(path: Path) -> Series:
    with gzip.open(path, "rt") as file:
        rows = [line.rstrip("\n").split(",") for line in file][1:]
    stamps = numpy.array([row[0][:19] for row in rows], dtype="datetime64[ns]")
    sides = numpy.array([row[1:9] for row in rows], dtype=numpy.float64).T
    return Series(
        symbol=EURUSD,
        timeframe=Timeframe.H1,
        time=stamps.astype(numpy.int64),
        open=sides[0],
        high=sides[1],
        low=sides[2],
        close=sides[3],
        volume=numpy.full(len(rows), numpy.nan),
        complete=True,
        source="oanda:eurusd_h1",
        ask=Prices(*sides[4:]),
    )
