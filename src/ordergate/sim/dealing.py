"""Deals become positions, trades and money, in the flat books of the bar loop (see `layout`)."""

from __future__ import annotations

from ordergate.sim.costs import RATE_SCALE, booked, cost_share, fee, profit
from ordergate.sim.layout import (
    A_BALANCE,
    A_FAULT,
    A_OPEN,
    A_ROOM,
    A_ROWS,
    A_TRADES,
    EVENTS,
    EXACT,
    FIXED_RATE,
    GRID,
    LEAST_FEE,
    MARKS_AT,
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
    SYMBOLS_AT,
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
    Run,
    Table,
)


def rate_at(run: Run, event: int, symbol: int) -> int:
    """Return the conversion of a symbol's quote currency at an event."""
    if run.terms[RATE + 1] == 0:
        return run.terms[SYMBOLS_AT + symbol * SYMBOL_WIDTH + FIXED_RATE]
    return run.extra[run.terms[RATE] + symbol * run.terms[EVENTS] + event]


def worth(run: Run, row: int, price: int, rate: int) -> int:
    """Return a position's profit at `price`, booked to the account's digits."""
    at = row * POSITION_WIDTH
    terms = SYMBOLS_AT + run.positions[at + P_SYMBOL] * SYMBOL_WIDTH
    raw = profit(
        run.positions[at + P_SIDE],
        run.positions[at + P_COST],
        price,
        run.positions[at + P_STEPS],
        run.terms[terms + TICK_VALUE],
    )
    if run.terms[terms + EXACT] == 1:
        return raw
    return booked(raw, rate, run.terms[GRID])


def mark(run: Run, row: int) -> int:
    """Return the last price a position would close at."""
    at = row * POSITION_WIDTH
    place = run.positions[at + P_SYMBOL] * 2
    if run.positions[at + P_SIDE] > 0:
        return run.account[MARKS_AT + place]
    return run.account[MARKS_AT + place + 1]


def equity_now(run: Run, event: int) -> int:
    """Return balance and open profit at the last prices."""
    total = run.account[A_BALANCE]
    if run.account[A_OPEN] == 0:
        return total
    for row in range(run.account[A_ROWS]):
        at = row * POSITION_WIDTH
        if run.positions[at + P_STEPS] != 0:
            rate = rate_at(run, event, run.positions[at + P_SYMBOL])
            total += worth(run, row, mark(run, row), rate)
    return total


def deal_fee(run: Run, symbol: int, steps: int, price: int, rate: int) -> int:
    """Return the commission of a deal in the account currency."""
    at = SYMBOLS_AT + symbol * SYMBOL_WIDTH
    terms = run.terms
    raw = fee(
        steps,
        terms[at + PER_STEP],
        price * steps * terms[at + TICK_VALUE],
        terms[at + RATE_PPB],
        terms[at + LEAST_FEE],
    )
    return booked(raw, rate, run.terms[GRID])


def enter(run: Run, row: int, event: int, deal: tuple[int, int, int, int, int, int]) -> None:
    """Open or enlarge the position in `row`; deal = symbol, side, steps, price, stop, target."""
    symbol, side, steps, price, stop, target = deal
    at = row * POSITION_WIDTH
    positions = run.positions
    if positions[at + P_STEPS] == 0:
        for field in range(POSITION_WIDTH):
            positions[at + field] = 0
        positions[at + P_SYMBOL] = symbol
        positions[at + P_SIDE] = side
        positions[at + P_OPENED] = event
        run.account[A_OPEN] += 1
    positions[at + P_STEPS] += steps
    positions[at + P_COST] += price * steps
    positions[at + P_STOP] = stop
    positions[at + P_TARGET] = target
    paid = deal_fee(run, symbol, steps, price, rate_at(run, event, symbol))
    positions[at + P_FEE] += paid
    run.account[A_BALANCE] -= paid


def leave(run: Run, row: int, event: int, deal: tuple[int, int, int, int]) -> int:
    """Take a deal off a position and write its trade; deal = steps, price, reason, ambiguous.

    Returns the place of the trade, -1 where there was no room left for it.
    """
    steps, price = deal[0], deal[1]
    at = row * POSITION_WIDTH
    positions = run.positions
    symbol, held = positions[at + P_SYMBOL], positions[at + P_STEPS]
    terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
    rate = rate_at(run, event, symbol)
    share = cost_share(positions[at + P_COST], held, steps)
    raw = profit(positions[at + P_SIDE], share, price, steps, run.terms[terms + TICK_VALUE])
    realised = booked(raw, rate, run.terms[GRID])
    paid = deal_fee(run, symbol, steps, price, rate)
    run.account[A_BALANCE] += realised - paid
    place = write(run, row, event, deal)
    if place >= 0:
        trades = run.trades
        trades[place + T_REALISED] = realised
        trades[place + T_FEE] += paid
        trades[place + T_RATE] = rate
    positions[at + P_STEPS] = held - steps
    positions[at + P_COST] -= share
    if held == steps:
        run.account[A_OPEN] -= 1
    return place


def write(run: Run, row: int, event: int, deal: tuple[int, int, int, int]) -> int:
    """Write the trade of a closing deal with its share of what the position has cost so far."""
    steps, price, reason, ambiguous = deal
    place = run.account[A_TRADES] * TRADE_WIDTH
    if run.account[A_TRADES] == run.account[A_ROOM]:
        run.account[A_FAULT] = TRADES_FULL
        return -1
    run.account[A_TRADES] += 1
    at = row * POSITION_WIDTH
    positions, trades = run.positions, run.trades
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
