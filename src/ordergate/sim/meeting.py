"""One bar meets the books: gaps, orders due at the open, stops and targets inside, margin.

The order of work is quant.md section 2, rule 7; prices are those of `fills`.
"""

from __future__ import annotations

from ordergate.sim.carrying import carries, stop_out
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
    A_ORDERS,
    BASIS,
    BY_ORDER,
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
    STOP,
    SYMBOL_WIDTH,
    T_DELAY,
    T_SLIP,
    T_SPREAD,
    TARGET_FIRST,
    Books,
    Finer,
    Market,
    Tape,
)

Bar = tuple[int, int, int, int]


def bar_of(tape: Tape, event: int, side: int) -> Bar:
    """Return the bar an order of `side` trades on."""
    bid = (
        tape.bid_open[event],
        tape.bid_high[event],
        tape.bid_low[event],
        tape.bid_close[event],
    )
    ask = (
        tape.ask_open[event],
        tape.ask_high[event],
        tape.ask_low[event],
        tape.ask_close[event],
    )
    return executable(side, bid, ask)


def finer_bar(finer: Finer, place: int, side: int) -> Bar:
    bid = (
        finer.bid_open[place],
        finer.bid_high[place],
        finer.bid_low[place],
        finer.bid_close[place],
    )
    ask = (
        finer.ask_open[place],
        finer.ask_high[place],
        finer.ask_low[place],
        finer.ask_close[place],
    )
    return executable(side, bid, ask)


def meet(market: Market, books: Books, event: int, symbol: int) -> None:
    """Carry out on one bar what it carries out; the books hold something."""
    tape = market.tape
    if tape.dealt[event * tape.dealt_step] == 0:
        return
    if books.account[A_OPEN] != 0:
        protect(market, books, event, symbol, 1)
    if books.account[A_ORDERS] != 0:
        orders_at_open(market, books, event, symbol)
    if books.account[A_OPEN] != 0:
        protect(market, books, event, symbol, 0)
    if books.account[A_ORDERS] != 0:
        resting(market, books, event, symbol, STOP)
        resting(market, books, event, symbol, LIMIT)
    if books.account[A_OPEN] != 0:
        stop_out(market, books, event, symbol)


def protect(market: Market, books: Books, event: int, symbol: int, at_open: int) -> None:
    """Hold the symbol's positions against the bar's open, or against the whole bar."""
    for row in range(len(books.positions) // POSITION_WIDTH):
        at = row * POSITION_WIDTH
        if books.positions[at + P_STEPS] != 0 and books.positions[at + P_SYMBOL] == symbol:
            bar = bar_of(market.tape, event, -books.positions[at + P_SIDE])
            if at_open == 1:
                bar = (bar[0], bar[0], bar[0], bar[0])
            stop_or_target(market, books, row, event, bar, 1 - at_open)


def stop_or_target(
    market: Market, books: Books, row: int, event: int, bar: Bar, whole: int
) -> None:
    """Close a position at its stop or target where `bar` reaches it.

    `whole`: the bar is all of the event's, so that finer bars may tell what came first in it.
    """
    at = row * POSITION_WIDTH
    tape, positions = market.tape, books.positions
    side, held = positions[at + P_SIDE], positions[at + P_STEPS]
    slip = tape.slip[event * tape.slip_step]
    basis = market.terms.symbols[positions[at + P_SYMBOL] * SYMBOL_WIDTH + BASIS]
    target = positions[at + P_TARGET]
    reason, price, ambiguous = protective(-side, positions[at + P_STOP], target, bar, basis, slip)
    if reason == NOTHING:
        return
    if ambiguous == 1:
        if whole == 1 and len(market.finer.begin) > 1:
            reason, price, ambiguous = told_by_finer(
                market, event, (side, positions[at + P_STOP], target, basis, slip), price
            )
        if ambiguous == 1:
            books.account[A_AMBIGUOUS] += 1
            if market.terms.run[TARGET_FIRST] == 1:
                reason, price = TAKE_PROFIT, target
    place = leave(market, books, row, event, (held, price, reason, ambiguous))
    if place >= 0:
        books.trades[place + T_SPREAD] += (tape.ask_open[event] - tape.bid_open[event]) * held
        if reason == STOP_LOSS:
            books.trades[place + T_SLIP] += 2 * slip * held


def told_by_finer(
    market: Market, event: int, held: tuple[int, int, int, int, int], price: int
) -> tuple[int, int, int]:
    """Return (reason, price, ambiguous) by the finer bars of an event (rule 5).

    held = side, stop, target, basis, slippage. Where they reach neither, the stop at `price`.
    """
    side, stop_loss, target, basis, slip = held
    finer = market.finer
    for place in range(finer.begin[event], finer.begin[event + 1]):
        bar = finer_bar(finer, place, -side)
        reason, found, ambiguous = protective(-side, stop_loss, target, bar, basis, slip)
        if reason != NOTHING:
            return reason, found, ambiguous
    return STOP_LOSS, price, 1


def orders_at_open(market: Market, books: Books, event: int, symbol: int) -> None:
    """Execute market orders that are due: those that close first, they make room."""
    for closes in range(1, -1, -1):
        for row in range(len(books.orders) // ORDER_WIDTH):
            at = row * ORDER_WIDTH
            orders = books.orders
            if (
                orders[at + O_KIND] == MARKET
                and orders[at + O_SYMBOL] == symbol
                and orders[at + O_CLOSES] == closes
                and orders[at + O_DUE] <= event
            ):
                at_market(market, books, row, event)


def at_market(market: Market, books: Books, row: int, event: int) -> None:
    at = row * ORDER_WIDTH
    tape, orders = market.tape, books.orders
    side = orders[at + O_SIDE]
    cap = tape.cap[event * tape.cap_step]
    if cap == 0:
        return
    slip = tape.slip[event * tape.slip_step]
    price = market_price(side, bar_of(tape, event, side), slip)
    steps = capped(orders[at + O_STEPS], max(cap, 0))
    spread = tape.ask_open[event] - tape.bid_open[event]
    middle = tape.ask_open[event] + tape.bid_open[event]
    late = side * (middle - orders[at + O_MIDDLE]) * steps
    if orders[at + O_CLOSES] == 1:
        target = orders[at + O_POSITION]
        held = books.positions[target * POSITION_WIDTH + P_STEPS]
        if held == 0:
            drop(books, row)
            return
        steps = min(steps, held)
        place = leave(market, books, target, event, (steps, price, BY_ORDER, 0))
        if place >= 0:
            books.trades[place + T_SPREAD] += spread * steps
            books.trades[place + T_SLIP] += 2 * slip * steps
            books.trades[place + T_DELAY] += late
    else:
        position = entered(market, books, row, event, (steps, price, slip))
        if position < 0:
            return
        books.positions[position * POSITION_WIDTH + P_DELAY] += late
    spend(books, row, steps)


def entered(market: Market, books: Books, row: int, event: int, deal: tuple[int, int, int]) -> int:
    """Open or enlarge an order's position; deal = steps, price, slippage. -1 = not carried."""
    steps, price, slip = deal
    at = row * ORDER_WIDTH
    orders, tape = books.orders, market.tape
    symbol, side = orders[at + O_SYMBOL], orders[at + O_SIDE]
    if carries(market, books, event, (symbol, side, orders[at + O_STEPS], price)) == 0:
        books.refused[R_INSUFFICIENT_MARGIN] += 1
        drop(books, row)
        return -1
    position = orders[at + O_POSITION]
    if position < 0 or books.positions[position * POSITION_WIDTH + P_STEPS] == 0:
        position = free_row(books)
        orders[at + O_POSITION] = position
    stop_at, target = orders[at + O_STOP], orders[at + O_TARGET]
    enter(market, books, position, event, (symbol, side, steps, price, stop_at, target))
    spread = tape.ask_open[event] - tape.bid_open[event]
    books.positions[position * POSITION_WIDTH + P_SPREAD] += spread * steps
    books.positions[position * POSITION_WIDTH + P_SLIP] += 2 * slip * steps
    return position


def free_row(books: Books) -> int:
    """Return an empty row; the tables are as long as what may be open at a time."""
    for row in range(len(books.positions) // POSITION_WIDTH):
        if books.positions[row * POSITION_WIDTH + P_STEPS] == 0:
            return row
    return 0


def spend(books: Books, row: int, steps: int) -> None:
    """Take what was filled off an order."""
    left = books.orders[row * ORDER_WIDTH + O_STEPS] - steps
    books.orders[row * ORDER_WIDTH + O_STEPS] = left
    if left == 0:
        drop(books, row)


def drop(books: Books, row: int) -> None:
    books.orders[row * ORDER_WIDTH + O_KIND] = -1
    books.account[A_ORDERS] -= 1


def resting(market: Market, books: Books, event: int, symbol: int, kind: int) -> None:
    """Let the bar meet resting entries of a kind, end those whose time is over."""
    for row in range(len(books.orders) // ORDER_WIDTH):
        at = row * ORDER_WIDTH
        orders = books.orders
        if (
            orders[at + O_KIND] == kind
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_DUE] <= event
        ):
            if orders[at + O_UNTIL] < event:
                drop(books, row)
            else:
                at_price(market, books, row, event)


def at_price(market: Market, books: Books, row: int, event: int) -> None:
    """Fill a limit or a stop where the bar reaches it; its position is held against the rest."""
    at = row * ORDER_WIDTH
    tape, orders = market.tape, books.orders
    side, kind, wanted = orders[at + O_SIDE], orders[at + O_KIND], orders[at + O_PRICE]
    cap = tape.cap[event * tape.cap_step]
    if cap == 0:
        return
    bar = bar_of(tape, event, side)
    slip = 0
    if kind == STOP:
        slip = tape.slip[event * tape.slip_step]
        filled, price = stop(side, wanted, bar, slip)
    else:
        basis = market.terms.symbols[orders[at + O_SYMBOL] * SYMBOL_WIDTH + BASIS]
        filled, price = 0, 0
        if orders[at + O_DUE] == event:
            filled, price = arriving_limit(side, wanted, bar[0], basis)
        if filled == 0:
            filled, price = resting_limit(side, wanted, bar, basis)
    if filled == 0:
        return
    steps = capped(orders[at + O_STEPS], max(cap, 0))
    position = entered(market, books, row, event, (steps, price, slip))
    if position < 0:
        return
    spend(books, row, steps)
    if books.positions[position * POSITION_WIDTH + P_OPENED] == event:
        by_limit = 1 if kind == LIMIT else 0
        rest = after_entry(-side, price, by_limit, bar_of(tape, event, -side))
        stop_or_target(market, books, position, event, rest, 0)
