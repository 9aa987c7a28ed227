"""What stands at the venue without our tag: made by hand or by another program, EXTERNAL to us."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime
from typing import Final

from ordergate.model.accounts import Position, VenueHistory, VenueOrderState
from ordergate.model.outcomes import Fill, VenueStatus
from ordergate.model.records import ExternalKind, ExternalRecord
from ordergate.model.values import AccountId
from ordergate.order.intent.idempotency import is_tag

# Executions that the venue itself decided on: nobody's order stands behind them.
VENUES_OWN: Final = frozenset({"stop_loss", "take_profit", "stop_out"})
_ENDED_EMPTY: Final = frozenset({VenueStatus.REJECTED})


def origin(fill: Fill, *, booked_to_us: bool) -> str:
    """Return whose execution it is: "gate", "venue" (a stop, a target) or "external"."""
    if booked_to_us:
        return "gate"
    if fill.reason in VENUES_OWN:
        return "venue"
    return "gate" if is_tag(fill.tag) else "external"


def outside(
    history: VenueHistory,
    positions: tuple[Position, ...],
    *,
    account: AccountId,
    since: datetime,
    ours: Container[str],
    found_at: datetime,
) -> Iterator[ExternalRecord]:
    """Yield what is not ours: open orders and positions, and what ended or filled after `since`.

    `ours` are the ids of positions that an order of ours has opened.
    """
    tagged = {order.venue_order_id for order in history.orders if is_tag(order.tag)}
    for order in history.orders:
        open_or_new = order.done_at is None or order.done_at >= since
        if open_or_new and not is_tag(order.tag) and order.status not in _ENDED_EMPTY:
            yield _order(order, history, account=account, found_at=found_at)
    for fill in history.fills:
        theirs = fill.venue_order_id not in tagged and not is_tag(fill.tag)
        if theirs and fill.time >= since and fill.reason not in VENUES_OWN:
            yield ExternalRecord(
                account=account,
                kind=ExternalKind.FILL,
                venue_id=fill.trade_id,
                symbol=fill.symbol,
                side=fill.side,
                quantity=fill.quantity,
                price=fill.price,
                venue_time=fill.time,
                found_at=found_at,
            )
    for position in positions:
        if not is_tag(position.tag) and position.position_id not in ours:
            yield ExternalRecord(
                account=account,
                kind=ExternalKind.POSITION,
                venue_id=position.position_id,
                symbol=position.symbol,
                side=position.side,
                quantity=position.quantity,
                price=position.open_price,
                venue_time=position.opened_at,
                found_at=found_at,
            )


def _order(
    order: VenueOrderState, history: VenueHistory, *, account: AccountId, found_at: datetime
) -> ExternalRecord:
    return ExternalRecord(
        account=account,
        kind=ExternalKind.ORDER,
        venue_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.limit_price or order.stop_price or order.average_price,
        venue_time=order.placed_at or history.venue_time,
        found_at=found_at,
    )
