"""An order of ours that the venue holds and the journal lost: its rows, made from what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import Action, AttemptState, Lane, OrderState, PlaceIntent
from ordergate.model.outcomes import Fill, FillEffect, VenueStatus
from ordergate.model.principals import Kind
from ordergate.model.records import AttemptRecord, OrderRecord
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PrincipalId,
    Tag,
    VenueName,
)
from ordergate.order.intent.idempotency import fingerprint, magic

_EVENTS: Final = {
    VenueStatus.WORKING: ("found_working", None),
    VenueStatus.PARTIAL: ("found_partial", None),
    VenueStatus.FILLED: ("found_filled", None),
    VenueStatus.EXPIRED: ("found_working", "expired"),
}
_GONE: Final = ("found_working", "canceled")


def events_of(seen: VenueOrderState) -> tuple[str, str | None]:
    """Return the event that adopts the attempt, and the one that ends it where it has ended."""
    return _EVENTS.get(seen.status, _GONE)


def order_found(
    seen: VenueOrderState,
    *,
    account: AccountId,
    venue: VenueName,
    order_id: OrderId,
    now: datetime,
) -> OrderRecord:
    """Return the order as far as the venue shows it; its principal is the gateway."""
    intent = PlaceIntent(
        account=account,
        venue=venue,
        symbol=seen.symbol,
        side=seen.side,
        order_type=seen.order_type,
        quantity=seen.quantity,
        limit_price=seen.limit_price,
        stop_price=seen.stop_price,
        stop_loss=seen.stop_loss,
        take_profit=seen.take_profit,
        reduce_only=seen.reduce_only,
    )
    return OrderRecord(
        order_id=order_id,
        ver=0,
        state=OrderState.ACTIVE,
        action=Action.PLACE,
        lane=Lane.CLOSE if seen.reduce_only else Lane.OPEN,
        principal=PrincipalId("gateway"),
        principal_kind=Kind.GATEWAY,
        drafted_by=None,
        key=IdempotencyKey(f"found-{seen.tag}"),
        fingerprint=fingerprint(intent),
        intent_hash=f"lost:{seen.tag}",
        intent=intent,
        account=account,
        venue=venue,
        symbol=seen.symbol,
        created_at=now,
        updated_at=now,
        attempts=1,
    )


def attempt_found(
    seen: VenueOrderState,
    order: OrderRecord,
    *,
    attempt_id: AttemptId,
    day: date,
    fills: Sequence[Fill] = (),
) -> AttemptRecord:
    """Return the attempt that the venue's tag witnesses; nobody knows who sent it."""
    tag = seen.tag or Tag("")
    opened = (fill.position_id for fill in fills if fill.effect is FillEffect.OPENING)
    return AttemptRecord(
        attempt_id=attempt_id,
        order_id=order.order_id,
        n=1,
        ver=0,
        state=AttemptState.WORKING,
        action=Action.PLACE,
        tag=tag,
        magic=magic(tag),
        account=order.account,
        venue=order.venue,
        symbol=seen.symbol,
        side=seen.side,
        quantity=seen.quantity,
        opening=not seen.reduce_only,
        claimed_at=order.created_at,
        venue_day=day,
        owner="unknown",
        epoch=0,
        venue_order_id=seen.venue_order_id,
        filled_quantity=seen.filled_quantity,
        average_price=seen.average_price,
        position_id=next(opened, None),
        incident="found",
    )
