"""An order arrives: is it well formed, may it rest, does it execute at once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.adapters.venues.paper import dealing, mapping
from ordergate.adapters.venues.paper.book import (
    CANCELED,
    OPEN_STATUSES,
    OrderRow,
    Work,
)
from ordergate.adapters.venues.paper.dealing import Execution
from ordergate.adapters.venues.paper.floor import Floor, Touch
from ordergate.adapters.venues.paper.mapping import Spec, refusal
from ordergate.model import hours
from ordergate.model.orders import OrderType, Side, TimeInForce, VenueOrder
from ordergate.sim import fills

SIGN: Final = {Side.BUY: 1, Side.SELL: -1}
PERCENT_TO_PPM: Final = 10_000
_AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


def place(work: Work, floor: Floor, order: VenueOrder, *, now: int) -> OrderRow:
    """Take an order into the books and execute what can be executed at once.

    Raises VenueRefusal with a definitive code; then `work` must be thrown away.
    """
    spec = floor.spec(order.symbol)
    if spec is None:
        raise refusal("SYMBOL_NOT_FOUND")
    if floor.terms.plain:
        _check_plain(order)
    row = _row(work, floor, order, spec, now=now)
    _check_filling(order)
    _check_exit(work, floor, order, row)
    touch = _touch(floor, order)
    row = _priced(floor, spec, row, touch)
    check_stops(floor, spec, row, touch)
    work.put_order(row)
    if touch is not None:
        row = arrive(work, floor, row, touch, now=now)
    if row.status in OPEN_STATUSES and not row.filled:
        check_margin(work, floor, row, touch)
    return row


def _row(work: Work, floor: Floor, order: VenueOrder, spec: Spec, *, now: int) -> OrderRow:
    reduces = order.reduce_only or order.position_id is not None
    return OrderRow(
        number=work.number(),
        tag=order.tag,
        symbol=order.symbol,
        side=SIGN[order.side],
        kind=order.order_type.value,
        steps=_steps(spec, order.quantity, reduces=reduces),
        limit=_wanted(spec, order.limit_price, wanted=order.order_type in _LIMITED),
        stop=_trigger(spec, order),
        trail=_wanted(spec, order.trail_amount, wanted=order.trail_amount is not None),
        trail_ppm=_ppm(order),
        stop_loss=stop_ticks(spec, order.stop_loss, reduces=reduces),
        take_profit=stop_ticks(spec, order.take_profit, reduces=reduces),
        time_in_force=order.time_in_force.value,
        good_till=_good_till(order, now=now),
        reduce_only=int(order.reduce_only),
        closes=int(order.position_id is not None),
        position=position_number(order.position_id),
        oco_group=order.oco_group or "",
        placed_at=now,
        since=now,
    )


def position_number(position_id: str | None) -> int:
    """Return the number of a position's id; -1 for one that this venue never gave."""
    if position_id is None:
        return 0
    digits = position_id.removeprefix("P")
    known = position_id.startswith("P") and digits.isascii() and digits.isdigit()
    return int(digits) if known and len(digits) < 18 else -1


def _steps(spec: Spec, quantity: Decimal, *, reduces: bool) -> int:
    steps = spec.steps(quantity)
    if steps is None or steps > spec.steps_max or (steps < spec.steps_min and not reduces):
        instrument = spec.instrument
        raise refusal(
            "INVALID_VOLUME",
            f"{instrument.lot_min} to {instrument.lot_max} lots in steps of {instrument.lot_step}",
        )
    return steps


def _wanted(spec: Spec, price: Decimal | None, *, wanted: bool) -> int:
    """Return a price as ticks; refuse one that is missing, uncalled for or off the tick."""
    if price is None and not wanted:
        return 0
    ticks = spec.ticks(price) if price is not None and wanted else None
    if ticks is None:
        raise refusal("INVALID_PRICE")
    return ticks


def _trigger(spec: Spec, order: VenueOrder) -> int:
    needs = order.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
    may = order.order_type is OrderType.TRAILING_STOP and order.stop_price is not None
    return _wanted(spec, order.stop_price, wanted=needs or may)


def _ppm(order: VenueOrder) -> int:
    trails = (order.trail_amount is not None) + (order.trail_percent is not None)
    if trails != (1 if order.order_type is OrderType.TRAILING_STOP else 0):
        raise refusal("INVALID_PRICE", "a trailing stop needs an amount or a percentage")
    if order.trail_percent is None:
        return 0
    ppm = order.trail_percent * PERCENT_TO_PPM
    if not ppm.is_finite() or ppm != ppm.to_integral_value() or not 0 < ppm < 1_000_000:
        raise refusal("INVALID_PRICE", "the percentage must lie in 0.0001 to 99.9999")
    return int(ppm)


def stop_ticks(spec: Spec, price: Decimal | None, *, reduces: bool) -> int:
    """Return an attached stop or target as ticks, 0 for none; an exit carries neither."""
    if price is None:
        return 0
    ticks = spec.ticks(price)
    if ticks is None or reduces:
        raise refusal("INVALID_STOPS", "off the tick, or attached to an order that only reduces")
    return ticks


def _good_till(order: VenueOrder, *, now: int) -> int:
    if order.time_in_force is TimeInForce.DAY:
        return mapping.micros(hours.day_end(mapping.moment(now)))
    if (order.time_in_force is TimeInForce.GTD) != (order.good_till is not None):
        raise refusal("INVALID_EXPIRY", "GTD and only GTD has an end")
    if order.good_till is None:
        return 0
    return _future(order.good_till, now=now)


def _future(good_till: datetime, *, now: int) -> int:
    end = mapping.micros(good_till)
    if end <= now:
        raise refusal("INVALID_EXPIRY")
    return end


def _check_filling(order: VenueOrder) -> None:
    if order.time_in_force in _AT_ONCE and order.order_type in _TRIGGERED:
        raise refusal("INVALID_FILLING")


def _check_plain(order: VenueOrder) -> None:
    """Refuse what a plain exchange does not offer."""
    if order.stop_loss is not None or order.take_profit is not None:
        raise refusal("NOT_OFFERED", "a stop or target is an order of its own here")
    if order.order_type is OrderType.TRAILING_STOP:
        raise refusal("NOT_OFFERED", "no trailing stops here")


def _check_exit(work: Work, floor: Floor, order: VenueOrder, row: OrderRow) -> None:
    """Refuse an exit that has nothing to reduce, or that would reduce more than there is."""
    if not dealing.bounded(floor, row):
        return
    exits = dealing.exits_of(work, floor, row)
    if not exits or exits[0].symbol != order.symbol:
        raise refusal("POSITION_CLOSED")
    if exits[0].side == row.side:
        raise refusal("INVALID_SIDE")
    if row.steps > sum(position.steps for position in exits):
        raise refusal("OVER_CLOSE")


def _touch(floor: Floor, order: VenueOrder) -> Touch | None:
    """Return executable prices; an order that must execute now is refused without them."""
    touch = floor.tradable(order.symbol)
    at_once = order.order_type is OrderType.MARKET or order.time_in_force in _AT_ONCE
    if touch is None and at_once:
        raise refusal("NO_PRICES" if floor.is_open(order.symbol) else "MARKET_CLOSED")
    return touch


def _priced(floor: Floor, spec: Spec, row: OrderRow, touch: Touch | None) -> OrderRow:
    """Refuse a trigger the market has passed already; start a trailing stop at the market."""
    if OrderType(row.kind) not in _TRIGGERED or touch is None:
        return row
    pays = touch.pays(row.side)
    if not row.stop:
        row = row._replace(stop=fills.trail_from(row.side, pays, row.trail, row.trail_ppm))
    check_trigger(floor, spec, row, touch)
    return row


def check_trigger(floor: Floor, spec: Spec, row: OrderRow, touch: Touch) -> None:
    """Refuse a trigger on the market's wrong side or nearer than the stops level."""
    distance = row.side * (row.stop - touch.pays(row.side))
    if row.stop <= 0 or distance < max(1, floor.stops_level(spec)):
        raise refusal("INVALID_PRICE", "the trigger is on the wrong side or too near")


def check_stops(floor: Floor, spec: Spec, row: OrderRow, touch: Touch | None) -> None:
    """Refuse a stop or target on the wrong side of where the order would open, or too near.

    A market order opens at the market, and its position is stopped on the other side of the
    spread; a resting order opens at its own price.
    """
    if not (row.stop_loss or row.take_profit):
        return
    reference = row.limit or row.stop
    if touch is not None and (row.kind == OrderType.MARKET or _marketable(row, touch)):
        reference = touch.pays(-row.side)
    if reference:
        check_distance(floor, spec, row.side, row.stop_loss, row.take_profit, reference)


def check_distance(
    floor: Floor, spec: Spec, side: int, stop_loss: int, take_profit: int, reference: int
) -> None:
    """Refuse a stop or target that is not beyond `reference` by the stops level, at least a tick.

    `side` is the position's; 0 = not set.
    """
    least = max(1, floor.stops_level(spec))
    below = stop_loss and side * (reference - stop_loss) < least
    above = take_profit and side * (take_profit - reference) < least
    if below or above:
        raise refusal("INVALID_STOPS", f"{least} ticks beyond {spec.price(reference)} at least")


def _marketable(row: OrderRow, touch: Touch) -> bool:
    if row.kind != OrderType.LIMIT:
        return False
    return bool(fills.reaches(row.side, row.limit, touch.pays(row.side), touch.basis))


def arrive(work: Work, floor: Floor, row: OrderRow, touch: Touch, *, now: int) -> OrderRow:
    """Execute at once what can be; end what must not rest."""
    pays = touch.pays(row.side)
    if row.kind == OrderType.MARKET and floor.terms.market_fill == "next":
        return row
    if row.kind == OrderType.MARKET:
        pays = fills.adverse(row.side, pays, floor.terms.slippage_ticks)
        row = _take(work, floor, row, price=pays, now=now)
    elif _marketable(row, touch):
        row = _take(work, floor, row, price=pays, now=now)
    if row.time_in_force in _AT_ONCE and row.status in OPEN_STATUSES:
        row = work.end_order(row, CANCELED, code="", at=now)
    return row


def _take(work: Work, floor: Floor, row: OrderRow, *, price: int, now: int) -> OrderRow:
    steps = fills.capped(row.left, floor.fill_cap(floor.known(row.symbol)))
    if row.time_in_force == TimeInForce.FOK and steps < row.left:
        return row
    code = dealing.objection(work, floor, row, steps=row.left, price=price)
    if code:
        raise refusal(code)
    return dealing.execute(work, floor, row, Execution(steps, price, now), carried=True)


def check_margin(work: Work, floor: Floor, row: OrderRow, touch: Touch | None) -> None:
    """Refuse a resting order that the account could not carry if it were executed now."""
    price = row.limit or row.stop or (touch.pays(row.side) if touch else 0)
    if not price:
        return
    code = dealing.objection(work, floor, row, steps=row.left, price=price)
    if code == "INSUFFICIENT_MARGIN":
        raise refusal(code)
