from __future__ import annotations

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import Lane
from ordergate.model.verdicts import Decision, Finding, Judgement, RuleVerdict, Verb
from ordergate.order.intent.drafting import CIRCUMSTANCES, hopeless


def judged(*findings: tuple[str, Finding, Code | None]) -> Judgement:
    verdicts = tuple(
        RuleVerdict(rule=rule, control="C1", finding=finding, code=code)
        for rule, finding, code in findings
    )
    decision = Decision(verb=Verb.DENY, lane=Lane.OPEN, verdicts=verdicts)
    return Judgement(
        decision=decision,
        exposure=None,
        reference_price=None,
        band_low=None,
        band_high=None,
        facts_json="{}",
        policy_hash="p",
    )


@pytest.mark.parametrize("code", sorted(set(Code) - CIRCUMSTANCES))
def test_what_lies_in_the_order_ends_the_draft(code: Code) -> None:
    refusal = hopeless(judged(("kill", Finding.REFUSE, Code.HALTED), ("it", Finding.REFUSE, code)))
    assert refusal is not None
    assert refusal.rule == "it"


@pytest.mark.parametrize("code", sorted(CIRCUMSTANCES))
def test_what_a_better_hour_may_cure_does_not(code: Code) -> None:
    assert hopeless(judged(("it", Finding.REFUSE, code))) is None


def test_asking_and_warning_do_not_end_a_draft() -> None:
    judgement = judged(
        ("ask", Finding.ASK, Code.EXCEEDS_LOCAL_LIMIT), ("warn", Finding.WARN, Code.INVALID_PRICE)
    )
    assert hopeless(judgement) is None
