"""An execution becomes fills, positions and money."""

from __future__ import annotations

from typing import NamedTuple

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
from ordergate.model.orders import OrderType
from ordergate.model.outcomes import FillEffect
from ordergate.sim import costs


class Execution(NamedTuple):
    """How much was traded, at what price, when and why."""

    steps: int
    price: int
    at: int
    reason: str = "order"


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


def bounded(floor: Floor, order: OrderRow) -> bool:
    """Say whether the venue holds an exit to its position; a plain exchange does not."""
    return reduces_only(order) and not floor.terms.plain


def objection(work: Work, floor: Floor, order: OrderRow, *, steps: int, price: int) -> str:
    """Return the code that forbids `steps` of an order at `price`; "" = nothing does.

    What only reduces is never forbidden. An opening part needs margin and a conversion rate.
    """
    if bounded(floor, order):
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
    opened = _new_position(floor, order, Execution(left, price, at=0), number=0)
    if not opened.rate:
        return "NO_PRICES"
    carried = affordable(work, floor, after=[*after.values(), opened])
    return "" if carried else "INSUFFICIENT_MARGIN"


def execute(
    work: Work, floor: Floor, order: OrderRow, deal: Execution, *, carried: bool = False
) -> OrderRow:
    """Execute up to the deal's steps of an order; return it as it then stands.

    What a reducing order cannot reduce, and what the margin does not carry, is cancelled. The other
    orders of its OCO group are cancelled. `carried`: its margin was checked for this very price.
    """
    if order.kind == OrderType.TRAILING_STOP:
        deal = deal._replace(reason="trailing_stop")
    done = 0
    for position in exits_of(work, floor, order):
        part = min(deal.steps - done, position.steps)
        if part:
            order = order._replace(position=position.number)
            close(work, floor, position, deal._replace(steps=part), order=order)
            done += part
    left = deal.steps - done
    code = ""
    if left:
        code = "POSITION_CLOSED" if bounded(floor, order) else ""
        if not (code or carried):
            code = objection(work, floor, order, steps=left, price=deal.price)
        if not code:
            order = _open(work, floor, order, deal._replace(steps=left))
            done = deal.steps
    cost = order.cost + done * deal.price
    order = order._replace(filled=order.filled + done, cost=cost, triggered=1)
    order = _booked(work, order, code=code, at=deal.at)
    if done and not floor.terms.plain:
        spend_group(work, order, at=deal.at)
    return order


def _booked(work: Work, order: OrderRow, *, code: str, at: int) -> OrderRow:
    if code:
        return work.end_order(order, CANCELED, code=code, at=at)
    if not order.left:
        return work.end_order(order, FILLED, code="", at=at)
    order = order._replace(status=PARTIAL)
    work.put_order(order)
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
    deal: Execution,
    *,
    order: OrderRow | None = None,
) -> None:
    """Take the deal off a position, book the result, end what rested against it when it is gone.

    `order` None: the venue's own execution of a stop, a target or a stop-out.
    """
    spec = floor.known(position.symbol)
    rate = floor.position_rate(position)
    share = costs.cost_share(position.cost, position.steps, deal.steps)
    raw = costs.profit(position.side, share, deal.price, deal.steps, spec.tick_value)
    realised = costs.booked(raw, rate, floor.grid)
    commission = _commission(floor, position.symbol, steps=deal.steps, rate=rate)
    number = work.number()
    work.fills.append(
        FillRow(
            number=number,
            venue_order_id=f"O{order.number}" if order else f"E{number}",
            tag=order.tag if order else "",
            symbol=position.symbol,
            side=-position.side,
            steps=deal.steps,
            price=deal.price,
            commission=commission,
            realised=realised,
            time=deal.at,
            position=position.number,
            effect=FillEffect.CLOSING.value,
            reason=deal.reason,
        )
    )
    work.credit(realised - commission)
    left = position._replace(
        steps=position.steps - deal.steps,
        cost=position.cost - share,
        mark=deal.price,
        rate=rate,
    )
    work.put_position(left)
    if not left.steps and not floor.terms.plain:
        _end_exits(work, position, at=deal.at, spare=order)


def _end_exits(work: Work, position: PositionRow, *, at: int, spare: OrderRow | None) -> None:
    for order in list(work.orders.values()):
        if order.closes and order.position == position.number:
            if spare is not None and order.number == spare.number:
                continue
            work.end_order(order, CANCELED, code="POSITION_CLOSED", at=at)


def _open(work: Work, floor: Floor, order: OrderRow, deal: Execution) -> OrderRow:
    """Open or enlarge a position; return the order with the position it filled into."""
    position = _grown(work, floor, order)
    if position is None:
        position = _new_position(floor, order, deal, number=work.number())
    else:
        position = position._replace(
            steps=position.steps + deal.steps,
            cost=position.cost + deal.steps * deal.price,
            stop_loss=_nearer(position, order.stop_loss),
            take_profit=order.take_profit or position.take_profit,
            since=deal.at,
        )
    work.put_position(position)
    commission = _commission(floor, order.symbol, steps=deal.steps, rate=position.rate)
    work.credit(-commission)
    work.fills.append(
        FillRow(
            number=work.number(),
            venue_order_id=f"O{order.number}",
            tag=order.tag,
            symbol=order.symbol,
            side=order.side,
            steps=deal.steps,
            price=deal.price,
            commission=commission,
            realised=0,
            time=deal.at,
            position=position.number,
            effect=FillEffect.OPENING.value,
            reason=deal.reason,
        )
    )
    # An exit goes on naming the position it is to reduce, whatever it has opened instead.
    return order if order.closes else order._replace(position=position.number)


def _nearer(position: PositionRow, stop: int) -> int:
    """Return the stop that protects more: a small addition must not widen what all of it has."""
    if not (stop and position.stop_loss):
        return stop or position.stop_loss
    return max(stop, position.stop_loss) if position.side > 0 else min(stop, position.stop_loss)


def _grown(work: Work, floor: Floor, order: OrderRow) -> PositionRow | None:
    """Return the position an opening fill adds to: netting's one, or this order's earlier fill."""
    if not floor.known(order.symbol).netting:
        return work.positions.get(order.position)
    for position in work.positions.values():
        if position.symbol == order.symbol:
            return position
    return None


def _new_position(floor: Floor, order: OrderRow, deal: Execution, *, number: int) -> PositionRow:
    touch = floor.touch(order.symbol)
    rate = floor.rate(floor.known(order.symbol).instrument.quote_currency)
    return PositionRow(
        number=number,
        tag=order.tag,
        symbol=order.symbol,
        side=order.side,
        steps=deal.steps,
        cost=deal.steps * deal.price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        swap=0,
        opened_at=deal.at,
        since=deal.at,
        mark=deal.price if touch is None else touch.pays(-order.side),
        rate=rate or 0,
    )


def _commission(floor: Floor, symbol: str, *, steps: int, rate: int) -> int:
    per_step = floor.commission_per_step(floor.known(symbol))
    return costs.booked(costs.commission(steps, per_step), rate, floor.grid)
