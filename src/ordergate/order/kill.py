"""What an engaged kill switch ends: asks that wait, openings that rest; never an exit."""

from __future__ import annotations

from typing import Final

from ordergate.model.errors import Code
from ordergate.model.orders import Action, AttemptState, CancelIntent, Lane, OrderState
from ordergate.model.records import AttemptRecord, HaltRecord, OrderRecord, TicketState
from ordergate.order.approval.approve import Approve
from ordergate.order.halt import in_scope
from ordergate.order.journal.record import Record
from ordergate.ports.journal import JournalTx, OrderFilter

BATCH: Final = 500
_WAITING: Final = frozenset({OrderState.AWAITING_APPROVAL, OrderState.APPROVED})
_RESTING: Final = frozenset({AttemptState.WORKING, AttemptState.PARTIAL})


def end_waiting(
    tx: JournalTx, halt: HaltRecord, *, record: Record, approve: Approve
) -> list[OrderRecord]:
    """End the openings of the halt's scope that wait for a yes; return them, KILLED."""
    ended = []
    for order in tx.orders(OrderFilter(states=_WAITING), limit=BATCH):
        if order.lane is Lane.OPEN and _covers(halt, order):
            approve.end_open(tx, order, TicketState.WITHDRAWN, by=halt.engaged_by)
            killed = record.move(
                tx, order, "killed", actor=halt.engaged_by, code=Code.KILL_SWITCH_ACTIVE
            )
            ended.append(killed)
    return ended


def resting_openings(tx: JournalTx, halt: HaltRecord) -> list[CancelIntent]:
    """Return a cancel, by explicit venue id, for every resting opening of the halt's scope."""
    cancels = []
    for attempt in tx.attempts_in(_RESTING):
        order = tx.order(attempt.order_id)
        if attempt.opening and attempt.action is Action.PLACE and order is not None:
            cancels += _cancel(attempt) if _covers(halt, order) else []
    return cancels


def _cancel(attempt: AttemptRecord) -> list[CancelIntent]:
    if attempt.venue_order_id is None:
        return []
    return [
        CancelIntent(
            account=attempt.account,
            venue=attempt.venue,
            symbol=attempt.symbol,
            venue_order_id=attempt.venue_order_id,
            target_order_id=attempt.order_id,
        )
    ]


def _covers(halt: HaltRecord, order: OrderRecord) -> bool:
    return in_scope(halt, account=order.account, principal=order.principal, symbol=order.symbol)
