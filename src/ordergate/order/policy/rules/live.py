"""Real money (C31, C19, C13): who may open with it, where its stops rest, how often it asks."""

from __future__ import annotations

from typing import Final

from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import MONEY, Control, cents_up, counted, money

GRANT: Final = Control(rule="live_grant", number="C31")
RESIDENT: Final = Control(
    rule="stop_resident",
    number="C19",
    limit_name="limits.live_managed_stop_notional_max",
    unit=MONEY,
)

WAITING: Final = Control(
    rule="asks_waiting",
    number="C13",
    limit_name="approval.live_waiting_max",
    unit="asks",
)
HOURLY: Final = Control(
    rule="asks_in_hour",
    number="C13",
    limit_name="approval.live_hourly_max",
    unit="asks",
    halts=ScopeKind.AGENT,
)


def live_grant(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse new risk with real money to a token that the operator did not make for it."""
    if not facts.live or facts.may_open_live:
        return GRANT.passes()
    return GRANT.refuses(
        Code.FORBIDDEN,
        "this token may not open on a live account",
        fix="trade on paper, or draft_order for the operator to submit",
    )


def stop_resident(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse to open with real money where the venue would not keep the stop itself."""
    order = facts.order
    if order is None or order.stop_loss is None or not facts.live:
        return RESIDENT.silent("no stop of a live opening order")
    if facts.stops_rest:
        return RESIDENT.passes("the stop rests at the venue")
    if facts.valued is None:
        return RESIDENT.lacks(f"what {facts.symbol[:64]} is worth in the account's currency")
    amount, waived = facts.valued.notional, facts.limits.live_managed_stop_notional_max
    return RESIDENT.measured(
        value=cents_up(amount),
        limit=waived,
        room=waived,
        broken=amount > waived,
        message=f"this venue keeps no stop; the operator lets the gateway keep the stops of"
        f" orders up to {money(waived, facts.currency)}",
        fix=lambda: "trade where the stop rests at the venue; the operator sets the waiver",
        code=Code.STOP_REQUIRED,
    )


def asks_waiting(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse one more ask beside those a human has not answered: a tired yes is none."""
    if not facts.live:
        return WAITING.silent("no live account")
    return counted(
        WAITING,
        used=facts.activity.asks_waiting,
        limit=facts.limits.approval_live_waiting_max,
        what="your orders that wait for a human",
        fix="wait until the operator has answered, or withdraw one",
        code=Code.RATE_LIMIT_EXCEEDED,
    )


def asks_in_hour(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse, and halt, an agent that keeps putting orders to a human."""
    if not facts.live:
        return HOURLY.silent("no live account")
    return counted(
        HOURLY,
        used=facts.activity.asks_in_hour,
        limit=facts.limits.approval_live_hourly_max,
        what="your orders put to a human in the last hour",
        fix="stop and let the operator look; only the operator starts it again",
        code=Code.RATE_LIMIT_EXCEEDED,
    )
