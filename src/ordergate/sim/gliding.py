"""Stretches of bars in which nothing can happen: they are marked to market and passed over.

With one symbol, no order waiting and at most one position, the prices that could change anything
are known beforehand: stop, target, the price of the stop-out. Bars that keep clear of them, of a
rollover and of a new wish need the close alone. `EXACT` 0 turns this off; nothing else changes.
"""

from __future__ import annotations

from ordergate.sim.layout import (
    A_BALANCE,
    A_OPEN,
    A_ORDERS,
    A_ROLL,
    BASIS,
    CLOSE,
    EXACT,
    FLAT,
    HIGH,
    HOLD,
    L_EVENT,
    LEVERAGE,
    LOW,
    MARKS_AT,
    P_COST,
    P_SIDE,
    P_STEPS,
    P_STOP,
    P_TARGET,
    PER_SYMBOL,
    POSITION_WIDTH,
    REVERSES,
    ROLL_WIDTH,
    STOP_LEVEL,
    STOP_SCALE,
    SYMBOLS,
    SYMBOLS_AT,
    TICK_VALUE,
    Run,
)
from ordergate.sim.margin import required
from ordergate.sim.rounding import ceiling, floor

FAR = 2**40  # beyond every price in ticks


def glide(run: Run, event: int, events: int) -> int:
    """Pass over quiet events from `event` on; return the first that is not, or `events`."""
    if (
        run.terms[SYMBOLS] != 1
        or run.terms[PER_SYMBOL] != 1
        or run.terms[SYMBOLS_AT + EXACT] == 0
        or run.account[A_ORDERS] != 0
        or run.account[A_OPEN] > 1
    ):
        return event
    if run.account[A_OPEN] == 0:
        reached = flat(run, event, events)
    else:
        row = 0
        while run.positions[row * POSITION_WIDTH + P_STEPS] == 0:
            row += 1
        reached = held(run, event, min(events, next_roll(run, event)), row * POSITION_WIDTH)
    if reached > event:
        run.account[MARKS_AT] = run.bid[4 * (reached - 1) + CLOSE]
        run.account[MARKS_AT + 1] = run.ask[4 * (reached - 1) + CLOSE]
    return reached


def flat(run: Run, event: int, events: int) -> int:
    """Pass over events while nothing is open and nothing is to be opened."""
    balance = run.account[A_BALANCE]
    while event < events and (run.want[event] == HOLD or run.want[event] == FLAT):
        run.equity[event] = balance
        event += 1
    return event


def next_roll(run: Run, event: int) -> int:
    """Return the event of the next rollover from `event` on."""
    at = run.account[A_ROLL] * ROLL_WIDTH
    while run.rolls[at + L_EVENT] < event:
        at += ROLL_WIDTH
    return run.rolls[at + L_EVENT]


def held(run: Run, event: int, events: int, at: int) -> int:
    """Pass over events that leave the one position as it is; `at` is its place in the table."""
    side, steps = run.positions[at + P_SIDE], run.positions[at + P_STEPS]
    value = run.terms[SYMBOLS_AT + TICK_VALUE]
    basis = run.terms[SYMBOLS_AT + BASIS]
    cost, stop, target = (
        run.positions[at + P_COST],
        run.positions[at + P_STOP],
        run.positions[at + P_TARGET],
    )
    base = run.account[A_BALANCE] - side * cost * value
    slope = side * steps * value
    other = -side if run.terms[REVERSES] == 1 else FLAT
    ruin = ruin_price(run, side, steps, cost)
    if side > 0:
        least = max(stop, ruin)
        most = target + basis if target != 0 else FAR
        return along(run, event, events, (base, slope, least, most, other))
    most = min(stop, ruin) if stop != 0 else ruin
    least = target - basis if target != 0 else -FAR
    return along_short(run, event, events, (base, slope, least, most, other))


def ruin_price(run: Run, side: int, steps: int, cost: int) -> int:
    """Return the price at which the one position is stopped out, as `margin.stop_out` says."""
    value = run.terms[SYMBOLS_AT + TICK_VALUE]
    used = required(cost * value, run.terms[SYMBOLS_AT + LEVERAGE])
    limit = floor(used * run.terms[STOP_LEVEL], run.terms[STOP_SCALE])
    spare = run.account[A_BALANCE] - limit
    if side > 0:
        return floor(cost * value - spare, steps * value)
    return ceiling(cost * value + spare, steps * value)


def along(run: Run, event: int, events: int, held: tuple[int, int, int, int, int]) -> int:
    """Mark a long to the bid until a price or a wish is met.

    held = what the equity is at a price of 0, what a tick adds, the prices to meet, the wish.
    """
    base, slope, least, most, other = held
    while event < events:
        at, want = 4 * event, run.want[event]
        if run.bid[at + LOW] <= least or run.bid[at + HIGH] >= most or want in (FLAT, other):
            return event
        run.equity[event] = base + run.bid[at + CLOSE] * slope
        event += 1
    return event


def along_short(run: Run, event: int, events: int, held: tuple[int, int, int, int, int]) -> int:
    """Mark a short to the ask; the same otherwise."""
    base, slope, least, most, other = held
    while event < events:
        at, want = 4 * event, run.want[event]
        if run.ask[at + LOW] <= least or run.ask[at + HIGH] >= most or want in (FLAT, other):
            return event
        run.equity[event] = base + run.ask[at + CLOSE] * slope
        event += 1
    return event
