"""Indicators over a series: computed in one call each, kept, never over bars that have a hole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy
import talib

from ordergate.market.features.indicators import Call
from ordergate.market.features.sessions import moment, nanoseconds, session_starts
from ordergate.model.errors import DataUnavailable
from ordergate.model.series import Series

if TYPE_CHECKING:
    from ordergate.model.market import Bar
    from ordergate.model.series import Numbers, Times

Outputs = tuple["Numbers", ...]


class BadBars(DataUnavailable):
    """A bar among those given lacks a number: everything after it would be none."""


class Frame:
    """A series whose prices are all there, with its columns and the indicators asked of it.

    One number missing inside a column makes every later value of an indicator none, so such a
    column is refused with the time of the bar (`BadBars`); leading bars before an indicator's first
    value are NaN and stay so.
    """

    def __init__(self, series: Series) -> None:
        self.series = series
        self._columns: dict[str, Numbers] = {
            "open": series.open,
            "high": series.high,
            "low": series.low,
            "close": series.close,
        }
        for name, column in self._columns.items():
            self._require_whole(name, column)
        self._kept: dict[Call, Outputs] = {}

    def __len__(self) -> int:
        return len(self.series)

    def column(self, name: str) -> Numbers:
        """Return a column of the bars, or hl2 or hlc3; raise BadBars for a volume with holes."""
        kept = self._columns.get(name)
        return self._added(name) if kept is None else kept

    def outputs(self, call: Call) -> Outputs:
        """Return every output of an indicator, each as long as the series."""
        kept = self._kept.get(call)
        if kept is None:
            given = [self.column(name) for name in call.columns]
            if call.indicator.session_bound:
                kept = (vwap(self.series.time, *given),)
            else:
                made = BATCH[call.indicator.name](*given, *call.arguments)
                kept = made if isinstance(made, tuple) else (made,)
            self._kept[call] = kept
        return kept

    def value(self, call: Call, output: str | None = None) -> Numbers:
        """Return one output, by default the first."""
        place = 0 if output is None else call.indicator.outputs.index(output)
        return self.outputs(call)[place]

    def _added(self, name: str) -> Numbers:
        series = self.series
        made: Numbers
        if name == "volume":
            self._require_whole(name, series.volume)
            made = series.volume
        elif name == "hl2":
            made = (series.high + series.low) / 2
        else:
            made = (series.high + series.low + series.close) / 3
        self._columns[name] = made
        return made

    def _require_whole(self, name: str, column: Numbers) -> None:
        whole = numpy.isfinite(column)
        if whole.all():
            return
        if name == "volume" and not whole.any():
            raise BadBars(
                f"{self.series.source} has no volume",
                fix="Use indicators of prices, or a source with volume.",
            )
        at = moment(int(self.series.time[int(numpy.argmin(whole))]))
        raise BadBars(
            f"the bar of {at:%Y-%m-%dT%H:%M:%SZ} has no {name}",
            fix="Ask for bars after it.",
            details={"bar": f"{at:%Y-%m-%dT%H:%M:%SZ}", "column": name},
        )


def series_of(bars: Sequence[Bar], source: str) -> Series:
    """Return bars of one symbol as columns; raise DataUnavailable where there are none."""
    if not bars:
        raise DataUnavailable("there are no bars there", fix="Try another timeframe.")

    def column(name: str) -> Numbers:
        return numpy.array([float(getattr(bar, name)) for bar in bars])

    return Series(
        symbol=bars[0].symbol,
        timeframe=bars[0].timeframe,
        time=numpy.array([nanoseconds(bar.time) for bar in bars], dtype=numpy.int64),
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        volume=numpy.array([math.nan if bar.volume is None else float(bar.volume) for bar in bars]),
        complete=bars[-1].complete,
        source=source,
    )


def closed(series: Series) -> Series:
    """Return the series without a bar that is still running."""
    return series if series.complete or len(series) == 0 else cut(series, len(series) - 1)


def cut(series: Series, upto: int) -> Series:
    """Return the first `upto` bars, all complete unless the running one is among them."""
    return replace(
        series,
        time=series.time[:upto],
        open=series.open[:upto],
        high=series.high[:upto],
        low=series.low[:upto],
        close=series.close[:upto],
        volume=series.volume[:upto],
        complete=series.complete or upto < len(series),
        ask=None,
    )


def vwap(times: Times, high: Numbers, low: Numbers, close: Numbers, volume: Numbers) -> Numbers:
    """Return the volume-weighted typical price since each session began; NaN before any volume.

    The first session of a history is NaN: what of it lies before the first bar is not known.
    """
    made = numpy.full(len(times), numpy.nan)
    starts = session_starts(times)
    for start, end in pairwise([*starts[1:], len(times)]):
        first = start
        while first < end and not volume[first] > 0:
            first += 1
        if first < end:
            rest = slice(first, end)
            made[rest] = talib.VWAP(high[rest], low[rest], close[rest], volume[rest])
    return made


def keltner(
    high: Numbers, low: Numbers, close: Numbers, period: int, atr_period: int, multiplier: float
) -> Outputs:
    middle = talib.EMA(close, period)
    reach = talib.ATR(high, low, close, atr_period)
    reach *= multiplier
    middle[:atr_period] = numpy.nan  # a band has no middle before it has its sides
    return middle + reach, middle, middle - reach


def supertrend(
    high: Numbers, low: Numbers, close: Numbers, period: int, multiplier: float
) -> Outputs:
    value, turned = talib.SUPERTREND(high, low, close, period, multiplier)
    direction = numpy.asarray(turned, dtype=numpy.float64)
    direction[:period] = numpy.nan  # TA-Lib writes 0 where it has none
    return value, direction


def stochastic(
    high: Numbers, low: Numbers, close: Numbers, k: int, smooth: int, signal: int
) -> Outputs:
    return talib.STOCH(high, low, close, fastk_period=k, slowk_period=smooth, slowd_period=signal)


BATCH: Final[Mapping[str, Callable[..., Numbers | Outputs]]] = {
    "sma": talib.SMA,
    "ema": talib.EMA,
    "wma": talib.WMA,
    "rsi": talib.RSI,
    "macd": talib.MACD,
    "bollinger": lambda column, period, width: talib.BBANDS(column, period, width, width),
    "atr": talib.ATR,
    "adx": talib.ADX,
    "stochastic": stochastic,
    "cci": talib.CCI,
    "obv": talib.OBV,
    "donchian": talib.DONCHIAN,
    "keltner": keltner,
    "supertrend": supertrend,
}
