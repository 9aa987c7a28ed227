"""Every indicator against its textbook formula: within 1e-9, and NaN in the same places.

The formulas are plain Python and import nothing of ours (support/plain_indicators.py).
"""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy
import pytest

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import INDICATORS, call
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from support import plain_indicators as plain
from support.recordings import real
from support.series import walk

NEW_YORK = ZoneInfo("America/New_York")

ORACLES: dict[str, Callable[..., object]] = {
    "sma": lambda s, n: plain.sma(s["close"], n),
    "ema": lambda s, n: plain.ema(s["close"], n),
    "wma": lambda s, n: plain.wma(s["close"], n),
    "rsi": lambda s, n: plain.rsi(s["close"], n),
    "macd": lambda s, *n: plain.macd(s["close"], *n),
    "bollinger": lambda s, *n: plain.bollinger(s["close"], *n),
    "atr": lambda s, n: plain.atr(s["high"], s["low"], s["close"], n),
    "adx": lambda s, n: plain.adx(s["high"], s["low"], s["close"], n),
    "stochastic": lambda s, *n: plain.stochastic(s["high"], s["low"], s["close"], *n),
    "cci": lambda s, n: plain.cci(s["high"], s["low"], s["close"], n),
    "obv": lambda s: plain.obv(s["close"], s["volume"]),
    "vwap": lambda s: plain.vwap(s["day"], s["high"], s["low"], s["close"], s["volume"]),
    "donchian": lambda s, n: plain.donchian(s["high"], s["low"], n),
    "keltner": lambda s, *n: plain.keltner(s["high"], s["low"], s["close"], *n),
    "supertrend": lambda s, *n: plain.supertrend(s["high"], s["low"], s["close"], *n),
}
OTHERS = {
    "sma": (7,),
    "ema": (9,),
    "wma": (5,),
    "rsi": (5,),
    "macd": (5, 13, 4),
    "bollinger": (11, 1.5),
    "atr": (7,),
    "adx": (6,),
    "stochastic": (5, 2, 4),
    "cci": (9,),
    "donchian": (3,),
    "keltner": (10, 14, 1.5),
    "supertrend": (7, 2),
}


def day_of(time_ns: int) -> object:
    """Return the day that ends at 17:00 New York, said once more."""
    at = datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone(NEW_YORK)
    return (at + timedelta(hours=7)).date()


def columns(series: Series) -> dict[str, list[object]]:
    names = ("open", "high", "low", "close", "volume")
    made: dict[str, list[object]] = {name: getattr(series, name).tolist() for name in names}
    made["day"] = [day_of(int(at)) for at in series.time]
    return made


def recorded() -> Series:
    """Return real hours of AAPL, with gaps between days and its real volume."""
    with gzip.open(real("aapl_h1.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))[:900]
    key = next(name for name in rows[0] if name.lower().startswith("time"))
    times = [datetime.fromisoformat(row[key].replace("Z", "+00:00")) for row in rows]
    times = [at if at.tzinfo else at.replace(tzinfo=UTC) for at in times]

    def column(name: str) -> numpy.ndarray:
        return numpy.array([float(row[name]) for row in rows])

    return Series(
        symbol=Symbol("AAPL"),
        timeframe=Timeframe.H1,
        time=numpy.array([int(at.timestamp()) * 10**9 for at in times], dtype=numpy.int64),
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        volume=column("volume"),
        complete=True,
        source="aapl_h1.csv.gz",
    )


def worst(series: Series, name: str, arguments: tuple[float, ...]) -> float:
    one = call(name, *arguments)
    told = ORACLES[name](columns(series), *one.arguments)
    outputs = told if isinstance(told, tuple) else (told,)
    found = Frame(series).outputs(one)
    assert len(found) == len(one.indicator.outputs) == len(outputs)
    most = 0.0
    for ours, theirs in zip(found, outputs, strict=True):
        wanted = numpy.array([math.nan if value is None else value for value in theirs])
        assert (numpy.isnan(ours) == numpy.isnan(wanted)).all(), f"{one.text}: NaN elsewhere"
        scale = numpy.maximum(numpy.abs(wanted), 1.0)
        most = max(most, float(numpy.nanmax(numpy.abs(ours - wanted) / scale)))
    return most


def test_every_indicator_has_its_formula() -> None:
    assert set(ORACLES) == {indicator.name for indicator in INDICATORS}


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_an_indicator_is_its_formula_on_a_walk(indicator: object) -> None:
    name = indicator.name  # type: ignore[attr-defined]
    series = walk(700)
    assert worst(series, name, ()) < 1e-9
    if name in OTHERS:
        assert worst(series, name, OTHERS[name]) < 1e-9


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.name)
def test_an_indicator_is_its_formula_on_real_prices(indicator: object) -> None:
    assert worst(recorded(), indicator.name, ()) < 1e-9  # type: ignore[attr-defined]
