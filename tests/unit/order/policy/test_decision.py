from __future__ import annotations

import pytest

from ordergate.model.orders import Lane
from ordergate.model.verdicts import Finding, RuleVerdict, Verb
from ordergate.order.policy.decision import fold

PASS, WARN, ASK = Finding.PASS, Finding.WARN, Finding.ASK
REFUSE, SILENT = Finding.REFUSE, Finding.NOT_ASKED


@pytest.mark.parametrize(
    ("findings", "verb", "failed"),
    [
        ((), Verb.ALLOW, None),
        ((PASS, SILENT, WARN), Verb.ALLOW, None),
        ((PASS, ASK, WARN), Verb.ASK, 1),
        ((ASK, ASK), Verb.ASK, 0),
        ((ASK, REFUSE, REFUSE), Verb.DENY, 1),
        ((REFUSE, ASK), Verb.DENY, 0),
    ],
)
def test_the_first_refusal_denies_else_the_first_question_asks(
    findings: tuple[Finding, ...], verb: Verb, failed: int | None
) -> None:
    verdicts = tuple(
        RuleVerdict(rule=f"r{n}", control="C1", finding=finding)
        for n, finding in enumerate(findings)
    )
    decision = fold(iter(verdicts), lane=Lane.OPEN)
    assert decision.verb is verb
    assert decision.failed == (None if failed is None else verdicts[failed])
    assert decision.verdicts == verdicts
    assert decision.warnings == tuple(row for row in verdicts if row.finding is WARN)
