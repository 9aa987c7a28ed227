"""What kind of market it is: which way it goes, how straight, and how wild. Windows alone.

Every number here is made of the last bars only, so a short history says the same as a long one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy
import talib

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import call

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

FAST: Final = 20
SLOW: Final = 50
SLOPE_BARS: Final = 5
STRAIGHT: Final = 0.25  # path length used for net movement; a random walk over 20 bars has 0.22
RANGE_BARS: Final = 14
RANK_BARS: Final = 100
TREND_HISTORY: Final = SLOW + SLOPE_BARS
VOLATILITY_HISTORY: Final = RANGE_BARS + RANK_BARS
HISTORY: Final = max(TREND_HISTORY, VOLATILITY_HISTORY)


class Trend(enum.StrEnum):
    UP = "up"
    DOWN = "down"
    RANGE = "range"


class Wildness(enum.StrEnum):
    LOW = "low"  # calmer than four of five of the last 100 bars
    NORMAL = "normal"
    HIGH = "high"  # wilder than four of five
    EXTREME = "extreme"  # wilder than 19 of 20


@dataclass(frozen=True, slots=True)
class Direction:
    """`strength`: net movement / path of the last 20 bars, 0 (to and fro) to 1 (straight)."""

    trend: Trend
    strength: float


@dataclass(frozen=True, slots=True)
class Volatility:
    """`fraction`: mean true range of 14 bars / close; `rank`: share of the last 100 it exceeds."""

    regime: Wildness
    fraction: float
    rank: float


def direction(frame: Frame) -> Direction | None:
    """Return the trend at the last bar; None where the history is shorter than TREND_HISTORY."""
    if len(frame) < TREND_HISTORY:
        return None
    fast, slow = frame.value(call("sma", FAST)), frame.value(call("sma", SLOW))
    strength = float(straightness(frame.column("close")[-FAST - 1 :])[-1])
    trend = Trend.RANGE
    if strength >= STRAIGHT and fast[-1] > slow[-1] > slow[-1 - SLOPE_BARS]:
        trend = Trend.UP
    elif strength >= STRAIGHT and fast[-1] < slow[-1] < slow[-1 - SLOPE_BARS]:
        trend = Trend.DOWN
    return Direction(trend, strength)


def directions(frame: Frame) -> Numbers:
    """Return 1 (up), -1 (down) or 0 for each bar, NaN before TREND_HISTORY bars.

    Up: SMA(20) above SMA(50), the slow one higher than 5 bars before, and the last 20 bars went
    somewhere (straightness at least 0.25). Down likewise.
    """
    fast, slow = frame.value(call("sma", FAST)), frame.value(call("sma", SLOW))
    earlier = numpy.full(len(slow), numpy.nan)
    earlier[SLOPE_BARS:] = slow[:-SLOPE_BARS] if len(slow) > SLOPE_BARS else slow[:0]
    straight = straightness(frame.column("close")) >= STRAIGHT
    made = numpy.zeros(len(slow))
    made[(fast > slow) & (slow > earlier) & straight] = 1
    made[(fast < slow) & (slow < earlier) & straight] = -1
    made[numpy.isnan(earlier)] = numpy.nan
    return made


def straightness(close: Numbers, bars: int = FAST) -> Numbers:
    """Return |close - close `bars` ago| / sum of the |steps| between (Kaufman's efficiency)."""
    made = numpy.full(len(close), numpy.nan)
    if len(close) > bars:
        steps = numpy.abs(numpy.diff(close))
        path = numpy.lib.stride_tricks.sliding_window_view(steps, bars).sum(axis=1)
        net = numpy.abs(close[bars:] - close[:-bars])
        made[bars:] = numpy.divide(net, path, out=numpy.zeros(len(net)), where=path > 0)
    return made


def volatility(frame: Frame) -> Volatility | None:
    """Return how wild the last bars are beside the 100 before; None with too short a history."""
    if len(frame) < VOLATILITY_HISTORY:
        return None
    close = frame.column("close")
    true_range = talib.TRANGE(frame.column("high"), frame.column("low"), close)[1:]
    share = talib.SMA(true_range, RANGE_BARS) / close[1:]
    last = share[-RANK_BARS:]
    rank = float((last[:-1] < last[-1]).mean())
    regime = (
        Wildness.EXTREME
        if rank >= 0.95
        else Wildness.HIGH
        if rank >= 0.8
        else Wildness.LOW
        if rank <= 0.2
        else Wildness.NORMAL
    )
    return Volatility(regime, float(last[-1]), rank)
