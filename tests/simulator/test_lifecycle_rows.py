"""The pen and the tables: every listed row is taken and sealed, every other pair is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import pytest

from ordergate.adapters.storage.session import SqlTx
from ordergate.audit.seal import Seal
from ordergate.model.orders import Action, AttemptState, Lane, OrderState
from ordergate.model.values import AttemptId, IdempotencyKey, OrderId
from ordergate.order.intent.idempotency import magic, tag
from ordergate.order.journal.lifecycle import (
    CHANGE_TABLE,
    ORDER_TABLE,
    PLACE_TABLE,
    IllegalTransition,
)
from ordergate.order.journal.record import Record
from simulator.disk import Disk, connection
from support.manual_clock import ManualClock
from support.order_records import an_attempt, an_order, buy

BOOKS = connection()
EVENTS = {
    "order": sorted({event for _, event in ORDER_TABLE}),
    "place": sorted({event for _, event in PLACE_TABLE}),
    "change": sorted({event for _, event in CHANGE_TABLE}),
}


class Pen:
    """A record over empty books, and rows put where a test wants them."""

    def __init__(self, disk: Disk) -> None:
        clock = ManualClock()
        self.disk = disk
        self.record = Record(
            seal=Seal(
                sign=lambda head: hashlib.sha256(head).digest(),
                log_id="log",
                epoch=1,
                clock=clock,
                version="0",
            ),
            clock=clock,
        )
        self.numbers = 0

    def fresh(self) -> str:
        self.numbers += 1
        return f"{self.numbers:032x}"

    def order(self, tx: SqlTx, state: OrderState) -> OrderId:
        name = self.fresh()
        order = an_order(
            buy(), order_id=OrderId(name), key=IdempotencyKey(name), intent_hash=name, state=state
        )
        tx.add_order(dataclasses.replace(order, lane=Lane.OPEN))
        return OrderId(name)

    def attempt(self, tx: SqlTx, state: AttemptState, action: Action) -> AttemptId:
        order_id = self.order(tx, OrderState.ACTIVE)
        tagged = tag(order_id, 1)
        tx.add_attempt(
            an_attempt(
                attempt_id=AttemptId(order_id),
                order_id=order_id,
                tag=tagged,
                magic=magic(tagged),
                state=state,
                action=action,
            )
        )
        return AttemptId(order_id)

    def size(self) -> int:
        return SqlTx(self.disk.cursor).audit_size()

    def sealed(self) -> dict[str, object]:
        (row,) = SqlTx(self.disk.cursor).audit_tail(limit=1)
        said: dict[str, object] = json.loads(row.body)["body"]
        return said


@contextmanager
def a_pen() -> Iterator[Pen]:
    disk = Disk(BOOKS)
    try:
        yield Pen(disk)
    finally:
        disk.wipe()


def moves_by(
    pen: Pen, move: Callable[[SqlTx], StrEnum], state: StrEnum, wanted: StrEnum | None
) -> None:
    """See a listed move made and sealed, and one that is not listed leave no trace."""
    before = pen.size()
    if wanted is None:
        with pytest.raises(IllegalTransition):
            pen.disk.commit(move)
        assert pen.size() == before
    else:
        assert pen.disk.commit(move) is wanted
        assert (pen.sealed()["from"], pen.sealed()["to"]) == (state.value, wanted.value)
        assert pen.size() == before + 1


@pytest.mark.parametrize("state", OrderState)
def test_an_order_moves_by_its_table_alone(state: OrderState) -> None:
    with a_pen() as pen:
        for event in EVENTS["order"]:
            order_id = pen.disk.commit(lambda tx: pen.order(tx, state))

            def move(tx: SqlTx, event: str = event, order_id: OrderId = order_id) -> OrderState:
                order = tx.order(order_id)
                assert order is not None
                return pen.record.move(tx, order, event, actor="test").state

            wanted = ORDER_TABLE.get((state, event))
            moves_by(pen, move, state, wanted)
            kept = SqlTx(pen.disk.cursor).order(order_id)
            assert kept is not None
            assert kept.state is (wanted or state)


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize(
    ("action", "table", "name"),
    [(Action.PLACE, PLACE_TABLE, "place"), (Action.CANCEL, CHANGE_TABLE, "change")],
)
def test_an_attempt_moves_by_its_table_alone(
    state: AttemptState,
    action: Action,
    table: dict[tuple[AttemptState | None, str], AttemptState],
    name: str,
) -> None:
    with a_pen() as pen:
        for event in EVENTS[name]:
            attempt_id = pen.disk.commit(lambda tx: pen.attempt(tx, state, action))

            def move(
                tx: SqlTx, event: str = event, attempt_id: AttemptId = attempt_id
            ) -> AttemptState:
                attempt = tx.attempt(attempt_id)
                assert attempt is not None
                return pen.record.move_attempt(tx, attempt, event, actor="test").state

            wanted = table.get((state, event))
            moves_by(pen, move, state, wanted)
            kept = SqlTx(pen.disk.cursor).attempt(attempt_id)
            assert kept is not None
            assert kept.state is (wanted or state)


@pytest.mark.parametrize("event", EVENTS["order"])
def test_an_order_begins_by_its_table_alone(event: str) -> None:
    wanted = ORDER_TABLE.get((None, event))
    name = OrderId("0" * 31 + "1")
    with a_pen() as pen:

        def begin(tx: SqlTx) -> OrderState:
            order = an_order(buy(), order_id=name)
            return pen.record.new_order(tx, order, event, actor="test").state

        if wanted is None:
            with pytest.raises(IllegalTransition):
                pen.disk.commit(begin)
            assert SqlTx(pen.disk.cursor).order(name) is None
        else:
            assert pen.disk.commit(begin) is wanted


@pytest.mark.parametrize("event", EVENTS["place"])
def test_an_attempt_begins_by_its_table_alone(event: str) -> None:
    wanted = PLACE_TABLE.get((None, event))
    with a_pen() as pen:
        order_id = pen.disk.commit(lambda tx: pen.order(tx, OrderState.ACTIVE))

        def begin(tx: SqlTx) -> AttemptState:
            attempt = an_attempt(order_id=order_id)
            made = pen.record.new_attempt(tx, attempt, event, actor="test", detail={})
            return made.state

        if wanted is None:
            with pytest.raises(IllegalTransition):
                pen.disk.commit(begin)
            assert not SqlTx(pen.disk.cursor).attempts(order_id)
        else:
            assert pen.disk.commit(begin) is wanted
