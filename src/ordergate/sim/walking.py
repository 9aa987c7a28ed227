"""The loop over events: rollovers, the bar, the mark to market, the decision at the close."""

from __future__ import annotations

from ordergate.sim.costs import booked, swap
from ordergate.sim.dealing import equity_now, rate_at
from ordergate.sim.deciding import decide
from ordergate.sim.layout import (
    A_BALANCE,
    A_FAULT,
    A_OPEN,
    A_ORDERS,
    A_ROLL,
    EQUITY_CAP,
    GRID,
    NO_FAULT,
    P_SIDE,
    P_STEPS,
    P_SWAP,
    P_SYMBOL,
    POSITION_WIDTH,
    SWAP_LONG,
    SWAP_SHORT,
    SYMBOL_WIDTH,
    TOO_LARGE,
    Books,
    Market,
)
from ordergate.sim.meeting import meet


def walk(market: Market, books: Books) -> int:
    """Go through every event; return the events done, fewer after a fault.

    Order of work in a bar: rollover and swap, gap check at the open, orders due at the open,
    protective orders inside the bar, margin on the worst price, mark to market, decision at the
    close.
    """
    for event in range(len(market.word.want)):
        step(market, books, event)
        if books.account[A_FAULT] != NO_FAULT:
            return event
    return len(market.word.want)


def step(market: Market, books: Books, event: int) -> None:
    """Carry out one event."""
    tape = market.tape
    symbol = tape.symbol[event * tape.symbol_step]
    roll(market, books, event, 0)
    if books.account[A_OPEN] + books.account[A_ORDERS] != 0:
        meet(market, books, event, symbol)
    books.marks[2 * symbol] = tape.bid_close[event]
    books.marks[2 * symbol + 1] = tape.ask_close[event]
    roll(market, books, event, 1)
    equity = equity_now(market, books, event)
    books.equity[event] = equity
    if abs(equity) > market.terms.run[EQUITY_CAP]:
        books.account[A_FAULT] = TOO_LARGE
    decide(market, books, event, symbol)


def roll(market: Market, books: Books, event: int, after: int) -> None:
    """Charge the rollovers that come before, or after, an event's prices."""
    rolls = market.rolls
    place = books.account[A_ROLL]
    while place < len(rolls.event) and rolls.event[place] == event and rolls.after[place] == after:
        if books.account[A_OPEN] != 0:
            charge(market, books, event, rolls.weekday[place])
        place += 1
    books.account[A_ROLL] = place


def charge(market: Market, books: Books, event: int, weekday: int) -> None:
    """Charge or credit the swap of one rollover on every position."""
    for row in range(len(books.positions) // POSITION_WIDTH):
        at = row * POSITION_WIDTH
        steps = books.positions[at + P_STEPS]
        if steps != 0:
            symbol = books.positions[at + P_SYMBOL]
            terms = symbol * SYMBOL_WIDTH
            per_step = market.terms.symbols[terms + SWAP_LONG]
            if books.positions[at + P_SIDE] < 0:
                per_step = market.terms.symbols[terms + SWAP_SHORT]
            weight = market.rolls.weights[symbol * 7 + weekday]
            raw = swap(steps, per_step, weight)
            credit = booked(raw, rate_at(market, event, symbol), market.terms.run[GRID])
            books.positions[at + P_SWAP] += credit
            books.account[A_BALANCE] += credit
