"""The decision: the whole checklist, folded to allow, ask or deny."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.orders import Intent, Lane
from ordergate.model.verdicts import Decision, Finding, Judgement, RuleVerdict, Verb
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.checklist import RULES
from ordergate.order.policy.rules.lanes import lane_of
from ordergate.order.policy.tightenings import DEFAULT_SOURCE

_BROKEN: Final = frozenset({Finding.REFUSE, Finding.ASK, Finding.WARN})


def decide(intent: Intent, facts: Facts) -> Decision:
    """Return every rule's verdict on the intent, in its lane, and what they come to."""
    request = Request(intent, lane_of(intent, facts))
    verdicts = (_sourced(rule.judge(request, facts), facts) for rule in RULES)
    return fold(verdicts, lane=request.lane)


def _sourced(verdict: RuleVerdict, facts: Facts) -> RuleVerdict:
    """Say of a limit that is broken who set it: the strictest of all that speak of the request."""
    if verdict.limit_name is None or verdict.limit is None or verdict.finding not in _BROKEN:
        return verdict
    source = facts.limit_sources.get(verdict.limit_name, DEFAULT_SOURCE)
    return dataclasses.replace(verdict, source=source)


def fold(verdicts: Iterable[RuleVerdict], *, lane: Lane) -> Decision:
    """Deny by the first refusal in declared order, else ask by the first question, else allow."""
    checklist = tuple(verdicts)
    warnings = tuple(verdict for verdict in checklist if verdict.finding is Finding.WARN)
    for finding, verb in ((Finding.REFUSE, Verb.DENY), (Finding.ASK, Verb.ASK)):
        for verdict in checklist:
            if verdict.finding is finding:
                return Decision(
                    verb=verb, lane=lane, verdicts=checklist, failed=verdict, warnings=warnings
                )
    return Decision(verb=Verb.ALLOW, lane=lane, verdicts=checklist, warnings=warnings)


def told(judgement: Judgement) -> dict[str, object]:
    """Return what is sealed of a judgement: all its facts, and the digest of what it came to."""
    return {
        "lane": judgement.decision.lane,
        "verb": judgement.decision.verb,
        "policy": judgement.policy_hash,
        "facts": judgement.facts_json,
        "decision": sha256_hex(recorded(judgement.decision)),
    }


def recorded(decision: Decision) -> str:
    """Return a decision as it is kept with its order: what a verdict leaves unsaid is left out."""
    head = canonical(
        {
            "verb": decision.verb,
            "lane": decision.lane,
            "failed": None if decision.failed is None else decision.failed.rule,
        }
    )
    return f'{head[:-1]},"verdicts":[{",".join(map(_said, decision.verdicts))}]}}'


@lru_cache(maxsize=512)  # most rules say the same of most orders
def _said(verdict: RuleVerdict) -> str:
    values = {name: getattr(verdict, name) for name in _WORDS}
    return canonical({name: value for name, value in values.items() if value not in (None, "")})


_WORDS: Final = tuple(field.name for field in dataclasses.fields(RuleVerdict))
