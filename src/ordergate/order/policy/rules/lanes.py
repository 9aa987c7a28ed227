"""Lanes: which column of the control table judges a request, proven from facts, not claimed."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.accounts import Position, VenueOrderState
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    Keep,
    Lane,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.order.policy.facts import Facts, malformed

STOP_KINDS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


def lane_of(intent: Intent, facts: Facts) -> Lane:
    """Return the request's lane; what is not proven to belong elsewhere adds risk.

    A reducing order is in the close lane once the positions are known: there the control of
    reducing (C18) refuses what it cannot prove. Moving or removing a target changes no loss at the
    stop: it is in the tighten lane, like adding one.
    """
    match intent:
        case CloseIntent():
            return Lane.CLOSE
        case PlaceIntent():
            proven = intent.reduce_only and facts.book is not None
            return Lane.CLOSE if proven else Lane.OPEN
        case CancelIntent():
            if _cancels_an_opening(facts):
                return Lane.CANCEL
            return Lane.CLOSE if _planned(facts) else Lane.OPEN
        case ModifyIntent():
            return Lane.TIGHTEN if _only_tightens(intent, facts) else Lane.OPEN


def widening(intent: Intent, facts: Facts) -> str | None:
    """Say how the request takes protection from a position; None when it does not."""
    if malformed(intent) is not None:
        return None
    match intent:
        case CancelIntent() if facts.resting_opens is False and not _cancels_an_opening(facts):
            return "cancelling a resting exit takes protection from the position"
        case ModifyIntent() if facts.position is not None:
            return _stop_widened(intent.stop_loss, facts.position)
        case ModifyIntent() if facts.resting is not None and facts.resting_opens is False:
            return _exit_widened(intent, facts.resting)
        case _:
            return None


def _planned(facts: Facts) -> bool:
    """Say whether the gate itself replaces an exit, or takes it out before a close (ADR 23).

    Its own books know the exit where the account cannot be read.
    """
    resting = facts.resting
    return facts.managed and (resting is None or resting.symbol == facts.symbol)


def _cancels_an_opening(facts: Facts) -> bool:
    if facts.resting is not None and facts.resting.symbol != facts.symbol:
        return False
    if facts.resting_opens is not False:
        return facts.resting_opens is True
    # An exit that is left over after its position is gone protects nothing.
    target = facts.resting
    return (
        target is not None and facts.book is not None and facts.book.held_against(target.side) == 0
    )


def _only_tightens(intent: ModifyIntent, facts: Facts) -> bool:
    if malformed(intent) is not None:
        return False
    if intent.position_id is not None:
        position = facts.position
        known = position is not None and position.symbol == facts.symbol
        return known and widening(intent, facts) is None
    resting = facts.resting
    if resting is None or facts.resting_opens is None or resting.symbol != facts.symbol:
        return False
    if not facts.resting_opens:
        return _exit_widened(intent, resting) is None
    moved = (
        _differs(intent.limit_price, resting.limit_price)
        or _differs(intent.stop_price, resting.stop_price)
        or (not isinstance(intent.quantity, Keep) and intent.quantity > resting.quantity)
    )
    return not moved and not _farther(
        intent.stop_loss, held=resting.stop_loss, of_long=resting.side is Side.BUY
    )


def _stop_widened(stop_loss: Decimal | Keep | None, position: Position) -> str | None:
    if not _farther(stop_loss, held=position.stop_loss, of_long=position.side is Side.BUY):
        return None
    if stop_loss is None:
        return f"the stop at {position.stop_loss} would be taken away from the position"
    return f"the stop would move away from {position.stop_loss} to {stop_loss}"


def _exit_widened(intent: ModifyIntent, resting: VenueOrderState) -> str | None:
    if not isinstance(intent.quantity, Keep) and intent.quantity < resting.quantity:
        return "a smaller resting exit leaves a part of the position without it"
    trigger = intent.stop_price if resting.order_type in STOP_KINDS else None
    # A sell order protects a long position: its trigger tightens upwards.
    if isinstance(trigger, Decimal) and _farther(
        trigger, held=resting.stop_price, of_long=resting.side is Side.SELL
    ):
        return f"the protective stop would move away from {resting.stop_price} to {trigger}"
    if resting.order_type is OrderType.STOP_LIMIT and _differs(
        intent.limit_price, resting.limit_price
    ):
        return "another limit may keep the protective stop from filling"
    return None


def _farther(new: Decimal | Keep | None, *, held: Decimal | None, of_long: bool) -> bool:
    """Say whether a stop would protect less than the one held."""
    if isinstance(new, Keep) or held is None:
        return False
    if new is None:
        return True
    return new < held if of_long else new > held


def _differs(new: Decimal | Keep | None, held: Decimal | None) -> bool:
    return not isinstance(new, Keep) and new != held
