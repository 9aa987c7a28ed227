"""What a venue says it holds for us: account, positions, orders, capabilities."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import Fill, VenueStatus
from ordergate.model.values import AccountId, PositionId, Symbol, Tag, VenueName, VenueOrderId


class Mode(enum.StrEnum):
    """What the venue itself proved the account to be."""

    PAPER = "paper"
    DEMO = "demo"
    LIVE = "live"


PRACTICE: Final = frozenset({Mode.PAPER, Mode.DEMO})  # no real money


@dataclass(frozen=True, slots=True)
class AccountIdentity:
    account: AccountId
    venue: VenueName
    mode: Mode
    proof: str  # how the venue proved the mode
    trade_allowed: bool = True  # False: the venue takes no order now (auto-trading is off)
    simulated: bool = False  # a double in the venue's place: its clock is its prices'


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """Balances in `currency`; the loss day follows the venue's day.

    What is paid in or out on the day shifts `day_start_equity`: a deposit is no gain.
    """

    currency: str
    balance: Decimal
    equity: Decimal
    margin_used: Decimal
    margin_free: Decimal
    open_pnl: Decimal
    day: date  # the venue's trading day
    day_start_equity: Decimal | None
    realised_today: Decimal
    time: datetime  # venue clock
    paid_in: Decimal | None = None  # deposits less withdrawals so far; None = the venue is silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What losses are measured from, in account currency; None = not known.

    Deposits and withdrawals shift them: paying in is no gain, paying out no loss.
    """

    week_start_equity: Decimal | None = None
    peak_equity: Decimal | None = None
    book_day_start_equity: Decimal | None = None


class CashKind(enum.StrEnum):
    """What moves a balance, or a holding, without an execution."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DIVIDEND = "dividend"
    SWAP = "swap"
    FEE = "fee"
    SPLIT = "split"
    OTHER = "other"  # the venue's own word fits none of these


@dataclass(frozen=True, slots=True, kw_only=True)
class CashLine:
    """One line of the venue's statement that is no execution; `amount` in account currency."""

    line_id: str
    kind: CashKind
    amount: Decimal  # signed, as credited
    time: datetime  # venue clock
    symbol: Symbol | None = None
    quantity: Decimal = Decimal(0)  # lots a split added to the holding, signed
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SebiPack:
    """What a venue under SEBI's rules must show; None = it is not known. Other venues: no pack."""

    algo_id: str | None
    static_ip: bool | None  # the egress address is the registered one
    second_factor_age_s: Decimal | None
    signed_in_today: bool | None
    trail_years: int | None  # how long orders and their trail are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    position_id: PositionId
    symbol: Symbol
    side: Side
    quantity: Decimal
    open_price: Decimal
    current_price: Decimal | None  # the side it would close at; None = no quote
    stop_loss: Decimal | None
    take_profit: Decimal | None
    open_pnl: Decimal | None  # account currency; None = no quote
    swap: Decimal
    opened_at: datetime
    tag: Tag | None  # of the attempt that opened it


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrderState:
    """One order in the venue's books, open or ended."""

    venue_order_id: VenueOrderId
    tag: Tag | None
    symbol: Symbol
    side: Side
    order_type: OrderType
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None
    status: VenueStatus
    time_in_force: TimeInForce
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    reduce_only: bool = False
    position_id: PositionId | None = None  # the one it reduces, or the one it has opened so far
    oco_group: str | None = None  # one of the group is executed, the others are cancelled
    placed_at: datetime | None = None
    done_at: datetime | None = None
    code: str | None = None  # of a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSnapshot:
    """One consistent read of an account."""

    identity: AccountIdentity
    account: AccountState
    positions: tuple[Position, ...]
    open_orders: tuple[VenueOrderState, ...]
    venue_time: datetime
    sebi: SebiPack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another account of the book, as just read; `snapshot` None = it could not be read."""

    account: AccountId
    venue: VenueName
    snapshot: VenueSnapshot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueHistory:
    """Everything of an account since a moment: orders (open and ended), fills, change tags, cash.

    A full scan, read to its last page: only such a scan may say that a tag was not found.
    `applied` holds the tags of modifications and cancels that the venue carried out and kept.
    """

    orders: tuple[VenueOrderState, ...]
    fills: tuple[Fill, ...]
    applied: frozenset[Tag]
    venue_time: datetime
    cash: tuple[CashLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a venue can do; a kind not listed is refused."""

    order_types: frozenset[OrderType]
    time_in_force: frozenset[TimeInForce]
    attached_stops: bool  # stop and target rest at the venue with the position
    modify_in_place: bool
    refuses_over_close: bool  # a second close after an UNKNOWN one is safe
    settle_window_s: Decimal  # least age before "not found" may be resolved by a human
    refusals: Mapping[str, Code]  # what each word of its definitive list means
    oco_groups: bool = True  # of a group one order is executed, the others it cancels itself
