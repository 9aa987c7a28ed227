"""Size (C2, C3, C7, C8, C9, C18, C23): one order, one position, the whole book, what is held."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.instruments import AssetClass, Instrument, PositionMode
from ordergate.model.orders import CloseIntent, Keep, ModifyIntent, PlaceIntent, Side
from ordergate.model.values import ZERO, plain
from ordergate.model.verdicts import Finding, RuleVerdict
from ordergate.order.policy.exposure import Book
from ordergate.order.policy.facts import Facts, Request, malformed
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    counted,
    lots_that_fit,
    money,
)

REDUCES: Final = Control(rule="reduces_only", number="C18", unit="lots")
SHORT: Final = Control(rule="no_accidental_short", number="C18", unit="lots")
QUANTITY: Final = Control(
    rule="order_quantity", number="C2", limit_name="limits.order_quantity_max", unit="lots"
)
QUANTITY_FX: Final = Control(
    rule="order_quantity", number="C2", limit_name="limits.order_quantity_fx_max", unit="lots"
)
NOTIONAL: Final = Control(
    rule="order_notional", number="C3", limit_name="limits.order_notional_fraction", unit=MONEY
)
NOTIONAL_MAX: Final = Control(
    rule="order_notional_max", number="C3", limit_name="limits.order_notional_max", unit=MONEY
)
RISK: Final = Control(
    rule="risk_per_trade", number="C3", limit_name="limits.risk_per_trade_fraction", unit=MONEY
)
POSITION: Final = Control(
    rule="position_size", number="C7", limit_name="limits.position_notional_fraction", unit=MONEY
)
GROSS: Final = Control(
    rule="gross_exposure", number="C8", limit_name="limits.gross_exposure_fraction", unit=MONEY
)
MARGIN: Final = Control(
    rule="margin_free", number="C8", limit_name="limits.margin_free_min_fraction", unit=MONEY
)
ORDERS: Final = Control(
    rule="open_orders", number="C9", limit_name="limits.open_orders_max", unit="orders"
)
POSITIONS: Final = Control(
    rule="open_positions",
    number="C9",
    limit_name="limits.open_positions_max",
    unit="positions and opening orders",
)
APPROVAL: Final = Control(
    rule="approval", number="C23", limit_name="limits.auto_approve_notional", unit=MONEY
)
NO_ORDER: Final = "no opening order"


def reduces_only(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse only what exceeds the position; resting exits count against a new exit."""
    intent = request.intent
    match intent:
        case CloseIntent():
            return _close_fits(intent, facts)
        case PlaceIntent() if intent.reduce_only:
            if facts.book is None:
                return REDUCES.lacks("what the account holds")
            # A managed exit rests beside the one it replaces until that one is cancelled.
            alone = bool(intent.oco_group) or facts.managed
            return _exit_fits(facts.book, intent.side, intent.quantity, oco=alone)
        case ModifyIntent() if facts.resting is not None and facts.resting_opens is False:
            if isinstance(intent.quantity, Keep) or facts.book is None:
                return REDUCES.silent("the size stays")
            # The order's own lots are not among the resting exits that `book` counts.
            rest = intent.quantity - facts.resting.filled_quantity
            return _exit_fits(facts.book, facts.resting.side, rest, oco=False)
        case _:
            return REDUCES.silent("it is not meant to reduce")


def no_accidental_short(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse to sell what is not held where that is not wanted, and to turn a position round."""
    order, book, spec = facts.order, facts.book, facts.instrument
    if order is None or order.reduce_only:
        return SHORT.silent(NO_ORDER)
    if book is None or spec is None:
        return SHORT.lacks("what the account holds")
    held, netting = book.held_against(order.side), spec.position_mode is PositionMode.NETTING
    if order.side is Side.SELL and not _may_short(spec, facts):
        free = max(held - book.exits_sell - book.pending_sell, ZERO) if netting else ZERO
        if order.quantity > free:
            return SHORT.refuses(
                Code.SHORT_NOT_ALLOWED,
                f"{plain(held)} lots of {facts.symbol} are held and {plain(free)} are free to sell",
                fix=f"send reduce_only=true with at most {plain(free)} lots"
                if free > 0
                else "there is nothing to sell; buy first, or trade another symbol",
                value=order.quantity,
            )
    coming = order.quantity + book.coming(order.side)
    if netting and 0 < held < coming:
        return SHORT.refuses(
            Code.EXCEEDS_POSITION,
            f"{plain(coming)} lots, this and what may fill before it, would turn the position of "
            f"{plain(held)} round",
            fix=f"close the {plain(held)} lots first, then open the other way",
            value=order.quantity,
        )
    return SHORT.passes()


def order_quantity(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order of too many lots."""
    order, spec = facts.order, facts.instrument
    if order is None or spec is None:
        return QUANTITY.silent(NO_ORDER)
    fx = spec.asset_class is AssetClass.FX
    limit = facts.limits.order_quantity_fx_max if fx else facts.limits.order_quantity_max
    return (QUANTITY_FX if fx else QUANTITY).measured(
        value=order.quantity,
        limit=limit,
        room=limit,
        broken=order.quantity > limit,
        message=f"{plain(order.quantity)} lots, at most {plain(limit)}",
        fix=lambda: lots_that_fit(limit, per_lot=Decimal(1), instrument=spec),
    )


def order_notional(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that is worth more than its share of the equity."""
    if facts.order is None:
        return NOTIONAL.silent(NO_ORDER)
    if facts.valued is None or facts.equity is None:
        return NOTIONAL.lacks(f"what {facts.symbol[:64]} is worth in the account's currency")
    limit = facts.limits.order_notional_fraction * facts.equity
    return capped(NOTIONAL, facts, facts.valued.notional, limit=limit, what="order value")


def order_notional_max(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that is worth more than the absolute cap."""
    if facts.order is None:
        return NOTIONAL_MAX.silent(NO_ORDER)
    if facts.valued is None:
        return NOTIONAL_MAX.lacks(f"what {facts.symbol[:64]} is worth in the account's currency")
    limit = facts.limits.order_notional_max
    return capped(NOTIONAL_MAX, facts, facts.valued.notional, limit=limit, what="order value")


def risk_per_trade(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that may lose more at its stop than its share of the equity."""
    if facts.order is None:
        return RISK.silent(NO_ORDER)
    if facts.valued is None or facts.equity is None:
        return RISK.lacks(f"what {facts.symbol[:64]} is worth in the account's currency")
    if facts.valued.risk is None:
        return RISK.silent("no stop to measure to")
    limit = facts.limits.risk_per_trade_fraction * facts.equity
    return capped(RISK, facts, facts.valued.risk, limit=limit, what="loss at the stop")


def position_size(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a position that could grow too large when all that may fill has filled."""
    order, book, valued = facts.order, facts.book, facts.valued
    if order is None:
        return POSITION.silent(NO_ORDER)
    used = None if book is None else book.at_side(order.side)
    if used is None or valued is None or facts.equity is None:
        return POSITION.lacks("what the account holds, in its currency")
    limit = facts.limits.position_notional_fraction * facts.equity
    return capped(
        POSITION, facts, valued.worst_notional, limit=limit, used=used, what="position, at worst"
    )


def gross_exposure(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could bring the whole book over its multiple of the equity."""
    if facts.order is None:
        return GROSS.silent(NO_ORDER)
    used = None if facts.book is None else facts.book.gross
    if used is None or facts.valued is None or facts.equity is None:
        return GROSS.lacks("what the account holds, in its currency")
    limit = facts.limits.gross_exposure_fraction * facts.equity
    return capped(
        GROSS, facts, facts.valued.worst_notional, limit=limit, used=used, what="all exposure"
    )


def margin_free(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could leave too little free margin."""
    valued, book, state = facts.valued, facts.book, facts.state
    if facts.order is None:
        return MARGIN.silent(NO_ORDER)
    if valued is None or state is None or book is None or book.margin_pending is None:
        return MARGIN.lacks("the account's margin")
    kept = facts.limits.margin_free_min_fraction * state.equity
    free = state.margin_free - book.margin_pending
    room = free - kept
    short = valued.margin > free
    return MARGIN.measured(
        value=cents_down(free - valued.margin),
        limit=cents_up(kept),
        room=cents_down(room),
        broken=valued.margin > room,
        message=f"free margin {money(free - valued.margin, state.currency)} when all has filled, "
        f"at least {money(kept, state.currency)}",
        fix=lambda: fit(facts, room, used_by_order=valued.margin),
        code=Code.INSUFFICIENT_MARGIN if short else Code.EXCEEDS_LOCAL_LIMIT,
    )


def open_orders(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one opening order too many."""
    if facts.order is None:
        return ORDERS.silent(NO_ORDER)
    if facts.book is None:
        return ORDERS.lacks("the account's open orders")
    return counted(
        ORDERS,
        used=facts.book.pending,
        limit=facts.limits.open_orders_max,
        what="opening orders at rest or on their way",
        fix="cancel one that is no longer wanted",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def open_positions(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one position too many, opening orders counted as positions."""
    if facts.order is None:
        return POSITIONS.silent(NO_ORDER)
    if facts.book is None:
        return POSITIONS.lacks("the account's positions")
    return counted(
        POSITIONS,
        used=facts.book.positions + facts.book.pending,
        limit=facts.limits.open_positions_max,
        what="positions open or on their way",
        fix="close a position or cancel an order first",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def approval(request: Request, facts: Facts) -> RuleVerdict:
    """Ask a human above the value up to which orders are approved by themselves."""
    if facts.order is None:
        return APPROVAL.silent(NO_ORDER)
    if facts.valued is None:
        return APPROVAL.lacks(f"what {facts.symbol[:64]} is worth in the account's currency")
    amount, limit = facts.valued.notional, facts.limits.auto_approve_notional
    return APPROVAL.measured(
        value=cents_up(amount),
        limit=limit,
        room=limit,
        broken=amount > limit,
        message=f"order value {money(amount, facts.currency)}, "
        f"approved by itself up to {money(limit, facts.currency)}",
        fix=lambda: "wait for the operator's yes; " + fit(facts, limit, used_by_order=amount),
        finding=Finding.ASK,
    )


def _close_fits(intent: CloseIntent, facts: Facts) -> RuleVerdict:
    if facts.book is None:
        return REDUCES.warns(
            Code.DATA_UNAVAILABLE,
            "the position could not be read; the venue's word decides",
            fix="read the positions again before closing twice",
        )
    position = facts.position
    if position is None or position.symbol != intent.symbol:
        return REDUCES.refuses(
            Code.EXCEEDS_POSITION,
            f"there is no such position in {intent.symbol[:64]}: nothing can be closed",
            fix="read the positions again; it may be closed already",
        )
    if intent.quantity is None or malformed(intent) is not None:
        return REDUCES.passes()
    return _up_to(position.quantity, intent.quantity)


def _exit_fits(book: Book, side: Side, quantity: Decimal, *, oco: bool) -> RuleVerdict:
    """Compare a new exit with what is held; of an OCO group only one order ever fills."""
    taken = ZERO if oco else book.exits(side)
    verdict = _up_to(max(book.held_against(side) - taken, ZERO), quantity)
    if verdict.finding is Finding.REFUSE and taken > ZERO:
        clears = "close the position: a close takes its resting exits out of the way"
        return replace(verdict, fix=f"{verdict.fix}; {clears}")
    return verdict


def _up_to(most: Decimal, quantity: Decimal) -> RuleVerdict:
    return REDUCES.measured(
        value=quantity,
        limit=most,
        room=most,
        broken=quantity.is_finite() and quantity > most,
        message=f"{plain(most)} lots can be reduced now",
        fix=lambda: (
            f"send at most {plain(most)} lots" if most > 0 else "there is nothing to reduce"
        ),
        code=Code.EXCEEDS_POSITION,
    )


def _may_short(spec: Instrument, facts: Facts) -> bool:
    if spec.asset_class is AssetClass.EQUITY:
        return facts.limits.equity_short_allowed
    return facts.limits.short_allowed


def capped(
    control: Control,
    facts: Facts,
    amount: Decimal,
    *,
    limit: Decimal,
    what: str,
    used: Decimal = ZERO,
) -> RuleVerdict:
    """Return the verdict of what an order brings on top of what is used, against a cap."""
    total, room = used + amount, limit - used
    return control.measured(
        value=cents_up(total),
        limit=cents_down(limit),
        room=cents_down(room),
        broken=total > limit,
        message=f"{what} {money(total, facts.currency)}, at most {money(limit, facts.currency)}",
        fix=lambda: fit(facts, room, used_by_order=amount),
    )


def fit(facts: Facts, room: Decimal, *, used_by_order: Decimal) -> str:
    """Say how many lots of the order fit into the room that is left."""
    order, spec = facts.order, facts.instrument
    if order is None or spec is None:
        return "make the order smaller"
    return lots_that_fit(room, per_lot=used_by_order / order.quantity, instrument=spec)
