"""Orders, attempts, fills and tickets inside a transaction."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, bindparam, func, literal_column, null, select, tuple_

from ordergate.adapters.storage.statements import Shelf, addition, given, one_of, text_of
from ordergate.adapters.storage.tables import ATTEMPTS, FILLS, ORDER_KEYS, ORDERS, TICKETS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.canonical import iso
from ordergate.model.orders import Action, AttemptState, OrderState
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.records import AttemptRecord, OrderRecord, TicketRecord, TicketState
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PrincipalId,
    Tag,
    TicketId,
)
from ordergate.ports.journal import OrderFilter, Stale

_ONE_BACK: Final[ColumnElement[int]] = literal_column("1")

_O = ORDERS.c
_ORDERS: Final = Shelf(ORDERS, OrderRecord)
_ORDER: Final = _ORDERS.select(given(_O.order_id))
_KEYS: Final = ORDER_KEYS.c
_ORDER_FOR_KEY: Final = text_of(
    select(_KEYS.order_id).where(given(_KEYS.principal), given(_KEYS.key))
)
_ADD_KEY: Final = addition(ORDER_KEYS)
_ORDER_CAS: Final = (given(_O.order_id), _O.ver == bindparam("ver") - _ONE_BACK)
# The intent hash stands for everything of an order that never changes once it is asked.
_ASKED: Final = (given(_O.principal), given(_O.key), given(_O.intent_hash))
_FIXED: Final = (
    "order_id",
    "action",
    "principal",
    "key",
    "fingerprint",
    "intent_hash",
    "intent",
    "account",
    "venue",
    "symbol",
    "created_at",
)
_MOVE_ORDER: Final = _ORDERS.update(*_ORDER_CAS, *_ASKED, but=_FIXED)
_REPLACE_ORDER: Final = _ORDERS.update(*_ORDER_CAS, but=("order_id",))
_COUNTED: Final = select(func.count()).select_from(ORDERS)
_ASKS_WAITING: Final = text_of(
    _COUNTED.where(given(_O.principal), given(_O.state), _O.order_id != bindparam("but"))
)
_ASKS_SINCE: Final = text_of(
    _COUNTED.where(
        given(_O.principal),
        _O.created_at > bindparam("since"),
        _O.ticket_id.is_not(null()),
        _O.order_id != bindparam("but"),
    )
)

_A = ATTEMPTS.c
_ATTEMPTS: Final = Shelf(ATTEMPTS, AttemptRecord)
_ATTEMPT: Final = _ATTEMPTS.select(given(_A.attempt_id))
_ATTEMPTS_OF: Final = _ATTEMPTS.select(given(_A.order_id), order_by=(_A.n,))
_ATTEMPTS_IN: Final = _ATTEMPTS.select(given(_A.state), order_by=(_A.claimed_at,))
_ATTEMPTS_IN_ACCOUNT: Final = _ATTEMPTS.select(
    given(_A.state), given(_A.account), order_by=(_A.claimed_at,)
)
_ATTEMPT_TAGGED: Final = _ATTEMPTS.select(given(_A.tag))
_ATTEMPT_NUMBERED: Final = _ATTEMPTS.select(given(_A.magic))
_ATTEMPTS_ENDED: Final = _ATTEMPTS.select(
    given(_A.account), _A.ended_at >= bindparam("since"), order_by=(_A.ended_at,)
)
_ATTEMPT_AT_VENUE: Final = _ATTEMPTS.select(
    given(_A.account),
    given(_A.venue_order_id),
    _A.action.in_((bindparam("place"), bindparam("close"))),
    order_by=(_A.claimed_at,),
    limited=True,
)
_ATTEMPT_OPENED: Final = _ATTEMPTS.select(
    given(_A.account),
    given(_A.position_id),
    given(_A.opening),
    order_by=(_A.claimed_at,),
    limited=True,
)
_OPENERS: Final = (
    select(_A.position_id, _O.principal, _O.drafted_by, _A.filled_quantity)
    .join_from(ATTEMPTS, ORDERS, _A.order_id == _O.order_id)
    .where(given(_A.account), given(_A.opening))
    .order_by(_A.claimed_at)
)
_OPENERS_OF_ONE: Final = text_of(_OPENERS.where(given(_A.position_id)))
_OPENERS_OF_ALL: Final = text_of(*(_OPENERS.where(one_of(_A.position_id)[way]) for way in (0, 1)))
_ATTEMPT_CAS: Final = (given(_A.attempt_id), _A.ver == bindparam("ver") - _ONE_BACK)
# What an attempt is made with; left alone, the indexes over it need no writing.
_MADE_WITH: Final = ("order_id", "n", "tag", "magic", "account", "opening", "claimed_at")
_MOVE_ATTEMPT: Final = _ATTEMPTS.update(
    *_ATTEMPT_CAS, *(given(_A[name]) for name in _MADE_WITH), but=("attempt_id", *_MADE_WITH)
)
_REPLACE_ATTEMPT: Final = _ATTEMPTS.update(*_ATTEMPT_CAS, but=("attempt_id",))

_F = FILLS.c
_FILLS: Final = Shelf(FILLS, Fill)
_ADD_FILL: Final = addition(FILLS, once_per=(_F.account, _F.trade_id))
_FILLS_BEFORE: Final = text_of(
    select(_F.n, _F.attempt_id, *(_F[name] for name in _FILLS.rows.names))
    .where(given(_F.account), _F.n < bindparam("before"))
    .order_by(_F.n.desc())
    .limit(bindparam("row_limit"))
    .offset(literal_column("0"))
)
_FILLS_OF: Final = _FILLS.select(given(_F.attempt_id), order_by=(_F.n,))
_NEWEST: Final = 2**63 - 1
_HANDS_OFF: Final = text_of(
    select(func.count())
    .select_from(ATTEMPTS.join(ORDERS, _A.order_id == _O.order_id))
    .where(
        given(_A.account),
        _A.ended_at > bindparam("since"),
        given(_A.state),
        given(_A.opening),
        given(_O.principal),
        _O.ticket_id.is_(null()),
    )
)
# Who opened a position is its earliest opening attempt; a loss begins with a minus, which
# sorts before every digit.
_OPENER: Final = (
    select(_A.order_id)
    .where(_A.account == _F.account, _A.position_id == _F.position_id, given(_A.opening))
    .order_by(_A.claimed_at)
    .limit(literal_column("1"))
    .offset(literal_column("0"))
    .scalar_subquery()
)
_LOSING: Final = text_of(
    select(func.count())
    .select_from(FILLS.join(ORDERS, _O.order_id == _OPENER))
    .where(
        given(_F.account),
        _F.time > bindparam("since"),
        given(_F.effect),
        _F.realised < bindparam("zero"),
        given(_O.principal),
    )
)

_T = TICKETS.c
_TICKETS: Final = Shelf(TICKETS, TicketRecord)
_TICKET: Final = _TICKETS.select(given(_T.ticket_id))
_TICKETS_IN: Final = _TICKETS.select(given(_T.state), order_by=(_T.opened_at, _T.ticket_id))
_PUT_TICKET: Final = _TICKETS.update(
    given(_T.ticket_id), _T.ver == bindparam("ver") - _ONE_BACK, but=("ticket_id",)
)


class OrdersTx(Transaction):
    def order(self, order_id: OrderId) -> OrderRecord | None:
        return self._record(_ORDERS, _ORDER, order_id=order_id)

    def order_for_key(self, principal: PrincipalId, key: IdempotencyKey) -> OrderRecord | None:
        row = self._one(_ORDER_FOR_KEY, principal=principal, key=key)
        return None if row is None else self.order(row[0])

    def orders(self, where: OrderFilter, *, limit: int) -> Sequence[OrderRecord]:
        sql = _page_of_orders(
            where.principal is not None,
            where.states is not None,
            where.symbol is not None,
            where.before is not None,
        )
        at, order_id = where.before or (None, None)
        values = {
            "principal": where.principal,
            "symbol": where.symbol,
            "before_at": None if at is None else iso(at),
            "before_id": order_id,
            "row_limit": limit,
        }
        # One walk along the index for each state; together they hold the newest `limit`.
        states = (None,) if where.states is None else [state.value for state in where.states]
        found = [
            order
            for state in states
            for order in self._records(_ORDERS, sql, state=state, **values)
        ]
        found.sort(key=lambda order: (order.created_at, order.order_id), reverse=True)
        return found[:limit]

    def add_order(self, order: OrderRecord) -> None:
        self._add(_ORDERS, order)
        self._spend_key(order)

    def put_order(self, order: OrderRecord) -> None:
        if self._changed(_MOVE_ORDER, **_ORDERS.rows.to_row(order, but="intent")):
            return
        self._put(_REPLACE_ORDER, _ORDERS.rows.to_row(order))
        holder = self.order_for_key(order.principal, order.key)
        if holder is None:
            self._spend_key(order)
        elif holder.order_id != order.order_id:
            raise Stale("the key stands for another order")

    def _spend_key(self, order: OrderRecord) -> None:
        self._insert(
            _ADD_KEY,
            {"principal": order.principal, "key": order.key, "order_id": order.order_id},
            what=ORDER_KEYS.name,
        )

    def attempt(self, attempt_id: AttemptId) -> AttemptRecord | None:
        return self._record(_ATTEMPTS, _ATTEMPT, attempt_id=attempt_id)

    def attempts(self, order_id: OrderId) -> Sequence[AttemptRecord]:
        return self._records(_ATTEMPTS, _ATTEMPTS_OF, order_id=order_id)

    def attempts_in(
        self, states: frozenset[AttemptState], *, account: AccountId | None = None
    ) -> Sequence[AttemptRecord]:
        sql = _ATTEMPTS_IN if account is None else _ATTEMPTS_IN_ACCOUNT
        found = [
            attempt
            for state in states
            for attempt in self._records(_ATTEMPTS, sql, state=state.value, account=account)
        ]
        return sorted(found, key=lambda attempt: (attempt.claimed_at, attempt.attempt_id))

    def attempts_tagged(self, tags: Sequence[Tag]) -> Sequence[AttemptRecord]:
        found = (self._record(_ATTEMPTS, _ATTEMPT_TAGGED, tag=tag) for tag in dict.fromkeys(tags))
        return [attempt for attempt in found if attempt is not None]

    def attempts_numbered(self, magics: Sequence[int]) -> Sequence[AttemptRecord]:
        found = (self._record(_ATTEMPTS, _ATTEMPT_NUMBERED, magic=one) for one in magics)
        return [attempt for attempt in found if attempt is not None]

    def attempts_ended_since(self, account: AccountId, since: datetime) -> Sequence[AttemptRecord]:
        return self._records(_ATTEMPTS, _ATTEMPTS_ENDED, account=account, since=iso(since))

    def attempt_for_venue_order(
        self, account: AccountId, venue_order_id: str
    ) -> AttemptRecord | None:
        return self._record(
            _ATTEMPTS,
            _ATTEMPT_AT_VENUE,
            account=account,
            venue_order_id=venue_order_id,
            place=Action.PLACE.value,
            close=Action.CLOSE.value,
            row_limit=1,
        )

    def attempt_for_position(self, account: AccountId, position_id: str) -> AttemptRecord | None:
        return self._record(
            _ATTEMPTS,
            _ATTEMPT_OPENED,
            account=account,
            position_id=position_id,
            opening=1,
            row_limit=1,
        )

    def openers(
        self, account: AccountId, position_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[PrincipalId, Decimal]]]:
        found: dict[str, list[tuple[PrincipalId, Decimal]]] = {}
        rows = self._all(
            _OPENERS_OF_ALL, account=account, position_ids=json.dumps(position_ids), opening=1
        )
        for position_id, principal, _, filled in rows:
            found.setdefault(position_id, []).append((principal, Decimal(filled)))
        return found

    def openers_of(self, account: AccountId, position_id: str) -> frozenset[PrincipalId]:
        rows = self._all(_OPENERS_OF_ONE, account=account, position_id=position_id, opening=1)
        people = (name for _, principal, drafter, _ in rows for name in (principal, drafter))
        return frozenset(PrincipalId(name) for name in people if name is not None)

    def add_attempt(self, attempt: AttemptRecord) -> None:
        self._add(_ATTEMPTS, attempt)

    def put_attempt(self, attempt: AttemptRecord) -> None:
        row = _ATTEMPTS.rows.to_row(attempt)
        if not self._changed(_MOVE_ATTEMPT, **row):
            self._put(_REPLACE_ATTEMPT, row)

    def add_fill(self, account: AccountId, attempt_id: AttemptId | None, fill: Fill) -> bool:
        row = {**_FILLS.rows.to_row(fill), "account": account, "attempt_id": attempt_id}
        return self._changed(_ADD_FILL, **row) == 1

    def fills(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, AttemptId | None, Fill]]:
        rows = self._all(
            _FILLS_BEFORE,
            account=account,
            before=_NEWEST if before is None else int(before),
            row_limit=limit,
        )
        return [(str(n), attempt, _FILLS.rows.from_row(rest)) for n, attempt, *rest in rows]

    def hands_off_fills(
        self, account: AccountId, principal: PrincipalId, *, since: datetime
    ) -> int:
        found = self._one(
            _HANDS_OFF,
            account=account,
            since=iso(since),
            state=AttemptState.FILLED.value,
            opening=1,
            principal=principal,
        )
        return int(found[0])

    def losing_closes(self, account: AccountId, principal: PrincipalId, *, since: datetime) -> int:
        found = self._one(
            _LOSING,
            account=account,
            since=iso(since),
            effect=FillEffect.CLOSING.value,
            zero="0",
            opening=1,
            principal=principal,
        )
        return int(found[0])

    def asks_waiting(self, principal: PrincipalId, *, but: OrderId | None) -> int:
        state = OrderState.AWAITING_APPROVAL.value
        found = self._one(_ASKS_WAITING, principal=principal, state=state, but=but or "")
        return int(found[0])

    def asks_since(self, principal: PrincipalId, *, since: datetime, but: OrderId | None) -> int:
        found = self._one(_ASKS_SINCE, principal=principal, since=iso(since), but=but or "")
        return int(found[0])

    def fills_of(self, attempt_id: AttemptId) -> Sequence[Fill]:
        return self._records(_FILLS, _FILLS_OF, attempt_id=attempt_id)

    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        return self._record(_TICKETS, _TICKET, ticket_id=ticket_id)

    def tickets_in(self, states: frozenset[TicketState]) -> Sequence[TicketRecord]:
        found = [
            ticket
            for state in states
            for ticket in self._records(_TICKETS, _TICKETS_IN, state=state.value)
        ]
        return sorted(found, key=lambda ticket: (ticket.opened_at, ticket.ticket_id))

    def add_ticket(self, ticket: TicketRecord) -> None:
        self._add(_TICKETS, ticket)

    def put_ticket(self, ticket: TicketRecord) -> None:
        self._put(_PUT_TICKET, _TICKETS.rows.to_row(ticket))


@functools.cache
def _page_of_orders(principal: bool, state: bool, symbol: bool, before: bool) -> str:
    conditions: list[ColumnElement[bool]] = []
    if principal:
        conditions.append(given(_O.principal))
    if state:
        conditions.append(given(_O.state))
    if symbol:
        conditions.append(given(_O.symbol))
    if before:
        older = tuple_(bindparam("before_at"), bindparam("before_id"))
        conditions.append(tuple_(_O.created_at, _O.order_id) < older)
    newest = (_O.created_at.desc(), _O.order_id.desc())
    return _ORDERS.select(*conditions, order_by=newest, limited=True)
