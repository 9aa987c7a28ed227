"""Replay: past judgements out of the sealed record, made again, or made under other limits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.canonical import canonical, decode_intent
from ordergate.model.orders import Intent
from ordergate.model.records import AuditRow
from ordergate.model.values import ZERO
from ordergate.model.verdicts import Decision, Verb
from ordergate.order.policy.decision import decide
from ordergate.order.policy.exposure import valued
from ordergate.order.policy.facts import Facts
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.recall import Forgotten, recall
from ordergate.order.policy.tightenings import Scope, in_force

# What was counted was counted in these windows: in longer ones it is not known.
WINDOWS: Final = ("repeat_window_s", "duplicate_window_s", "drift_window_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One judgement as it was sealed."""

    seq: int
    at: datetime
    kind: str
    version: str  # of the program that judged
    order_id: str
    intent: Intent
    verb: Verb
    facts: str
    digest: str | None  # of the decision; None in the records of older versions

    def facts_then(self) -> Facts:
        """Return the facts it rested on; raise Forgotten."""
        try:
            return recall(self.intent, self.facts)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise Forgotten(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A past judgement, then and under other limits."""

    sealed: Sealed
    facts: Facts
    then: Decision
    now: Decision
    blurred: tuple[str, ...] = ()  # windows that are longer now than those counted in

    @property
    def notional(self) -> Decimal:
        return ZERO if self.facts.valued is None else self.facts.valued.notional


def sealed_judgements(rows: Iterable[AuditRow]) -> Iterator[Sealed]:
    """Return every judgement of a log that sealed its facts, oldest first."""
    intents: dict[str, Intent] = {}
    for row in rows:
        if not row.kind.startswith("order."):
            continue
        sealed = json.loads(row.body)
        body: dict[str, Any] = sealed["body"]
        if "intent" in body:
            text = canonical({"action": body["action"], **body["intent"]})
            intents[row.corr] = decode_intent(text)
        if "facts" in body and "verb" in body and row.corr in intents:
            yield Sealed(
                seq=row.seq,
                at=row.ts,
                kind=row.kind,
                version=str(sealed.get("version", "")),
                order_id=row.corr,
                intent=intents[row.corr],
                verb=Verb(body["verb"]),
                facts=str(body["facts"]),
                digest=body.get("decision"),
            )


def again(sealed: Sealed) -> Decision:
    """Judge anew on the very facts; raise Forgotten where they were not all kept."""
    return decide(sealed.intent, sealed.facts_then())


def under(sealed: Sealed, policy: Limits) -> Replayed:
    """Judge on the very facts under another policy; raise Forgotten.

    What an order that is refused now would have freed for later ones is not followed.
    """
    facts = sealed.facts_then()
    then = decide(sealed.intent, facts)
    if then.verb is not sealed.verb:
        raise Forgotten(f"the rules of {sealed.version} said {sealed.verb}, these {then.verb}")
    scope = Scope(
        venue=facts.venue, account=facts.account, principal=facts.principal, live=facts.live
    )
    found = in_force(policy, (), scope)
    limits = found.limits
    worth = valued(facts.order, facts.quote, facts.instrument, rate=facts.rate, limits=limits)
    other = dataclasses.replace(
        _in_window(facts, limits),
        limits=limits,
        limit_sources=found.sources,
        valued=worth,
    )
    return Replayed(
        sealed=sealed,
        facts=facts,
        then=then,
        now=decide(sealed.intent, other),
        blurred=tuple(f"limits.{name}" for name in WINDOWS if _longer(name, limits, facts.limits)),
    )


def _longer(window: str, now: Limits, then: Limits) -> bool:
    return bool(getattr(now, window) > getattr(then, window))


def _in_window(facts: Facts, limits: Limits) -> Facts:
    """Forget the twin that lies outside a shorter window."""
    age = facts.activity.duplicate_age_s
    if age is None or age < limits.duplicate_window_s:
        return facts
    activity = dataclasses.replace(facts.activity, duplicate_of=None, duplicate_age_s=None)
    return dataclasses.replace(facts, activity=activity)
