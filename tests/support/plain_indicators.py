"""Every indicator once more, by its textbook formula in plain Python; imports nothing of ours.

None stands where there is no value. Seeds are those TA-Lib documents: an EMA begins with the mean
of its first `period` values, Wilder's averages with the mean of their first `period` steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import fsum, sqrt

Column = list[float | None]


def sma(values: Sequence[float], period: int) -> Column:
    return [
        None if i < period - 1 else fsum(values[i - period + 1 : i + 1]) / period
        for i in range(len(values))
    ]


def ema(values: Sequence[float], period: int, *, begin: int = 0) -> Column:
    made: Column = [None] * len(values)
    if len(values) < begin + period:
        return made
    at = begin + period - 1
    value = fsum(values[begin : at + 1]) / period
    made[at] = value
    for i in range(at + 1, len(values)):
        value += (values[i] - value) * 2 / (period + 1)
        made[i] = value
    return made


def wma(values: Sequence[float], period: int) -> Column:
    whole = period * (period + 1) / 2
    return [
        None
        if i < period - 1
        else fsum(values[i - period + 1 + n] * (n + 1) for n in range(period)) / whole
        for i in range(len(values))
    ]


def rsi(values: Sequence[float], period: int) -> Column:
    steps = [b - a for a, b in itertools.pairwise(values)]
    made: Column = [None] * len(values)
    up = fsum(max(step, 0.0) for step in steps[:period]) / period
    down = fsum(max(-step, 0.0) for step in steps[:period]) / period
    for i in range(period, len(values)):
        if i > period:
            up = (up * (period - 1) + max(steps[i - 1], 0.0)) / period
            down = (down * (period - 1) + max(-steps[i - 1], 0.0)) / period
        made[i] = 0.0 if up + down == 0 else 100 * up / (up + down)
    return made


def macd(values: Sequence[float], fast: int, slow: int, signal: int) -> tuple[Column, ...]:
    quick, steady = ema(values, fast, begin=slow - fast), ema(values, slow)
    line = [None if a is None or b is None else a - b for a, b in zip(quick, steady, strict=True)]
    known = [value for value in line if value is not None]
    average: Column = [None] * (len(line) - len(known)) + ema(known, signal)
    first = slow + signal - 2
    lines: Column = [None] * first + line[first:]
    apart: Column = [
        None if a is None or b is None else a - b for a, b in zip(lines, average, strict=True)
    ]
    return lines[: len(values)], average, apart


def bollinger(values: Sequence[float], period: int, width: float) -> tuple[Column, ...]:
    middle = sma(values, period)
    upper: Column = []
    lower: Column = []
    for i, mean in enumerate(middle):
        if mean is None:
            upper.append(None)
            lower.append(None)
            continue
        part = values[i - period + 1 : i + 1]
        spread = width * sqrt(fsum((value - mean) ** 2 for value in part) / period)
        upper.append(mean + spread)
        lower.append(mean - spread)
    return upper, middle, lower


def true_ranges(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> list[float]:
    """Return them from the second bar on."""
    return [
        max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1]))
        for i in range(1, len(close))
    ]


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> Column:
    ranges = true_ranges(high, low, close)
    made: Column = [None] * len(close)
    if len(ranges) < n:
        return made
    value = fsum(ranges[:n]) / n
    made[n] = value
    for i in range(n + 1, len(close)):
        value = (value * (n - 1) + ranges[i - 1]) / n
        made[i] = value
    return made


def adx(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> Column:
    """Wilder's sums begin with n - 1 steps; ADX with the mean of the first n DX."""
    made: Column = [None] * len(close)
    plus, minus = [], []
    for i in range(1, len(close)):
        up, down = high[i] - high[i - 1], low[i - 1] - low[i]
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)
    ranges = true_ranges(high, low, close)
    sums = [fsum(column[: n - 1]) for column in (plus, minus, ranges)]
    strengths: list[float] = []
    for i in range(n - 1, len(ranges)):
        sums = [
            total - total / n + column[i]
            for total, column in zip(sums, (plus, minus, ranges), strict=True)
        ]
        di = [0.0 if sums[2] == 0 else 100 * total / sums[2] for total in sums[:2]]
        both = di[0] + di[1]
        strengths.append(
            strengths[-1]
            if both == 0 and strengths
            else 0.0
            if both == 0
            else 100 * abs(di[0] - di[1]) / both
        )
    if len(strengths) < n:
        return made
    value = fsum(strengths[:n]) / n
    made[2 * n - 1] = value
    for i in range(n, len(strengths)):
        value = (value * (n - 1) + strengths[i]) / n
        made[n + i] = value
    return made


def stochastic(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], k: int, smooth: int, d: int
) -> tuple[Column, Column]:
    fast: list[float] = []
    for i in range(k - 1, len(close)):
        top, bottom = max(high[i - k + 1 : i + 1]), min(low[i - k + 1 : i + 1])
        fast.append(0.0 if top == bottom else 100 * (close[i] - bottom) / (top - bottom))
    slow = [value for value in sma(fast, smooth) if value is not None]
    signal = [value for value in sma(slow, d) if value is not None]
    first = len(close) - len(signal)
    blank: Column = [None] * first
    return [*blank, *slow[d - 1 :]], [*blank, *signal]


def cci(high: Sequence[float], low: Sequence[float], close: Sequence[float], n: int) -> Column:
    typical = [(h + lo + c) / 3 for h, lo, c in zip(high, low, close, strict=True)]
    made: Column = []
    for i, mean in enumerate(sma(typical, n)):
        if mean is None:
            made.append(None)
            continue
        apart = fsum(abs(value - mean) for value in typical[i - n + 1 : i + 1]) / n
        made.append(0.0 if apart == 0 else (typical[i] - mean) / (0.015 * apart))
    return made


def obv(close: Sequence[float], volume: Sequence[float]) -> Column:
    total = volume[0]
    made: Column = [total]
    for i in range(1, len(close)):
        total += volume[i] * ((close[i] > close[i - 1]) - (close[i] < close[i - 1]))
        made.append(total)
    return made


def vwap(
    sessions: Sequence[object],
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    volume: Sequence[float],
) -> Column:
    """`sessions`: what session each bar is of; the first of them is not known from its start."""
    made: Column = []
    paid = traded = 0.0
    for i, session in enumerate(sessions):
        if i and session != sessions[i - 1]:
            paid = traded = 0.0
        paid += (high[i] + low[i] + close[i]) / 3 * volume[i]
        traded += volume[i]
        made.append(paid / traded if traded > 0 and session != sessions[0] else None)
    return made


def donchian(high: Sequence[float], low: Sequence[float], n: int) -> tuple[Column, ...]:
    upper = [None if i < n - 1 else max(high[i - n + 1 : i + 1]) for i in range(len(high))]
    lower = [None if i < n - 1 else min(low[i - n + 1 : i + 1]) for i in range(len(low))]
    middle = [
        None if a is None or b is None else (a + b) / 2 for a, b in zip(upper, lower, strict=True)
    ]
    return upper, middle, lower


def keltner(
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    period: int,
    atr_period: int,
    width: float,
) -> tuple[Column, ...]:
    pairs = list(zip(ema(close, period), atr(high, low, close, atr_period), strict=True))
    bands: list[Column] = [
        [None if m is None or r is None else m + sign * width * r for m, r in pairs]
        for sign in (1, 0, -1)
    ]
    return bands[0], bands[1], bands[2]


def supertrend(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], period: int, width: float
) -> tuple[Column, Column]:
    value: Column = [None] * len(close)
    way: Column = [None] * len(close)
    top = bottom = 0.0
    up = True
    for i, reach in enumerate(atr(high, low, close, period)):
        if reach is None:
            continue
        middle = (high[i] + low[i]) / 2
        above, below = middle + width * reach, middle - width * reach
        if i == period:
            top, bottom, up = above, below, True
        else:
            top = above if above < top or close[i - 1] > top else top
            bottom = below if below > bottom or close[i - 1] < bottom else bottom
            up = close[i] >= bottom if up else close[i] > top
        value[i], way[i] = (bottom, 1.0) if up else (top, -1.0)
    return value, way
