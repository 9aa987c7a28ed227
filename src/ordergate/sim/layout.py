"""What the bar loop works on: columns of the market, columns of the strategy, books as flat rows.

Integers throughout: prices in ticks, sizes in lot steps, money in fractions of the account
currency, moments as indices of events. An event is one bar of one symbol; events of all symbols
are in the order of their ends. Tables are flat: row r, field F is `table[r * WIDTH + F]`.
The tables of a run are few and plain: each is an address in the compiled loop.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Column(Protocol):
    """A list of integers as Python runs it, an array as it is compiled."""

    def __getitem__(self, place: int, /) -> int: ...


class Table(Protocol):
    def __getitem__(self, place: int, /) -> int: ...

    def __setitem__(self, place: int, value: int, /) -> None: ...


# What a strategy wants at a bar's close.
HOLD = 0
LONG = 1
SHORT = -1
FLAT = 2

# Kinds of an entry.
MARKET = 0
LIMIT = 1
STOP = 2

# Why a trade ended; 1 and 2 are those of `fills.protective`.
STILL_OPEN = 0
BY_ORDER = 3
BY_STOP_OUT = 4

# How sizes are made.
BY_LOTS = 0
BY_RISK = 1
BY_NOTIONAL = 2

# Terms of the run.
(
    BALANCE,
    GRID,
    TARGET_FIRST,
    STOP_LEVEL,
    STOP_SCALE,
    PER_SYMBOL,
    REVERSES,
    WAITS,
    SIZE_BY,
    SIZE,
    EQUITY_CAP,
    EVENTS,
    SYMBOLS,
    FINER,  # 1 = there are finer bars
    GATED,  # 1 = the gate's rules are asked
) = range(15)

# Columns of the market: where one begins in `extra`, then its step: 0 = one number for all events.
(
    SLIP,  # ticks
    CAP,  # most steps an order fills on this bar, -1 = all
    DEALT,  # 1 = fills happen on this bar
    OPEN_AFTER,  # 1 = the market is open at the bar's end
    SYMBOL,
    DUE,  # the event at whose open an order decided now fills; one number: how many on
    RATE,  # of every symbol, one after the other; where one number, the symbols' terms hold it
    BEGIN,  # of the finer bars of an event; they end where the next event's begin
) = range(16, 32, 2)

# Columns of the strategy, in `word`.
(
    W_STOP,
    W_TARGET,
    W_KIND,
    W_PRICE,
    W_UNTIL,  # events that a limit or stop entry rests
) = range(32, 42, 2)

# The gate's limits: millionths of the equity, money, millionths of the stop's distance.
G_NOTIONAL, G_NOTIONAL_MAX, G_RISK, G_REWARD = range(42, 46)

# Terms of a symbol, after those of the run.
SYMBOLS_AT = 64
(
    TICK_VALUE,
    PER_STEP,
    RATE_PPB,
    LEAST_FEE,
    SWAP_LONG,
    SWAP_SHORT,
    STEPS_MIN,
    STEPS_MAX,
    STOPS_LEVEL,
    LEVERAGE,
    BASIS,
    EXACT,  # 1 = a profit needs neither conversion nor rounding
    FIXED_RATE,
    STEPS_LOT,
    G_STEPS,  # largest order of the gate
    G_STOP,  # 1 = the gate requires a stop
    WEIGHTS,  # of the seven rollovers
) = range(17)
SYMBOL_WIDTH = 24

# A position.
(
    P_SYMBOL,
    P_SIDE,
    P_STEPS,
    P_COST,
    P_STOP,
    P_TARGET,
    P_OPENED,
    P_FEE,
    P_SWAP,
    P_SPREAD,
    P_SLIP,
    P_DELAY,
) = range(12)
POSITION_WIDTH = 12

# An order; O_KIND -1 = an empty row.
(
    O_SYMBOL,
    O_SIDE,
    O_KIND,
    O_STEPS,
    O_PRICE,
    O_STOP,
    O_TARGET,
    O_DUE,
    O_UNTIL,
    O_MIDDLE,
    O_CLOSES,
    O_POSITION,
) = range(12)
ORDER_WIDTH = 12

# A trade; spread, slippage and delay in half ticks x steps.
(
    T_SYMBOL,
    T_SIDE,
    T_STEPS,
    T_OPENED,
    T_CLOSED,
    T_COST,
    T_PRICE,
    T_STOP,
    T_TARGET,
    T_REASON,
    T_REALISED,
    T_FEE,
    T_SWAP,
    T_SPREAD,
    T_SLIP,
    T_DELAY,
    T_AMBIGUOUS,
    T_RATE,
) = range(18)
TRADE_WIDTH = 18

# The account, what was refused by reason, then the last bid and ask of each symbol.
(
    A_BALANCE,
    A_TRADES,
    A_STOP_OUTS,
    A_AMBIGUOUS,
    A_OPEN,
    A_ORDERS,
    A_FAULT,
    A_ROLL,
    A_ROWS,  # of the table of positions
    A_ORDER_ROWS,
    A_ROOM,  # trades that the table takes
) = range(11)
REFUSED_AT = 16
MARKS_AT = 80

NO_FAULT = 0
TRADES_FULL = 1
TOO_LARGE = 2

# Why an order was refused.
(
    R_MARKET_CLOSED,
    R_INVALID_VOLUME,
    R_INVALID_STOPS,
    R_INSUFFICIENT_MARGIN,
    R_STALE,
    R_STOP_REQUIRED,
    R_INVALID_PRICE,
    R_REWARD,
    R_QUANTITY,
    R_NOTIONAL,
    R_NOTIONAL_MAX,
    R_RISK,
) = range(12)

# Places in a bar of `bid`, `ask`; a row of `finer` is a bid bar, then an ask bar.
OPEN, HIGH, LOW, CLOSE = range(4)

# A rollover: 0 before its event's prices, 1 after them; the weekday that ends. The last stands
# after every event.
L_EVENT, L_AFTER, L_WEEKDAY = range(3)
ROLL_WIDTH = 3


class Run(NamedTuple):
    """One run: the market, the strategy's word, the terms; then the books, which it changes."""

    bid: Column  # [event x 4 + place]
    ask: Column
    extra: Column
    finer: Column  # [bar x 8 + place]
    rolls: Column
    terms: Column
    want: Column
    word: Column
    account: Table
    positions: Table
    orders: Table
    trades: Table
    equity: Table


def extra(run: Run, column: int, event: int) -> int:
    """Return what a column of the market holds of an event."""
    return run.extra[run.terms[column] + event * run.terms[column + 1]]


def said(run: Run, column: int, event: int) -> int:
    """Return what a column of the strategy holds of an event."""
    return run.word[run.terms[column] + event * run.terms[column + 1]]
