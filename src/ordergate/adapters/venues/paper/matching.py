"""A slice of market meets the books: stops, targets, resting orders, margin."""

from __future__ import annotations

from ordergate.adapters.venues.paper import accounting, dealing
from ordergate.adapters.venues.paper.book import CANCELED, OrderRow, PositionRow, Work
from ordergate.adapters.venues.paper.dealing import Execution
from ordergate.adapters.venues.paper.floor import STOP_OUT_SCALE, Floor, Stretch
from ordergate.model.orders import OrderType
from ordergate.sim import fills, margin

_REASONS = {fills.STOP_LOSS: "stop_loss", fills.TAKE_PROFIT: "take_profit"}
_TRIGGERED_BY_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


def meet(work: Work, floor: Floor, stretch: Stretch) -> None:
    """Execute what the slice executes, in a fixed order (quant.md section 2, rule 7).

    Gaps at the open and market orders that wait for it; stops and targets of positions; resting
    orders, stops before limits; the stops and targets of what they opened; then margin on the worst
    price.
    """
    symbol = stretch.symbol
    _open(work, floor, stretch)
    for position in [row for row in work.positions.values() if row.symbol == symbol]:
        _protect(work, floor, position, stretch)
    resting = [
        row for row in work.orders.values() if row.symbol == symbol and row.kind != OrderType.MARKET
    ]
    for order in sorted(resting, key=_careful_order):
        if order.number in work.orders:
            _match(work, floor, work.orders[order.number], stretch)
    _stop_out(work, floor, stretch)


def _open(work: Work, floor: Floor, stretch: Stretch) -> None:
    """Execute market orders that wait for a price, after the gaps; what closes goes first."""
    waiting = [
        row
        for row in work.orders.values()
        if row.symbol == stretch.symbol and row.kind == OrderType.MARKET
    ]
    if not waiting:
        return
    for position in [row for row in work.positions.values() if row.symbol == stretch.symbol]:
        bar = stretch.bar(-position.side, position.since)
        if bar is not None:
            _stop_or_target(work, floor, position, stretch, (bar[0], bar[0], bar[0], bar[0]))
    for order in sorted(waiting, key=lambda row: (-row.closes, row.number)):
        if order.number in work.orders:
            _match(work, floor, work.orders[order.number], stretch)


def _careful_order(order: OrderRow) -> tuple[int, int]:
    """Sort stops before limits: of two legs within one bar the worse one happens."""
    return (0 if order.kind in _TRIGGERED_BY_STOP else 1, order.number)


def _protect(work: Work, floor: Floor, position: PositionRow, stretch: Stretch) -> None:
    bar = stretch.bar(-position.side, position.since)
    if bar is not None:
        _stop_or_target(work, floor, position, stretch, bar)


def _stop_or_target(
    work: Work,
    floor: Floor,
    position: PositionRow,
    stretch: Stretch,
    bar: tuple[int, int, int, int],
) -> None:
    reason, price, _ = fills.protective(
        -position.side,
        position.stop_loss,
        position.take_profit,
        bar,
        stretch.basis,
        floor.terms.slippage_ticks,
    )
    if reason == fills.NOTHING:
        return
    deal = Execution(position.steps, price, stretch.end, _REASONS[reason])
    dealing.close(work, floor, position, deal)


def _match(work: Work, floor: Floor, order: OrderRow, stretch: Stretch) -> None:
    bar = stretch.bar(order.side, order.since)
    if bar is None:
        return
    before = set(work.positions)
    order, price = _price(work, floor, order, stretch, bar)
    if not price:
        return
    cap = floor.fill_cap(floor.known(order.symbol))
    steps = fills.capped(order.left, cap)
    filled = dealing.execute(work, floor, order, Execution(steps, price, stretch.end))
    opened = work.positions.get(filled.position)
    if opened is not None and opened.number not in before:
        _protect_entry(work, floor, opened, filled, stretch, entry=price)


def _price(
    work: Work,
    floor: Floor,
    order: OrderRow,
    stretch: Stretch,
    bar: tuple[int, int, int, int],
) -> tuple[OrderRow, int]:
    """Return the order as the slice leaves it and the price it fills at; 0 = it does not."""
    slippage = floor.terms.slippage_ticks
    match OrderType(order.kind):
        case OrderType.MARKET:
            return order, fills.market_price(order.side, bar, slippage)
        case OrderType.LIMIT:
            return order, fills.resting_limit(order.side, order.limit, bar, stretch.basis)[1]
        case OrderType.STOP:
            if order.triggered:
                return order, fills.market_price(order.side, bar, slippage)
            return order, fills.stop(order.side, order.stop, bar, slippage)[1]
        case OrderType.STOP_LIMIT:
            return _stop_limit(work, floor, order, stretch, bar)
        case OrderType.TRAILING_STOP:
            return _trailing(work, order, bar, slippage=slippage)


def _stop_limit(
    work: Work, floor: Floor, order: OrderRow, stretch: Stretch, bar: tuple[int, int, int, int]
) -> tuple[OrderRow, int]:
    if order.triggered:
        return order, fills.resting_limit(order.side, order.limit, bar, stretch.basis)[1]
    triggered, _, price = fills.stop_limit(order.side, order.stop, order.limit, bar, stretch.basis)
    if not triggered:
        return order, 0
    order = order._replace(triggered=1)
    work.put_order(order)
    if not floor.terms.plain:
        dealing.spend_group(work, order, at=stretch.end)
    return order, price


def _trailing(
    work: Work, order: OrderRow, bar: tuple[int, int, int, int], *, slippage: int
) -> tuple[OrderRow, int]:
    if order.triggered:
        return order, fills.market_price(order.side, bar, slippage)
    _, price, level = fills.trailing_stop(
        order.side, order.stop, order.trail, order.trail_ppm, bar, slippage
    )
    if level != order.stop:
        order = order._replace(stop=level)
        work.put_order(order)
    return order, price


def _protect_entry(
    work: Work,
    floor: Floor,
    position: PositionRow,
    order: OrderRow,
    stretch: Stretch,
    *,
    entry: int,
) -> None:
    """Hold a new position against the rest of the bar it was opened in."""
    bar = stretch.bar(-position.side, order.since)
    if bar is None:
        return
    rest = bar  # of a market order: it was filled at the open, all of the bar comes after
    if order.kind != OrderType.MARKET:
        by_limit = 0 if order.kind in _TRIGGERED_BY_STOP else 1
        rest = fills.after_entry(-position.side, entry, by_limit, bar)
    _stop_or_target(work, floor, position, stretch, rest)


def _stop_out(work: Work, floor: Floor, stretch: Stretch) -> None:
    """Close the worst position first, at the slice's worst price, until margin suffices."""
    for _ in range(len(work.positions)):
        marks = {p.number: _worst(p, floor, stretch) for p in work.positions.values()}
        profits = {
            p.number: accounting.open_profit(p, floor, mark=marks[p.number])
            for p in work.positions.values()
        }
        equity = work.account.balance + sum(profits.values())
        used = accounting.margin_used(work.positions.values(), floor)
        if not margin.stop_out(equity, used, floor.stop_out_level, STOP_OUT_SCALE):
            return
        closable = [
            p
            for p in work.positions.values()
            if p.symbol == stretch.symbol or floor.tradable(p.symbol)
        ]
        if not closable:
            return
        worst = closable[margin.worst_first(tuple(profits[p.number] for p in closable))]
        price = fills.adverse(-worst.side, marks[worst.number], floor.terms.slippage_ticks)
        deal = Execution(worst.steps, price, stretch.end, "stop_out")
        dealing.close(work, floor, worst, deal)
        for order in list(work.orders.values()):
            if not dealing.reduces_only(order):
                work.end_order(order, CANCELED, code="STOP_OUT", at=stretch.end)


def _worst(position: PositionRow, floor: Floor, stretch: Stretch) -> int:
    if position.symbol != stretch.symbol:
        return floor.mark(position)
    bar = stretch.bar(-position.side, position.opened_at)
    return floor.mark(position) if bar is None else fills.worst(-position.side, bar)
