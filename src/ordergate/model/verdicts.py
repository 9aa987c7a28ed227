"""A judgement in words: one verdict per rule, and the decision they add up to."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from ordergate.model.errors import Code
from ordergate.model.orders import Lane
from ordergate.model.records import ScopeKind
from ordergate.model.values import VenueOrderId


class Finding(enum.StrEnum):
    PASS = "pass"
    WARN = "warn"  # sent all the same; stands in the answer and in the audit
    ASK = "ask"  # a human must say yes
    REFUSE = "refuse"
    NOT_ASKED = "not_asked"  # the lane is not asked, or the rule cannot apply


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """What one rule says of one order, with its number and what is left of it."""

    rule: str  # snake_case name, unique
    control: str  # "C1".."C36"
    finding: Finding
    code: Code | None = None  # set on WARN, ASK and REFUSE
    limit_name: str | None = None
    value: Decimal | None = None  # what this order comes to
    limit: Decimal | None = None
    headroom: Decimal | None = None  # what is left before this order; never negative
    unit: str = ""
    message: str = ""
    fix: str = ""
    halts: ScopeKind | None = None  # refusing here also halts this scope
    source: str = ""  # who set the limit that was broken: "agent local-agent", "file", ...


@dataclass(frozen=True, slots=True)
class Halting:
    """A rule that stops its scope until an operator releases it."""

    rule: str
    scope: ScopeKind


class Verb(enum.StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole checklist and what it comes to; `failed` is the first failing rule in order."""

    verb: Verb
    lane: Lane
    verdicts: tuple[RuleVerdict, ...]
    failed: RuleVerdict | None = None  # set when verb is DENY (first REFUSE) or ASK (first ASK)
    warnings: tuple[RuleVerdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an opening reserves in every limit until evidence releases it, account currency."""

    notional: Decimal
    risk: Decimal | None  # loss at the stop; None where there is no stop
    reference_price: Decimal  # the fresh price it was valued at
    worst_price: Decimal
    reached: Decimal | None = None  # the price it would trade at, at once or later


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A decision with the facts it was made on, fit to be recorded and repeated."""

    decision: Decision
    exposure: Exposure | None  # None for lanes that add no risk
    reference_price: Decimal | None  # the market's, fresh, on the side the order would trade at
    band_low: Decimal | None  # price band an approval would be good for
    band_high: Decimal | None
    facts_json: str  # canonical JSON of every fact the rules read
    policy_hash: str  # hash of the effective limits
    halt_reasons: tuple[Halting, ...] = ()  # the rules that halt, if any
    clear_first: tuple[VenueOrderId, ...] = ()  # own openings in the way of this exit
    subject: str = ""  # hash of the position or resting order it would change; "" for a new order
