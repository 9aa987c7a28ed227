"""Which requests of the gate itself are steps of a managed exit: its guard says so."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import CancelIntent, Intent, PlaceIntent
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import Guard


def managed(
    asker: Principal, intent: Intent, resting: VenueOrderState | None, *guards: Iterable[Guard]
) -> bool:
    """Say whether the gate puts or takes away an exit of a position that a guard stands over.

    Its own requests alone are managed: no token and no sign-in is of that kind.
    """
    if asker.kind is not Kind.GATEWAY:
        return False
    match intent:
        case PlaceIntent() if intent.reduce_only:
            side, position_id = intent.side, intent.position_id
        case CancelIntent() if resting is not None and resting.reduce_only:
            side, position_id = resting.side, resting.position_id
        case _:
            return False
    return any(
        guard.account == intent.account
        and (guard.symbol, guard.side) == (intent.symbol, side.opposite)
        and (position_id == guard.position_id or _unnamed(intent, position_id))
        for guard in chain(*guards)
    )


def _unnamed(intent: Intent, position_id: str | None) -> bool:
    """A resting exit need not name its position; one that the gate sends always does."""
    return isinstance(intent, CancelIntent) and position_id is None
