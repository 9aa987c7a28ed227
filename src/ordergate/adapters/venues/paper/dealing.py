"""An execution becomes fills, positions and money."""

from __future__ import annotations

from ordergate.adapters.venues.paper.accounting import affordable
from ordergate.adapters.venues.paper.book import (
    CANCELED,
    FILLED,
    PARTIAL,
    FillRow,
    OrderRow,
    PositionRow,
    Work,
)
from ordergate.adapters.venues.paper.floor import Floor
from ordergate.model.outcomes import FillEffect
from ordergate.sim import costs


def exits_of(work: Work, floor: Floor, order: OrderRow) -> list[PositionRow]:
    """Return the positions an order would reduce, in turn; none = it opens."""
    if order.closes:
        named = work.positions.get(order.position)
        return [named] if named else []
    if not (order.reduce_only or floor.known(order.symbol).netting):
        return []
    return [
        position
        for position in work.positions.values()
        if position.symbol == order.symbol and position.side == -order.side
    ]


def reduces_only(order: OrderRow) -> bool:
    return bool(order.closes or order.reduce_only)


def objection(work: Work, floor: Floor, order: OrderRow, *, steps: int, price: int) -> str:
    """Return the code that forbids `steps` of an order at `price`; "" = nothing does.

    What only reduces is never forbidden. An opening part needs margin and a conversion rate.
    """
    if reduces_only(order):
        return ""
    after = dict(work.positions)
    left = steps
    for position in exits_of(work, floor, order):
        part = min(left, position.steps)
        left -= part
        cost = position.cost - costs.cost_share(position.cost, position.steps, part)
        after[position.number] = position._replace(steps=position.steps - part, cost=cost)
    if not left:
        return ""
    opened = _new_position(floor, order, number=0, steps=left, price=price, at=0)
    if not opened.rate:
        return "NO_PRICES"
    carried = affordable(work, floor, after=[*after.values(), opened])
    return "" if carried else "INSUFFICIENT_MARGIN"


def execute(
    work: Work,
    floor: Floor,
    order: OrderRow,
    *,
    steps: int,
    price: int,
    at: int,
    carried: bool = False,
) -> OrderRow:
    """Execute up to `steps` of an order at `price`; return it as it then stands.

    What a reducing order cannot reduce, and what the margin does not carry, is cancelled. The other
    orders of its OCO group are cancelled. `carried`: its margin was checked for this very price.
    """
    done = 0
    for position in exits_of(work, floor, order):
        part = min(steps - done, position.steps)
        if part:
            order = order._replace(position=position.number)
            reason = "trailing_stop" if order.kind == "trailing_stop" else "order"
            close(work, floor, position, steps=part, price=price, at=at, order=order, reason=reason)
            done += part
    code = ""
    if done < steps:
        code = "POSITION_CLOSED" if reduces_only(order) else ""
        if not (code or carried):
            code = objection(work, floor, order, steps=steps - done, price=price)
        if not code:
            order = _open(work, floor, order, steps=steps - done, price=price, at=at)
            done = steps
    order = order._replace(filled=order.filled + done, cost=order.cost + done * price, triggered=1)
    if code:
        order = work.end_order(order, CANCELED, code=code, at=at)
    elif order.left:
        order = order._replace(status=PARTIAL)
        work.put_order(order)
    else:
        order = work.end_order(order, FILLED, code="", at=at)
    if done:
        spend_group(work, order, at=at)
    return order


def spend_group(work: Work, order: OrderRow, *, at: int) -> None:
    """Cancel the other orders of an OCO group of which one was executed or triggered."""
    if not order.oco_group:
        return
    for other in list(work.orders.values()):
        if other.oco_group == order.oco_group and other.number != order.number:
            work.end_order(other, CANCELED, code="OCO", at=at)


def close(
    work: Work,
    floor: Floor,
    position: PositionRow,
    *,
    steps: int,
    price: int,
    at: int,
    reason: str,
    order: OrderRow | None = None,
) -> None:
    """Take `steps` off a position, book the result, end what rested against it when it is gone.

    `order` None: the venue's own execution of a stop, a target or a stop-out.
    """
    spec = floor.known(position.symbol)
    rate = floor.position_rate(position)
    share = costs.cost_share(position.cost, position.steps, steps)
    raw = costs.profit(position.side, share, price, steps, spec.tick_value)
    realised = costs.booked(raw, rate, floor.grid)
    commission = _commission(floor, position.symbol, steps=steps, rate=rate)
    number = work.number()
    work.fills.append(
        FillRow(
            number=number,
            venue_order_id=f"O{order.number}" if order else f"E{number}",
            tag=order.tag if order else "",
            symbol=position.symbol,
            side=-position.side,
            steps=steps,
            price=price,
            commission=commission,
            realised=realised,
            time=at,
            position=position.number,
            effect=FillEffect.CLOSING.value,
            reason=reason,
        )
    )
    work.credit(realised - commission)
    left = position._replace(
        steps=position.steps - steps, cost=position.cost - share, mark=price, rate=rate
    )
    work.put_position(left)
    if not left.steps:
        _end_exits(work, position, at=at, spare=order)


def _end_exits(work: Work, position: PositionRow, *, at: int, spare: OrderRow | None) -> None:
    for order in list(work.orders.values()):
        if order.closes and order.position == position.number:
            if spare is not None and order.number == spare.number:
                continue
            work.end_order(order, CANCELED, code="POSITION_CLOSED", at=at)


def _open(
    work: Work, floor: Floor, order: OrderRow, *, steps: int, price: int, at: int
) -> OrderRow:
    """Open or enlarge a position; return the order with the position it filled into."""
    position = _grown(work, floor, order)
    if position is None:
        number = work.number()
        position = _new_position(floor, order, number=number, steps=steps, price=price, at=at)
    else:
        position = position._replace(
            steps=position.steps + steps,
            cost=position.cost + steps * price,
            stop_loss=order.stop_loss or position.stop_loss,
            take_profit=order.take_profit or position.take_profit,
            since=at,
        )
    work.put_position(position)
    commission = _commission(floor, order.symbol, steps=steps, rate=position.rate)
    work.credit(-commission)
    work.fills.append(
        FillRow(
            number=work.number(),
            venue_order_id=f"O{order.number}",
            tag=order.tag,
            symbol=order.symbol,
            side=order.side,
            steps=steps,
            price=price,
            commission=commission,
            realised=0,
            time=at,
            position=position.number,
            effect=FillEffect.OPENING.value,
            reason="trailing_stop" if order.kind == "trailing_stop" else "order",
        )
    )
    return order._replace(position=position.number)


def _grown(work: Work, floor: Floor, order: OrderRow) -> PositionRow | None:
    """Return the position an opening fill adds to: netting's one, or this order's earlier fill."""
    if not floor.known(order.symbol).netting:
        return work.positions.get(order.position)
    for position in work.positions.values():
        if position.symbol == order.symbol:
            return position
    return None


def _new_position(
    floor: Floor, order: OrderRow, *, number: int, steps: int, price: int, at: int
) -> PositionRow:
    touch = floor.touch(order.symbol)
    rate = floor.rate(floor.known(order.symbol).instrument.quote_currency)
    return PositionRow(
        number=number,
        tag=order.tag,
        symbol=order.symbol,
        side=order.side,
        steps=steps,
        cost=steps * price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        swap=0,
        opened_at=at,
        since=at,
        mark=price if touch is None else touch.pays(-order.side),
        rate=rate or 0,
    )


def _commission(floor: Floor, symbol: str, *, steps: int, rate: int) -> int:
    per_step = floor.commission_per_step(floor.known(symbol))
    return costs.booked(costs.commission(steps, per_step), rate, floor.grid)
