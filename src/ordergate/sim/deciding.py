"""What a strategy wants at a bar's close becomes orders: sizes, and what is refused."""

from __future__ import annotations

from ordergate.sim.carrying import carries
from ordergate.sim.costs import converted
from ordergate.sim.dealing import equity_now, rate_at
from ordergate.sim.fills import reaches
from ordergate.sim.layout import (
    A_ORDERS,
    BASIS,
    BY_LOTS,
    BY_RISK,
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
    REVERSES,
    SIZE,
    SIZE_BY,
    STEPS_LOT,
    STEPS_MAX,
    STEPS_MIN,
    STOP,
    STOPS_LEVEL,
    SYMBOL_WIDTH,
    TICK_VALUE,
    WAITS,
    Books,
    Market,
    Tape,
)
from ordergate.sim.rounding import floor, scaled

PPM = 1_000_000


def due_of(tape: Tape, event: int) -> int:
    """Return the event at whose open an order decided now fills; -1 = its price would be stale."""
    if tape.due_step == 0:
        return event + tape.due[0]
    return tape.due[event]


def decide(market: Market, books: Books, event: int, symbol: int) -> None:
    """Turn the strategy's word on a closed bar into orders."""
    want = market.word.want[event]
    if want == HOLD:
        return
    same, against = 0, 0
    for row in range(len(books.positions) // POSITION_WIDTH):
        at = row * POSITION_WIDTH
        if books.positions[at + P_STEPS] != 0 and books.positions[at + P_SYMBOL] == symbol:
            if books.positions[at + P_SIDE] == want:
                same += 1
            else:
                against += 1
    if want == FLAT:
        withdraw(books, symbol, 0)
        if against != 0:
            close_all(market, books, event, symbol)
        return
    if against != 0:
        if market.terms.run[REVERSES] == 0:
            return
        close_all(market, books, event, symbol)
    withdraw(books, symbol, want)
    if same + waiting(books, symbol, want) < market.terms.run[PER_SYMBOL]:
        ask_for(market, books, event, symbol)


def waiting(books: Books, symbol: int, side: int) -> int:
    """Return how many entries of a side wait for a new position."""
    if books.account[A_ORDERS] == 0:
        return 0
    count = 0
    for row in range(len(books.orders) // ORDER_WIDTH):
        at = row * ORDER_WIDTH
        orders = books.orders
        if (
            orders[at + O_KIND] >= 0
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_CLOSES] == 0
            and orders[at + O_SIDE] == side
            and orders[at + O_POSITION] < 0
        ):
            count += 1
    return count


def withdraw(books: Books, symbol: int, keep: int) -> None:
    """Cancel a symbol's entries but those of the side `keep`; 0 = all of them."""
    if books.account[A_ORDERS] == 0:
        return
    for row in range(len(books.orders) // ORDER_WIDTH):
        at = row * ORDER_WIDTH
        orders = books.orders
        if (
            orders[at + O_KIND] >= 0
            and orders[at + O_SYMBOL] == symbol
            and orders[at + O_CLOSES] == 0
            and orders[at + O_SIDE] != keep
        ):
            orders[at + O_KIND] = -1
            books.account[A_ORDERS] -= 1


def is_shut(market: Market, books: Books, event: int) -> int:
    """Say (1 or 0) whether an order decided now is refused: closed, or no price in time."""
    tape = market.tape
    if tape.open_after[event * tape.open_step] == 0 and market.terms.run[WAITS] == 0:
        books.refused[R_MARKET_CLOSED] += 1
        return 1
    if due_of(tape, event) < 0:
        books.refused[R_STALE] += 1
        return 1
    return 0


def close_all(market: Market, books: Books, event: int, symbol: int) -> None:
    """Send an order against every position of the symbol that has none yet; sides alike."""
    if closing(books, symbol) == 1 or is_shut(market, books, event) == 1:
        return
    for position in range(len(books.positions) // POSITION_WIDTH):
        at = position * POSITION_WIDTH
        steps = books.positions[at + P_STEPS]
        if (
            steps != 0
            and books.positions[at + P_SYMBOL] == symbol
            and books.positions[at + P_SIDE] != market.word.want[event]
        ):
            row = rest_order(market, books, event, symbol)
            place = row * ORDER_WIDTH
            books.orders[place + O_SIDE] = -books.positions[at + P_SIDE]
            books.orders[place + O_STEPS] = steps
            books.orders[place + O_CLOSES] = 1
            books.orders[place + O_POSITION] = position


def closing(books: Books, symbol: int) -> int:
    """Say (1 or 0) whether an exit of the symbol is on its way."""
    if books.account[A_ORDERS] == 0:
        return 0
    for row in range(len(books.orders) // ORDER_WIDTH):
        at = row * ORDER_WIDTH
        if (
            books.orders[at + O_KIND] >= 0
            and books.orders[at + O_SYMBOL] == symbol
            and books.orders[at + O_CLOSES] == 1
        ):
            return 1
    return 0


def rest_order(market: Market, books: Books, event: int, symbol: int) -> int:
    """Put an empty market order into a free row; its terms are for the caller to fill in."""
    tape, orders = market.tape, books.orders
    row = 0
    while orders[row * ORDER_WIDTH + O_KIND] >= 0:
        row += 1
    at = row * ORDER_WIDTH
    for field in range(ORDER_WIDTH):
        orders[at + field] = 0
    orders[at + O_SYMBOL] = symbol
    orders[at + O_KIND] = MARKET
    orders[at + O_DUE] = due_of(tape, event)
    orders[at + O_MIDDLE] = tape.bid_close[event] + tape.ask_close[event]
    orders[at + O_POSITION] = -1
    books.account[A_ORDERS] += 1
    return row


def ask_for(market: Market, books: Books, event: int, symbol: int) -> None:
    """Send the entry the strategy wants, or count why it is refused."""
    if is_shut(market, books, event) == 1:
        return
    word, tape, terms = market.word, market.tape, symbol * SYMBOL_WIDTH
    side = word.want[event]
    stop, target = word.stop[event * word.stop_step], word.target[event * word.target_step]
    kind, price = word.kind[event * word.kind_step], word.price[event * word.price_step]
    pays = tape.ask_close[event] if side > 0 else tape.bid_close[event]
    leaves = tape.bid_close[event] if side > 0 else tape.ask_close[event]
    if kind == STOP:
        least = max(1, market.terms.symbols[terms + STOPS_LEVEL])
        if side * (price - pays) < least:
            books.refused[R_INVALID_PRICE] += 1
            return
    basis = market.terms.symbols[terms + BASIS]
    if kind == STOP or (kind != MARKET and reaches(side, price, pays, basis) == 0):
        pays, leaves = price, price
    if stops_wrong(market, symbol, (side, stop, target, leaves)) == 1:
        books.refused[R_INVALID_STOPS] += 1
        return
    steps = sized(market, books, event, (symbol, side, pays, stop))
    if steps < 0:
        books.refused[R_STOP_REQUIRED] += 1
        return
    if steps < market.terms.symbols[terms + STEPS_MIN]:
        books.refused[R_INVALID_VOLUME] += 1
        return
    if carries(market, books, event, (symbol, side, steps, pays)) == 0:
        books.refused[R_INSUFFICIENT_MARGIN] += 1
        return
    at = rest_order(market, books, event, symbol) * ORDER_WIDTH
    orders = books.orders
    orders[at + O_SIDE] = side
    orders[at + O_KIND] = kind
    orders[at + O_STEPS] = steps
    orders[at + O_PRICE] = price
    orders[at + O_STOP] = stop
    orders[at + O_TARGET] = target
    orders[at + O_UNTIL] = orders[at + O_DUE] + word.until[event * word.until_step]


def stops_wrong(market: Market, symbol: int, asked: tuple[int, int, int, int]) -> int:
    """Say (1 or 0) whether stop or target are not beyond where the position would be closed.

    asked = side, stop, target, that price; by the stops level, at least a tick.
    """
    side, stop, target, leaves = asked
    least = max(1, market.terms.symbols[symbol * SYMBOL_WIDTH + STOPS_LEVEL])
    if stop != 0 and side * (leaves - stop) < least:
        return 1
    if target != 0 and side * (target - leaves) < least:
        return 1
    return 0


def sized(market: Market, books: Books, event: int, asked: tuple[int, int, int, int]) -> int:
    """Return the steps of an entry, rounded down and at most the largest; -1 = it needs a stop.

    asked = symbol, side, price, stop.
    """
    symbol, side, price, stop = asked
    terms = symbol * SYMBOL_WIDTH
    symbols, run = market.terms.symbols, market.terms.run
    most = symbols[terms + STEPS_MAX]
    if run[SIZE_BY] == BY_LOTS:
        return min(symbols[terms + STEPS_LOT], most)
    value = symbols[terms + TICK_VALUE]
    rate = rate_at(market, event, symbol)
    if run[SIZE_BY] == BY_RISK:
        if stop == 0:
            return -1
        money = scaled(max(equity_now(market, books, event), 0), run[SIZE], PPM)
        each = converted(side * (price - stop) * value, rate)
    else:
        money = run[SIZE]
        each = converted(price * value, rate)
    if each <= 0:
        return 0
    return min(floor(money, each), most)
