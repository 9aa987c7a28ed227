"""Facts: the one frozen picture of market, account and books that the rules read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import (
    PRACTICE,
    AccountIdentity,
    AccountState,
    Baselines,
    Position,
    SebiPack,
    VenueOrderState,
)
from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.instruments import Instrument, PositionMode
from ordergate.model.market import Quote, QuoteQuality, Session
from ordergate.model.orders import (
    KEEP,
    CancelIntent,
    CloseIntent,
    Intent,
    Keep,
    Lane,
    ModifyIntent,
    OrderType,
    PlaceIntent,
)
from ordergate.model.records import AttemptRecord, HaltRecord, Usage
from ordergate.model.values import (
    AccountId,
    OrderId,
    PrincipalId,
    Symbol,
    VenueName,
    VenueOrderId,
    plain,
)
from ordergate.order.policy.budget import Budget
from ordergate.order.policy.exposure import Book, Valuation, is_exit
from ordergate.order.policy.limits import SPECS, Limits
from ordergate.order.policy.surroundings import Machine, Peer
from ordergate.order.policy.wholebook import WholeBook

MINUTE: Final = timedelta(minutes=1)
# Far beyond any price or size; keeps every later product and quotient within 28 digits.
SIZE_MAX: Final = Decimal("1E15")
PLACES_MAX: Final = 12
NUMBERS: Final = (
    "quantity",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "stop_loss",
    "take_profit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What was claimed in the last minutes (wall clock)."""

    in_minute: int = 0  # requests of the principal
    repeats: int = 0  # its openings in the same symbol and side, in the window
    duplicate_of: OrderId | None = None
    duplicate_age_s: Decimal | None = None
    account_in_minute: int = 0  # requests of all principals on the account
    farthest: Decimal | None = None  # own lowest buy, highest sell of the symbol, in the window
    hands_off: int = 0  # the principal's openings filled in the window, no human's touch since
    losing: int = 0  # losing closes of what it opened, likewise
    asks_waiting: int = 0  # its other orders that wait for a human now
    asks_in_hour: int = 0  # its other orders that were put to a human within the hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Openings of the account whose fate is unknown."""

    in_symbol: int
    in_account: int
    oldest_s: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a judgement rests on. None = not known: it denies an opening, never an exit."""

    account: AccountId
    venue: VenueName
    symbol: Symbol
    principal: PrincipalId
    limits: Limits
    wall_now: datetime
    venue_now: datetime
    instrument: Instrument | None
    quote: Quote | None
    quality: QuoteQuality
    session: Session
    rate: Decimal | None  # quote currency -> account currency
    identity: AccountIdentity | None
    state: AccountState | None
    book: Book | None
    snapshot_age_s: Decimal | None
    position: Position | None  # the position the request names
    resting: VenueOrderState | None  # the resting order it names
    resting_opens: bool | None  # whether that order adds risk; None = nobody knows it
    order: PlaceIntent | None  # the opening order as it would stand; None for everything else
    valued: Valuation | None
    managed: bool = False  # a step of a managed exit, by the gate itself, with its guard on file
    group: tuple[VenueOrderState, ...] = ()  # at rest in the OCO group the order would join
    halts: tuple[HaltRecord, ...] = ()  # in whose scope the request falls
    used: Usage | None = None  # by the principal, on the venue's day
    account_used: Usage | None = None
    activity: Activity = field(default_factory=Activity)
    doubt: Doubt
    opposing: tuple[VenueOrderState, ...] = ()  # openings at rest that the request could trade with
    ours: frozenset[VenueOrderId] = frozenset()  # those of them that this gate has sent
    shock: Decimal | None = None  # of the symbol, a fraction of its price
    venue_time: datetime | None = None  # the venue's own clock, when the account was read
    release_away_s: Decimal | None = None  # to the nearest of high impact; None = not known
    machine: Machine | None = None
    version: str = ""  # of this process: protocol and policy
    peers: tuple[Peer, ...] = ()
    sebi: SebiPack | None = None
    budget: Budget | None = None  # of the principal; None = the account could not be read
    limit_sources: Mapping[str, str] = field(default_factory=dict)  # those not of the default
    whole: WholeBook | None = None  # every account the gate reads
    baselines: Baselines = field(default_factory=Baselines)  # of the account
    aliases: frozenset[str] = frozenset()  # the symbol's underlying, and all confirmed to be it
    armed_until: datetime | None = None  # of a live account; None = not armed
    may_open_live: bool = False  # whether the asker may open on a live account at all
    stops_rest: bool = False  # whether the venue itself keeps the stop of a position

    @property
    def live(self) -> bool:
        """Say whether the venue proves that this is real money."""
        return self.identity is not None and self.identity.mode not in PRACTICE

    @property
    def equity(self) -> Decimal | None:
        return None if self.state is None else self.state.equity

    @property
    def currency(self) -> str:
        return "" if self.state is None else self.state.currency


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, in the lane it is judged in."""

    intent: Intent
    lane: Lane


def malformed(intent: Intent) -> str | None:
    """Name the first number that is no finite, positive, sensible one; None when all are."""
    for name in NUMBERS:
        number = getattr(intent, name, None)
        if isinstance(number, Decimal) and not _sound(number):
            return name
    return None


def protects(
    order: VenueOrderState, positions: Iterable[Position], spec: Instrument | None
) -> bool:
    """Say whether a plain stop, made around the gate, is the stop of a netted position."""
    if spec is None or spec.position_mode is not PositionMode.NETTING:
        return False
    stops = order.order_type in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
    return stops and any(
        position.symbol == order.symbol and position.side is not order.side
        for position in positions
    )


def order_as_asked(intent: Intent, resting: VenueOrderState | None) -> PlaceIntent | None:
    """Return the opening order as it would stand: as placed, or the resting one with new terms."""
    match intent:
        case PlaceIntent():
            return intent
        case ModifyIntent() if resting is not None and not is_exit(resting):
            return PlaceIntent(
                account=intent.account,
                venue=intent.venue,
                symbol=resting.symbol,
                side=resting.side,
                order_type=resting.order_type,
                quantity=_new(intent.quantity, resting.quantity) - resting.filled_quantity,
                limit_price=_maybe(intent.limit_price, resting.limit_price),
                stop_price=_maybe(intent.stop_price, resting.stop_price),
                time_in_force=resting.time_in_force,
                stop_loss=_maybe(intent.stop_loss, resting.stop_loss),
                take_profit=_maybe(intent.take_profit, resting.take_profit),
            )
        case ModifyIntent() | CancelIntent() | CloseIntent():
            return None


def opening_order(intent: Intent, resting: VenueOrderState | None) -> PlaceIntent | None:
    """Return the opening order the rules measure; `resting` is the opening order it changes."""
    if malformed(intent) is not None:
        return None
    order = order_as_asked(intent, resting)
    return order if order is not None and order.quantity > 0 else None


def terms_of(intent: Intent) -> str:
    """Return what makes two requests equal to a human: the text of RecentOrder.terms.

    Stop and target of a new order are left out: the same order with a stop a tick away is still
    the same order sent twice.
    """
    match intent:
        case PlaceIntent():
            parts: tuple[object, ...] = (
                intent.side.value,
                intent.order_type.value,
                intent.quantity,
                intent.limit_price,
                intent.stop_price,
                intent.trail_amount,
                intent.trail_percent,
                "reduce" if intent.reduce_only else "",
            )
        case ModifyIntent():
            parts = (
                intent.venue_order_id,
                intent.position_id,
                intent.stop_loss,
                intent.take_profit,
                intent.limit_price,
                intent.stop_price,
                intent.quantity,
            )
        case CancelIntent():
            parts = (intent.venue_order_id,)
        case CloseIntent():
            parts = (intent.position_id, intent.quantity, intent.limit_price)
    return "|".join([intent.action.value, intent.symbol, *map(_term, parts)])


def subject(facts: Facts) -> str:
    """Return the hash of the position or resting order that a request changes; "" for none.

    The market alone does not change it: neither marks, nor the trigger of a trailing stop.
    """
    position, resting = facts.position, facts.resting
    if position is not None:
        parts: list[object] = [position.position_id, position.side, position.quantity]
        parts += [position.stop_loss, position.take_profit]
    elif resting is not None:
        trails = resting.order_type is OrderType.TRAILING_STOP
        parts = [resting.venue_order_id, resting.side, resting.order_type, resting.quantity]
        parts += [resting.filled_quantity, resting.limit_price]
        parts += [None if trails else resting.stop_price, resting.stop_loss, resting.take_profit]
    else:
        return ""
    return sha256_hex(canonical(parts))


def doubt(attempts: Iterable[AttemptRecord], *, symbol: Symbol, now: datetime) -> Doubt:
    """Count the openings among attempts of unknown fate; closes in doubt lock nothing."""
    openings = [attempt for attempt in attempts if attempt.opening]
    return Doubt(
        in_symbol=sum(attempt.symbol == symbol for attempt in openings),
        in_account=len(openings),
        oldest_s=max((seconds(now - row.claimed_at) for row in openings), default=Decimal(0)),
    )


def recorded(request: Request, facts: Facts) -> str:
    """Return the canonical JSON of every fact the rules read, limits that differ included.

    Each stands under its own name: `recall` reads them back, also those that are added later. What
    follows from the others is left out: the order a new intent asks for, and what it is worth.
    """
    changed = request.intent is not facts.order
    return canonical(
        {
            **{name: getattr(facts, name) for name in _TOLD},
            "lane": request.lane,
            "order": facts.order if changed else None,
            "limits": _changed_limits(facts.limits),
        }
    )


_TOLD: Final = tuple(
    field.name for field in fields(Facts) if field.name not in ("limits", "order", "valued")
)


def _changed_limits(limits: Limits) -> Mapping[str, object]:
    return {spec.name: limits.value(spec) for spec in SPECS if limits.value(spec) != spec.default}


def _sound(number: Decimal) -> bool:
    if not number.is_finite() or not 0 < number < SIZE_MAX:
        return False
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES_MAX


def _new(value: Decimal | Keep, held: Decimal) -> Decimal:
    return held if isinstance(value, Keep) else value


def _maybe(value: Decimal | Keep | None, held: Decimal | None) -> Decimal | None:
    return held if isinstance(value, Keep) else value


def _term(part: object) -> str:
    if part is None:
        return ""
    if isinstance(part, Decimal):
        return plain(part) if part.is_finite() else "not a number"
    return "keep" if part is KEEP else str(part)


def seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(milliseconds=1)).scaleb(-3)
