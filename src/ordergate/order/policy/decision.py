"""The decision: the whole checklist, folded to allow, ask or deny."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from ordergate.model.canonical import canonical
from ordergate.model.orders import Intent, Lane, Side
from ordergate.model.values import ZERO, round_ceiling, round_floor
from ordergate.model.verdicts import Decision, Exposure, Finding, RuleVerdict, Verb
from ordergate.order.policy.exposure import reference_price
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.checklist import RULES
from ordergate.order.policy.rules.lanes import lane_of


def decide(intent: Intent, facts: Facts) -> Decision:
    """Return every rule's verdict on the intent, in its lane, and what they come to."""
    request = Request(intent, lane_of(intent, facts))
    return fold((rule.judge(request, facts) for rule in RULES), lane=request.lane)


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
    # Not `in`: a headroom of 0 equals False and must be said.
    said = {name: value for name, value in values.items() if not _unsaid(value)}
    return canonical(said)


def _unsaid(value: object) -> bool:
    return value is None or value is False or value == ""


_WORDS: Final = tuple(field.name for field in dataclasses.fields(RuleVerdict))


def adds(decision: Decision, facts: Facts) -> Exposure | None:
    """Return what the request adds; a widened stop adds no size, only its price is of interest."""
    if decision.lane is not Lane.OPEN:
        return None
    if facts.valued is not None:
        return Exposure(
            notional=facts.valued.worst_notional,
            risk=facts.valued.risk,
            reference_price=facts.valued.reference,
            worst_price=facts.valued.worst,
        )
    price = _reference(facts)
    if price is None or facts.order is not None:
        return None
    return Exposure(notional=ZERO, risk=None, reference_price=price, worst_price=price)


def _reference(facts: Facts) -> Decimal | None:
    if facts.quote is None:
        return None
    side = Side.BUY if facts.order is None else facts.order.side
    return reference_price(side, facts.quote)


def band(facts: Facts) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the market's price and those between which a yes stays good, whole ticks, outwards."""
    if facts.quote is None or facts.instrument is None:
        return None, None, None
    side = Side.BUY if facts.order is None else facts.order.side
    price, tick = reference_price(side, facts.quote), facts.instrument.tick_size
    away = price * facts.limits.approval_band_fraction
    return price, round_floor(price - away, tick), round_ceiling(price + away, tick)
