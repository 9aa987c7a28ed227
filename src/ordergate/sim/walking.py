"""The loop over events: rollovers, the bar, the mark to market, the decision at the close."""

from __future__ import annotations

from ordergate.sim.costs import booked, swap
from ordergate.sim.dealing import equity_now, rate_at
from ordergate.sim.deciding import decide
from ordergate.sim.gliding import glide
from ordergate.sim.layout import (
    A_BALANCE,
    A_FAULT,
    A_OPEN,
    A_ORDERS,
    A_ROLL,
    A_ROWS,
    CLOSE,
    EQUITY_CAP,
    EVENTS,
    GRID,
    L_AFTER,
    L_EVENT,
    L_WEEKDAY,
    MARKS_AT,
    NO_FAULT,
    P_SIDE,
    P_STEPS,
    P_SWAP,
    P_SYMBOL,
    POSITION_WIDTH,
    ROLL_WIDTH,
    SWAP_LONG,
    SWAP_SHORT,
    SYMBOL,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    TOO_LARGE,
    WEIGHTS,
    Run,
    extra,
)
from ordergate.sim.meeting import meet


def walk(run: Run) -> int:
    """Go through every event; return the events done, fewer after a fault.

    Order of work in a bar: rollover and swap, gap check at the open, orders due at the open,
    protective orders inside the bar, margin on the worst price, mark to market, decision at the
    close. Stretches in which none of it can happen are only marked to market.
    """
    event, events = 0, run.terms[EVENTS]
    while event < events:
        event = glide(run, event, events)
        if event < events:
            step(run, event)
            if run.account[A_FAULT] != NO_FAULT:
                return event
            event += 1
    return events


def step(run: Run, event: int) -> None:
    """Carry out one event."""
    symbol = extra(run, SYMBOL, event)
    roll(run, event, 0)
    if run.account[A_OPEN] + run.account[A_ORDERS] != 0:
        meet(run, event, symbol)
    run.account[MARKS_AT + 2 * symbol] = run.bid[4 * event + CLOSE]
    run.account[MARKS_AT + 2 * symbol + 1] = run.ask[4 * event + CLOSE]
    roll(run, event, 1)
    equity = equity_now(run, event)
    run.equity[event] = equity
    if abs(equity) > run.terms[EQUITY_CAP]:
        run.account[A_FAULT] = TOO_LARGE
    decide(run, event, symbol)


def roll(run: Run, event: int, after: int) -> None:
    """Charge the rollovers that come before, or after, an event's prices.

    Those of events that were glided over found nothing open.
    """
    place = run.account[A_ROLL]
    at = place * ROLL_WIDTH
    while run.rolls[at + L_EVENT] < event or (
        run.rolls[at + L_EVENT] == event and run.rolls[at + L_AFTER] == after
    ):
        if run.account[A_OPEN] != 0 and run.rolls[at + L_EVENT] == event:
            charge(run, event, run.rolls[at + L_WEEKDAY])
        place += 1
        at += ROLL_WIDTH
    run.account[A_ROLL] = place


def charge(run: Run, event: int, weekday: int) -> None:
    """Charge or credit the swap of one rollover on every position."""
    for row in range(run.account[A_ROWS]):
        at = row * POSITION_WIDTH
        steps = run.positions[at + P_STEPS]
        if steps != 0:
            symbol = run.positions[at + P_SYMBOL]
            terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
            per_step = run.terms[terms + SWAP_LONG]
            if run.positions[at + P_SIDE] < 0:
                per_step = run.terms[terms + SWAP_SHORT]
            raw = swap(steps, per_step, run.terms[terms + WEIGHTS + weekday])
            credit = booked(raw, rate_at(run, event, symbol), run.terms[GRID])
            run.positions[at + P_SWAP] += credit
            run.account[A_BALANCE] += credit
