"""Pace (C10 to C14): the day's loss and use, messages a minute, the same order again and again."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.accounts import AccountState
from ordergate.model.errors import Code
from ordergate.model.values import ZERO, plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    counted,
    lots_that_fit,
    money,
)

LOSS: Final = Control(
    rule="daily_loss",
    number="C10",
    limit_name="limits.daily_loss_fraction",
    unit=MONEY,
    halts=True,
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
REPEATS: Final = Control(
    rule="repetition",
    number="C13",
    limit_name="limits.repeat_orders_max",
    unit="orders",
    halts=True,
)
DUPLICATE: Final = Control(
    rule="duplicate", number="C14", limit_name="limits.duplicate_window_s", unit="seconds"
)


def daily_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk, and halt, once the day has lost its share of the equity at its start.

    Realised and open loss, trades made elsewhere included; the day is the venue's.
    """
    state = facts.state
    if state is None or state.day_start_equity is None:
        return LOSS.lacks("the equity at the day's start")
    loss, limit = _day(state, state.day_start_equity, facts.limits)
    return LOSS.measured(
        value=cents_up(loss),
        limit=cents_down(limit),
        room=cents_down(limit - loss),
        broken=loss >= limit,
        message=f"the day stands at {money(-loss, state.currency)}, "
        f"it ends at {money(-limit, state.currency)}",
        fix=lambda: "no new risk today; closing and tightening pass",
    )


def day_is_lost(state: AccountState, limits: Limits) -> bool:
    """Say whether the venue's day has lost its share; False where its start is not known."""
    if state.day_start_equity is None:
        return False
    loss, limit = _day(state, state.day_start_equity, limits)
    return loss >= limit


def _day(state: AccountState, start: Decimal, limits: Limits) -> tuple[Decimal, Decimal]:
    """Return the day's loss and the loss that ends it."""
    return start - state.equity, limits.daily_loss_fraction * start


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
    valued, order, spec = facts.valued, facts.order, facts.instrument
    if order is None:
        return DAY_NOTIONAL.silent("no opening order")
    if valued is None or spec is None or facts.account_used is None or facts.equity is None:
        return DAY_NOTIONAL.lacks("the value of the day's orders")
    limit = facts.limits.notional_per_day_max_fraction * facts.equity
    used, amount = facts.account_used.notional, valued.worst_notional
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
