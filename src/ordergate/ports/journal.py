"""The gate's books: every change of state and its sealed record in one durable transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from ordergate.model.accounts import CashLine
from ordergate.model.errors import NotReady
from ordergate.model.orders import AttemptState, OrderState, Side
from ordergate.model.outcomes import Fill
from ordergate.model.records import (
    AttemptRecord,
    BaselineRecord,
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
from ordergate.ports.audit_log import AuditTx

T = TypeVar("T")


class Stale(Exception):
    """A compare-and-set lost: the row is not as it was read, or one to add is there already."""


class JournalUnwritable(NotReady):
    """The transaction could not be made durable; nothing of it happened."""


class JournalUnreadable(NotReady):
    """The books cannot be read: what they would have said is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    principal: PrincipalId | None = None
    states: frozenset[OrderState] | None = None
    symbol: Symbol | None = None
    before: tuple[datetime, OrderId] | None = None  # keyset cursor: older than this row


class JournalTx(AuditTx, Protocol):
    """One transaction. Reads see its own writes. Every method is one or two indexed statements.

    Adding raises Stale where the row, its key, its tag or its number is taken.
    """

    # orders
    def order(self, order_id: OrderId) -> OrderRecord | None: ...
    def order_for_key(self, principal: PrincipalId, key: IdempotencyKey) -> OrderRecord | None: ...
    def orders(self, where: OrderFilter, *, limit: int) -> Sequence[OrderRecord]:
        """Return orders newest first (created_at, order_id descending)."""
        ...

    def add_order(self, order: OrderRecord) -> None:
        """Insert the order and reserve (principal, key) for ever."""
        ...

    def put_order(self, order: OrderRecord) -> None:
        """Replace the row whose version is order.ver - 1; raise Stale otherwise."""
        ...

    # attempts
    def attempt(self, attempt_id: AttemptId) -> AttemptRecord | None: ...
    def attempts(self, order_id: OrderId) -> Sequence[AttemptRecord]:
        """Return an order's attempts by n."""
        ...

    def attempts_in(
        self, states: frozenset[AttemptState], *, account: AccountId | None = None
    ) -> Sequence[AttemptRecord]: ...
    def attempts_tagged(self, tags: Sequence[Tag]) -> Sequence[AttemptRecord]: ...
    def attempts_numbered(self, magics: Sequence[int]) -> Sequence[AttemptRecord]:
        """Return attempts by the integer form of their tags."""
        ...

    def attempts_ended_since(self, account: AccountId, since: datetime) -> Sequence[AttemptRecord]:
        """Return attempts that ended (wall clock) at or after `since`."""
        ...

    def attempt_for_venue_order(
        self, account: AccountId, venue_order_id: str
    ) -> AttemptRecord | None:
        """Return the placing attempt that the venue knows under this order id."""
        ...

    def attempt_for_position(self, account: AccountId, position_id: str) -> AttemptRecord | None:
        """Return the earliest opening attempt that filled into this position."""
        ...

    def openers(
        self, account: AccountId, position_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[PrincipalId, Decimal]]]:
        """Return, by position, whose opening attempts filled into it, with the filled quantity.

        Oldest first; a position that none of ours filled into is not there.
        """
        ...

    def openers_of(self, account: AccountId, position_id: str) -> frozenset[PrincipalId]:
        """Return whose opening orders filled into this position, and who drafted them."""
        ...

    def add_attempt(self, attempt: AttemptRecord) -> None: ...
    def put_attempt(self, attempt: AttemptRecord) -> None:
        """Replace the row whose version is attempt.ver - 1; raise Stale otherwise."""
        ...

    # fills
    def add_fill(self, account: AccountId, attempt_id: AttemptId | None, fill: Fill) -> bool:
        """Book a fill once per (account, trade_id); False when it was booked before."""
        ...

    def fills(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, AttemptId | None, Fill]]:
        """Return (cursor, attempt, fill), newest first."""
        ...

    def fills_of(self, attempt_id: AttemptId) -> Sequence[Fill]: ...

    # reservations and use of limits
    def add_reservation(self, reservation: Reservation) -> None: ...
    def put_reservation(self, reservation: Reservation) -> None: ...
    def reservations(self, account: AccountId, *, mark: int) -> Sequence[Reservation]:
        """Return reservations still held, or released after audit sequence `mark`."""
        ...

    def reservation(self, attempt_id: AttemptId) -> Reservation | None: ...
    def add_recent(self, recent: RecentOrder) -> None: ...
    def recent_requests(self, principal: PrincipalId, *, since: datetime) -> int:
        """Count a principal's claims after `since`."""
        ...

    def account_requests(self, account: AccountId, *, since: datetime) -> int:
        """Count all principals' claims on an account after `since`."""
        ...

    def farthest_price(
        self,
        account: AccountId,
        symbol: Symbol,
        side: Side,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> Decimal | None:
        """Return the lowest price of the buys, the highest of the sells, opened after `since`."""
        ...

    def hands_off_fills(
        self, account: AccountId, principal: PrincipalId, *, since: datetime
    ) -> int:
        """Count a principal's openings that ended filled after `since` without anybody's yes."""
        ...

    def losing_closes(self, account: AccountId, principal: PrincipalId, *, since: datetime) -> int:
        """Count the losing closes after `since` (venue clock) of positions a principal opened."""
        ...

    def asks_waiting(self, principal: PrincipalId, *, but: OrderId | None) -> int:
        """Count a principal's orders that wait for a human."""
        ...

    def asks_since(self, principal: PrincipalId, *, since: datetime, but: OrderId | None) -> int:
        """Count a principal's orders made after `since` that were put to a human."""
        ...

    def recent_openings(
        self,
        principal: PrincipalId,
        symbol: Symbol,
        side: Side | None,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> int:
        """Count a principal's openings of a symbol and side after `since`, one order left out."""
        ...

    def recent_twin(
        self, account: AccountId, terms: str, *, since: datetime, but: OrderId | None
    ) -> RecentOrder | None:
        """Return the newest claim with these terms after `since`, one order left out."""
        ...

    def add_usage(
        self, account: AccountId, principal: PrincipalId, day: date, usage: Usage
    ) -> None:
        """Add to the day's counters."""
        ...

    def usage(self, account: AccountId, principal: PrincipalId | None, day: date) -> Usage:
        """Return the day's use of one principal, or of the whole account (None)."""
        ...

    # tickets
    def ticket(self, ticket_id: TicketId) -> TicketRecord | None: ...
    def tickets_in(self, states: frozenset[TicketState]) -> Sequence[TicketRecord]: ...
    def add_ticket(self, ticket: TicketRecord) -> None: ...
    def put_ticket(self, ticket: TicketRecord) -> None: ...

    # halts and limits
    def halts(self) -> Sequence[HaltRecord]:
        """Return the halts in force."""
        ...

    def add_halt(self, halt: HaltRecord) -> None: ...
    def put_halt(self, halt: HaltRecord) -> None: ...
    def tightenings(self) -> Sequence[Tightening]:
        """Return the tightenings in force, oldest first."""
        ...

    def add_tightening(self, tightening: Tightening) -> None: ...
    def lift_tightenings(
        self, limit_name: str, *, by: PrincipalId, at: datetime, set_until: datetime
    ) -> int:
        """End a limit's tightenings set up to a moment; they stay on file. Return how many."""
        ...

    # the whole book
    def underlyings(self) -> Sequence[UnderlyingRecord]:
        """Return the operator's confirmed underlyings in force, oldest first."""
        ...

    def add_underlying(self, row: UnderlyingRecord) -> None: ...
    def remove_underlying(self, name: Symbol, *, venue: str, by: PrincipalId, at: datetime) -> int:
        """End a confirmed name; it stays on file. Return how many were in force."""
        ...

    def baseline(self, account: AccountId) -> BaselineRecord | None: ...
    def put_baseline(self, row: BaselineRecord) -> None: ...
    def add_cash(self, account: AccountId, line: CashLine) -> bool:
        """Book a line once per (account, line_id); False when it was booked before."""
        ...

    def cash(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, CashLine]]:
        """Return (cursor, line), newest first."""
        ...

    def paid_in(self, account: AccountId) -> Decimal:
        """Return the deposits less the withdrawals booked so far."""
        ...

    def add_external(self, row: ExternalRecord) -> bool:
        """Record once per (account, kind, venue_id); False when it was known."""
        ...

    def externals(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, ExternalRecord]]:
        """Return (cursor, record), newest first."""
        ...

    # managed exits
    def guards(self) -> Sequence[Guard]:
        """Return the guards that have not ended, oldest first."""
        ...

    def guard(self, account: AccountId, position_id: PositionId) -> Guard | None:
        """Return the guard of a position that has not ended."""
        ...

    def add_guard(self, guard: Guard) -> None: ...
    def put_guard(self, guard: Guard) -> None:
        """Replace the row whose version is guard.ver - 1; raise Stale otherwise."""
        ...

    # small durable facts: instance epoch, last policy hash, ...
    def fact(self, name: str) -> str | None: ...
    def put_fact(self, name: str, value: str) -> None: ...


class Journal(Protocol):
    async def write(self, work: Callable[[JournalTx], T]) -> T:
        """Run `work` in one transaction and return when it is durable.

        Writers are serialised. Any exception rolls everything back and is raised; an I/O failure is
        raised as JournalUnwritable. `work` must be quick, synchronous and free of side effects.
        """
        ...

    def sealed(self) -> int:
        """Return the audit's length at the last commit known to be durable; never ahead of it."""
        ...

    async def read(self, work: Callable[[JournalTx], T]) -> T:
        """Run `work` on one consistent, read-only snapshot."""
        ...
