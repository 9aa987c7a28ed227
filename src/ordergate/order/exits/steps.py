"""A plan's steps as requests, and what a fill asks the gate to watch over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AttemptRecord, Guard, OrderRecord
from ordergate.model.values import ZERO, PositionId
from ordergate.order.exits.plan import Drop, Put, nearer


def principal_of(guard: Guard) -> Principal:
    """Return who a step is made for: the parent's principal, the gate acting."""
    return Principal(guard.principal, Kind.GATEWAY, f"the gateway, for {guard.principal}")


def intent_of(step: Put | Drop, guard: Guard) -> PlaceIntent | CancelIntent:
    """Return the request of one step."""
    return put_of(step, guard) if isinstance(step, Put) else drop_of(step, guard)


def drop_of(step: Drop, guard: Guard) -> CancelIntent:
    """Return the cancel of a resting exit."""
    return CancelIntent(
        account=guard.account,
        venue=guard.venue,
        symbol=guard.symbol,
        venue_order_id=step.venue_order_id,
    )


def put_of(step: Put, guard: Guard) -> PlaceIntent:
    """Return the order that lets an exit rest; it names the position it reduces."""
    return PlaceIntent(
        account=guard.account,
        venue=guard.venue,
        symbol=guard.symbol,
        side=guard.side.opposite,
        order_type=OrderType.STOP if step.stop else OrderType.LIMIT,
        quantity=step.lots,
        stop_price=step.price if step.stop else None,
        limit_price=None if step.stop else step.price,
        reduce_only=True,
        position_id=guard.position_id,
    )


def stop_at(guard: Guard, level: Decimal) -> ModifyIntent:
    """Return the change that lets a position's own stop rest at this price."""
    return ModifyIntent(
        account=guard.account,
        venue=guard.venue,
        symbol=guard.symbol,
        position_id=guard.position_id,
        stop_loss=level,
    )


def trails(guard: Guard) -> bool:
    """Say whether the stop follows the market, and the plan therefore does not end with it set."""
    return guard.trail_amount is not None or guard.trail_percent is not None


def close_of(guard: Guard, lots: Decimal, price: Decimal | None) -> CloseIntent:
    """Return one step of a close: all of the position, residue included, or so many lots."""
    return CloseIntent(
        account=guard.account,
        venue=guard.venue,
        symbol=guard.symbol,
        position_id=guard.position_id,
        quantity=None if guard.keep == ZERO else lots,
        limit_price=price,
    )


def to_watch(
    fill: Fill, attempt: AttemptRecord, order: OrderRecord
) -> tuple[PositionId, PlaceIntent] | None:
    """Return the position that a fill opened and the terms it is to be held under."""
    intent = order.intent
    if fill.effect is not FillEffect.OPENING or fill.position_id is None or not attempt.opening:
        return None
    if not isinstance(intent, PlaceIntent):
        return None
    if intent.stop_loss is None and intent.take_profit is None:
        return None
    return fill.position_id, intent


def guard_for(
    position_id: PositionId, side: Side, order: OrderRecord, *, guard_id: str, at: datetime
) -> Guard:
    """Return a new guard, not written yet, over a position for the sake of an order."""
    return Guard(
        guard_id=guard_id,
        ver=0,
        account=order.account,
        venue=order.venue,
        symbol=order.symbol,
        position_id=position_id,
        side=side,
        principal=order.principal,
        parent=order.order_id,
        stop=None,
        target=None,
        trail_amount=None,
        trail_percent=None,
        keep=None,
        close_order=None,
        rung=0,
        alarmed=False,
        created_at=at,
        updated_at=at,
    )


def enlarged(guard: Guard, intent: PlaceIntent) -> Guard:
    """Return the guard after a fill into its position: the nearer stop holds for all of it."""
    return replace(
        guard,
        stop=nearer(guard.side, guard.stop, intent.stop_loss),
        target=intent.take_profit or guard.target,
    )
