"""What may be asked: one strict model per operation."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ordergate.surfaces.catalogue.fields import (
    AssetClassName,
    Cursor,
    DecimalText,
    IdText,
    NameText,
    NoteText,
    OrderTypeName,
    Request,
    Rows,
    ScopeName,
    SideName,
    SymbolText,
    TimeframeName,
    TimeInForceName,
    TimeText,
    VenueText,
)

KindOfRecord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]+$", max_length=64)]

BarsFrom = Annotated[
    str, StringConstraints(pattern=r"^(live|store(:[a-z0-9._-]+)?)$", max_length=40)
]


class Nothing(Request):
    pass


class Instruments(Request):
    asset_class: AssetClassName | None = None
    limit: Rows = 50
    cursor: Cursor | None = None


class Quotes(Request):
    symbols: list[SymbolText] = Field(min_length=1, max_length=50)


class Ticks(Request):
    symbol: SymbolText
    limit: int = Field(default=100, ge=1, le=400)


class Bars(Request):
    symbol: SymbolText
    timeframe: TimeframeName = "M5"
    limit: int = Field(default=100, ge=1, le=300)
    before: TimeText | None = Field(default=None, description="bars that start before; UTC")
    source: BarsFrom = Field(default="live", description="store: imported; store:VENUE")


class Account(Request):
    section: Literal["summary", "positions", "orders", "all"] = "summary"


class Positions(Request):
    symbol: SymbolText | None = None
    limit: Rows = 50
    cursor: Cursor | None = None


class Orders(Request):
    scope: Literal["open", "draft", "waiting", "ended", "all"] = "open"
    symbol: SymbolText | None = None
    limit: Rows = 20
    cursor: Cursor | None = None


class OneOrder(Request):
    order_id: IdText


class Wait(Request):
    order_id: IdText
    timeout_s: int = Field(default=30, ge=1, le=120)


class Fills(Request):
    limit: Rows = 50
    cursor: Cursor | None = None


class Terms(Request):
    """A new order's terms."""

    symbol: SymbolText
    side: SideName
    order_type: OrderTypeName = "market"
    quantity: DecimalText = Field(description="lots")
    limit_price: DecimalText | None = None
    stop_price: DecimalText | None = None
    trail_amount: DecimalText | None = Field(default=None, description="price distance")
    trail_percent: DecimalText | None = None
    time_in_force: TimeInForceName = "gtc"
    good_till: TimeText | None = None
    stop_loss: DecimalText | None = None
    take_profit: DecimalText | None = None
    reduce_only: bool = False
    oco_group: IdText | None = None
    strategy: IdText | None = None
    venue: VenueText | None = None


class Order(Terms):
    note: NoteText | None = None
    idempotency_key: IdText | None = None


class Modify(Request):
    """New terms for a resting order or a position; null takes a stop or a target away."""

    nullable: ClassVar[frozenset[str]] = frozenset({"stop_loss", "take_profit"})

    order_id: IdText | None = None
    venue_order_id: IdText | None = None
    position_id: IdText | None = None
    symbol: SymbolText | None = None
    stop_loss: DecimalText | None = Field(default=None, description="null removes")
    take_profit: DecimalText | None = Field(default=None, description="null removes")
    limit_price: DecimalText | None = None
    stop_price: DecimalText | None = None
    quantity: DecimalText | None = None
    note: NoteText | None = None
    venue: VenueText | None = None
    idempotency_key: IdText | None = None


class Cancel(Request):
    order_id: IdText | None = None
    venue_order_id: IdText | None = None
    symbol: SymbolText | None = None
    note: NoteText | None = None
    venue: VenueText | None = None
    idempotency_key: IdText | None = None


class Close(Request):
    position_id: IdText | None = None
    symbol: SymbolText | None = None
    quantity: DecimalText | None = Field(default=None, description="lots; default: all of it")
    note: NoteText | None = None
    venue: VenueText | None = None
    idempotency_key: IdText | None = None


class Approval(Request):
    approval_id: IdText | None = None
    order_id: IdText | None = None


class Engage(Request):
    scope: ScopeName = "global"
    target: SymbolText | None = Field(
        default=None, description="account, agent or symbol; none for global"
    )
    reason: NoteText = ""


class Tighten(Request):
    limit_name: NameText
    value: DecimalText
    reason: NoteText = ""


class Audit(Request):
    limit: Rows = 10
    after: int | None = Field(default=None, ge=0, le=2**53, description="sequence number")
    kind: KindOfRecord | None = None
    order_id: IdText | None = None
