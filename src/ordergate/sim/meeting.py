"""One bar meets the books: gaps, orders due at the open, stops and targets inside, margin.

The order of work is quant.md section 2, rule 7; prices are those of `fills`.
"""

from __future__ import annotations

from ordergate.sim.carrying import bar_of, carries, stop_out
from ordergate.sim.dealing import enter, leave
from ordergate.sim.fills import (
    NOTHING,
    STOP_LOSS,
    TAKE_PROFIT,
    after_entry,
    arriving_limit,
    capped,
    executable,
    market_price,
    protective,
    resting_limit,
    stop,
)
from ordergate.sim.layout import (
    A_AMBIGUOUS,
    A_OPEN,
    A_ORDER_ROWS,
    A_ORDERS,
    A_ROWS,
    BASIS,
    BEGIN,
    BY_ORDER,
    CAP,
    DEALT,
    FINER,
    LIMIT,
    MARKET,
    O_CLOSES,
    O_DUE,
    O_KIND,
    O_MIDDLE,
    O_POSITION,
    O_PRICE,
    O_SIDE,
    O_STEPS,
    O_STOP,
    O_SYMBOL,
    O_TARGET,
    O_UNTIL,
    OPEN,
    ORDER_WIDTH,
    P_DELAY,
    P_OPENED,
    P_SIDE,
    P_SLIP,
    P_SPREAD,
    P_STEPS,
    P_STOP,
    P_SYMBOL,
    P_TARGET,
    POSITION_WIDTH,
    R_INSUFFICIENT_MARGIN,
    REFUSED_AT,
    SLIP,
    STOP,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    T_DELAY,
    T_SLIP,
    T_SPREAD,
    TARGET_FIRST,
    Run,
    extra,
)

Bar = tuple[int, int, int, int]


def finer_bar(run: Run, place: int, side: int) -> Bar:
    bid = (
        run.finer[8 * place + 0],
        run.finer[8 * place + 1],
        run.finer[8 * place + 2],
        run.finer[8 * place + 3],
    )
    ask = (
        run.finer[8 * place + 4],
        run.finer[8 * place + 5],
        run.finer[8 * place + 6],
        run.finer[8 * place + 7],
    )
    return executable(side, bid, ask)


def meet(run: Run, event: int, symbol: int) -> None:
    """Carry out on one bar what it carries out; the books hold something."""
    if extra(run, DEALT, event) == 0:
        return
    if run.account[A_OPEN] != 0:
        protect(run, event, symbol, 1)
    if run.account[A_ORDERS] != 0:
        orders_at_open(run, event, symbol)
    if run.account[A_OPEN] != 0:
        protect(run, event, symbol, 0)
    if run.account[A_ORDERS] != 0:
        resting(run, event, symbol, STOP)
        resting(run, event, symbol, LIMIT)
    if run.account[A_OPEN] != 0:
        stop_out(run, event, symbol)


def protect(run: Run, event: int, symbol: int, at_open: int) -> None:
    """Hold the symbol's positions against the bar's open, or against the whole bar."""
    for row in range(run.account[A_ROWS]):
        at = row * POSITION_WIDTH
        if run.positions[at + P_STEPS] != 0 and run.positions[at + P_SYMBOL] == symbol:
            bar = bar_of(run, event, -run.positions[at + P_SIDE])
            if at_open == 1:
                bar = (bar[0], bar[0], bar[0], bar[0])
            stop_or_target(run, row, event, bar, 1 - at_open)


def stop_or_target(run: Run, row: int, event: int, bar: Bar, whole: int) -> None:
    """Close a position at its stop or target where `bar` reaches it.

    `whole`: the bar is all of the event's, so that finer bars may tell what came first in it.
    """
    at = row * POSITION_WIDTH
    positions = run.positions
    side, held = positions[at + P_SIDE], positions[at + P_STEPS]
    slip = extra(run, SLIP, event)
    basis = run.terms[SYMBOLS_AT + positions[at + P_SYMBOL] * SYMBOL_WIDTH + BASIS]
    target = positions[at + P_TARGET]
    reason, price, ambiguous = protective(-side, positions[at + P_STOP], target, bar, basis, slip)
    if reason == NOTHING:
        return
    if ambiguous == 1:
        if whole == 1 and run.terms[FINER] == 1:
            reason, price, ambiguous = told_by_finer(
                run, event, (side, positions[at + P_STOP], target, basis, slip), price
            )
        if ambiguous == 1:
            run.account[A_AMBIGUOUS] += 1
            if run.terms[TARGET_FIRST] == 1:
                reason, price = TAKE_PROFIT, target
    place = leave(run, row, event, (held, price, reason, ambiguous))
    if place >= 0:
        run.trades[place + T_SPREAD] += (
            run.ask[4 * event + OPEN] - run.bid[4 * event + OPEN]
        ) * held
        if reason == STOP_LOSS:
            run.trades[place + T_SLIP] += 2 * slip * held


def told_by_finer(
    run: Run, event: int, held: tuple[int, int, int, int, int], price: int
) -> tuple[int, int, int]:
    """Return (reason, price, ambiguous) by the finer bars of an event (rule 5).

    held = side, stop, target, basis, slippage. Where they reach neither, the stop at `price`.
    """
    side, stop_loss, target, basis, slip = held
    for place in range(extra(run, BEGIN, event), extra(run, BEGIN, event + 1)):
        bar = finer_bar(run, place, -side)
        reason, found, ambiguous = protective(-side, stop_loss, target, bar, basis, slip)
        if reason != NOTHING:
            return reason, found, ambiguous
    return STOP_LOSS, price, 1


def orders_at_open(run: Run, event: int, symbol: int) -> None:
    """Execute market orders that are due: those that close first, they make room."""
    for closes in range(1, -1, -1):
        for row in range(run.account[A_ORDER_ROWS]):
            at = row * ORDER_WIDTH
            orders = run.orders
            if (
                orders[at + O_KIND] == MARKET
                and orders[at + O_SYMBOL] == symbol
                and orders[at + O_CLOSES] == closes
                and orders[at + O_DUE] <= event
            ):
                at_market(run, row, event)


def at_market(run: Run, row: int, event: int) -> None:
    at = row * ORDER_WIDTH
    orders = run.orders
    side = orders[at + O_SIDE]
    cap = extra(run, CAP, event)
    if cap == 0:
        return
    slip = extra(run, SLIP, event)
    price = market_price(side, bar_of(run, event, side), slip)
    steps = capped(orders[at + O_STEPS], max(cap, 0))
    spread = run.ask[4 * event + OPEN] - run.bid[4 * event + OPEN]
    middle = run.ask[4 * event + OPEN] + run.bid[4 * event + OPEN]
    late = side * (middle - orders[at + O_MIDDLE]) * steps
    if orders[at + O_CLOSES] == 1:
        target = orders[at + O_POSITION]
        held = run.positions[target * POSITION_WIDTH + P_STEPS]
        if held == 0:
            drop(run, row)
            return
        steps = min(steps, held)
        place = leave(run, target, event, (steps, price, BY_ORDER, 0))
        if place >= 0:
            run.trades[place + T_SPREAD] += spread * steps
            run.trades[place + T_SLIP] += 2 * slip * steps
            run.trades[place + T_DELAY] += late
    else:
        position = entered(run, row, event, (steps, price, slip))
        if position < 0:
            return
        run.positions[position * POSITION_WIDTH + P_DELAY] += late
    spend(run, row, steps)


def entered(run: Run, row: int, event: int, deal: tuple[int, int, int]) -> int:
    """Open or enlarge an order's position; deal = steps, price, slippage. -1 = not carried."""
    steps, price, slip = deal
    at = row * ORDER_WIDTH
    orders = run.orders
    symbol, side = orders[at + O_SYMBOL], orders[at + O_SIDE]
    if carries(run, event, (symbol, side, orders[at + O_STEPS], price)) == 0:
        run.account[REFUSED_AT + R_INSUFFICIENT_MARGIN] += 1
        drop(run, row)
        return -1
    position = orders[at + O_POSITION]
    if position < 0 or run.positions[position * POSITION_WIDTH + P_STEPS] == 0:
        position = free_row(run)
        orders[at + O_POSITION] = position
    stop_at, target = orders[at + O_STOP], orders[at + O_TARGET]
    enter(run, position, event, (symbol, side, steps, price, stop_at, target))
    spread = run.ask[4 * event + OPEN] - run.bid[4 * event + OPEN]
    run.positions[position * POSITION_WIDTH + P_SPREAD] += spread * steps
    run.positions[position * POSITION_WIDTH + P_SLIP] += 2 * slip * steps
    return position


def free_row(run: Run) -> int:
    """Return an empty row; the tables are as long as what may be open at a time."""
    for row in range(run.account[A_ROWS]):
        if run.positions[row * POSITION_WIDTH + P_STEPS] == 0:
            return row
    return 0


def spend(run: Run, row: int, steps: int) -> None:
    """Take what was filled off an order."""
    left = run.orders[row * ORDER_WIDTH + O_STEPS] - steps
    run.orders[row * ORDER_WIDTH + O_STEPS] = left
    if left == 0:
        drop(run, row)


def drop(run: Run, row: int) -> None:
    run.orders[row * ORDER_WIDTH + O_KIND] = -1
    run.account[A_ORDERS] -= 1


def resting(run: Run, event: int, symbol: int, kind: int) -> None:
    """Let the bar meet resting entries of a kind, end those whose time is over."""
    for row in range(run.account[A_ORDER_ROWS]):
        at = row * ORDER_WIDTH
        orders = run.orders
        if (
            orders[at + O_KIND] == kind
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_DUE] <= event
        ):
            if orders[at + O_UNTIL] < event:
                drop(run, row)
            else:
                at_price(run, row, event)


def at_price(run: Run, row: int, event: int) -> None:
    """Fill a limit or a stop where the bar reaches it; its position is held against the rest."""
    at = row * ORDER_WIDTH
    orders = run.orders
    side, kind, wanted = orders[at + O_SIDE], orders[at + O_KIND], orders[at + O_PRICE]
    cap = extra(run, CAP, event)
    if cap == 0:
        return
    bar = bar_of(run, event, side)
    slip = 0
    if kind == STOP:
        slip = extra(run, SLIP, event)
        filled, price = stop(side, wanted, bar, slip)
    else:
        basis = run.terms[SYMBOLS_AT + orders[at + O_SYMBOL] * SYMBOL_WIDTH + BASIS]
        filled, price = 0, 0
        if orders[at + O_DUE] == event:
            filled, price = arriving_limit(side, wanted, bar[0], basis)
        if filled == 0:
            filled, price = resting_limit(side, wanted, bar, basis)
    if filled == 0:
        return
    steps = capped(orders[at + O_STEPS], max(cap, 0))
    position = entered(run, row, event, (steps, price, slip))
    if position < 0:
        return
    spend(run, row, steps)
    if run.positions[position * POSITION_WIDTH + P_OPENED] == event:
        by_limit = 1 if kind == LIMIT else 0
        rest = after_entry(-side, price, by_limit, bar_of(run, event, -side))
        stop_or_target(run, position, event, rest, 0)
