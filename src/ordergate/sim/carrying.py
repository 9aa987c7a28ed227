"""What the account carries: margin of all positions, room for one more, stop-out at the worst."""

from __future__ import annotations

from ordergate.sim.costs import converted
from ordergate.sim.dealing import equity_now, leave, mark, rate_at, worth
from ordergate.sim.fills import adverse, executable, worst
from ordergate.sim.layout import (
    A_BALANCE,
    A_OPEN,
    A_ORDERS,
    A_STOP_OUTS,
    BY_STOP_OUT,
    LEVERAGE,
    O_CLOSES,
    O_KIND,
    ORDER_WIDTH,
    P_COST,
    P_OPENED,
    P_SIDE,
    P_STEPS,
    P_SYMBOL,
    POSITION_WIDTH,
    STOP_LEVEL,
    STOP_SCALE,
    SYMBOL_WIDTH,
    T_SLIP,
    T_SPREAD,
    TICK_VALUE,
    Books,
    Market,
)
from ordergate.sim.margin import covers, hedged, required
from ordergate.sim.margin import stop_out as is_stopped


def margin_with(market: Market, books: Books, event: int, more: tuple[int, int, int, int]) -> int:
    """Return the margin of all positions and one more: symbol, side, steps, price; 0 steps = none.

    At the prices they were opened at; of hedged ones the larger leg.
    """
    used = 0
    for symbol in range(len(market.terms.symbols) // SYMBOL_WIDTH):
        longs, shorts = 0, 0
        for row in range(len(books.positions) // POSITION_WIDTH):
            at = row * POSITION_WIDTH
            if books.positions[at + P_STEPS] != 0 and books.positions[at + P_SYMBOL] == symbol:
                if books.positions[at + P_SIDE] > 0:
                    longs += books.positions[at + P_COST]
                else:
                    shorts += books.positions[at + P_COST]
        if more[0] == symbol and more[2] != 0:
            if more[1] > 0:
                longs += more[2] * more[3]
            else:
                shorts += more[2] * more[3]
        if longs != 0 or shorts != 0:
            terms = symbol * SYMBOL_WIDTH
            value = hedged(longs, shorts) * market.terms.symbols[terms + TICK_VALUE]
            notional = converted(value, rate_at(market, event, symbol))
            used += required(notional, market.terms.symbols[terms + LEVERAGE])
    return used


def carries(market: Market, books: Books, event: int, more: tuple[int, int, int, int]) -> int:
    """Say (1 or 0) whether the equity carries one more position; less margin always passes."""
    after = margin_with(market, books, event, more)
    equity = equity_now(market, books, event)
    if covers(equity, after) == 1:
        return 1
    before = margin_with(market, books, event, (0, 0, 0, 0))
    return 1 if after <= before else 0


def worst_mark(market: Market, books: Books, row: int, event: int, symbol: int) -> int:
    """Return the price a position is worst off at in this bar; a new one at its close."""
    at = row * POSITION_WIDTH
    tape = market.tape
    if books.positions[at + P_SYMBOL] != symbol:
        return mark(books, row)
    side = -books.positions[at + P_SIDE]
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
    bar = executable(side, bid, ask)
    if books.positions[at + P_OPENED] == event:
        return bar[3]
    return worst(side, bar)


def stop_out(market: Market, books: Books, event: int, symbol: int) -> None:
    """Close the worst position first, at the bar's worst price, until the margin suffices."""
    for _ in range(len(books.positions) // POSITION_WIDTH):
        if books.account[A_OPEN] == 0:
            return
        equity = books.account[A_BALANCE]
        loser, least = -1, 0
        for row in range(len(books.positions) // POSITION_WIDTH):
            at = row * POSITION_WIDTH
            if books.positions[at + P_STEPS] != 0:
                price = worst_mark(market, books, row, event, symbol)
                rate = rate_at(market, event, books.positions[at + P_SYMBOL])
                earned = worth(market, books, row, price, rate)
                equity += earned
                if books.positions[at + P_SYMBOL] == symbol and (loser < 0 or earned < least):
                    loser, least = row, earned
        used = margin_with(market, books, event, (0, 0, 0, 0))
        run = market.terms.run
        if loser < 0 or is_stopped(equity, used, run[STOP_LEVEL], run[STOP_SCALE]) == 0:
            return
        throw_out(market, books, loser, event, symbol)


def throw_out(market: Market, books: Books, row: int, event: int, symbol: int) -> None:
    """Close a position at its worst price, slipped; end every order that would open."""
    at = row * POSITION_WIDTH
    tape = market.tape
    slip = tape.slip[event * tape.slip_step]
    held = books.positions[at + P_STEPS]
    found = worst_mark(market, books, row, event, symbol)
    price = adverse(-books.positions[at + P_SIDE], found, slip)
    place = leave(market, books, row, event, (held, price, BY_STOP_OUT, 0))
    if place >= 0:
        spread = tape.ask_open[event] - tape.bid_open[event]
        books.trades[place + T_SPREAD] += spread * held
        books.trades[place + T_SLIP] += 2 * slip * held
    books.account[A_STOP_OUTS] += 1
    for other in range(len(books.orders) // ORDER_WIDTH):
        at = other * ORDER_WIDTH
        if books.orders[at + O_KIND] >= 0 and books.orders[at + O_CLOSES] == 0:
            books.orders[at + O_KIND] = -1
            books.account[A_ORDERS] -= 1
