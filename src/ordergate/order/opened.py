"""What fills have opened since the last look: positions that nobody stands guard over yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ordergate.model.orders import PlaceIntent
from ordergate.model.records import OrderRecord
from ordergate.model.values import AccountId, PositionId
from ordergate.order.exits import steps
from ordergate.ports.journal import JournalTx

FILLS_MAX: Final = 500
SEEN: Final = "exits.fills"  # the last fill that was looked at

Watched = tuple[PositionId, PlaceIntent, OrderRecord]


@dataclass(frozen=True, slots=True)
class News:
    """What the fills since the last look have opened, and the orders of the groups they are of."""

    newest: int
    watched: tuple[Watched, ...] = ()
    groups: Mapping[str, OrderRecord] = field(default_factory=dict)


def news(tx: JournalTx, account: AccountId) -> News:
    """Return what is new; at a first look nothing is: what stood before is not ours to judge."""
    seen = tx.fact(SEEN)
    newest = tx.fills(account, before=None, limit=1)
    last = int(newest[0][0]) if newest else 0
    if seen is None or last == int(seen):
        return News(last)
    watched: list[Watched] = []
    groups: dict[str, OrderRecord] = {}
    for number, attempt_id, fill in tx.fills(account, before=None, limit=FILLS_MAX):
        if int(number) <= int(seen):
            break
        attempt = None if attempt_id is None else tx.attempt(attempt_id)
        order = None if attempt is None else tx.order(attempt.order_id)
        if attempt is None or order is None:
            continue
        watch = steps.to_watch(fill, attempt, order)
        if watch is not None:
            watched.append((*watch, order))
        group = order.intent.oco_group if isinstance(order.intent, PlaceIntent) else None
        if group is not None:
            groups[group] = order
    return News(last, tuple(reversed(watched)), groups)
