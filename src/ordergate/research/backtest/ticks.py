"""Bars and specifications as the integers of the bar loop; refused where they would not fit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.sessions import moment
from ordergate.model.errors import DataUnavailable
from ordergate.model.instruments import AssetClass, CalendarName, Instrument
from ordergate.model.series import Prices, Series
from ordergate.research.backtest.outcome import MONEY_SCALE
from ordergate.research.backtest.spec import BadSpec, CostSpec
from ordergate.sim.costs import nights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers

    Ints = NDArray[numpy.int64]

HALF_RANGE: Final = 2**62
NEAR: Final = 1e-6  # of a tick: what a float's last digits may add to a whole number of them
PPM: Final = 1_000_000
RANGE_BARS: Final = 14
_WEDNESDAY: Final = 2
_FRIDAY: Final = 4
_TRIPLE_WEDNESDAY: Final = frozenset({AssetClass.FX, AssetClass.METAL})


class BadTape(DataUnavailable):
    """The bars cannot be tested on; the message names the bar."""


def whole(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))


def money(amount: Decimal) -> int:
    return whole(amount * MONEY_SCALE)


def check_bars(series: Series) -> None:
    """Raise BadTape for no bars, one bar, times that do not rise, or a price that is none."""
    if len(series) < 2:
        raise BadTape(
            f"{series.symbol} {series.timeframe} has {len(series)} bars in this slice",
            fix="Choose a longer slice, or import more bars (`ordergate data import FILE`).",
        )
    falls = numpy.flatnonzero(numpy.diff(series.time) <= 0)
    if len(falls):
        raise BadTape(
            f"{series.symbol}: the bar after {_at(series, int(falls[0]))} is not later",
            fix="Sort the bars and remove repeated ones (`ordergate data import --sort`).",
        )
    sides = [("", Prices(series.open, series.high, series.low, series.close))]
    if series.ask is not None:
        sides.append(("ask ", series.ask))
    for side, prices in sides:
        for name in ("open", "high", "low", "close"):
            column = getattr(prices, name)
            with numpy.errstate(invalid="ignore"):
                good = numpy.isfinite(column) & (column > 0)
            _refuse(series, good, f"has no usable {side}{name}")
        good = (prices.high >= numpy.maximum(prices.open, prices.close)) & (
            prices.low <= numpy.minimum(prices.open, prices.close)
        )
        _refuse(series, good, f"has {side}prices outside its own range")
    if series.ask is not None:
        good = (series.ask.open >= series.open) & (series.ask.close >= series.close)
        _refuse(series, good, "is crossed: its bid is above its ask")


def _refuse(series: Series, good: NDArray[numpy.bool_], what: str) -> None:
    if not good.all():
        at = _at(series, int(numpy.argmin(good)))
        raise BadTape(
            f"{series.symbol}: the bar of {at} {what}",
            fix="`ordergate data check` names every such bar; choose a slice without them.",
            details={"bar": at, "symbol": str(series.symbol)},
        )


def _at(series: Series, row: int) -> str:
    return f"{moment(int(series.time[row])):%Y-%m-%dT%H:%M:%SZ}"


def ticks_of(column: Numbers, tick: Decimal, *, up: bool) -> Ints:
    """Return prices in ticks: bids rounded down, asks up; float dust counts as none."""
    scaled = column / float(tick)
    near = numpy.rint(scaled)
    sided = numpy.ceil(scaled) if up else numpy.floor(scaled)
    return numpy.where(numpy.abs(scaled - near) < NEAR, near, sided).astype(numpy.int64)


def nearest_ticks(column: Numbers, tick: Decimal) -> Ints:
    """Return stops and targets in ticks, to the nearest; 0 where there is none."""
    scaled = numpy.nan_to_num(column / float(tick), nan=0.0, posinf=0.0, neginf=0.0)
    return numpy.rint(scaled).astype(numpy.int64)


def sides_of(series: Series, tick: Decimal, costs: CostSpec) -> tuple[Ints, ...]:
    """Return bid open, high, low, close and ask open, high, low, close in ticks.

    The spread is the recorded one times its factor and the scale, or the given points where the
    bars have one side; at least the floor.
    """
    own = (series.open, series.high, series.low, series.close)
    bids = tuple(ticks_of(column, tick, up=False) for column in own)
    floor = whole(costs.spread_floor_points)
    if series.ask is None:
        if costs.spread_points is None:
            raise BadSpec(
                f"the bars of {series.symbol} have one side and no spread was given",
                fix="Give the spread in points (--spread 12).",
            )
        spread = max(floor, whole(costs.spread_points * costs.spread_factor * costs.scale))
        return (*bids, *(bid + spread for bid in bids))
    other = (series.ask.open, series.ask.high, series.ask.low, series.ask.close)
    asks = tuple(ticks_of(column, tick, up=True) for column in other)
    factor = costs.spread_factor * costs.scale
    if factor == 1 and floor == 0:
        return (*bids, *asks)
    ppm = whole(factor * PPM)
    return (
        *bids,
        *(
            bid + numpy.maximum(floor, -(-(ask - bid) * ppm // PPM))
            for bid, ask in zip(bids, asks, strict=True)
        ),
    )


def slippage_of(sides: tuple[Ints, ...], costs: CostSpec) -> Ints:
    """Return the ticks of slippage for each bar, or one number that holds for all.

    fixed + parts of the bar's open + a share of the mean true range of up to 14 bars before it,
    rounded up.
    """
    fixed = whole(costs.slippage_points * costs.scale)
    price_ppm = whole(costs.slippage_ppm * costs.scale)
    range_ppm = whole(costs.slippage_range * costs.scale * PPM)
    if not price_ppm and not range_ppm:
        return numpy.array([fixed], dtype=numpy.int64)
    opened, high, low, close = sides[:4]
    made = numpy.full(len(opened), fixed, dtype=numpy.int64)
    if price_ppm:
        made += -(-opened * price_ppm // PPM)
    if range_ppm:
        before = numpy.concatenate([opened[:1], close[:-1]])
        ranges = numpy.maximum(high, before) - numpy.minimum(low, before)
        sums = numpy.concatenate([[0], numpy.cumsum(ranges)])
        ends = numpy.arange(len(ranges))
        begins = numpy.maximum(0, ends - RANGE_BARS)
        counts = numpy.maximum(1, ends - begins)
        made += -(-(sums[ends] - sums[begins]) * range_ppm // (counts * PPM))
    return made


def weights_of(instrument: Instrument, costs: CostSpec) -> tuple[int, ...]:
    """Return the weights of the rollovers that end Monday to Sunday."""
    if not costs.swap:
        return (0,) * 7
    if costs.swap_weights is not None:
        return costs.swap_weights
    triple = _WEDNESDAY if instrument.asset_class in _TRIPLE_WEDNESDAY else _FRIDAY
    always = 1 if instrument.calendar is CalendarName.ALWAYS else 0
    return tuple(nights(day, triple, always) for day in range(7))


def tick_value_of(instrument: Instrument) -> int:
    """Return the money of one tick of one lot step; raise BadSpec where it is no whole number."""
    value = instrument.contract_size * instrument.tick_size * instrument.lot_step * MONEY_SCALE
    if value != value.to_integral_value() or value <= 0:
        raise BadSpec(
            f"{instrument.symbol}: one tick of one lot step is worth less than money can count",
            fix="Use a larger lot step or tick size.",
        )
    return int(value)
