"""What the account carries: margin of all positions, room for one more, stop-out at the worst."""

from __future__ import annotations

from ordergate.sim.costs import converted
from ordergate.sim.dealing import equity_now, leave, mark, rate_at, worth
from ordergate.sim.fills import adverse, executable, worst
from ordergate.sim.layout import (
    A_BALANCE,
    A_OPEN,
    A_ORDER_ROWS,
    A_ORDERS,
    A_ROWS,
    A_STOP_OUTS,
    BY_STOP_OUT,
    CLOSE,
    HIGH,
    LEVERAGE,
    LOW,
    O_CLOSES,
    O_KIND,
    OPEN,
    ORDER_WIDTH,
    P_COST,
    P_OPENED,
    P_SIDE,
    P_STEPS,
    P_SYMBOL,
    POSITION_WIDTH,
    SLIP,
    STOP_LEVEL,
    STOP_SCALE,
    SYMBOL_WIDTH,
    SYMBOLS,
    SYMBOLS_AT,
    T_SLIP,
    T_SPREAD,
    TICK_VALUE,
    Run,
    extra,
)
from ordergate.sim.margin import covers, hedged, required
from ordergate.sim.margin import stop_out as is_stopped


def margin_with(run: Run, event: int, more: tuple[int, int, int, int]) -> int:
    """Return the margin of all positions and one more: symbol, side, steps, price; 0 steps = none.

    At the prices they were opened at; of hedged ones the larger leg.
    """
    used = 0
    for symbol in range(run.terms[SYMBOLS]):
        longs, shorts = 0, 0
        for row in range(run.account[A_ROWS]):
            at = row * POSITION_WIDTH
            if run.positions[at + P_STEPS] != 0 and run.positions[at + P_SYMBOL] == symbol:
                if run.positions[at + P_SIDE] > 0:
                    longs += run.positions[at + P_COST]
                else:
                    shorts += run.positions[at + P_COST]
        if more[0] == symbol and more[2] != 0:
            if more[1] > 0:
                longs += more[2] * more[3]
            else:
                shorts += more[2] * more[3]
        if longs != 0 or shorts != 0:
            terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
            value = hedged(longs, shorts) * run.terms[terms + TICK_VALUE]
            notional = converted(value, rate_at(run, event, symbol))
            used += required(notional, run.terms[terms + LEVERAGE])
    return used


def carries(run: Run, event: int, more: tuple[int, int, int, int]) -> int:
    """Say (1 or 0) whether the equity carries one more position; less margin always passes."""
    after = margin_with(run, event, more)
    equity = equity_now(run, event)
    if covers(equity, after) == 1:
        return 1
    before = margin_with(run, event, (0, 0, 0, 0))
    return 1 if after <= before else 0


def bar_of(run: Run, event: int, side: int) -> tuple[int, int, int, int]:
    """Return the bar an order of `side` trades on."""
    bid = (
        run.bid[4 * event + OPEN],
        run.bid[4 * event + HIGH],
        run.bid[4 * event + LOW],
        run.bid[4 * event + CLOSE],
    )
    ask = (
        run.ask[4 * event + OPEN],
        run.ask[4 * event + HIGH],
        run.ask[4 * event + LOW],
        run.ask[4 * event + CLOSE],
    )
    return executable(side, bid, ask)


def worst_mark(run: Run, row: int, event: int, symbol: int) -> int:
    """Return the price a position is worst off at in this bar; a new one at its close."""
    at = row * POSITION_WIDTH
    if run.positions[at + P_SYMBOL] != symbol:
        return mark(run, row)
    side = -run.positions[at + P_SIDE]
    bar = bar_of(run, event, side)
    if run.positions[at + P_OPENED] == event:
        return bar[3]
    return worst(side, bar)


def stop_out(run: Run, event: int, symbol: int) -> None:
    """Close the worst position first, at the bar's worst price, until the margin suffices."""
    for _ in range(run.account[A_ROWS]):
        if run.account[A_OPEN] == 0:
            return
        equity = run.account[A_BALANCE]
        loser, least = -1, 0
        for row in range(run.account[A_ROWS]):
            at = row * POSITION_WIDTH
            if run.positions[at + P_STEPS] != 0:
                price = worst_mark(run, row, event, symbol)
                rate = rate_at(run, event, run.positions[at + P_SYMBOL])
                earned = worth(run, row, price, rate)
                equity += earned
                if run.positions[at + P_SYMBOL] == symbol and (loser < 0 or earned < least):
                    loser, least = row, earned
        used = margin_with(run, event, (0, 0, 0, 0))
        if loser < 0 or is_stopped(equity, used, run.terms[STOP_LEVEL], run.terms[STOP_SCALE]) == 0:
            return
        throw_out(run, loser, event, symbol)


def throw_out(run: Run, row: int, event: int, symbol: int) -> None:
    """Close a position at its worst price, slipped; end every order that would open."""
    at = row * POSITION_WIDTH
    slip = extra(run, SLIP, event)
    held = run.positions[at + P_STEPS]
    found = worst_mark(run, row, event, symbol)
    price = adverse(-run.positions[at + P_SIDE], found, slip)
    place = leave(run, row, event, (held, price, BY_STOP_OUT, 0))
    if place >= 0:
        spread = run.ask[4 * event + OPEN] - run.bid[4 * event + OPEN]
        run.trades[place + T_SPREAD] += spread * held
        run.trades[place + T_SLIP] += 2 * slip * held
    run.account[A_STOP_OUTS] += 1
    for other in range(run.account[A_ORDER_ROWS]):
        at = other * ORDER_WIDTH
        if run.orders[at + O_KIND] >= 0 and run.orders[at + O_CLOSES] == 0:
            run.orders[at + O_KIND] = -1
            run.account[A_ORDERS] -= 1
