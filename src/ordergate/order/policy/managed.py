"""Which requests of the gate itself are steps of a managed exit: its guard says so."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from ordergate.model.orders import CancelIntent, Intent, PlaceIntent, Side
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import Guard
from ordergate.order.policy.target import Target


def managed(asker: Principal, intent: Intent, named: Target, *guards: Iterable[Guard]) -> bool:
    """Say whether the gate puts or takes away an exit of a position that a guard stands over.

    Its own requests alone are managed: no token and no sign-in is of that kind.
    """
    match intent:
        case _ if asker.kind is not Kind.GATEWAY:
            return False
        case PlaceIntent() if intent.reduce_only:
            exit_: tuple[Side, str | None] | None = (intent.side, intent.position_id)
        case CancelIntent():
            exit_ = named.exit()
        case _:
            return False
    if exit_ is None:
        return False
    side, position_id = exit_
    return any(
        guard.account == intent.account
        and (guard.symbol, guard.side) == (intent.symbol, side.opposite)
        and (position_id == guard.position_id or _unnamed(intent, position_id))
        for guard in chain(*guards)
    )


def _unnamed(intent: Intent, position_id: str | None) -> bool:
    """A resting exit need not name its position; one that the gate sends always does."""
    return isinstance(intent, CancelIntent) and position_id is None
