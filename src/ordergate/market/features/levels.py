"""Where prices turned: swing points, support and resistance, and volume by price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import call

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

WING: Final = 3  # bars on each side that a swing point stands above or below
LEVELS_BARS: Final = 200  # how far back levels are looked for
NEAR_ATR: Final = 0.5  # swing points nearer to each other than this share of the ATR are one level
BINS: Final = 24
VALUE_AREA: Final = 0.7


@dataclass(frozen=True, slots=True)
class Swings:
    """For each bar the swing point it confirms, `WING` bars late; NaN where it confirms none.

    A turn is known only when the bars after it have closed, and so stands at the bar where it
    became known, not where it was.
    """

    high: Numbers
    low: Numbers


@dataclass(frozen=True, slots=True)
class Level:
    """A price at which the market turned `touches` times, the last time `bars_ago`."""

    price: float
    kind: str  # "support" below the price, "resistance" above it
    touches: int
    bars_ago: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Where volume was traded: the busiest price, and the area that holds 70 % of the volume."""

    busiest: float
    value_low: float
    value_high: float
    by: str  # "volume", or "bars" where the source has no volume


def swings(frame: Frame, wing: int = WING) -> Swings:
    """Return the turns: a high above the `wing` bars before it and not below those after it.

    Of equal highs the first counts. Lows likewise.
    """
    return Swings(high=_turns(frame.column("high"), wing), low=-_turns(-frame.column("low"), wing))


def levels(frame: Frame, *, most: int = 3) -> tuple[Level, ...]:
    """Return the nearest supports and resistances of the last bars, at most `most` of each.

    Swing points of the last `LEVELS_BARS` bars within half an ATR of each other are one level at
    their mean. () where the history is too short to know the ATR.
    """
    ranges = frame.value(call("atr", 14))
    if len(frame) <= 2 * WING or numpy.isnan(ranges[-1]):
        return ()
    turns = swings(frame)
    first = max(0, len(frame) - LEVELS_BARS)
    points = sorted(
        (float(price), len(frame) - 1 - bar + WING)
        for column in (turns.high, turns.low)
        for bar, price in enumerate(column[first:], start=first)
        if not numpy.isnan(price)
    )
    last = float(frame.column("close")[-1])
    found = [_level(group, last) for group in _grouped(points, NEAR_ATR * float(ranges[-1]))]
    below = [level for level in reversed(found) if level.kind == "support"]
    above = [level for level in found if level.kind == "resistance"]
    return (*below[:most], *above[:most])


def profile(frame: Frame, *, bars: int = LEVELS_BARS) -> Profile | None:
    """Return the volume by price of the last bars in 24 equal steps; None without any range.

    Each bar's volume counts at its typical price; without volume each bar counts once.
    """
    prices = frame.column("hlc3")[-bars:]
    low, high = float(prices.min()), float(prices.max())
    if not high > low:
        return None
    volume = frame.series.volume[-bars:]
    has_volume = bool(numpy.isfinite(volume).all()) and float(volume.sum()) > 0
    weights = volume if has_volume else numpy.ones(len(prices))
    counted, edges = numpy.histogram(prices, bins=BINS, range=(low, high), weights=weights)
    first = last = int(numpy.argmax(counted))
    busiest = float(edges[first] + edges[first + 1]) / 2
    held, wanted = float(counted[first]), VALUE_AREA * float(counted.sum())
    while held < wanted and (first > 0 or last < BINS - 1):
        before = float(counted[first - 1]) if first > 0 else -1.0
        after = float(counted[last + 1]) if last < BINS - 1 else -1.0
        if before > after:
            first, held = first - 1, held + before
        else:
            last, held = last + 1, held + after
    by = "volume" if has_volume else "bars"
    return Profile(busiest, float(edges[first]), float(edges[last + 1]), by)


def _turns(highs: Numbers, wing: int) -> Numbers:
    made = numpy.full(len(highs), numpy.nan)
    width = 2 * wing + 1
    if len(highs) < width:
        return made
    windows = numpy.lib.stride_tricks.sliding_window_view(highs, width)
    middle = windows[:, wing]
    turned = (middle > windows[:, :wing].max(axis=1)) & (
        middle >= windows[:, wing + 1 :].max(axis=1)
    )
    made[width - 1 :][turned] = middle[turned]
    return made


def _grouped(points: list[tuple[float, int]], reach: float) -> list[list[tuple[float, int]]]:
    groups: list[list[tuple[float, int]]] = []
    for point in points:
        if groups and point[0] - groups[-1][0][0] <= reach:
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def _level(group: list[tuple[float, int]], last: float) -> Level:
    price = sum(point for point, _ in group) / len(group)
    kind = "support" if price <= last else "resistance"
    return Level(price, kind, len(group), min(ago for _, ago in group))
