"""Deals become positions, trades and money, in the flat books of the bar loop (see `layout`)."""

from __future__ import annotations

from ordergate.sim.costs import RATE_SCALE, booked, cost_share, fee, profit
from ordergate.sim.layout import (
    A_BALANCE,
    A_FAULT,
    A_OPEN,
    A_TRADES,
    EXACT,
    GRID,
    LEAST_FEE,
    P_COST,
    P_DELAY,
    P_FEE,
    P_OPENED,
    P_SIDE,
    P_SLIP,
    P_SPREAD,
    P_STEPS,
    P_STOP,
    P_SWAP,
    P_SYMBOL,
    P_TARGET,
    PER_STEP,
    POSITION_WIDTH,
    RATE,
    RATE_PPB,
    SYMBOL_WIDTH,
    T_AMBIGUOUS,
    T_CLOSED,
    T_COST,
    T_DELAY,
    T_FEE,
    T_OPENED,
    T_PRICE,
    T_RATE,
    T_REALISED,
    T_REASON,
    T_SIDE,
    T_SLIP,
    T_SPREAD,
    T_STEPS,
    T_STOP,
    T_SWAP,
    T_SYMBOL,
    T_TARGET,
    TICK_VALUE,
    TRADE_WIDTH,
    TRADES_FULL,
    Books,
    Market,
    Table,
)


def rate_at(market: Market, event: int, symbol: int) -> int:
    """Return the conversion of a symbol's quote currency at an event."""
    if market.tape.rate_step == 0:
        return market.terms.symbols[symbol * SYMBOL_WIDTH + RATE]
    return market.tape.rate[symbol * len(market.tape.bid_open) + event]


def worth(market: Market, books: Books, row: int, price: int, rate: int) -> int:
    """Return a position's profit at `price`, booked to the account's digits."""
    at = row * POSITION_WIDTH
    terms = books.positions[at + P_SYMBOL] * SYMBOL_WIDTH
    raw = profit(
        books.positions[at + P_SIDE],
        books.positions[at + P_COST],
        price,
        books.positions[at + P_STEPS],
        market.terms.symbols[terms + TICK_VALUE],
    )
    if market.terms.symbols[terms + EXACT] == 1:
        return raw
    return booked(raw, rate, market.terms.run[GRID])


def mark(books: Books, row: int) -> int:
    """Return the last price a position would close at."""
    at = row * POSITION_WIDTH
    place = books.positions[at + P_SYMBOL] * 2
    if books.positions[at + P_SIDE] > 0:
        return books.marks[place]
    return books.marks[place + 1]


def equity_now(market: Market, books: Books, event: int) -> int:
    """Return balance and open profit at the last prices."""
    total = books.account[A_BALANCE]
    if books.account[A_OPEN] == 0:
        return total
    for row in range(len(books.positions) // POSITION_WIDTH):
        at = row * POSITION_WIDTH
        if books.positions[at + P_STEPS] != 0:
            rate = rate_at(market, event, books.positions[at + P_SYMBOL])
            total += worth(market, books, row, mark(books, row), rate)
    return total


def deal_fee(market: Market, symbol: int, steps: int, price: int, rate: int) -> int:
    """Return the commission of a deal in the account currency."""
    at = symbol * SYMBOL_WIDTH
    terms = market.terms.symbols
    raw = fee(
        steps,
        terms[at + PER_STEP],
        price * steps * terms[at + TICK_VALUE],
        terms[at + RATE_PPB],
        terms[at + LEAST_FEE],
    )
    return booked(raw, rate, market.terms.run[GRID])


def enter(
    market: Market, books: Books, row: int, event: int, deal: tuple[int, int, int, int, int, int]
) -> None:
    """Open or enlarge the position in `row`; deal = symbol, side, steps, price, stop, target."""
    symbol, side, steps, price, stop, target = deal
    at = row * POSITION_WIDTH
    positions = books.positions
    if positions[at + P_STEPS] == 0:
        for field in range(POSITION_WIDTH):
            positions[at + field] = 0
        positions[at + P_SYMBOL] = symbol
        positions[at + P_SIDE] = side
        positions[at + P_OPENED] = event
        books.account[A_OPEN] += 1
    positions[at + P_STEPS] += steps
    positions[at + P_COST] += price * steps
    positions[at + P_STOP] = stop
    positions[at + P_TARGET] = target
    paid = deal_fee(market, symbol, steps, price, rate_at(market, event, symbol))
    positions[at + P_FEE] += paid
    books.account[A_BALANCE] -= paid


def leave(
    market: Market, books: Books, row: int, event: int, deal: tuple[int, int, int, int]
) -> int:
    """Take a deal off a position and write its trade; deal = steps, price, reason, ambiguous.

    Returns the place of the trade, -1 where there was no room left for it.
    """
    steps, price = deal[0], deal[1]
    at = row * POSITION_WIDTH
    positions = books.positions
    symbol, held = positions[at + P_SYMBOL], positions[at + P_STEPS]
    terms = symbol * SYMBOL_WIDTH
    rate = rate_at(market, event, symbol)
    share = cost_share(positions[at + P_COST], held, steps)
    raw = profit(
        positions[at + P_SIDE], share, price, steps, market.terms.symbols[terms + TICK_VALUE]
    )
    realised = booked(raw, rate, market.terms.run[GRID])
    paid = deal_fee(market, symbol, steps, price, rate)
    books.account[A_BALANCE] += realised - paid
    place = write(books, row, event, deal)
    if place >= 0:
        trades = books.trades
        trades[place + T_REALISED] = realised
        trades[place + T_FEE] += paid
        trades[place + T_RATE] = rate
    positions[at + P_STEPS] = held - steps
    positions[at + P_COST] -= share
    if held == steps:
        books.account[A_OPEN] -= 1
    return place


def write(books: Books, row: int, event: int, deal: tuple[int, int, int, int]) -> int:
    """Write the trade of a closing deal with its share of what the position has cost so far."""
    steps, price, reason, ambiguous = deal
    place = books.account[A_TRADES] * TRADE_WIDTH
    if place + TRADE_WIDTH > len(books.trades):
        books.account[A_FAULT] = TRADES_FULL
        return -1
    books.account[A_TRADES] += 1
    at = row * POSITION_WIDTH
    positions, trades = books.positions, books.trades
    held = positions[at + P_STEPS]
    trades[place + T_SYMBOL] = positions[at + P_SYMBOL]
    trades[place + T_SIDE] = positions[at + P_SIDE]
    trades[place + T_STEPS] = steps
    trades[place + T_OPENED] = positions[at + P_OPENED]
    trades[place + T_CLOSED] = event
    trades[place + T_COST] = cost_share(positions[at + P_COST], held, steps)
    trades[place + T_PRICE] = price
    trades[place + T_STOP] = positions[at + P_STOP]
    trades[place + T_TARGET] = positions[at + P_TARGET]
    trades[place + T_REASON] = reason
    trades[place + T_AMBIGUOUS] = ambiguous
    trades[place + T_REALISED] = 0
    trades[place + T_RATE] = RATE_SCALE
    trades[place + T_FEE] = part_of(positions, at + P_FEE, held, steps)
    trades[place + T_SWAP] = part_of(positions, at + P_SWAP, held, steps)
    trades[place + T_SPREAD] = part_of(positions, at + P_SPREAD, held, steps)
    trades[place + T_SLIP] = part_of(positions, at + P_SLIP, held, steps)
    trades[place + T_DELAY] = part_of(positions, at + P_DELAY, held, steps)
    return place


def part_of(positions: Table, place: int, held: int, steps: int) -> int:
    """Take from a position's running sum the part that leaves with `steps` of `held`."""
    amount = positions[place]
    part = cost_share(amount, held, steps)
    positions[place] = amount - part
    return part
