"""Pace (C11 to C14): the day's use, messages a minute, the same order again and again."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.model.values import ZERO, plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    counted,
    lots_that_fit,
    money,
)

DAY_ORDERS: Final = Control(
    rule="orders_per_day", number="C11", limit_name="limits.orders_per_day_max", unit="orders"
)
ACCOUNT_ORDERS: Final = Control(
    rule="account_orders_per_day",
    number="C11",
    limit_name="limits.account_orders_per_day_max",
    unit="orders",
)
DAY_NOTIONAL: Final = Control(
    rule="notional_per_day",
    number="C11",
    limit_name="limits.notional_per_day_max_fraction",
    unit=MONEY,
)
THROTTLE: Final = Control(
    rule="throttle", number="C12", limit_name="limits.orders_per_minute_max", unit="requests"
)
ACCOUNT_THROTTLE: Final = Control(
    rule="account_throttle",
    number="C12",
    limit_name="limits.account_orders_per_minute_max",
    unit="requests",
)
REPEATS: Final = Control(
    rule="repetition",
    number="C13",
    limit_name="limits.repeat_orders_max",
    unit="orders",
    halts=ScopeKind.AGENT,
)
HANDS_OFF: Final = Control(
    rule="hands_off_fills",
    number="C13",
    limit_name="limits.hands_off_fills_max",
    unit="orders",
    halts=ScopeKind.AGENT,
)
LOSING: Final = Control(
    rule="losing_closes",
    number="C13",
    limit_name="limits.losing_closes_max",
    unit="closes",
    halts=ScopeKind.AGENT,
)
DUPLICATE: Final = Control(
    rule="duplicate", number="C14", limit_name="limits.duplicate_window_s", unit="seconds"
)


def orders_per_day(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one opening order too many of one principal's day."""
    if facts.used is None:
        return DAY_ORDERS.lacks("the day's orders")
    return counted(
        DAY_ORDERS,
        used=facts.used.orders,
        limit=facts.limits.orders_per_day_max,
        what="your opening orders today",
        fix="wait for the venue's next day; closing and cancelling are not counted",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def account_orders_per_day(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one opening order too many of the account's day."""
    if facts.account_used is None:
        return ACCOUNT_ORDERS.lacks("the day's orders")
    return counted(
        ACCOUNT_ORDERS,
        used=facts.account_used.orders,
        limit=facts.limits.account_orders_per_day_max,
        what="the account's opening orders today",
        fix="wait for the venue's next day; closing and cancelling are not counted",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def notional_per_day(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that brings the account's day over its value."""
    valued, order, spec, use = facts.valued, facts.order, facts.instrument, facts.account_used
    if order is None:
        return DAY_NOTIONAL.silent("no opening order")
    if valued is None or spec is None or use is None or facts.equity is None:
        return DAY_NOTIONAL.lacks("the value of the day's orders")
    limit = facts.limits.notional_per_day_max_fraction * facts.equity
    used, amount = use.notional, valued.worst_notional
    return DAY_NOTIONAL.measured(
        value=cents_up(used + amount),
        limit=cents_down(limit),
        room=cents_down(limit - used),
        broken=used + amount > limit,
        message=f"orders of {money(used + amount, facts.currency)} today, "
        f"at most {money(limit, facts.currency)}",
        fix=lambda: lots_that_fit(limit - used, per_lot=amount / order.quantity, instrument=spec),
    )


def throttle(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one request too many in a minute."""
    return counted(
        THROTTLE,
        used=facts.activity.in_minute,
        limit=facts.limits.orders_per_minute_max,
        what="your requests in the last minute",
        fix="wait a minute",
        code=Code.RATE_LIMIT_EXCEEDED,
    )


def account_throttle(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one request too many in a minute of all who act on the account."""
    return counted(
        ACCOUNT_THROTTLE,
        used=facts.activity.account_in_minute,
        limit=facts.limits.account_orders_per_minute_max,
        what="the account's requests in the last minute",
        fix="wait a minute",
        code=Code.RATE_LIMIT_EXCEEDED,
    )


def repetition(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse, and halt, when an agent keeps opening the same symbol on the same side."""
    limits = facts.limits
    window = plain(limits.repeat_window_s)
    return counted(
        REPEATS,
        used=facts.activity.repeats,
        limit=limits.repeat_orders_max,
        what=f"your openings of this symbol and side in {window} s",
        fix="stop and let the operator look; only the operator starts it again",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def hands_off_fills(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse, and halt, when an agent's openings keep filling without a human's touch."""
    window = plain(facts.limits.repeat_window_s)
    return counted(
        HANDS_OFF,
        used=facts.activity.hands_off,
        limit=facts.limits.hands_off_fills_max,
        what=f"your openings filled without a human's touch in {window} s",
        fix="stop and let the operator look; only the operator starts it again",
        code=Code.EXCEEDS_LOCAL_LIMIT,
    )


def losing_closes(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse, and halt, when an agent's positions keep closing at a loss."""
    used, limit = Decimal(facts.activity.losing), facts.limits.losing_closes_max
    return LOSING.measured(
        value=used,
        limit=limit,
        room=limit - used,
        broken=used >= limit,
        message=f"{plain(used)} of your positions closed at a loss in "
        f"{plain(facts.limits.repeat_window_s)} s, {plain(limit)} stop you",
        fix=lambda: "stop and let the operator look; only the operator starts it again",
    )


def duplicate(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order equal to one just sent under another key."""
    twin, age = facts.activity.duplicate_of, facts.activity.duplicate_age_s
    window = facts.limits.duplicate_window_s
    if twin is None or age is None:
        return DUPLICATE.passes()
    return DUPLICATE.measured(
        value=age,
        limit=window,
        room=ZERO,
        broken=True,
        message=f"equal to order {twin}, sent {plain(age)} s ago",
        fix=lambda: (
            f"read that order's status; if you mean a second one, wait {plain(window - age)} s"
        ),
        code=Code.DUPLICATE_ORDER,
    )
