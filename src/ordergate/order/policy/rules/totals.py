"""Totals of an account (C8, C9, C36): its surplus on one side, what may still fill, its leap."""

from __future__ import annotations

from typing import Final

from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    money,
)
from ordergate.order.policy.rules.size import NO_ORDER, capped, fit

NET: Final = Control(
    rule="net_exposure", number="C8", limit_name="limits.net_exposure_fraction", unit=MONEY
)
UNFILLED: Final = Control(
    rule="open_orders_value",
    number="C9",
    limit_name="limits.open_orders_notional_fraction",
    unit=MONEY,
)
STRESS: Final = Control(
    rule="stress_loss", number="C36", limit_name="limits.stress_loss_fraction", unit=MONEY
)


def net_exposure(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could leave the whole book too far on one side."""
    order, book = facts.order, facts.book
    if order is None:
        return NET.silent(NO_ORDER)
    used = None if book is None else book.net(order.side)
    if used is None or facts.valued is None or facts.equity is None:
        return NET.lacks("what the account holds, in its currency")
    limit = facts.limits.net_exposure_fraction * facts.equity
    amount = facts.valued.worst_notional
    what = f"net {'long' if order.side.value == 'buy' else 'short'} exposure"
    return capped(NET, facts, amount, limit=limit, used=used, what=what)


def open_orders_value(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that brings what has not filled yet over its value."""
    if facts.order is None:
        return UNFILLED.silent(NO_ORDER)
    used = None if facts.book is None else facts.book.pending_notional
    if used is None or facts.valued is None or facts.equity is None:
        return UNFILLED.lacks("the value of the account's open orders")
    limit = facts.limits.open_orders_notional_fraction * facts.equity
    amount = facts.valued.worst_notional
    return capped(UNFILLED, facts, amount, limit=limit, used=used, what="orders not yet filled")


def stress_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order with which one leap of every price the wrong way could cost too much.

    Each underlying leaps by its class's shock, over a weekend by the weekend's, to its own worse
    side: no two of them are set off against each other.
    """
    order, book, valued = facts.order, facts.book, facts.valued
    if order is None:
        return STRESS.silent(NO_ORDER)
    if book is None or valued is None or facts.shock is None or facts.equity is None:
        return STRESS.lacks("what the account holds, in its currency")
    added = valued.worst_notional * facts.shock
    before, after = book.stress(), book.stress(order.side, added)
    if before is None or after is None:
        return STRESS.lacks("what the account holds, in its currency")
    limit = facts.limits.stress_loss_fraction * facts.equity
    room = book.stress_room(order.side, limit)
    return STRESS.measured(
        value=cents_up(after),
        limit=cents_down(limit),
        room=cents_down(limit - before),
        broken=after > limit,
        message=f"one leap of all prices could cost {money(after, facts.currency)}, "
        f"at most {money(limit, facts.currency)}",
        fix=lambda: fit(facts, room, used_by_order=added),
    )
