"""What a claim puts on record besides the order: the attempt, its place in the limits, its pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.orders import AttemptState, Lane, Side
from ordergate.model.outcomes import Acked, Outcome
from ordergate.model.records import AttemptRecord, OrderRecord, RecentOrder, Reservation
from ordergate.model.values import ZERO, AttemptId, Tag
from ordergate.model.verdicts import Exposure, Judgement
from ordergate.order.dispatch.evidence import code_of, filled
from ordergate.order.dispatch.wire import size_of
from ordergate.order.intent.idempotency import magic
from ordergate.order.journal.lifecycle import PLACING
from ordergate.order.policy.facts import terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who claims, and when: the instance with its epoch, the attempt's id, the wall clock."""

    name: str
    epoch: int
    attempt_id: AttemptId
    now: datetime


def attempt_of(
    order: OrderRecord,
    tag: Tag,
    *,
    n: int,
    owner: Owner,
    snapshot: VenueSnapshot | None,
    lane: Lane,
) -> AttemptRecord:
    """Return attempt `n` of an order under its tag, sized by the account as it was seen."""
    side, quantity = size_of(order.intent, snapshot)
    return AttemptRecord(
        attempt_id=owner.attempt_id,
        order_id=order.order_id,
        n=n,
        ver=0,
        state=AttemptState.SENDING,
        action=order.action,
        tag=tag,
        magic=magic(tag),
        account=order.account,
        venue=order.venue,
        symbol=order.symbol,
        side=side,
        quantity=quantity,
        opening=lane is Lane.OPEN,
        claimed_at=owner.now,
        venue_day=owner.now.date() if snapshot is None else snapshot.account.day,
        owner=owner.name,
        epoch=owner.epoch,
    )


def recent_of(order: OrderRecord, attempt: AttemptRecord, judgement: Judgement) -> RecentOrder:
    """Return what throttle, repetition and duplicate will see of a claim."""
    exposure = judgement.exposure
    return RecentOrder(
        order_id=order.order_id,
        principal=order.principal,
        account=order.account,
        symbol=order.symbol,
        side=attempt.side,
        action=order.action,
        lane=judgement.decision.lane,
        terms=terms_of(order.intent),
        claimed_at=attempt.claimed_at,
        price=None if exposure is None else exposure.reached,
    )


def reservation_of(
    order: OrderRecord, attempt: AttemptRecord, exposure: Exposure | None
) -> Reservation | None:
    """Return what an attempt holds: in every limit, or of the position that it reduces."""
    if attempt.quantity is None or (attempt.opening and exposure is None):
        return None
    return Reservation(
        attempt_id=attempt.attempt_id,
        order_id=order.order_id,
        account=order.account,
        venue=order.venue,
        principal=order.principal,
        symbol=order.symbol,
        side=attempt.side or Side.BUY,
        quantity=attempt.quantity,
        notional=ZERO if exposure is None else exposure.notional,
        risk=None if exposure is None else exposure.risk,
        reduces=not attempt.opening,
    )


def fields_of(outcome: Outcome, attempt: AttemptRecord) -> dict[str, object]:
    """Return what an outcome writes on its attempt's row."""
    fields: dict[str, object] = {"code": code_of(outcome)}
    if isinstance(outcome, Acked) and attempt.action in PLACING:
        fields |= {
            "venue_order_id": outcome.venue_order_id,
            "position_id": outcome.position_id,
            "filled_quantity": filled(outcome),
            "average_price": outcome.average_price,
        }
    return fields
