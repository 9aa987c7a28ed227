"""Our view and the venue's report -> events. Missing is not flat, and not found is not rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ordergate.model.accounts import VenueHistory, VenueOrderState
from ordergate.model.orders import AttemptState
from ordergate.model.outcomes import Fill, FillEffect, VenueStatus
from ordergate.model.records import AttemptRecord
from ordergate.model.values import Tag
from ordergate.order.journal.lifecycle import DISBELIEVED, PLACING, RESTING

A = AttemptState

_SEEN: Final = {
    VenueStatus.WORKING: "accepted",
    VenueStatus.PARTIAL: "partly_filled",
    VenueStatus.FILLED: "filled",
    VenueStatus.CANCELED: "canceled",
    VenueStatus.EXPIRED: "expired",
    VenueStatus.REJECTED: "refused",
    VenueStatus.REPLACED: "replaced",
}
_ADOPTED: Final = {
    VenueStatus.WORKING: "adopted_working",
    VenueStatus.PARTIAL: "adopted_partial",
    VenueStatus.FILLED: "adopted_filled",
}
_GONE: Final = frozenset({A.CANCELED, A.VENUE_EXPIRED, A.REPLACED})
_LOOKED_FOR: Final = frozenset({A.UNKNOWN, A.PARKED, A.SENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event that brings an attempt to the venue's report; `event` None books fills only."""

    attempt: AttemptRecord
    event: str | None
    fills: tuple[Fill, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The steps to take, the attempts a full scan did not find, and tags of ours we do not know."""

    steps: tuple[Step, ...]
    not_found: tuple[AttemptRecord, ...]
    strangers: tuple[VenueOrderState, ...]


def difference(
    attempts: Sequence[AttemptRecord],
    history: VenueHistory,
    *,
    known_tags: frozenset[Tag],
    is_ours: frozenset[Tag],
) -> Difference:
    """Compare attempts with a full scan of the venue's books.

    `attempts` are the open ones and those that ended lately; `known_tags` are the tags of the scan
    that the journal holds; `is_ours` are the tags of the scan that have our form.
    """
    orders = {order.tag: order for order in history.orders if order.tag is not None}
    fills = _by_tag(history.fills)
    steps: list[Step] = []
    missing: list[AttemptRecord] = []
    for attempt in attempts:
        if attempt.action in PLACING:
            seen = orders.get(attempt.tag)
            if seen is None:
                if attempt.state in _LOOKED_FOR:
                    missing.append(attempt)
                elif attempt.state in RESTING:
                    steps.append(Step(attempt=attempt, event="vanished"))
                continue
            step = _placed(attempt, seen, fills.get(attempt.tag, ()))
            if step is not None:
                steps.append(step)
        elif attempt.state in _LOOKED_FOR:
            if attempt.tag in history.applied:
                steps.append(Step(attempt=attempt, event="applied"))
            else:
                missing.append(attempt)
    strangers = tuple(
        order
        for order in history.orders
        if order.tag is not None and order.tag in is_ours and order.tag not in known_tags
    )
    return Difference(steps=tuple(steps), not_found=tuple(missing), strangers=strangers)


def _placed(attempt: AttemptRecord, seen: VenueOrderState, fills: Sequence[Fill]) -> Step | None:
    """Return the step from an attempt to what the venue says of its tag, if there is one."""
    event = _event(attempt, seen)
    # A stop that closes the position may carry the opening tag: only this order's own fills count.
    fills = [fill for fill in fills if fill.venue_order_id == seen.venue_order_id]
    if event is None and not fills:
        return None
    fields: dict[str, Any] = {}
    if event is not None:
        positions = [
            fill.position_id
            for fill in fills
            if fill.position_id is not None and fill.effect is FillEffect.OPENING
        ]
        fields = {
            "venue_order_id": seen.venue_order_id,
            "filled_quantity": seen.filled_quantity,
            "average_price": seen.average_price,
            "position_id": positions[0] if positions else attempt.position_id or seen.position_id,
            "code": seen.code,
        }
    return Step(attempt=attempt, event=event, fills=tuple(fills), fields=fields)


def _event(attempt: AttemptRecord, seen: VenueOrderState) -> str | None:
    if attempt.state in _LOOKED_FOR:
        return _SEEN[seen.status]
    if attempt.state in DISBELIEVED:
        # One that has ended meanwhile is adopted for what it filled; the next scan ends it.
        filled = "adopted_partial" if seen.filled_quantity else None
        return _ADOPTED.get(seen.status, filled)
    more = seen.filled_quantity > attempt.filled_quantity
    if attempt.state in _GONE:
        if not more:
            return None
        return "late_fill_complete" if _complete(attempt, seen.filled_quantity) else "late_fill"
    if attempt.state is A.FILLED:
        return "late_fill" if more else None
    if attempt.state is A.WORKING and seen.status is VenueStatus.WORKING:
        return None
    if attempt.state is A.PARTIAL and seen.status in (VenueStatus.PARTIAL, VenueStatus.WORKING):
        return "partly_filled" if more else None
    if attempt.state is A.PARTIAL and seen.status is VenueStatus.REJECTED:
        return "canceled"
    return _SEEN[seen.status]


def _complete(attempt: AttemptRecord, quantity: Decimal) -> bool:
    return attempt.quantity is not None and quantity >= attempt.quantity


def _by_tag(fills: Iterable[Fill]) -> dict[Tag, list[Fill]]:
    found: dict[Tag, list[Fill]] = {}
    for fill in fills:
        if fill.tag is not None:
            found.setdefault(fill.tag, []).append(fill)
    return found
