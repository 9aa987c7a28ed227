"""Whose position or order it is: off paper an agent closes and changes what it opened itself.

That is authority and no control (reliability.md 4.3): the kill switch stays everybody's, and what
cannot be told never holds up an exit.
"""

from __future__ import annotations

from collections.abc import Sequence

from ordergate.model.accounts import Mode, Position
from ordergate.model.errors import Forbidden
from ordergate.model.orders import CancelIntent, CloseIntent, Intent, ModifyIntent, PlaceIntent
from ordergate.model.principals import Grant, Kind, Principal
from ordergate.model.records import AttemptRecord
from ordergate.model.values import PrincipalId
from ordergate.order.dispatch.look import Look
from ordergate.ports.journal import JournalTx


def require_own(tx: JournalTx, intent: Intent, look: Look, asker: Principal) -> None:
    """Raise Forbidden when an agent reaches for what others opened, off paper, ungranted."""
    if asker.kind is not Kind.AGENT or Grant.OTHERS in asker.grants or look.snapshot is None:
        return
    if look.snapshot.identity.mode is Mode.PAPER:
        return
    owners = _owners(tx, intent, look)
    if owners is not None and asker.id not in owners:
        raise Forbidden(
            "others opened this, and your token is not granted what others opened",
            fix="ask the operator; engage_kill_switch stops new risk at once",
        )


def _owners(tx: JournalTx, intent: Intent, look: Look) -> frozenset[PrincipalId] | None:
    """Return who opened what the request acts on; None where it opens something of its own."""
    positions = () if look.snapshot is None else look.snapshot.positions
    match intent:
        case CloseIntent(position_id=str() as held) | ModifyIntent(position_id=str() as held):
            named = (one for one in positions if one.position_id == held)
            return _openers(tx, intent, held, next(named, None))
        case CancelIntent(venue_order_id=str() as at) | ModifyIntent(venue_order_id=str() as at):
            attempt = tx.attempt_for_venue_order(intent.account, at)
            return _people(tx, [] if attempt is None else [attempt])
        case PlaceIntent(reduce_only=True):
            against = [
                one
                for one in positions
                if one.symbol == intent.symbol and one.side is not intent.side
            ]
            found = (_openers(tx, intent, one.position_id, one) for one in against)
            return frozenset[PrincipalId]().union(*found) if against else None
    return None


def _openers(
    tx: JournalTx, intent: Intent, position_id: str, position: Position | None
) -> frozenset[PrincipalId]:
    """Return who opened a position, by our books and by the tag the venue shows on it."""
    tag = None if position is None else position.tag
    by_tag = [] if tag is None else tx.attempts_tagged([tag])
    return tx.openers_of(intent.account, position_id) | _people(tx, by_tag)


def _people(tx: JournalTx, attempts: Sequence[AttemptRecord]) -> frozenset[PrincipalId]:
    orders = [order for row in attempts if (order := tx.order(row.order_id)) is not None]
    names = [name for order in orders for name in (order.principal, order.drafted_by)]
    return frozenset(name for name in names if name is not None)
