"""Orders as they are asked for: intents, and the words for their kinds, lanes and states."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ordergate.model.values import (
    AccountId,
    OrderId,
    PositionId,
    Symbol,
    Tag,
    VenueName,
    VenueOrderId,
)


class Side(enum.StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(enum.StrEnum):
    GTC = "gtc"
    DAY = "day"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"


class Action(enum.StrEnum):
    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    CLOSE = "close"


class Lane(enum.StrEnum):
    """Which column of the control table judges a request (reliability.md 1.2)."""

    OPEN = "open"
    TIGHTEN = "tighten"
    CLOSE = "close"
    CANCEL = "cancel"


class Keep(enum.Enum):
    """Marks a field of a modification that keeps its value."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceIntent:
    """A new order. `stop_price` triggers stop kinds; `limit_price` limits limit kinds."""

    account: AccountId
    venue: VenueName
    symbol: Symbol
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None  # price distance
    trail_percent: Decimal | None = None  # percent of the price, 1.5 = 1.5 %
    time_in_force: TimeInForce = TimeInForce.GTC
    good_till: datetime | None = None  # venue clock; GTD only
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    reduce_only: bool = False
    oco_group: str | None = None
    position_id: PositionId | None = None  # the one it reduces: the gate's own exits alone
    strategy: str | None = None
    note: str | None = None  # the agent's words: untrusted, shown apart, never judged

    @property
    def action(self) -> Action:
        return Action.PLACE


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyIntent:
    """New terms for a resting order, or a position's stop and target. None removes, KEEP leaves."""

    account: AccountId
    venue: VenueName
    symbol: Symbol
    venue_order_id: VenueOrderId | None = None
    position_id: PositionId | None = None
    stop_loss: Decimal | Keep | None = KEEP
    take_profit: Decimal | Keep | None = KEEP
    limit_price: Decimal | Keep = KEEP
    stop_price: Decimal | Keep = KEEP
    quantity: Decimal | Keep = KEEP
    note: str | None = None

    @property
    def action(self) -> Action:
        return Action.MODIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIntent:
    """Cancel one resting order, named by the venue's id."""

    account: AccountId
    venue: VenueName
    symbol: Symbol
    venue_order_id: VenueOrderId
    target_order_id: OrderId | None = None  # our order it belongs to, where it is ours
    note: str | None = None

    @property
    def action(self) -> Action:
        return Action.CANCEL


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIntent:
    """Close a position, all of it (quantity None, residue included) or a part."""

    account: AccountId
    venue: VenueName
    symbol: Symbol
    position_id: PositionId
    quantity: Decimal | None = None
    limit_price: Decimal | None = None  # no worse than this: a step of the ladder; None = market
    note: str | None = None

    @property
    def action(self) -> Action:
        return Action.CLOSE


Intent = PlaceIntent | ModifyIntent | CancelIntent | CloseIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """What goes over the wire for an order or a close; with `position_id` it reduces that one."""

    tag: Tag
    magic: int
    account: AccountId
    symbol: Symbol
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    good_till: datetime | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    reduce_only: bool = False
    position_id: PositionId | None = None
    oco_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueModify:
    """New terms for a resting order or for a position's stop and target, in one atomic step."""

    tag: Tag
    account: AccountId
    symbol: Symbol
    venue_order_id: VenueOrderId | None = None
    position_id: PositionId | None = None
    stop_loss: Decimal | Keep | None = KEEP
    take_profit: Decimal | Keep | None = KEEP
    limit_price: Decimal | Keep = KEEP
    stop_price: Decimal | Keep = KEEP
    quantity: Decimal | Keep = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCancel:
    tag: Tag
    account: AccountId
    symbol: Symbol
    venue_order_id: VenueOrderId


class OrderState(enum.StrEnum):
    """States of an intent (reliability.md 2.4)."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    POLICY_REJECTED = "policy_rejected"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    ACTIVE = "active"
    REQUOTED = "requoted"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    KILLED = "killed"
    DONE = "done"


class AttemptState(enum.StrEnum):
    """States of one try to place, modify or cancel at the venue (reliability.md 2.4)."""

    SENDING = "sending"
    AWAITING_PROMPT = "awaiting_prompt"
    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    VENUE_EXPIRED = "venue_expired"
    REPLACED = "replaced"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    PARKED = "parked"
    RESOLVED_NOT_PLACED = "resolved_not_placed"
    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
