"""MetaQuotes' numbers, as far as the adapter speaks of them. The meanings are in `mapping`."""

from __future__ import annotations

from typing import Final

ACTION_DEAL: Final = 1
ACTION_PENDING: Final = 5
ACTION_SLTP: Final = 6
ACTION_MODIFY: Final = 7
ACTION_REMOVE: Final = 8
ACTION_CLOSE_BY: Final = 10

BUY: Final = 0
SELL: Final = 1
BUY_LIMIT: Final = 2
SELL_LIMIT: Final = 3
BUY_STOP: Final = 4
SELL_STOP: Final = 5
BUY_STOP_LIMIT: Final = 6
SELL_STOP_LIMIT: Final = 7
CLOSE_BY: Final = 8

FILLING_FOK: Final = 0
FILLING_IOC: Final = 1
FILLING_RETURN: Final = 2
MASK_FOK: Final = 1
MASK_IOC: Final = 2

TIME_GTC: Final = 0
TIME_DAY: Final = 1
TIME_SPECIFIED: Final = 2
TIME_SPECIFIED_DAY: Final = 3

STATE_STARTED: Final = 0
STATE_PLACED: Final = 1
STATE_CANCELED: Final = 2
STATE_PARTIAL: Final = 3
STATE_FILLED: Final = 4
STATE_REJECTED: Final = 5
STATE_EXPIRED: Final = 6

REASON_SL: Final = 4  # of orders and of deals alike
REASON_TP: Final = 5
REASON_SO: Final = 6

DEAL_BUY: Final = 0
DEAL_SELL: Final = 1
DEAL_BALANCE: Final = 2
DEAL_CREDIT: Final = 3
DEAL_CHARGE: Final = 4
DEAL_CORRECTION: Final = 5
DEAL_BONUS: Final = 6
DEAL_COMMISSIONS: Final = frozenset(range(7, 12))
DEAL_INTEREST: Final = 12
DEAL_DIVIDENDS: Final = frozenset({15, 16})
DEAL_TAX: Final = 17
ENTRY_IN: Final = 0
ENTRY_OUT: Final = 1
ENTRY_INOUT: Final = 2
ENTRY_OUT_BY: Final = 3

DEMO: Final = 0
CONTEST: Final = 1
REAL: Final = 2
NETTING: Final = 0
EXCHANGE: Final = 1
HEDGING: Final = 2

CALC_FOREX: Final = frozenset({0, 5})
EXECUTION_MARKET: Final = 2
SWAP_POINTS: Final = 1
TIMEFRAME_D1: Final = 16408

PLACED: Final = 10008
DONE: Final = 10009
DONE_PARTIAL: Final = 10010
INVALID_FILL: Final = 10030
NO_CHANGES: Final = 10025
POSITION_CLOSED: Final = 10036

# `last_error` after None, venues.md 3.5: nothing left the terminal for the trade server.
NOT_SENT: Final = frozenset({-2, -6, -7, -8, -10003, -10004})
NO_LINK: Final = frozenset({-10003, -10004, -10005})
ABSENT: Final = frozenset({1, -4})  # "success" without an answer, or "not found"
