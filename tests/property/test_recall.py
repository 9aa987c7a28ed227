"""A verdict is repeated bit for bit from what was recorded of its facts, whatever the world."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from ordergate.model.orders import Intent
from ordergate.order.policy.decision import decide
from ordergate.order.policy.decision import recorded as told
from ordergate.order.policy.facts import Request, recorded
from ordergate.order.policy.recall import recall
from property.test_policy import anything, orders, troubles
from support.examples import examples
from support.judging import Court


def vars_of(intent: Intent) -> list[object]:
    return [getattr(intent, row.name) for row in fields(intent)]


@examples(300)
@given(troubles(), st.one_of(anything(), orders()), st.booleans())
def test_a_recorded_verdict_is_repeated_bit_for_bit(
    court: Court, intent: Intent, known: bool
) -> None:
    assume(not any(isinstance(it, Decimal) and it.is_snan() for it in vars_of(intent)))
    court.snapshot_known = known
    judgement = court.judge(intent)
    facts = recall(intent, judgement.facts_json)
    decision = decide(intent, facts)
    assert told(decision) == told(judgement.decision)
    assert recorded(Request(intent, decision.lane), facts) == judgement.facts_json
