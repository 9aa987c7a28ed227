"""The terms of a run as the bar loop reads them, and the rollovers; refused where too wide."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import gcd
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.sessions import moment, nanoseconds
from ordergate.model import hours
from ordergate.model.instruments import AssetClass, Instrument
from ordergate.research.backtest import ticks
from ordergate.research.backtest.outcome import MONEY_SCALE
from ordergate.research.backtest.spec import (
    BacktestSpec,
    BadSpec,
    InOneBar,
    SizeBy,
    Style,
    WhenClosed,
)
from ordergate.research.backtest.tapes import Tape
from ordergate.sim import layout
from ordergate.sim.costs import RATE_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[numpy.int64]
    Narrow = NDArray[numpy.int32]

LEVEL_SCALE: Final = 10_000
NEVER: Final = 2**30  # an event that does not come
_SIZE_CODES: Final = {
    SizeBy.LOTS: layout.BY_LOTS,
    SizeBy.RISK: layout.BY_RISK,
    SizeBy.NOTIONAL: layout.BY_NOTIONAL,
}


def interleaved(columns: tuple[Ints, ...]) -> Narrow:
    """Return columns as one table, a bar a row: what is read together lies together."""
    made = numpy.empty((len(columns[0]), len(columns)), dtype=numpy.int32)
    for place, column in enumerate(columns):
        made[:, place] = column
    return made.reshape(-1)


def joined(columns: Mapping[int, Ints], made: Ints) -> Ints:
    """Return columns one after the other; write into the terms where each begins and its step."""
    at = 0
    for name, column in columns.items():
        made[name], made[name + 1] = at, int(len(column) > 1)
        at += len(column)
    return numpy.concatenate([numpy.asarray(c, dtype=numpy.int64) for c in columns.values()])


def rolls_of(spec: BacktestSpec, starts: Ints, ends: Ints) -> Ints:
    """Put each 17:00 New York into the first event that ends then or later.

    Before its prices where it begins then or later, else after them.
    """
    rows = []
    if spec.costs.swap:
        at, last = moment(int(starts[0])), moment(int(ends[-1]))
        closes = numpy.maximum.accumulate(ends)
        while (at := hours.day_end(at)) <= last:
            time = nanoseconds(at)
            event = int(numpy.searchsorted(closes, time))
            weekday = at.astimezone(hours.NEW_YORK).weekday()
            rows.append((event, int(time > starts[event]), weekday))
    rows.append((NEVER, 0, 0))
    return numpy.array(rows, dtype=numpy.int64).reshape(-1)


def terms_of(spec: BacktestSpec, tapes: tuple[Tape, ...], *, rated: bool) -> Ints:
    """Return the terms of the run, then those of each symbol; columns and counts are still 0."""
    account, filling, sizing = spec.account, spec.filling, spec.sizing
    level = int(account.stop_out_fraction * LEVEL_SCALE)
    shared = gcd(level, LEVEL_SCALE)
    scale = LEVEL_SCALE // shared
    if sizing.by is SizeBy.RISK:
        size = ticks.whole(sizing.amount * LEVEL_SCALE)
    else:
        size = ticks.money(sizing.amount)
    run = numpy.zeros(layout.SYMBOLS_AT, dtype=numpy.int64)
    run[layout.BALANCE] = ticks.money(account.balance)
    run[layout.GRID] = MONEY_SCALE // 10**account.money_digits
    run[layout.TARGET_FIRST] = int(filling.in_one_bar is InOneBar.TARGET)
    run[layout.STOP_LEVEL] = level // shared
    run[layout.STOP_SCALE] = scale
    run[layout.PER_SYMBOL] = filling.per_symbol
    run[layout.REVERSES] = int(spec.strategy.style is not Style.BRACKET)
    run[layout.WAITS] = int(filling.when_closed is WhenClosed.WAIT)
    run[layout.SIZE_BY] = _SIZE_CODES[sizing.by]
    run[layout.SIZE] = size
    run[layout.EQUITY_CAP] = ticks.HALF_RANGE // (4 * max(scale, level // shared))
    run[layout.SYMBOLS] = len(tapes)
    if spec.policy is not None:
        run[layout.GATED] = 1
        run[layout.G_NOTIONAL] = _millionths(spec.policy.order_notional_fraction)
        run[layout.G_NOTIONAL_MAX] = ticks.money(spec.policy.order_notional_max)
        run[layout.G_RISK] = _millionths(spec.policy.risk_per_trade_fraction)
        run[layout.G_REWARD] = _millionths(spec.policy.reward_risk_min)
    symbols = [
        _symbol(spec, tape.instrument, one_sided=tape.series.ask is None, rated=rated)
        for tape in tapes
    ]
    return numpy.concatenate([run, *symbols])


def _symbol(spec: BacktestSpec, instrument: Instrument, *, one_sided: bool, rated: bool) -> Ints:
    costs, value = spec.costs, ticks.tick_value_of(instrument)
    step = instrument.lot_step
    per_lot = costs.commission_per_lot
    per_lot = instrument.commission_per_lot if per_lot is None else per_lot
    per_step = per_lot * step + costs.commission_per_share * instrument.contract_size * step
    swaps = (
        _swap(costs.swap_long_ticks, instrument.swap_long_ticks, costs.scale),
        _swap(costs.swap_short_ticks, instrument.swap_short_ticks, costs.scale),
    )
    grid = MONEY_SCALE // 10**spec.account.money_digits
    lots = spec.sizing.amount if spec.sizing.by is SizeBy.LOTS else Decimal(0)
    made = numpy.zeros(layout.SYMBOL_WIDTH, dtype=numpy.int64)
    made[layout.TICK_VALUE] = value
    made[layout.PER_STEP] = ticks.money(per_step * costs.scale)
    made[layout.RATE_PPB] = ticks.whole(costs.commission_rate * costs.scale * RATE_SCALE)
    made[layout.LEAST_FEE] = ticks.money(costs.commission_min * costs.scale)
    made[layout.SWAP_LONG] = ticks.whole(swaps[0] * value)
    made[layout.SWAP_SHORT] = ticks.whole(swaps[1] * value)
    made[layout.STEPS_MIN] = int(instrument.lot_min / step)
    made[layout.STEPS_MAX] = int(instrument.lot_max / step)
    made[layout.STOPS_LEVEL] = instrument.stops_level_ticks
    made[layout.LEVERAGE] = spec.account.leverage or instrument.leverage
    made[layout.BASIS] = int(one_sided)
    made[layout.EXACT] = int(not rated and value % grid == 0)
    made[layout.FIXED_RATE] = RATE_SCALE
    if spec.policy is not None:
        limits, fx = spec.policy, instrument.asset_class is AssetClass.FX
        lots_max = limits.order_quantity_fx_max if fx else limits.order_quantity_max
        waived = instrument.symbol in limits.stop_waived_symbols
        made[layout.G_STEPS] = int(lots_max / step)
        made[layout.G_STOP] = int(limits.stop_required and not waived)
    weights = ticks.weights_of(instrument, costs)
    made[layout.WEIGHTS : layout.WEIGHTS + 7] = weights
    made[layout.STEPS_LOT] = int(lots / step)
    return made


def _swap(given: Decimal | None, own: Decimal, scale: Decimal) -> Decimal:
    """Return ticks a night: costs grow with the scale, credits never do."""
    value = own if given is None else given
    return value * (scale if value < 0 else min(scale, Decimal(1)))


def _millionths(fraction: Decimal) -> int:
    return int(fraction * ticks.PPM)


def check_widths(
    spec: BacktestSpec, tapes: tuple[Tape, ...], made: Ints, highest: list[int]
) -> None:
    """Refuse a run whose worst product would not fit: compiled integers wrap in silence.

    `highest`: the highest ask of each symbol, in ticks.
    """
    most = spec.filling.per_symbol
    for number, tape in enumerate(tapes):
        at = layout.SYMBOLS_AT + number * layout.SYMBOL_WIDTH
        steps, value = made[at + layout.STEPS_MAX], made[at + layout.TICK_VALUE]
        if spec.sizing.by is SizeBy.LOTS:
            steps = min(steps, max(1, made[at + layout.STEPS_LOT]))
        worst = 8 * highest[number] * int(steps) * most * int(value)
        if spec.filling.fill_share is not None:  # only then a position is closed in parts
            worst = max(worst, 8 * highest[number] * int(steps) ** 2)
        if worst >= ticks.HALF_RANGE:
            raise BadSpec(
                f"{tape.instrument.symbol}: the largest position at the highest price is too large"
                " to count exactly",
                fix="Trade smaller sizes (a fixed number of lots), or a coarser tick.",
            )
