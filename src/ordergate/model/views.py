"""What the gate answers: an order, a ticket or the limits as one consistent picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from ordergate.model.accounts import (
    AccountIdentity,
    AccountState,
    Mode,
    Position,
    VenueOrderState,
)
from ordergate.model.arming import Arming, Switches
from ordergate.model.errors import Code
from ordergate.model.outcomes import Fill
from ordergate.model.records import (
    AttemptRecord,
    HaltRecord,
    Loosening,
    OrderRecord,
    TicketRecord,
    Tightening,
)
from ordergate.model.verdicts import Judgement

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order with its last attempt. `replayed`: the key was known, this is the stored answer."""

    order: OrderRecord
    attempt: AttemptRecord | None
    ticket: TicketRecord | None
    mode: Mode | None
    status: str  # lower_snake public status: the attempt's while ACTIVE, else the order's
    code: Code | None = None  # why it is not what was asked for
    venue_code: str | None = None  # the venue's own word for it
    replayed: bool = False
    judgement: Judgement | None = None  # of this call; None on replays (see order.decision_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """A symbol's price (mid), never without where from, how old, and whether it is real."""

    price: Decimal | None  # None = no quote
    source: str
    synthetic: bool
    as_of: datetime | None  # venue clock
    age_s: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    ticket: TicketRecord
    order: OrderRecord
    approve_url: str
    now: PriceView


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """One effective limit, and which source is the strictest."""

    name: str
    value: str
    unit: str
    source: str  # "file", "profile <name>", "agent <name>", "live account", "tightened by <who>"
    meaning: str
    agents_may_tighten: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyView:
    """Halts, limits and tightenings in force."""

    killed: bool
    halts: tuple[HaltRecord, ...]
    limits: tuple[LimitView, ...]
    tightenings: tuple[Tightening, ...]
    policy_hash: str
    loosenings: tuple[Loosening, ...] = ()  # announced, not yet in force


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmingView:
    """Whether new risk with real money is possible now, and under which limits."""

    identity: AccountIdentity
    switches: Switches
    arming: Arming | None
    killed: bool
    limits: tuple[LimitView, ...]
    policy_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    identity: AccountIdentity
    state: AccountState
    positions: tuple[Position, ...]
    open_orders: tuple[VenueOrderState, ...]
    external: frozenset[str]  # position ids and venue order ids made around the gate
    source: str
    synthetic: bool


@dataclass(frozen=True, slots=True)
class FillView:
    """An execution and whose it is: "gate", "venue" (a stop fired, a stop-out), "external"."""

    fill: Fill
    origin: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened, for the streams: topic, whose it is, and a small body."""

    topic: str  # "quotes", "orders", "approvals", "activity"
    principal: str | None  # None = for everyone who may read
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was when the operator was asked."""

    what: str
    was: str
    now: str
