"""The rows of the simulated trade server: an account, its orders, positions and deals."""

from __future__ import annotations

from dataclasses import dataclass, field

from ordergate.testing.mt5.constants import Constants as K

MONEY: int = 10**8  # money is counted in these parts of a currency


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTerms:
    """What a broker agreed with a client. Balance in whole units of the currency."""

    login: int = 50_001
    trade_mode: int = K.ACCOUNT_TRADE_MODE_DEMO
    margin_mode: int = K.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
    currency: str = "USD"
    balance: int = 100_000
    leverage: int = 30
    server: str = "Simulated-Demo"
    name: str = "Simulated Client"
    company: str = "ordergate simulated broker"
    currency_digits: int = 2
    stop_out_percent: int = 50
    limit_orders: int = 200
    fifo_close: bool = False
    commission_per_lot: int = 0  # whole units of the account currency, each side
    broker_offset_s: int = 2 * 3600  # the server's clock less UTC


@dataclass(slots=True, kw_only=True)
class Switches:
    """What may forbid trading, each in a place of its own."""

    running: bool = True  # the terminal
    logged_in: bool = True
    connected: bool = True  # to the trade server
    algo_trading: bool = True  # the AlgoTrading button
    python_api: bool = True  # the terminal's option
    investor: bool = False  # signed in with the investor password
    experts: bool = True  # the broker lets programs trade
    at_server: bool = True  # automated trading at the server
    drops_stops: bool = False  # sl and tp of a market order are lost
    drops_magic: bool = False  # on deals that close by sl or tp
    comment_cut: int | None = None  # the server keeps so many characters of a comment
    comment_is: str | None = None  # the server writes its own


@dataclass(slots=True, kw_only=True)
class OrderRow:
    ticket: int
    symbol: str
    type: int
    steps: int
    left: int
    price: int  # points; 0 = market
    stop_limit: int = 0
    sl: int = 0
    tp: int = 0
    deviation: int = 0
    filling: int = K.ORDER_FILLING_RETURN
    time_type: int = K.ORDER_TIME_GTC
    expiration: int = 0  # broker seconds
    magic: int = 0
    comment: str = ""
    state: int = K.ORDER_STATE_PLACED
    reason: int = K.ORDER_REASON_EXPERT
    position: int = 0
    position_by: int = 0
    setup_msc: int = 0
    done_msc: int = 0

    @property
    def buys(self) -> bool:
        return self.type in BUYS

    @property
    def side(self) -> int:
        return 1 if self.buys else -1


@dataclass(slots=True, kw_only=True)
class PositionRow:
    ticket: int
    symbol: str
    side: int
    steps: int
    cost: int  # sum of points x steps
    sl: int = 0
    tp: int = 0
    magic: int = 0
    comment: str = ""
    reason: int = K.POSITION_REASON_EXPERT
    swap: int = 0
    opened_msc: int = 0
    updated_msc: int = 0


@dataclass(slots=True, kw_only=True)
class DealRow:
    ticket: int
    order: int
    time_msc: int
    type: int
    entry: int
    symbol: str = ""
    magic: int = 0
    position: int = 0
    reason: int = K.DEAL_REASON_EXPERT
    steps: int = 0
    price: int = 0  # points
    commission: int = 0  # money, as credited
    swap: int = 0
    profit: int = 0
    comment: str = ""


@dataclass(slots=True)
class TickRow:
    """One quote. Points; `msc` in broker time."""

    bid: int
    ask: int
    msc: int


@dataclass(slots=True)
class Books:
    """Everything the server knows of one account."""

    balance: int = 0
    orders: dict[int, OrderRow] = field(default_factory=dict)
    past: dict[int, OrderRow] = field(default_factory=dict)
    positions: dict[int, PositionRow] = field(default_factory=dict)
    deals: list[DealRow] = field(default_factory=list)
    ticket: int = 7_000_000


BUYS = frozenset(
    {
        K.ORDER_TYPE_BUY,
        K.ORDER_TYPE_BUY_LIMIT,
        K.ORDER_TYPE_BUY_STOP,
        K.ORDER_TYPE_BUY_STOP_LIMIT,
    }
)
