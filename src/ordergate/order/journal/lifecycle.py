"""The lifecycle of orders and attempts: the tables of reliability.md 2.4, and nothing else.

A (state, event) that is not listed is an error and an incident. `None` is the state before the
first event.
"""

from __future__ import annotations

from typing import Final

from ordergate.model.orders import Action, AttemptState, OrderState

O = OrderState  # noqa: E741 - the table reads better with one letter
A = AttemptState


PLACING: Final = frozenset({Action.PLACE, Action.CLOSE})  # the rest change what exists


class IllegalTransition(Exception):
    """The event is not listed for the state: a defect, or two histories that disagree."""


ORDER_TABLE: Final[dict[tuple[OrderState | None, str], OrderState]] = {
    (None, "drafted"): O.DRAFT,
    (None, "proposed"): O.PROPOSED,
    (None, "found"): O.ACTIVE,
    (O.DRAFT, "submitted"): O.PROPOSED,
    (O.DRAFT, "discarded"): O.WITHDRAWN,
    (O.DRAFT, "day_ended"): O.EXPIRED,
    (O.PROPOSED, "judged_deny"): O.POLICY_REJECTED,
    (O.PROPOSED, "judged_ask"): O.AWAITING_APPROVAL,
    (O.PROPOSED, "judged_allow"): O.APPROVED,
    (O.PROPOSED, "withdrawn"): O.WITHDRAWN,
    (O.PROPOSED, "good_till_passed"): O.EXPIRED,
    (O.AWAITING_APPROVAL, "yes"): O.APPROVED,
    (O.AWAITING_APPROVAL, "no"): O.DENIED,
    (O.AWAITING_APPROVAL, "ask_expired"): O.EXPIRED,
    (O.AWAITING_APPROVAL, "restarted_live"): O.EXPIRED,
    (O.AWAITING_APPROVAL, "withdrawn"): O.WITHDRAWN,
    (O.AWAITING_APPROVAL, "killed"): O.KILLED,
    (O.APPROVED, "claimed"): O.ACTIVE,
    (O.APPROVED, "claim_denied"): O.BLOCKED,
    (O.APPROVED, "price_left_band"): O.AWAITING_APPROVAL,
    (O.APPROVED, "killed"): O.KILLED,
    (O.APPROVED, "withdrawn"): O.WITHDRAWN,
    (O.APPROVED, "good_till_passed"): O.EXPIRED,
    (O.APPROVED, "restarted_live"): O.EXPIRED,
    (O.APPROVED, "restarted_paper"): O.AWAITING_APPROVAL,
    (O.ACTIVE, "requoted"): O.REQUOTED,
    (O.ACTIVE, "attempt_ended"): O.DONE,
    (O.ACTIVE, "adopted"): O.ACTIVE,
    (O.REQUOTED, "asked_again"): O.PROPOSED,
    (O.REQUOTED, "requote_over"): O.DONE,
    # The venue's books win over what we believed: adopted, with an incident.
    **{
        (state, "adopted"): O.ACTIVE
        for state in (
            O.REQUOTED,
            O.PROPOSED,
            O.AWAITING_APPROVAL,
            O.APPROVED,
            O.POLICY_REJECTED,
            O.DENIED,
            O.EXPIRED,
            O.WITHDRAWN,
            O.BLOCKED,
            O.KILLED,
            O.DONE,
        )
    },
}

ORDER_ENDED: Final = frozenset(
    {
        O.POLICY_REJECTED,
        O.DENIED,
        O.EXPIRED,
        O.WITHDRAWN,
        O.BLOCKED,
        O.KILLED,
        O.DONE,
    }
)

# Events that exist for the open lane only (rows marked (o)).
OPENING_ONLY: Final = frozenset(
    {"judged_ask", "killed", "price_left_band", "restarted_live", "restarted_paper"}
)

_LOOKED_FOR: Final = (A.UNKNOWN, A.PARKED)
RESTING: Final = (A.WORKING, A.PARTIAL)  # in order: the state page is drawn from it
_GONE: Final = (A.CANCELED, A.VENUE_EXPIRED, A.REPLACED)
DISBELIEVED: Final = (A.REJECTED, A.NOT_SENT, A.RESOLVED_NOT_PLACED)

PLACE_TABLE: Final[dict[tuple[AttemptState | None, str], AttemptState]] = {
    (None, "claimed"): A.SENDING,
    (None, "found_working"): A.WORKING,
    (None, "found_partial"): A.PARTIAL,
    (None, "found_filled"): A.FILLED,
    (A.SENDING, "accepted"): A.WORKING,
    (A.SENDING, "partly_filled"): A.PARTIAL,
    (A.SENDING, "filled"): A.FILLED,
    (A.SENDING, "refused"): A.REJECTED,
    (A.SENDING, "canceled"): A.CANCELED,
    (A.SENDING, "expired"): A.VENUE_EXPIRED,
    (A.SENDING, "unsent"): A.NOT_SENT,
    (A.SENDING, "asked"): A.AWAITING_PROMPT,
    (A.SENDING, "lost_sight"): A.UNKNOWN,
    (A.AWAITING_PROMPT, "answer_recorded"): A.AWAITING_PROMPT,
    (A.AWAITING_PROMPT, "asked"): A.AWAITING_PROMPT,
    (A.AWAITING_PROMPT, "accepted"): A.WORKING,
    (A.AWAITING_PROMPT, "refused"): A.REJECTED,
    (A.AWAITING_PROMPT, "unsent"): A.NOT_SENT,
    (A.AWAITING_PROMPT, "lost_sight"): A.UNKNOWN,
    **{(state, "accepted"): A.WORKING for state in _LOOKED_FOR},
    **{(state, "partly_filled"): A.PARTIAL for state in _LOOKED_FOR},
    **{(state, "filled"): A.FILLED for state in _LOOKED_FOR},
    **{(state, "refused"): A.REJECTED for state in _LOOKED_FOR},
    **{(state, "canceled"): A.CANCELED for state in _LOOKED_FOR},
    **{(state, "expired"): A.VENUE_EXPIRED for state in _LOOKED_FOR},
    **{(state, "unsent"): A.NOT_SENT for state in _LOOKED_FOR},
    (A.UNKNOWN, "not_found"): A.PARKED,
    (A.PARKED, "resolved_not_placed"): A.RESOLVED_NOT_PLACED,
    (A.PARKED, "resolved_gone"): A.CANCELED,
    **{(state, "partly_filled"): A.PARTIAL for state in RESTING},
    **{(state, "filled"): A.FILLED for state in RESTING},
    **{(state, "canceled"): A.CANCELED for state in RESTING},
    **{(state, "expired"): A.VENUE_EXPIRED for state in RESTING},
    **{(state, "replaced"): A.REPLACED for state in RESTING},
    **{(state, "amended"): state for state in RESTING},
    **{(state, "cancel_requested"): state for state in RESTING},
    **{(state, "cancel_not_applied"): state for state in RESTING},
    **{(state, "vanished"): A.UNKNOWN for state in RESTING},
    (A.WORKING, "refused"): A.REJECTED,
    **{(state, "late_fill"): state for state in _GONE},
    **{(state, "late_fill_complete"): A.FILLED for state in _GONE},
    (A.FILLED, "late_fill"): A.FILLED,
    **{(state, "fill_corrected"): state for state in (A.PARTIAL, A.FILLED, *_GONE)},
    # Late evidence with our tag: adopted, with an incident.
    **{(state, "adopted_working"): A.WORKING for state in DISBELIEVED},
    **{(state, "adopted_partial"): A.PARTIAL for state in DISBELIEVED},
    **{(state, "adopted_filled"): A.FILLED for state in DISBELIEVED},
}

# Attempts that modify or cancel an order that exists.
CHANGE_TABLE: Final[dict[tuple[AttemptState | None, str], AttemptState]] = {
    (None, "claimed"): A.SENDING,
    (A.SENDING, "applied"): A.APPLIED,
    (A.SENDING, "refused"): A.REJECTED,
    (A.SENDING, "unsent"): A.NOT_SENT,
    (A.SENDING, "asked"): A.AWAITING_PROMPT,
    (A.SENDING, "lost_sight"): A.UNKNOWN,
    (A.AWAITING_PROMPT, "answer_recorded"): A.AWAITING_PROMPT,
    (A.AWAITING_PROMPT, "asked"): A.AWAITING_PROMPT,
    (A.AWAITING_PROMPT, "applied"): A.APPLIED,
    (A.AWAITING_PROMPT, "refused"): A.REJECTED,
    (A.AWAITING_PROMPT, "unsent"): A.NOT_SENT,
    (A.AWAITING_PROMPT, "lost_sight"): A.UNKNOWN,
    (A.UNKNOWN, "applied"): A.APPLIED,
    (A.UNKNOWN, "not_applied"): A.NOT_APPLIED,
}

INCIDENTS: Final = frozenset(
    {
        "found",
        "found_working",
        "found_partial",
        "found_filled",
        "adopted_working",
        "adopted_partial",
        "adopted_filled",
        "fill_corrected",
    }
)

ATTEMPT_ENDED: Final = frozenset(
    {
        A.FILLED,
        A.CANCELED,
        A.VENUE_EXPIRED,
        A.REPLACED,
        A.REJECTED,
        A.NOT_SENT,
        A.RESOLVED_NOT_PLACED,
        A.APPLIED,
        A.NOT_APPLIED,
    }
)
ATTEMPT_OPEN: Final = frozenset(AttemptState) - ATTEMPT_ENDED


def advance_order(state: OrderState | None, event: str) -> OrderState:
    """Return the next state of an order; raise IllegalTransition for a pair not in the table."""
    try:
        return ORDER_TABLE[state, event]
    except KeyError:
        raise IllegalTransition(f"order: {event} while {state}") from None


def advance_attempt(state: AttemptState | None, event: str, *, placing: bool) -> AttemptState:
    """Return the next state of an attempt; raise IllegalTransition for a pair not in the table."""
    table = PLACE_TABLE if placing else CHANGE_TABLE
    try:
        return table[state, event]
    except KeyError:
        raise IllegalTransition(f"attempt: {event} while {state}") from None
