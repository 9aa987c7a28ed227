"""The gate's books in memory: the promises of ports.journal without a disk."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from ordergate.model.accounts import CashKind, CashLine
from ordergate.model.orders import Action, AttemptState, Lane, OrderState, Side
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.records import (
    AttemptRecord,
    AuditHead,
    AuditRow,
    BaselineRecord,
    CheckpointRow,
    ExternalRecord,
    Guard,
    HaltRecord,
    OrderRecord,
    RecentOrder,
    Reservation,
    TicketRecord,
    TicketState,
    Tightening,
    UnderlyingRecord,
    Usage,
)
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PositionId,
    PrincipalId,
    Symbol,
    Tag,
    TicketId,
)
from ordergate.ports.journal import JournalTx, JournalUnwritable, OrderFilter, Stale

T = TypeVar("T")
K = TypeVar("K")
R = TypeVar("R", OrderRecord, AttemptRecord, TicketRecord, Guard)
NOTHING_USED = Usage(orders=0, notional=Decimal(0))


class Duplicate(Stale):
    """A row with this identity exists."""


@dataclass
class Books:
    """All tables. Rows are frozen, so a shallow copy of each table is a snapshot."""

    orders: dict[OrderId, OrderRecord] = field(default_factory=dict)
    keys: dict[tuple[PrincipalId, IdempotencyKey], OrderId] = field(default_factory=dict)
    attempts: dict[AttemptId, AttemptRecord] = field(default_factory=dict)
    fills: list[tuple[AccountId, AttemptId | None, Fill]] = field(default_factory=list)
    reservations: dict[AttemptId, Reservation] = field(default_factory=dict)
    recent: list[RecentOrder] = field(default_factory=list)
    usage: dict[tuple[AccountId, PrincipalId, date], Usage] = field(default_factory=dict)
    tickets: dict[TicketId, TicketRecord] = field(default_factory=dict)
    halts: dict[str, HaltRecord] = field(default_factory=dict)
    tightenings: list[Tightening] = field(default_factory=list)
    guards: dict[str, Guard] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    underlyings: list[UnderlyingRecord] = field(default_factory=list)
    baselines: dict[AccountId, BaselineRecord] = field(default_factory=dict)
    cash: list[tuple[AccountId, CashLine]] = field(default_factory=list)
    externals: list[ExternalRecord] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    head: AuditHead | None = None
    checkpoints: list[CheckpointRow] = field(default_factory=list)

    def copied(self) -> Books:
        return Books(**{name: copy.copy(table) for name, table in vars(self).items()})


class MemoryTx:
    """Implements ports.journal.JournalTx on `Books`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def order(self, order_id: OrderId) -> OrderRecord | None:
        return self._books.orders.get(order_id)

    def order_for_key(self, principal: PrincipalId, key: IdempotencyKey) -> OrderRecord | None:
        order_id = self._books.keys.get((principal, key))
        return None if order_id is None else self._books.orders[order_id]

    def orders(self, where: OrderFilter, *, limit: int) -> Sequence[OrderRecord]:
        rows = sorted(self._books.orders.values(), key=lambda row: (row.created_at, row.order_id))
        return [row for row in reversed(rows) if _matches(row, where)][:limit]

    def add_order(self, order: OrderRecord) -> None:
        key = (order.principal, order.key)
        if order.order_id in self._books.orders or key in self._books.keys:
            raise Duplicate(order.order_id)
        self._books.orders[order.order_id] = order
        self._books.keys[key] = order.order_id

    def put_order(self, order: OrderRecord) -> None:
        _swap(self._books.orders, order.order_id, order)

    def attempt(self, attempt_id: AttemptId) -> AttemptRecord | None:
        return self._books.attempts.get(attempt_id)

    def attempts(self, order_id: OrderId) -> Sequence[AttemptRecord]:
        rows = [row for row in self._books.attempts.values() if row.order_id == order_id]
        return sorted(rows, key=lambda row: row.n)

    def attempts_in(
        self, states: frozenset[AttemptState], *, account: AccountId | None = None
    ) -> Sequence[AttemptRecord]:
        return [
            row
            for row in self._books.attempts.values()
            if row.state in states and account in (None, row.account)
        ]

    def attempts_tagged(self, tags: Sequence[Tag]) -> Sequence[AttemptRecord]:
        return [row for row in self._books.attempts.values() if row.tag in tags]

    def attempts_numbered(self, magics: Sequence[int]) -> Sequence[AttemptRecord]:
        rows = {row.magic: row for row in self._books.attempts.values()}
        return [rows[magic] for magic in magics if magic in rows]

    def attempts_ended_since(self, account: AccountId, since: datetime) -> Sequence[AttemptRecord]:
        return [
            row
            for row in self._books.attempts.values()
            if row.account == account and row.ended_at is not None and row.ended_at >= since
        ]

    def attempt_for_venue_order(
        self, account: AccountId, venue_order_id: str
    ) -> AttemptRecord | None:
        for row in self._books.attempts.values():
            placing = row.action in (Action.PLACE, Action.CLOSE)
            if placing and (row.account, row.venue_order_id) == (account, venue_order_id):
                return row
        return None

    def attempt_for_position(self, account: AccountId, position_id: str) -> AttemptRecord | None:
        rows = [
            row
            for row in self._books.attempts.values()
            if row.opening and (row.account, row.position_id) == (account, position_id)
        ]
        return min(rows, key=lambda row: row.claimed_at, default=None)

    def openers(
        self, account: AccountId, position_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[PrincipalId, Decimal]]]:
        rows = [
            row
            for row in self._books.attempts.values()
            if row.opening and row.account == account and row.order_id in self._books.orders
        ]
        rows.sort(key=lambda row: row.claimed_at)
        found: dict[str, list[tuple[PrincipalId, Decimal]]] = {}
        for row in rows:
            if row.position_id in position_ids:
                who = self._books.orders[row.order_id].principal
                found.setdefault(row.position_id, []).append((who, row.filled_quantity))
        return found

    def openers_of(self, account: AccountId, position_id: str) -> frozenset[PrincipalId]:
        orders = [
            self._books.orders[row.order_id]
            for row in self._books.attempts.values()
            if row.opening and (row.account, row.position_id) == (account, position_id)
        ]
        names = [name for order in orders for name in (order.principal, order.drafted_by)]
        return frozenset(name for name in names if name is not None)

    def add_attempt(self, attempt: AttemptRecord) -> None:
        taken = {(row.order_id, row.n) for row in self._books.attempts.values()}
        tags = {row.tag for row in self._books.attempts.values()}
        if (
            attempt.attempt_id in self._books.attempts
            or (attempt.order_id, attempt.n) in taken
            or attempt.tag in tags
        ):
            raise Duplicate(attempt.attempt_id)
        self._books.attempts[attempt.attempt_id] = attempt

    def put_attempt(self, attempt: AttemptRecord) -> None:
        _swap(self._books.attempts, attempt.attempt_id, attempt)

    def add_fill(self, account: AccountId, attempt_id: AttemptId | None, fill: Fill) -> bool:
        if any(
            (acc, old.trade_id) == (account, fill.trade_id) for acc, _, old in self._books.fills
        ):
            return False
        self._books.fills.append((account, attempt_id, fill))
        return True

    def fills(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, AttemptId | None, Fill]]:
        upto = len(self._books.fills) if before is None else int(before) - 1
        rows = [
            (str(n), attempt_id, fill)
            for n, (acc, attempt_id, fill) in enumerate(self._books.fills[:upto], start=1)
            if acc == account
        ]
        return rows[::-1][:limit]

    def fills_of(self, attempt_id: AttemptId) -> Sequence[Fill]:
        return [fill for _, owner, fill in self._books.fills if owner == attempt_id]

    def add_reservation(self, reservation: Reservation) -> None:
        if reservation.attempt_id in self._books.reservations:
            raise Duplicate(reservation.attempt_id)
        self._books.reservations[reservation.attempt_id] = reservation

    def put_reservation(self, reservation: Reservation) -> None:
        if reservation.attempt_id not in self._books.reservations:
            raise Stale(reservation.attempt_id)
        self._books.reservations[reservation.attempt_id] = reservation

    def reservations(self, account: AccountId, *, mark: int) -> Sequence[Reservation]:
        return [
            row
            for row in self._books.reservations.values()
            if row.account == account and (row.released_seq is None or row.released_seq > mark)
        ]

    def reservation(self, attempt_id: AttemptId) -> Reservation | None:
        return self._books.reservations.get(attempt_id)

    def add_recent(self, recent: RecentOrder) -> None:
        self._books.recent.append(recent)

    def recent_requests(self, principal: PrincipalId, *, since: datetime) -> int:
        return sum(
            row.principal == principal and row.claimed_at > since for row in self._books.recent
        )

    def account_requests(self, account: AccountId, *, since: datetime) -> int:
        return sum(row.account == account and row.claimed_at > since for row in self._books.recent)

    def farthest_price(
        self,
        account: AccountId,
        symbol: Symbol,
        side: Side,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> Decimal | None:
        prices = [
            row.price
            for row in self._books.recent
            if (row.account, row.symbol, row.side) == (account, symbol, side)
            and row.price is not None
            and row.claimed_at > since
            and row.order_id != but
        ]
        return (min if side is Side.BUY else max)(prices, default=None)

    def hands_off_fills(
        self, account: AccountId, principal: PrincipalId, *, since: datetime
    ) -> int:
        return sum(
            row.account == account
            and row.opening
            and row.state is AttemptState.FILLED
            and row.ended_at is not None
            and row.ended_at > since
            and self._opened_by(row, principal)
            and self._books.orders[row.order_id].ticket_id is None
            for row in self._books.attempts.values()
        )

    def losing_closes(self, account: AccountId, principal: PrincipalId, *, since: datetime) -> int:
        count = 0
        for acc, _, fill in self._books.fills:
            lost = fill.effect is FillEffect.CLOSING and fill.realised < 0 and fill.time > since
            if acc == account and lost and fill.position_id is not None:
                opener = self.attempt_for_position(account, fill.position_id)
                count += opener is not None and self._opened_by(opener, principal)
        return count

    def _opened_by(self, attempt: AttemptRecord, principal: PrincipalId) -> bool:
        order = self._books.orders.get(attempt.order_id)
        return order is not None and order.principal == principal

    def asks_waiting(self, principal: PrincipalId, *, but: OrderId | None) -> int:
        return sum(
            order.principal == principal
            and order.state is OrderState.AWAITING_APPROVAL
            and order.order_id != but
            for order in self._books.orders.values()
        )

    def asks_since(self, principal: PrincipalId, *, since: datetime, but: OrderId | None) -> int:
        return sum(
            order.principal == principal
            and order.created_at > since
            and order.ticket_id is not None
            and order.order_id != but
            for order in self._books.orders.values()
        )

    def recent_openings(
        self,
        principal: PrincipalId,
        symbol: Symbol,
        side: Side | None,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> int:
        return sum(
            (row.principal, row.symbol, row.side) == (principal, symbol, side)
            and row.lane is Lane.OPEN
            and row.claimed_at > since
            and row.order_id != but
            for row in self._books.recent
        )

    def recent_twin(
        self, account: AccountId, terms: str, *, since: datetime, but: OrderId | None
    ) -> RecentOrder | None:
        twins = [
            row
            for row in self._books.recent
            if (row.account, row.terms) == (account, terms)
            and row.claimed_at > since
            and row.order_id != but
        ]
        return max(twins, key=lambda row: row.claimed_at, default=None)

    def add_usage(
        self, account: AccountId, principal: PrincipalId, day: date, usage: Usage
    ) -> None:
        held = self._books.usage.get((account, principal, day), NOTHING_USED)
        self._books.usage[account, principal, day] = _sum(held, usage)

    def usage(self, account: AccountId, principal: PrincipalId | None, day: date) -> Usage:
        total = NOTHING_USED
        for (acc, who, when), used in self._books.usage.items():
            if (acc, when) == (account, day) and principal in (None, who):
                total = _sum(total, used)
        return total

    def ticket(self, ticket_id: TicketId) -> TicketRecord | None:
        return self._books.tickets.get(ticket_id)

    def tickets_in(self, states: frozenset[TicketState]) -> Sequence[TicketRecord]:
        rows = [row for row in self._books.tickets.values() if row.state in states]
        return sorted(rows, key=lambda row: row.opened_at)

    def add_ticket(self, ticket: TicketRecord) -> None:
        if ticket.ticket_id in self._books.tickets:
            raise Duplicate(ticket.ticket_id)
        self._books.tickets[ticket.ticket_id] = ticket

    def put_ticket(self, ticket: TicketRecord) -> None:
        _swap(self._books.tickets, ticket.ticket_id, ticket)

    def halts(self) -> Sequence[HaltRecord]:
        return [row for row in self._books.halts.values() if row.released_at is None]

    def add_halt(self, halt: HaltRecord) -> None:
        if halt.halt_id in self._books.halts:
            raise Duplicate(halt.halt_id)
        self._books.halts[halt.halt_id] = halt

    def put_halt(self, halt: HaltRecord) -> None:
        if halt.halt_id not in self._books.halts:
            raise Stale(halt.halt_id)
        self._books.halts[halt.halt_id] = halt

    def tightenings(self) -> Sequence[Tightening]:
        return [row for row in self._books.tightenings if row.lifted_at is None]

    def add_tightening(self, tightening: Tightening) -> None:
        self._books.tightenings.append(tightening)

    def lift_tightenings(
        self, limit_name: str, *, by: PrincipalId, at: datetime, set_until: datetime
    ) -> int:
        held = self._books.tightenings
        places = [
            place
            for place, row in enumerate(held)
            if row.limit_name == limit_name and row.lifted_at is None and row.set_at <= set_until
        ]
        for place in places:
            held[place] = dataclasses.replace(held[place], lifted_by=by, lifted_at=at)
        return len(places)

    def underlyings(self) -> Sequence[UnderlyingRecord]:
        return [row for row in self._books.underlyings if row.removed_at is None]

    def add_underlying(self, row: UnderlyingRecord) -> None:
        self._books.underlyings.append(row)

    def remove_underlying(self, name: Symbol, *, venue: str, by: PrincipalId, at: datetime) -> int:
        held = self._books.underlyings
        places = [
            place
            for place, row in enumerate(held)
            if (row.name, row.venue) == (name, venue) and row.removed_at is None
        ]
        for place in places:
            held[place] = dataclasses.replace(held[place], removed_by=by, removed_at=at)
        return len(places)

    def baseline(self, account: AccountId) -> BaselineRecord | None:
        return self._books.baselines.get(account)

    def put_baseline(self, row: BaselineRecord) -> None:
        self._books.baselines[row.account] = row

    def add_cash(self, account: AccountId, line: CashLine) -> bool:
        if any((acc, old.line_id) == (account, line.line_id) for acc, old in self._books.cash):
            return False
        self._books.cash.append((account, line))
        return True

    def cash(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, CashLine]]:
        rows = [(n, line) for n, (acc, line) in enumerate(self._books.cash, 1) if acc == account]
        return [(str(n), line) for n, line in reversed(rows) if before is None or n < int(before)][
            :limit
        ]

    def paid_in(self, account: AccountId) -> Decimal:
        payments = (CashKind.DEPOSIT, CashKind.WITHDRAWAL)
        return sum(
            (
                one.amount
                for acc, one in self._books.cash
                if acc == account and one.kind in payments
            ),
            Decimal(0),
        )

    def add_external(self, row: ExternalRecord) -> bool:
        known = {(one.account, one.kind, one.venue_id) for one in self._books.externals}
        if (row.account, row.kind, row.venue_id) in known:
            return False
        self._books.externals.append(row)
        return True

    def externals(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, ExternalRecord]]:
        rows = [(n, r) for n, r in enumerate(self._books.externals, 1) if r.account == account]
        return [(str(n), r) for n, r in reversed(rows) if before is None or n < int(before)][:limit]

    def fact(self, name: str) -> str | None:
        return self._books.facts.get(name)

    def put_fact(self, name: str, value: str) -> None:
        self._books.facts[name] = value

    def guards(self) -> Sequence[Guard]:
        rows = [row for row in self._books.guards.values() if row.ended_at is None]
        return sorted(rows, key=lambda row: row.created_at)

    def guard(self, account: AccountId, position_id: PositionId) -> Guard | None:
        where = (account, position_id)
        return next((row for row in self.guards() if (row.account, row.position_id) == where), None)

    def add_guard(self, guard: Guard) -> None:
        if guard.guard_id in self._books.guards:
            raise Duplicate(guard.guard_id)
        self._books.guards[guard.guard_id] = guard

    def put_guard(self, guard: Guard) -> None:
        _swap(self._books.guards, guard.guard_id, guard)

    def audit_head(self) -> AuditHead | None:
        return self._books.head

    def append_audit(
        self, row: AuditRow, head: AuditHead, sign: Callable[[AuditHead], AuditHead]
    ) -> None:
        if row.seq != len(self._books.audit) + 1:
            raise Duplicate(f"audit record {row.seq}")
        self._books.audit.append(row)
        self._books.head = sign(head)

    def add_checkpoint(self, row: CheckpointRow) -> None:
        self._books.checkpoints.append(row)

    def last_checkpoint(self) -> CheckpointRow | None:
        return self._books.checkpoints[-1] if self._books.checkpoints else None

    def checkpoints(self, *, after: int, limit: int) -> Sequence[CheckpointRow]:
        return [row for row in self._books.checkpoints if row.size > after][:limit]

    def audit_hashes(self, *, after: int, upto: int) -> Sequence[str]:
        return [row.body for row in self._books.audit[after:upto]]

    def audit_rows(
        self, *, after: int, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        rows = self._books.audit[after:]
        return [row for row in rows if kind in (None, row.kind) and corr in (None, row.corr)][
            :limit
        ]

    def audit_tail(
        self, *, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        rows = self.audit_rows(after=0, limit=len(self._books.audit), kind=kind, corr=corr)
        return rows[max(len(rows) - limit, 0) :]


class MemoryJournal:
    """Implements ports.journal.Journal; `broken` makes every write fail, as a full disk does."""

    def __init__(self) -> None:
        self.books = Books()
        self.broken = False

    async def write(self, work: Callable[[JournalTx], T]) -> T:
        if self.broken:
            raise JournalUnwritable("the disk is full")
        before = self.books.copied()
        try:
            return work(MemoryTx(self.books))
        except BaseException:
            self.books = before
            raise

    def sealed(self) -> int:
        return len(self.books.audit)

    async def read(self, work: Callable[[JournalTx], T]) -> T:
        return work(MemoryTx(self.books.copied()))


def _swap(table: dict[K, R], key: K, row: R) -> None:
    held = table.get(key)
    if held is None or held.ver != row.ver - 1:
        raise Stale(str(key))
    table[key] = row


def _matches(row: OrderRecord, where: OrderFilter) -> bool:
    return (
        where.principal in (None, row.principal)
        and (where.states is None or row.state in where.states)
        and where.symbol in (None, row.symbol)
        and (where.before is None or (row.created_at, row.order_id) < where.before)
    )


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        orders=one.orders + other.orders,
        notional=one.notional + other.notional,
        result=one.result + other.result,
    )
