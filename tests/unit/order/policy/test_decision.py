from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace

import pytest

from ordergate.model.orders import Lane
from ordergate.model.verdicts import Finding, RuleVerdict, Verb
from ordergate.order.policy import decision
from ordergate.order.policy.decision import fold, recorded
from ordergate.order.policy.tightenings import DEFAULT_SOURCE
from support.judging import Court, place

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


def test_what_is_recorded_says_every_number_also_zero_and_leaves_out_what_was_unsaid() -> None:
    full = RuleVerdict(
        rule="a",
        control="C1",
        finding=Finding.REFUSE,
        value=Decimal(0),
        limit=Decimal("1.50"),
        headroom=Decimal(0),
    )
    decision = fold(
        [full, RuleVerdict(rule="b", control="C2", finding=Finding.PASS)], lane=Lane.OPEN
    )
    assert json.loads(recorded(decision)) == {
        "verb": "deny",
        "lane": "open",
        "failed": "a",
        "verdicts": [
            {
                "rule": "a",
                "control": "C1",
                "finding": "refuse",
                "value": "0",
                "limit": "1.5",
                "headroom": "0",
            },
            {"rule": "b", "control": "C2", "finding": "pass"},
        ],
    }


@pytest.mark.parametrize(
    ("finding", "named", "numbered", "said"),
    [
        (REFUSE, True, True, DEFAULT_SOURCE),
        (ASK, True, True, DEFAULT_SOURCE),
        (WARN, True, True, DEFAULT_SOURCE),
        (PASS, True, True, ""),
        (SILENT, True, True, ""),
        (REFUSE, False, True, ""),
        (REFUSE, True, False, ""),
    ],
)
def test_a_broken_limit_says_who_set_it(
    monkeypatch: pytest.MonkeyPatch, finding: Finding, named: bool, numbered: bool, said: str
) -> None:
    verdict = RuleVerdict(
        rule="a",
        control="C1",
        finding=finding,
        limit_name="limits.order_notional_max" if named else None,
        limit=Decimal(1) if numbered else None,
    )
    rule = SimpleNamespace(judge=lambda request, facts: verdict)
    monkeypatch.setattr(decision, "RULES", (rule,))
    (told,) = Court().judge(place()).decision.verdicts
    assert told.source == said
