"""Rows of the gate's own books. Times are wall clock, aware UTC, unless they say venue."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ordergate.model.orders import Action, AttemptState, Intent, Lane, OrderState, Side
from ordergate.model.principals import Kind
from ordergate.model.proofs import Method
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PositionId,
    PrincipalId,
    Symbol,
    Tag,
    TicketId,
    VenueName,
    VenueOrderId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One intent and where it stands. Every move is a compare-and-set on `ver`."""

    order_id: OrderId
    ver: int
    state: OrderState
    action: Action
    lane: Lane | None  # None until judged
    principal: PrincipalId  # whose order it is
    principal_kind: Kind
    drafted_by: PrincipalId | None  # set when a human submitted an agent's draft
    key: IdempotencyKey
    fingerprint: str  # of the intent, without key and nonce
    intent_hash: str  # of the intent with principal, key and nonce: the tags are made of it
    intent: Intent
    account: AccountId
    venue: VenueName
    symbol: Symbol
    created_at: datetime
    updated_at: datetime
    code: str | None = None  # why it was refused, denied, blocked
    decision_json: str | None = None  # the last checklist, as recorded
    ticket_id: TicketId | None = None
    attempts: int = 0
    expires_at: datetime | None = None  # a draft's end, venue clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One try with one tag and at most one wire write."""

    attempt_id: AttemptId
    order_id: OrderId
    n: int
    ver: int
    state: AttemptState
    action: Action
    tag: Tag
    magic: int  # integer form of the tag, below 2**53
    account: AccountId
    venue: VenueName
    symbol: Symbol
    side: Side | None  # None for modify and cancel
    quantity: Decimal | None
    opening: bool  # adds risk
    claimed_at: datetime
    venue_day: date
    owner: str  # instance that claimed it
    epoch: int
    venue_order_id: VenueOrderId | None = None
    position_id: str | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    cancel_pending: bool = False
    code: str | None = None  # the venue's, or why it is unknown
    incident: str | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an attempt holds in every limit; released by evidence alone (account currency).

    One that reduces holds its part of the position: exits never exceed what is held.
    """

    attempt_id: AttemptId
    order_id: OrderId
    account: AccountId
    venue: VenueName
    principal: PrincipalId
    symbol: Symbol
    side: Side
    quantity: Decimal  # still unfilled
    notional: Decimal  # of that quantity
    risk: Decimal | None
    released_seq: int | None = None  # audit sequence at the release; None = still held
    reduces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the gate itself does for one position: protect it, trail it, close it as planned."""

    guard_id: str
    ver: int
    account: AccountId
    venue: VenueName
    symbol: Symbol
    position_id: PositionId
    side: Side  # of the position
    principal: PrincipalId  # whose order opened it: every step is made for this principal
    parent: OrderId | None  # that order; None for a position made around the gate
    stop: Decimal | None  # what must rest at the venue, only ever nearer
    target: Decimal | None
    trail_amount: Decimal | None  # the stop follows the market at this price distance
    trail_percent: Decimal | None
    keep: Decimal | None  # lots a close under way leaves; None = nothing is being closed
    close_order: OrderId | None  # the request that asked for it
    rung: int  # of the ladder: steps of that close sent so far
    alarmed: bool  # a human was told that it is unprotected
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


class TicketState(enum.StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # order withdrawn or killed while it waited
    SUPERSEDED = "superseded"  # the price left the band; a new ticket stands in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRecord:
    """The ask: one order, one fingerprint, one price band, one expiry, one use."""

    ticket_id: TicketId
    order_id: OrderId
    ver: int
    state: TicketState
    fingerprint: str  # of order, action, account and policy hash
    policy_hash: str
    reference_price: Decimal
    band_low: Decimal
    band_high: Decimal
    number: int  # two digits shown on both sides, to match
    opened_at: datetime
    expires_at: datetime
    decided_by: PrincipalId | None = None
    decided_at: datetime | None = None
    method: str | None = None


class HaltKind(enum.StrEnum):
    KILL = "kill"
    HALT = "halt"  # raised by a control


class ScopeKind(enum.StrEnum):
    GLOBAL = "global"
    ACCOUNT = "account"
    AGENT = "agent"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltRecord:
    """A stop of new risk in a scope, until an operator releases it."""

    halt_id: str
    kind: HaltKind
    scope: ScopeKind
    target: str  # "" for global, else account id, principal id or symbol
    reason: str
    engaged_by: PrincipalId
    engaged_at: datetime
    released_by: PrincipalId | None = None
    released_at: datetime | None = None
    release_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightening:
    """A limit made stricter by an agent or operator; the strictest of all sources counts."""

    limit_name: str
    value: Decimal
    set_by: PrincipalId
    set_at: datetime
    reason: str
    lifted_by: PrincipalId | None = None
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """A looser number that was announced and waits; withdrawn, it waits for another number."""

    source: str  # "" = the file's own; else the table, compat key or tightenings it loosens
    limit_name: str
    old: str
    new: str
    announced_at: datetime
    effective_at: datetime
    by: str
    reason: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRecord:
    """What an account's week, peak and book day are measured from: equity less what was paid in."""

    account: AccountId
    currency: str
    week: str  # of the venue's day: "2026-W02"
    week_start: Decimal
    peak: Decimal
    day: date  # the book's, in the operator's zone
    day_start: Decimal
    last: Decimal  # the newest reading
    seen_at: datetime  # venue clock


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderlyingRecord:
    """An operator's word that a symbol shares its risk with another name."""

    name: Symbol
    underlying: str
    venue: str  # "" = on every venue
    confirmed_by: PrincipalId
    confirmed_at: datetime
    reason: str
    removed_by: PrincipalId | None = None
    removed_at: datetime | None = None


class ExternalKind(enum.StrEnum):
    ORDER = "order"
    FILL = "fill"
    POSITION = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalRecord:
    """Something at the venue that did not come through the gate, as it was first seen."""

    account: AccountId
    kind: ExternalKind
    venue_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    price: Decimal | None
    venue_time: datetime
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a principal or account has used of its venue day (claimed openings)."""

    orders: int
    notional: Decimal
    result: Decimal = Decimal(0)  # realised, costs taken off, of the positions it opened


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentOrder:
    """A claim of the last minutes, for the throttle, the duplicate window and repetition."""

    order_id: OrderId
    principal: PrincipalId
    account: AccountId
    symbol: Symbol
    side: Side | None
    action: Action
    lane: Lane
    terms: str  # canonical text of symbol, side, type, quantity and prices
    claimed_at: datetime
    price: Decimal | None = None  # an opening's, as it would trade; None for all else


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One sealed record. `body` is canonical JSON; `h` links it to the one before."""

    seq: int
    ts: datetime
    kind: str
    actor: str
    corr: str  # order id, ticket id, ...
    body: str
    h: str  # hex


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The signed end of the chain: every commit carries a new one."""

    log_id: str
    epoch: int
    size: int  # records so far; the last has seq == size
    h: str
    ts: str  # ISO 8601
    sig: str  # hex, ed25519 over the canonical form of the other fields


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A signed note over the whole log so far (reliability.md 3.3)."""

    size: int
    note: str  # canonical JSON: origin, size, root, head, previous
    sig: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    token_id: str
    principal: PrincipalId
    kind: Kind
    name: str
    digest: str  # HMAC-SHA256(pepper, secret), hex
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    live: bool = False  # may propose openings on a live account
    others: bool = False  # may close and change what others opened, off paper too


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    principal: PrincipalId
    name: str
    password_hash: str  # argon2id, PHC string
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """An operator's sign-in; the cookie holds a secret that rotates, the row its digest."""

    session_id: str
    digest: str
    principal: PrincipalId
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    method: Method  # of the newest factor shown
    factor_at: datetime
    address: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpRecord:
    """That an operator has an authenticator, and the last step it was believed for."""

    principal: PrincipalId
    last_step: int
    enrolled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRecord:
    digest: str
    principal: PrincipalId
    created_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRecord:
    """A passkey's public half; bytes are base64url text."""

    credential_id: str
    principal: PrincipalId
    name: str
    public_key: str
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None = None
