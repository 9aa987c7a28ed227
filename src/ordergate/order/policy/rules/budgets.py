"""Budgets (C10, C11, C7, C22): what one principal, and the account in money, may use of a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Mode
from ordergate.model.errors import Code
from ordergate.model.values import ZERO
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    lots_that_fit,
    money,
)

ACCOUNT_VALUE: Final = Control(
    rule="account_notional_per_day",
    number="C11",
    limit_name="limits.account_notional_per_day_max",
    unit=MONEY,
)
AGENT_VALUE: Final = Control(
    rule="agent_notional_per_day",
    number="C11",
    limit_name="limits.agent_notional_per_day_max",
    unit=MONEY,
)
AGENT_LOSS: Final = Control(
    rule="agent_daily_loss",
    number="C10",
    limit_name="limits.agent_daily_loss_max",
    unit=MONEY,
)
AGENT_EXPOSURE: Final = Control(
    rule="agent_open_exposure",
    number="C7",
    limit_name="limits.agent_open_exposure_max",
    unit=MONEY,
)
LIVE: Final = Control(rule="live_allowed", number="C22", limit_name="limits.live_allowed")
NO_ORDER: Final = "no opening order"


def account_value(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that brings the account's day over its value in money."""
    used = None if facts.account_used is None else facts.account_used.notional
    limit = facts.limits.account_notional_per_day_max
    return _within(ACCOUNT_VALUE, facts, used=used, limit=limit, what="the account's orders today")


def agent_value(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that brings one principal's day over its value."""
    used = None if facts.used is None else facts.used.notional
    limit = facts.limits.agent_notional_per_day_max
    return _within(AGENT_VALUE, facts, used=used, limit=limit, what="your orders today")


def agent_exposure(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that brings all one principal has open, or on its way, over its value."""
    used = None if facts.budget is None else facts.budget.exposure
    limit = facts.limits.agent_open_exposure_max
    return _within(AGENT_EXPOSURE, facts, used=used, limit=limit, what="all you have open")


def agent_loss(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk of a principal whose own trades have lost its share of the day."""
    budget, used = facts.budget, facts.used
    if budget is None or budget.open_result is None or used is None:
        return AGENT_LOSS.lacks("what your own trades have brought today")
    loss, limit = -(used.result + budget.open_result), facts.limits.agent_daily_loss_max
    return AGENT_LOSS.measured(
        value=cents_up(loss),
        limit=cents_down(limit),
        room=cents_down(limit - loss),
        broken=loss >= limit,
        message=f"your own trades stand at {money(-loss, facts.currency)} today, "
        f"your day ends at {money(-limit, facts.currency)}",
        fix=lambda: "no new risk of yours today; closing and tightening pass",
    )


def live_allowed(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse to open on a live account where profile or file are for paper and demo alone."""
    if facts.identity is None:
        return LIVE.lacks("whether the account is live")
    if facts.identity.mode is not Mode.LIVE or facts.limits.live_allowed:
        return LIVE.passes()
    source = facts.limit_sources.get("limits.live_allowed", "")
    return LIVE.refuses(
        Code.EXCEEDS_LOCAL_LIMIT,
        f"these limits are for paper and demo accounts alone ({source})",
        fix="ask the operator for a risk profile that is made for live accounts",
    )


def _within(
    control: Control, facts: Facts, *, used: Decimal | None, limit: Decimal, what: str
) -> RuleVerdict:
    order, valued, spec = facts.order, facts.valued, facts.instrument
    if order is None:
        return control.silent(NO_ORDER)
    if used is None or valued is None or spec is None:
        return control.lacks(f"{what}, in the account's currency,")
    amount, room = valued.worst_notional, max(limit - used, ZERO)
    return control.measured(
        value=cents_up(used + amount),
        limit=cents_down(limit),
        room=cents_down(room),
        broken=used + amount > limit,
        message=f"{what}: {money(used + amount, facts.currency)}, "
        f"at most {money(limit, facts.currency)}",
        fix=lambda: lots_that_fit(room, per_lot=amount / order.quantity, instrument=spec),
    )
