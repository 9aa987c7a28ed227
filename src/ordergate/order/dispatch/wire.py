"""What goes over the wire for a claimed attempt, and nothing that was not judged."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.records import AttemptRecord

Wire = VenueOrder | VenueModify | VenueCancel


def to_wire(intent: Intent, attempt: AttemptRecord, *, attached: bool = True) -> Wire:
    """Return the venue's form of a judged intent, under the attempt's tag.

    Where the venue attaches no stops, they rest as orders of their own after the fill.
    """
    match intent:
        case PlaceIntent():
            return VenueOrder(
                tag=attempt.tag,
                magic=attempt.magic,
                account=intent.account,
                symbol=intent.symbol,
                side=intent.side,
                order_type=intent.order_type,
                quantity=intent.quantity,
                limit_price=intent.limit_price,
                stop_price=intent.stop_price,
                trail_amount=intent.trail_amount,
                trail_percent=intent.trail_percent,
                time_in_force=intent.time_in_force,
                good_till=intent.good_till,
                stop_loss=intent.stop_loss if attached else None,
                take_profit=intent.take_profit if attached else None,
                reduce_only=intent.reduce_only,
                position_id=intent.position_id,
                oco_group=intent.oco_group,
            )
        case CloseIntent():
            return _close(intent, attempt)
        case ModifyIntent():
            return VenueModify(
                tag=attempt.tag,
                account=intent.account,
                symbol=intent.symbol,
                venue_order_id=intent.venue_order_id,
                position_id=intent.position_id,
                stop_loss=intent.stop_loss,
                take_profit=intent.take_profit,
                limit_price=intent.limit_price,
                stop_price=intent.stop_price,
                quantity=intent.quantity,
            )
        case CancelIntent():
            return VenueCancel(
                tag=attempt.tag,
                account=intent.account,
                symbol=intent.symbol,
                venue_order_id=intent.venue_order_id,
            )


def size_of(intent: Intent, snapshot: VenueSnapshot | None) -> tuple[Side | None, Decimal | None]:
    """Return side and quantity (lots) that an intent comes to in this account; None = not seen."""
    match intent:
        case PlaceIntent():
            return intent.side, intent.quantity
        case CloseIntent():
            for position in () if snapshot is None else snapshot.positions:
                if position.position_id == intent.position_id:
                    return position.side.opposite, intent.quantity or position.quantity
            return None, None
        case ModifyIntent():
            for resting in () if snapshot is None else snapshot.open_orders:
                if resting.venue_order_id == intent.venue_order_id:
                    quantity = intent.quantity
                    return resting.side, (
                        quantity if isinstance(quantity, Decimal) else resting.quantity
                    )
            return None, None
        case CancelIntent():
            return None, None


def _close(intent: CloseIntent, attempt: AttemptRecord) -> VenueOrder:
    side, quantity = attempt.side, attempt.quantity
    if side is None or quantity is None:
        raise ValueError("a close was allowed for a position nobody saw")
    return VenueOrder(
        tag=attempt.tag,
        magic=attempt.magic,
        account=intent.account,
        symbol=intent.symbol,
        side=side,
        order_type=OrderType.MARKET if intent.limit_price is None else OrderType.LIMIT,
        quantity=quantity,
        limit_price=intent.limit_price,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        position_id=intent.position_id,
    )
