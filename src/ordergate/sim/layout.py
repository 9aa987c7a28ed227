"""What the bar loop works on: columns of the market, columns of the strategy, books as flat rows.

Integers throughout: prices in ticks, sizes in lot steps, money in fractions of the account
currency, moments as indices of events. An event is one bar of one symbol; events of all symbols
are in the order of their ends. Tables are flat: row r, field F is `table[r * WIDTH + F]`.
A column whose `_step` is 0 holds one number that counts for every event.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Column(Protocol):
    """A list of integers as Python runs it, an array as it is compiled."""

    def __getitem__(self, place: int, /) -> int: ...

    def __len__(self) -> int: ...


class Table(Protocol):
    def __getitem__(self, place: int, /) -> int: ...

    def __setitem__(self, place: int, value: int, /) -> None: ...

    def __len__(self) -> int: ...


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
    STALE,
    EQUITY_CAP,
    OPEN_MAX,
    GATED,
) = range(14)
RUN_WIDTH = 14

# Terms of a symbol.
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
    EXACT,
    RATE,
    STEPS_LOT,
) = range(14)
SYMBOL_WIDTH = 14

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

# The account.
A_BALANCE, A_TRADES, A_STOP_OUTS, A_AMBIGUOUS, A_OPEN, A_ORDERS, A_FAULT, A_ROLL, A_REAL = range(9)
ACCOUNT_WIDTH = 9

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
    R_POLICY,
) = range(8)
REFUSALS_WIDTH = 64


class Tape(NamedTuple):
    """The market, an event a row."""

    bid_open: Column
    bid_high: Column
    bid_low: Column
    bid_close: Column
    ask_open: Column
    ask_high: Column
    ask_low: Column
    ask_close: Column
    symbol: Column
    symbol_step: int
    due: Column  # the event at whose open an order decided at this event's close fills
    due_step: int  # 0: this event + due[0]
    dealt: Column  # 1 = fills happen on this bar
    dealt_step: int
    open_after: Column  # 1 = the market is open at the bar's end
    open_step: int
    slip: Column
    slip_step: int
    cap: Column  # most steps an order fills on this bar, -1 = all
    cap_step: int
    rate: Column  # of every symbol, one after the other: [symbol x events + event]
    rate_step: int


class Finer(NamedTuple):
    """Bars of a lower timeframe; those of event i are `begin[i]` up to `begin[i + 1]`."""

    bid_open: Column
    bid_high: Column
    bid_low: Column
    bid_close: Column
    ask_open: Column
    ask_high: Column
    ask_low: Column
    ask_close: Column
    begin: Column  # of one row: there are none


class Rolls(NamedTuple):
    """The rollovers: 0 before an event's prices, 1 after them; `weekday` is the day that ends."""

    event: Column
    after: Column
    weekday: Column
    weights: Column  # [symbol x 7 + weekday]


class Word(NamedTuple):
    """What the strategy wants, an event a row; stops and targets 0 = none."""

    want: Column
    stop: Column
    stop_step: int
    target: Column
    target_step: int
    kind: Column
    kind_step: int
    price: Column
    price_step: int
    until: Column  # events that a limit or stop entry rests
    until_step: int


class Terms(NamedTuple):
    run: Column
    symbols: Column
    gate: Column  # see `gate`


class Market(NamedTuple):
    tape: Tape
    finer: Finer
    rolls: Rolls
    word: Word
    terms: Terms


class Books(NamedTuple):
    account: Table
    positions: Table
    orders: Table
    trades: Table
    equity: Table
    marks: Table  # [2 x symbol] bid, then ask, of the last bar seen
    refused: Table
    tally: Table  # what the gate keeps of the day
