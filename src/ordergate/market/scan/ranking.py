"""How strongly a symbol's timeframes point one way: a score with its parts, and the order by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import call
from ordergate.market.features.regime import HISTORY as REGIME_HISTORY
from ordergate.market.features.regime import Trend, Wildness, direction, volatility
from ordergate.market.signals.proposal import Speaks
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol

RSI: Final = call("rsi", 14)
ATR: Final = call("atr", 14)
CHANNEL: Final = call("donchian", 20)
CHANGE_BARS: Final = 20
STRONG: Final = 0.5  # straightness at which a trend counts in full
RSI_REACH: Final = 20.0  # points from 50 at which momentum counts in full
POINTS: Final[Mapping[str, float]] = {"trend": 40, "signal": 25, "momentum": 20, "place": 15}
LEAST: Final = 20.0  # points below which a score has no direction
VIEW_HISTORY: Final = max(
    RSI.required_history, ATR.required_history, REGIME_HISTORY, CHANNEL.required_history
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One timeframe of one symbol at its last closed bar."""

    timeframe: Timeframe
    close: float
    change: float  # of the close over 20 bars, a fraction
    trend: Trend
    strength: float
    rsi: float
    atr: float
    volatility: Wildness
    volatility_rank: float
    place: float  # in the channel of the last 20 bars: 0 at its low, 1 at its high
    signal: float  # direction x confidence of the strategy, -1 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """`score`: -100 to 100. `parts`: points of each kind, before agreement and cost."""

    symbol: Symbol
    direction: str  # "long", "short" or "none"
    score: float
    parts: Mapping[str, float]
    agreement: float  # share of the timeframes' weight on the score's side
    cost: float | None  # spread / ATR of the shortest timeframe; None without a good quote
    views: tuple[View, ...]


def view(frame: Frame, speaker: Speaks) -> View:
    """Return what one timeframe looks like; raise DataUnavailable for too short a history."""
    need = max(VIEW_HISTORY, speaker.required_history)
    way, wild = direction(frame), volatility(frame)
    if len(frame) < need or way is None or wild is None:
        raise DataUnavailable(
            f"insufficient_history: {len(frame)} closed bars, {need} needed",
            details={"source": "insufficient_history", "bars": len(frame), "needed": need},
        )
    close = frame.column("close")
    upper, _, lower = (float(output[-1]) for output in frame.outputs(CHANNEL))
    said = speaker.on(frame)
    sure = float(said.confidence[-1])
    return View(
        timeframe=frame.series.timeframe,
        close=float(close[-1]),
        change=float(close[-1] / close[-1 - CHANGE_BARS] - 1),
        trend=way.trend,
        strength=way.strength,
        rsi=float(frame.value(RSI)[-1]),
        atr=float(frame.value(ATR)[-1]),
        volatility=wild.regime,
        volatility_rank=wild.rank,
        place=(float(close[-1]) - lower) / (upper - lower) if upper > lower else 0.5,
        signal=0.0 if math.isnan(sure) else float(said.direction[-1]) * sure,
    )


def points(one: View) -> dict[str, float]:
    """Return the points of one timeframe, each part between minus and plus its POINTS."""
    sign = {Trend.UP: 1.0, Trend.DOWN: -1.0, Trend.RANGE: 0.0}[one.trend]
    shares = {
        "trend": sign * min(one.strength / STRONG, 1.0),
        "signal": one.signal,
        "momentum": max(-1.0, min(1.0, (one.rsi - 50) / RSI_REACH)),
        "place": max(-1.0, min(1.0, 2 * one.place - 1)),
    }
    return {name: POINTS[name] * value for name, value in shares.items()}


def opportunity(symbol: Symbol, views: Sequence[View], spread: float | None) -> Opportunity:
    """Return the score of a symbol from its timeframes, shortest first.

    points = 40 trend + 25 signal + 20 momentum + 15 place, a mean over the timeframes in which the
    n-th shortest weighs n; times (1 + agreement) / 2; less the share of the shortest timeframe's
    ATR that the spread takes.
    """
    ordered = sorted(views, key=lambda one: one.timeframe.length)
    weights = [float(place) for place in range(1, len(ordered) + 1)]
    each = [points(one) for one in ordered]
    parts = {
        name: sum(found[name] * weight for found, weight in zip(each, weights, strict=True))
        / sum(weights)
        for name in POINTS
    }
    raw = sum(parts.values())
    sides = [sum(found.values()) * raw > 0 for found in each]
    agreement = sum(weight for weight, side in zip(weights, sides, strict=True) if side)
    agreement /= sum(weights)
    cost = None if spread is None or not ordered[0].atr > 0 else spread / ordered[0].atr
    score = raw * (1 + agreement) / 2 * (1 - min(cost or 0.0, 1.0))
    way = "long" if score >= LEAST else "short" if score <= -LEAST else "none"
    return Opportunity(
        symbol=symbol,
        direction=way,
        score=score,
        parts=parts,
        agreement=agreement,
        cost=cost,
        views=tuple(ordered),
    )


def ranked(found: Sequence[Opportunity]) -> tuple[Opportunity, ...]:
    """Return the strongest first, whichever way; equal ones by symbol."""
    return tuple(sorted(found, key=lambda one: (-abs(one.score), one.symbol)))
