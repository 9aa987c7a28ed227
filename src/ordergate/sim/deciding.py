"""What a strategy wants at a bar's close becomes orders: sizes, and what is refused."""

from __future__ import annotations

from ordergate.sim.carrying import carries
from ordergate.sim.costs import converted
from ordergate.sim.dealing import equity_now, rate_at
from ordergate.sim.fills import reaches
from ordergate.sim.gating import gated
from ordergate.sim.layout import (
    A_ORDER_ROWS,
    A_ORDERS,
    A_ROWS,
    BASIS,
    BY_LOTS,
    BY_RISK,
    CLOSE,
    DUE,
    FLAT,
    HOLD,
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
    OPEN_AFTER,
    ORDER_WIDTH,
    P_SIDE,
    P_STEPS,
    P_SYMBOL,
    PER_SYMBOL,
    POSITION_WIDTH,
    R_INSUFFICIENT_MARGIN,
    R_INVALID_PRICE,
    R_INVALID_STOPS,
    R_INVALID_VOLUME,
    R_MARKET_CLOSED,
    R_STALE,
    R_STOP_REQUIRED,
    REFUSED_AT,
    REVERSES,
    SIZE,
    SIZE_BY,
    STEPS_LOT,
    STEPS_MAX,
    STEPS_MIN,
    STOP,
    STOPS_LEVEL,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    TICK_VALUE,
    W_KIND,
    W_PRICE,
    W_STOP,
    W_TARGET,
    W_UNTIL,
    WAITS,
    Run,
    extra,
    said,
)
from ordergate.sim.rounding import floor, scaled

PPM = 1_000_000


def due_of(run: Run, event: int) -> int:
    """Return the event at whose open an order decided now fills; -1 = its price would be stale."""
    if run.terms[DUE + 1] == 0:
        return event + run.extra[run.terms[DUE]]
    return extra(run, DUE, event)


def decide(run: Run, event: int, symbol: int) -> None:
    """Turn the strategy's word on a closed bar into orders."""
    want = run.want[event]
    if want == HOLD:
        return
    same, against = 0, 0
    for row in range(run.account[A_ROWS]):
        at = row * POSITION_WIDTH
        if run.positions[at + P_STEPS] != 0 and run.positions[at + P_SYMBOL] == symbol:
            if run.positions[at + P_SIDE] == want:
                same += 1
            else:
                against += 1
    if want == FLAT:
        withdraw(run, symbol, 0)
        if against != 0:
            close_all(run, event, symbol)
        return
    if against != 0:
        if run.terms[REVERSES] == 0:
            return
        close_all(run, event, symbol)
    withdraw(run, symbol, want)
    if same + waiting(run, symbol, want) < run.terms[PER_SYMBOL]:
        ask_for(run, event, symbol)


def waiting(run: Run, symbol: int, side: int) -> int:
    """Return how many entries of a side wait for a new position."""
    if run.account[A_ORDERS] == 0:
        return 0
    count = 0
    for row in range(run.account[A_ORDER_ROWS]):
        at = row * ORDER_WIDTH
        orders = run.orders
        if (
            orders[at + O_KIND] >= 0
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_CLOSES] == 0
            and orders[at + O_SIDE] == side
            and orders[at + O_POSITION] < 0
        ):
            count += 1
    return count


def withdraw(run: Run, symbol: int, keep: int) -> None:
    """Cancel a symbol's entries but those of the side `keep`; 0 = all of them."""
    if run.account[A_ORDERS] == 0:
        return
    for row in range(run.account[A_ORDER_ROWS]):
        at = row * ORDER_WIDTH
        orders = run.orders
        if (
            orders[at + O_KIND] >= 0
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_CLOSES] == 0
            and orders[at + O_SIDE] != keep
        ):
            orders[at + O_KIND] = -1
            run.account[A_ORDERS] -= 1


def is_shut(run: Run, event: int) -> int:
    """Say (1 or 0) whether an order decided now is refused: closed, or no price in time."""
    if extra(run, OPEN_AFTER, event) == 0 and run.terms[WAITS] == 0:
        run.account[REFUSED_AT + R_MARKET_CLOSED] += 1
        return 1
    if due_of(run, event) < 0:
        run.account[REFUSED_AT + R_STALE] += 1
        return 1
    return 0


def close_all(run: Run, event: int, symbol: int) -> None:
    """Send an order against every position of the symbol that has none yet; sides alike."""
    if closing(run, symbol) == 1 or is_shut(run, event) == 1:
        return
    for position in range(run.account[A_ROWS]):
        at = position * POSITION_WIDTH
        steps = run.positions[at + P_STEPS]
        if (
            steps != 0
            and run.positions[at + P_SYMBOL] == symbol
            and run.positions[at + P_SIDE] != run.want[event]
        ):
            row = rest_order(run, event, symbol)
            place = row * ORDER_WIDTH
            run.orders[place + O_SIDE] = -run.positions[at + P_SIDE]
            run.orders[place + O_STEPS] = steps
            run.orders[place + O_CLOSES] = 1
            run.orders[place + O_POSITION] = position


def closing(run: Run, symbol: int) -> int:
    """Say (1 or 0) whether an exit of the symbol is on its way."""
    if run.account[A_ORDERS] == 0:
        return 0
    for row in range(run.account[A_ORDER_ROWS]):
        at = row * ORDER_WIDTH
        if (
            run.orders[at + O_KIND] >= 0
            and run.orders[at + O_SYMBOL] == symbol
            and run.orders[at + O_CLOSES] == 1
        ):
            return 1
    return 0


def rest_order(run: Run, event: int, symbol: int) -> int:
    """Put an empty market order into a free row; its terms are for the caller to fill in."""
    orders = run.orders
    row = 0
    while orders[row * ORDER_WIDTH + O_KIND] >= 0:
        row += 1
    at = row * ORDER_WIDTH
    for field in range(ORDER_WIDTH):
        orders[at + field] = 0
    orders[at + O_SYMBOL] = symbol
    orders[at + O_KIND] = MARKET
    orders[at + O_DUE] = due_of(run, event)
    orders[at + O_MIDDLE] = run.bid[4 * event + CLOSE] + run.ask[4 * event + CLOSE]
    orders[at + O_POSITION] = -1
    run.account[A_ORDERS] += 1
    return row


def ask_for(run: Run, event: int, symbol: int) -> None:
    """Send the entry the strategy wants, or count why it is refused."""
    if is_shut(run, event) == 1:
        return
    terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
    side = run.want[event]
    stop, target = said(run, W_STOP, event), said(run, W_TARGET, event)
    kind, price = said(run, W_KIND, event), said(run, W_PRICE, event)
    pays = run.ask[4 * event + CLOSE] if side > 0 else run.bid[4 * event + CLOSE]
    leaves = run.bid[4 * event + CLOSE] if side > 0 else run.ask[4 * event + CLOSE]
    if kind == STOP:
        least = max(1, run.terms[terms + STOPS_LEVEL])
        if side * (price - pays) < least:
            run.account[REFUSED_AT + R_INVALID_PRICE] += 1
            return
    basis = run.terms[terms + BASIS]
    if kind == STOP or (kind != MARKET and reaches(side, price, pays, basis) == 0):
        pays, leaves = price, price
    if stops_wrong(run, symbol, (side, stop, target, leaves)) == 1:
        run.account[REFUSED_AT + R_INVALID_STOPS] += 1
        return
    steps = sized(run, event, (symbol, side, pays, stop))
    if steps < 0:
        run.account[REFUSED_AT + R_STOP_REQUIRED] += 1
        return
    if steps < run.terms[terms + STEPS_MIN]:
        run.account[REFUSED_AT + R_INVALID_VOLUME] += 1
        return
    no = gated(run, event, symbol, (side, steps, pays, stop, target))
    if no >= 0:
        run.account[REFUSED_AT + no] += 1
        return
    if carries(run, event, (symbol, side, steps, pays)) == 0:
        run.account[REFUSED_AT + R_INSUFFICIENT_MARGIN] += 1
        return
    at = rest_order(run, event, symbol) * ORDER_WIDTH
    orders = run.orders
    orders[at + O_SIDE] = side
    orders[at + O_KIND] = kind
    orders[at + O_STEPS] = steps
    orders[at + O_PRICE] = price
    orders[at + O_STOP] = stop
    orders[at + O_TARGET] = target
    orders[at + O_UNTIL] = orders[at + O_DUE] + said(run, W_UNTIL, event)


def stops_wrong(run: Run, symbol: int, asked: tuple[int, int, int, int]) -> int:
    """Say (1 or 0) whether stop or target are not beyond where the position would be closed.

    asked = side, stop, target, that price; by the stops level, at least a tick.
    """
    side, stop, target, leaves = asked
    least = max(1, run.terms[SYMBOLS_AT + symbol * SYMBOL_WIDTH + STOPS_LEVEL])
    if stop != 0 and side * (leaves - stop) < least:
        return 1
    if target != 0 and side * (target - leaves) < least:
        return 1
    return 0


def sized(run: Run, event: int, asked: tuple[int, int, int, int]) -> int:
    """Return the steps of an entry, rounded down and at most the largest; -1 = it needs a stop.

    asked = symbol, side, price, stop.
    """
    symbol, side, price, stop = asked
    terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
    most = run.terms[terms + STEPS_MAX]
    if run.terms[SIZE_BY] == BY_LOTS:
        return min(run.terms[terms + STEPS_LOT], most)
    value = run.terms[terms + TICK_VALUE]
    rate = rate_at(run, event, symbol)
    if run.terms[SIZE_BY] == BY_RISK:
        if stop == 0:
            return -1
        money = scaled(max(equity_now(run, event), 0), run.terms[SIZE], PPM)
        each = converted(side * (price - stop) * value, rate)
    else:
        money = run.terms[SIZE]
        each = converted(price * value, rate)
    if each <= 0:
        return 0
    return min(floor(money, each), most)
