"""New terms for a resting order or a position, and cancels: atomic, or refused."""

from __future__ import annotations

from decimal import Decimal

from ordergate.adapters.venues.paper import placing
from ordergate.adapters.venues.paper.book import (
    CANCELED,
    OPEN_STATUSES,
    OrderRow,
    PositionRow,
    Work,
)
from ordergate.adapters.venues.paper.floor import Floor
from ordergate.adapters.venues.paper.mapping import Spec, refusal
from ordergate.model.orders import KEEP, Keep, OrderType, VenueCancel, VenueModify


def order_number(order_id: str) -> int:
    """Return the number of an order's id; -1 for one that this venue never gave."""
    digits = order_id.removeprefix("O")
    known = order_id.startswith("O") and digits.isascii() and digits.isdigit()
    return int(digits) if known and len(digits) < 18 else -1


def change_position(work: Work, floor: Floor, change: VenueModify, *, now: int) -> PositionRow:
    """Give a position a new stop or target; None takes it away, KEEP leaves it."""
    position = work.positions.get(placing.position_number(change.position_id))
    if position is None or position.symbol != change.symbol:
        raise refusal("POSITION_CLOSED")
    if not (change.limit_price is change.stop_price is change.quantity is KEEP):
        raise refusal("INVALID_PRICE", "a position has a stop and a target, nothing else to set")
    spec = floor.known(position.symbol)
    stop_loss = _stop(spec, change.stop_loss, position.stop_loss)
    take_profit = _stop(spec, change.take_profit, position.take_profit)
    placing.check_distance(
        floor,
        spec,
        position.side,
        stop_loss if stop_loss != position.stop_loss else 0,
        take_profit if take_profit != position.take_profit else 0,
        floor.mark(position),
    )
    changed = position._replace(stop_loss=stop_loss, take_profit=take_profit, since=now)
    work.put_position(changed)
    return changed


def change_order(work: Work, floor: Floor, change: VenueModify, *, now: int) -> OrderRow:
    """Give a resting order new terms; one that has become marketable executes at once."""
    row = resting(work, change.venue_order_id or "", change.symbol)
    spec = floor.known(row.symbol)
    kind = OrderType(row.kind)
    reduces = bool(row.closes or row.reduce_only)
    changed = row._replace(
        limit=_price(spec, change.limit_price, row.limit, allowed=bool(row.limit)),
        stop=_price(
            spec,
            change.stop_price,
            row.stop,
            allowed=kind not in (OrderType.MARKET, OrderType.LIMIT) and not row.triggered,
        ),
        steps=_steps(spec, change.quantity, row),
        stop_loss=_stop(spec, change.stop_loss, row.stop_loss, reduces=reduces),
        take_profit=_stop(spec, change.take_profit, row.take_profit, reduces=reduces),
        since=now,
    )
    touch = floor.tradable(row.symbol)
    if touch is not None and changed.stop != row.stop:
        placing.check_trigger(floor, spec, changed, touch)
    placing.check_stops(floor, spec, changed, touch)
    work.put_order(changed)
    if touch is not None and kind is OrderType.LIMIT:
        changed = placing.arrive(work, floor, changed, touch, now=now)
    if changed.status in OPEN_STATUSES and changed.steps > row.steps:
        placing.check_margin(work, floor, changed, touch)
    return changed


def cancel(work: Work, cancel_: VenueCancel, *, now: int) -> OrderRow:
    """Take a resting order out of the market."""
    row = resting(work, cancel_.venue_order_id, cancel_.symbol)
    return work.end_order(row, CANCELED, code="", at=now)


def resting(work: Work, order_id: str, symbol: str) -> OrderRow:
    row = work.orders.get(order_number(order_id))
    if row is None or row.symbol != symbol or row.status not in OPEN_STATUSES:
        raise refusal("UNKNOWN_ORDER")
    return row


def _stop(spec: Spec, wanted: Decimal | Keep | None, kept: int, *, reduces: bool = False) -> int:
    if isinstance(wanted, Keep):
        return kept
    return placing.stop_ticks(spec, wanted, reduces=reduces)


def _price(spec: Spec, wanted: Decimal | Keep, kept: int, *, allowed: bool) -> int:
    if isinstance(wanted, Keep):
        return kept
    ticks = spec.ticks(wanted) if allowed else None
    if ticks is None:
        raise refusal("INVALID_PRICE")
    return ticks


def _steps(spec: Spec, wanted: Decimal | Keep, row: OrderRow) -> int:
    """Return the new size, what was filled included."""
    if isinstance(wanted, Keep):
        return row.steps
    steps = spec.steps(wanted)
    if steps is None or steps > spec.steps_max or steps <= row.filled:
        raise refusal("INVALID_VOLUME")
    if steps > row.steps and (row.closes or row.reduce_only):
        raise refusal("OVER_CLOSE", "an exit may only become smaller")
    return steps
