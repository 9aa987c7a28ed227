"""Real money (C31, C19): who may open with it at all, and where its stops must rest."""

from __future__ import annotations

from typing import Final

from ordergate.model.errors import Code
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import MONEY, Control, cents_up, money

GRANT: Final = Control(rule="live_grant", number="C31")
RESIDENT: Final = Control(
    rule="stop_resident",
    number="C19",
    limit_name="limits.live_managed_stop_notional_max",
    unit=MONEY,
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
