"""Where an order stands, in public words: its status, and a code of the closed list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.orders import AttemptState, OrderState
from ordergate.model.records import AttemptRecord, OrderRecord, ScopeKind
from ordergate.model.values import PrincipalId

_ORDER_WORDS: Final = {
    OrderState.AWAITING_APPROVAL: "approval_required",
    OrderState.POLICY_REJECTED: "rejected",
}
_ATTEMPT_WORDS: Final = {
    AttemptState.VENUE_EXPIRED: "expired",
    AttemptState.AWAITING_PROMPT: "sending",
    AttemptState.RESOLVED_NOT_PLACED: "not_sent",
}
_TRIED: Final = frozenset({OrderState.ACTIVE, OrderState.REQUOTED, OrderState.DONE})
_IN_DOUBT: Final = frozenset({AttemptState.UNKNOWN, AttemptState.PARKED})
_REFUSED: Final = frozenset({AttemptState.REJECTED, AttemptState.NOT_APPLIED})
_UNSENT: Final = frozenset({AttemptState.NOT_SENT, AttemptState.RESOLVED_NOT_PLACED})


def status_word(order: OrderRecord, attempt: AttemptRecord | None) -> str:
    """Return the public status: the last attempt's once there is one, else the order's."""
    if attempt is not None and order.state in (OrderState.ACTIVE, OrderState.DONE):
        return _ATTEMPT_WORDS.get(attempt.state, attempt.state.value)
    return _ORDER_WORDS.get(order.state, order.state.value)


def public_code(
    order: OrderRecord, attempt: AttemptRecord | None, refusals: Mapping[str, Code]
) -> Code | None:
    """Return why the order is not what was asked for; None while nothing is wrong with it.

    `refusals` says what the venue's own words mean; a word it does not hold is a plain refusal.
    """
    if attempt is None or order.state not in _TRIED:
        return closed(order.code)
    if attempt.state in _IN_DOUBT:
        return Code.ORDER_UNKNOWN
    if attempt.state in _UNSENT:
        return Code.NOT_READY
    if attempt.state in _REFUSED:
        word = attempt.code or ""
        return refusals.get(word) or closed(word) or Code.REJECTED_BY_SERVER
    return None


def venue_code(order: OrderRecord, attempt: AttemptRecord | None) -> str | None:
    """Return the venue's own word for its refusal; None where it refused nothing."""
    if attempt is None or order.state not in _TRIED or attempt.state not in _REFUSED:
        return None
    return attempt.code


def closed(word: str | None) -> Code | None:
    """Return the code of the closed list that this word is, if it is one."""
    return Code.__members__.get(word) if word is not None else None


def release_of(scope: ScopeKind, target: str) -> str:
    """Return the fact that keeps when a scope was last released: C5 and C13 count from there."""
    return f"released:{scope.value}:{target}"


def yes_to(principal: PrincipalId) -> str:
    """Return the fact that keeps when a human last said yes to a principal: C13 counts on."""
    return f"approved:{principal}"
