"""What a reply or a failed send proves. Only an explicit refusal is a rejection."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, assert_never

from ordergate.model.orders import Action
from ordergate.model.outcomes import (
    DUPLICATE_TAG,
    Acked,
    NeverSent,
    NotSent,
    Outcome,
    Rejected,
    Unknown,
    VenueRefusal,
    VenueStatus,
)
from ordergate.order.journal.lifecycle import PLACING

# Raised before the first byte on every platform; a refused connection carries nothing.
NEVER_LEFT: Final = (NeverSent, ConnectionRefusedError)

_PLACED: Final = {
    VenueStatus.WORKING: "accepted",
    VenueStatus.PARTIAL: "partly_filled",
    VenueStatus.FILLED: "filled",
    VenueStatus.CANCELED: "canceled",
    VenueStatus.EXPIRED: "expired",
}


def evidence(error: BaseException) -> Rejected | NotSent | Unknown:
    """Return what a failed send proves; a timeout or a lost reply proves nothing.

    A tag refused as known says "already there": neither a rejection nor a success (venues.md 2.3).
    """
    if isinstance(error, VenueRefusal) and error.code == DUPLICATE_TAG:
        return Unknown(error.code)
    if isinstance(error, VenueRefusal):
        return Rejected(error.code, error.reason, error.requote)
    if isinstance(error, NEVER_LEFT):
        return NotSent(type(error).__name__)
    return Unknown(type(error).__name__)


def event_of(outcome: Outcome, action: Action) -> str:
    """Return the attempt's event for an outcome of this action."""
    match outcome:
        case Acked() if action not in PLACING:
            return "applied"
        case Acked():
            # A status we have no word for is no evidence.
            return _PLACED.get(outcome.status, "lost_sight")
        case Rejected():
            return "refused"
        case NotSent():
            return "unsent"
        case Unknown():
            return "lost_sight"
        case _:
            assert_never(outcome)


def code_of(outcome: Outcome) -> str | None:
    """Return the venue's code, or why nothing is known; None for an acknowledgement."""
    match outcome:
        case Acked():
            return None
        case Rejected():
            return outcome.code
        case NotSent() | Unknown():
            return outcome.reason
        case _:
            assert_never(outcome)


def filled(outcome: Outcome) -> Decimal:
    """Return the quantity an outcome proves to be filled."""
    return outcome.filled_quantity if isinstance(outcome, Acked) else Decimal(0)
