"""What a venue's answer may be: acknowledged, refused, never sent, or unknown."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.orders import Side
from ordergate.model.values import PositionId, Symbol, Tag, VenueOrderId


class VenueStatus(enum.StrEnum):
    """An order's status in the venue's own books."""

    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"


class FillEffect(enum.StrEnum):
    OPENING = "opening"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution as the venue booked it; `realised` and `commission` in account currency."""

    trade_id: str
    venue_order_id: VenueOrderId
    tag: Tag | None
    symbol: Symbol
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    realised: Decimal
    time: datetime
    position_id: PositionId | None
    effect: FillEffect
    reason: str = "order"  # "order", "stop_loss", "take_profit", "stop_out", "trailing_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """The venue took it. For a modify or cancel: applied, and `status` is the target's."""

    venue_order_id: VenueOrderId
    status: VenueStatus
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    position_id: PositionId | None = None
    fills: tuple[Fill, ...] = field(default=())
    venue_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue said no, with a code on its list of definitive refusals."""

    code: str
    reason: str
    requote: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Provably nothing left: no byte was written."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is proven; reconciliation must find out."""

    reason: str


Outcome = Acked | Rejected | NotSent | Unknown


DUPLICATE_TAG: Final = "DUPLICATE_TAG"  # the venue has an order under this tag: look it up


class VenueRefusal(Exception):
    """Raised by a venue adapter when the venue definitively said no; `requote`: try again."""

    def __init__(self, code: str, reason: str, *, requote: bool = False) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.requote = requote


class NeverSent(Exception):
    """Raised by a venue adapter only when provably no byte of the request left."""
