"""Who may do what: the compiled matrix of principal kinds and acts (reliability.md 4.3).

A credential proves who asks; this table alone says what that kind may ever do. Nothing a caller
sends (an argument, a header, a scope) can add a cell to it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ordergate.model.errors import Forbidden
from ordergate.model.principals import Grant, Kind, Principal


class Act(enum.StrEnum):
    # reading
    READ_MARKET = "read_market"
    READ_ACCOUNT = "read_account"
    READ_SAFETY = "read_safety"
    READ_AUDIT = "read_audit"
    # asking
    DRAFT = "draft"
    TRADE_PAPER = "trade_paper"
    PROPOSE_LIVE = "propose_live"
    WITHDRAW = "withdraw"
    KEEP_WATCH = "keep_watch"  # price alerts and lists of symbols, one's own
    RESEARCH = "research"  # backtests and sweeps, one's own jobs
    # reducing risk
    CANCEL = "cancel"
    CLOSE = "close"
    MODIFY = "modify"
    TOUCH_OTHERS = "touch_others"  # close and change what others opened, off paper
    ENGAGE_KILL = "engage_kill"
    TIGHTEN = "tighten"
    # deciding
    SUBMIT_DRAFT = "submit_draft"
    APPROVE = "approve"
    DENY = "deny"
    RELEASE = "release"
    RESOLVE = "resolve"
    LOOSEN = "loosen"
    ARM = "arm"
    DISARM = "disarm"
    SET_PACE = "set_pace"  # of a recording
    MAKE_TOKENS = "make_tokens"
    EXPORT_AUDIT = "export_audit"
    ACKNOWLEDGE = "acknowledge"  # take note of an alert that repeats
    MANAGE_FACTORS = "manage_factors"


_READING: Final = frozenset({Act.READ_MARKET, Act.READ_ACCOUNT, Act.READ_SAFETY})
# PROPOSE_LIVE and TOUCH_OTHERS are an agent's by grant alone: see GRANTED.
_ASKING: Final = frozenset({Act.DRAFT, Act.TRADE_PAPER, Act.WITHDRAW, Act.KEEP_WATCH, Act.RESEARCH})
_REDUCING: Final = frozenset({Act.CANCEL, Act.CLOSE, Act.MODIFY, Act.ENGAGE_KILL, Act.TIGHTEN})
_MANAGED_EXITS: Final = frozenset(
    {Act.CANCEL, Act.CLOSE, Act.MODIFY, Act.TOUCH_OTHERS, Act.ENGAGE_KILL}
)

MAY: Final[Mapping[Kind, frozenset[Act]]] = MappingProxyType(
    {
        # An agent reads the records of its own acts; READ_AUDIT is everybody's.
        Kind.READ_ONLY: _READING | {Act.READ_AUDIT},
        Kind.AGENT: _READING | _ASKING | _REDUCING,
        Kind.GATEWAY: _READING | _MANAGED_EXITS,
        Kind.OPERATOR: frozenset(Act),
    }
)

# What the operator may give one agent's token; no other act can be given to anybody.
GRANTED: Final[Mapping[Grant, Act]] = MappingProxyType(
    {Grant.LIVE: Act.PROPOSE_LIVE, Grant.OTHERS: Act.TOUCH_OTHERS}
)
# What a sign-in alone does not open: a factor is shown for each of these, at the act.
FRESH: Final = frozenset(
    {
        Act.SUBMIT_DRAFT,
        Act.APPROVE,
        Act.RELEASE,
        Act.RESOLVE,
        Act.LOOSEN,
        Act.ARM,
        Act.MAKE_TOKENS,
        Act.EXPORT_AUDIT,
        Act.MANAGE_FACTORS,
    }
)


def allowed(kind: Kind, act: Act, grants: frozenset[Grant] = frozenset()) -> bool:
    """Say whether a principal of this kind, with these grants, may ever do this."""
    granted = kind is Kind.AGENT and act in {GRANTED[grant] for grant in grants}
    return granted or act in MAY[kind]


def require(principal: Principal, act: Act) -> None:
    """Raise Forbidden unless the principal's kind, or a grant, lets it do this."""
    if not allowed(principal.kind, act, principal.grants):
        raise Forbidden(
            f"a principal of kind {principal.kind.value} may not {act.value}",
            details={"kind": principal.kind.value, "act": act.value},
        )
