"""What an engaged stop ends: asks that wait, openings that rest or come to rest; never an exit."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from ordergate.model.errors import Code, GateError, InvalidArgument, NotReady, SymbolNotFound
from ordergate.model.orders import Action, CancelIntent, Lane, OrderState
from ordergate.model.records import (
    AttemptRecord,
    HaltKind,
    HaltRecord,
    OrderRecord,
    ScopeKind,
    TicketState,
)
from ordergate.model.values import AccountId, IdempotencyKey, Symbol
from ordergate.order.approval.approve import Approve
from ordergate.order.halt import Halt, in_scope
from ordergate.order.journal.lifecycle import RESTING
from ordergate.order.journal.record import Record
from ordergate.ports.journal import Journal, JournalTx, JournalUnwritable, OrderFilter

BATCH: Final = 500
ASIDE_MAX: Final = 32  # an agent may name as many as it likes; the room is for exits
_WAITING: Final = frozenset({OrderState.AWAITING_APPROVAL, OrderState.APPROVED})

Cancels = dict[IdempotencyKey, CancelIntent]
Cancel = Callable[[CancelIntent, IdempotencyKey], Awaitable[object]]
Announce = Callable[[OrderRecord, AttemptRecord | None], None]

_log = structlog.get_logger("ordergate.kill")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a stop acts beyond the books: an order, news, a record that takes what they do not."""

    cancel: Cancel
    announce: Announce
    spare: Callable[[HaltRecord], Awaitable[None]]


class Kill:
    """Engages stops and keeps them: what they cover is ended now, and when it turns up later."""

    def __init__(
        self,
        *,
        journal: Journal,
        record: Record,
        approve: Approve,
        halt: Halt,
        ways: Ways,
    ) -> None:
        self._journal = journal
        self._record = record
        self._approve = approve
        self._halt = halt
        self.cancel = ways.cancel
        self._announce = ways.announce
        self._spare = ways.spare
        self._aside: set[tuple[ScopeKind, str]] = set()

    async def engage(self, prepared: HaltRecord) -> HaltRecord:
        """Make a stop durable, then end what it covers; standing already, it stays as it is."""

        def work(tx: JournalTx) -> tuple[HaltRecord, list[OrderRecord], Cancels]:
            halt = self._halt.engage(tx, prepared)
            ended = end_waiting(tx, halt, record=self._record, approve=self._approve)
            return halt, ended, _under(tx, halt)

        try:
            halt, ended, cancels = await self._journal.write(work)
        except (JournalUnwritable, NotReady):
            # It holds in memory; keep() writes it as soon as that is possible.
            if prepared.kind is HaltKind.KILL:
                await self._put_aside(prepared)
                with contextlib.suppress(GateError):
                    await self._cancel_all(
                        await self._journal.read(lambda tx: _under(tx, prepared))
                    )
            return prepared
        self._halt.settle(prepared, halt)
        self._aside.clear()
        for order in ended:
            self._announce(order, None)
        await self._cancel_all(cancels)
        return halt

    async def _put_aside(self, halt: HaltRecord) -> None:
        """Keep a stop where exits go without books: once, and never in the place of many exits."""
        name = (halt.scope, halt.target)
        whole = halt.scope in (ScopeKind.GLOBAL, ScopeKind.ACCOUNT)
        if name not in self._aside and (whole or len(self._aside) < ASIDE_MAX):
            self._aside.add(name)
            await self._spare(halt)

    async def keep(self) -> None:
        """Write the stops that memory alone holds, and cancel what came to rest under one.

        An order may have been on the wire, or of unknown fate, when the stop was engaged.
        """
        for prepared in self._halt.unwritten():
            await self.engage(prepared)
        await self._cancel_all(await self._journal.read(_resting_under_a_stop))

    async def cancel_openings(self, cause: str, chosen: Callable[[OrderRecord], bool]) -> None:
        """Cancel the resting openings that are chosen, by id; `cause` begins each key."""
        await self._cancel_all(
            await self._journal.read(lambda tx: resting_openings(tx, cause, chosen))
        )

    async def _cancel_all(self, cancels: Cancels) -> None:
        for key, cancel in cancels.items():
            try:
                await self.cancel(cancel, key)
            except GateError as error:  # one that cannot go now must not hold up the others
                _log.error("kill.cancel", order=cancel.target_order_id, reason=str(error))


def target_of(
    scope: ScopeKind, target: str, *, account: AccountId, is_symbol: Callable[[Symbol], bool]
) -> str:
    """Return what a stop of this scope names; raise for a name that could never stop anything."""
    match scope:
        case ScopeKind.GLOBAL:
            return ""
        case ScopeKind.SYMBOL if not is_symbol(Symbol(target)):
            raise SymbolNotFound(
                f"{target[:64]} is not a symbol here: nothing would be stopped",
                fix='name it as list_instruments does, or use scope "global"',
            )
        case ScopeKind.ACCOUNT if target != account:
            raise InvalidArgument(
                f"{target[:64]} is not the account here: nothing would be stopped",
                fix=f'name {account}, or use scope "global"',
            )
        case ScopeKind.AGENT if not target:
            raise InvalidArgument("no agent is named", fix='name one, or use scope "global"')
    return target


def target_in(order: OrderRecord, scope: ScopeKind) -> str:
    """Return what a stop of this scope names, by the order that brought it about."""
    return {
        ScopeKind.GLOBAL: "",
        ScopeKind.ACCOUNT: order.account,
        ScopeKind.AGENT: order.principal,
        ScopeKind.SYMBOL: order.symbol,
    }[scope]


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


def openings_at_rest(tx: JournalTx) -> tuple[AttemptRecord, ...]:
    """Return our attempts to open that rest at the venue."""
    return tuple(
        attempt
        for attempt in tx.attempts_in(frozenset(RESTING))
        if attempt.opening and attempt.action is Action.PLACE
    )


def resting_openings(tx: JournalTx, cause: str, chosen: Callable[[OrderRecord], bool]) -> Cancels:
    """Return a cancel, by explicit venue id, for every resting opening that is chosen.

    A key is good for one try: once that was not applied, the attempt's next version makes another.
    """
    cancels: Cancels = {}
    for attempt in openings_at_rest(tx):
        order = tx.order(attempt.order_id)
        cancel = _cancel(attempt)
        if order is not None and cancel is not None and chosen(order):
            key = f"{cause}-{attempt.attempt_id}-{attempt.ver}"
            cancels[IdempotencyKey(key)] = cancel
    return cancels


def _under(tx: JournalTx, halt: HaltRecord) -> Cancels:
    return resting_openings(tx, f"kill-{halt.halt_id}", lambda order: _covers(halt, order))


def _resting_under_a_stop(tx: JournalTx) -> Cancels:
    by_order: dict[str | None, tuple[IdempotencyKey, CancelIntent]] = {}
    for halt in tx.halts():
        for key, cancel in _under(tx, halt).items():
            by_order.setdefault(cancel.target_order_id, (key, cancel))
    return dict(by_order.values())


def _cancel(attempt: AttemptRecord) -> CancelIntent | None:
    """Return the cancel of an opening that rests; None while one is under way."""
    if attempt.cancel_pending or attempt.venue_order_id is None:
        return None
    return CancelIntent(
        account=attempt.account,
        venue=attempt.venue,
        symbol=attempt.symbol,
        venue_order_id=attempt.venue_order_id,
        target_order_id=attempt.order_id,
    )


def _covers(halt: HaltRecord, order: OrderRecord) -> bool:
    return in_scope(halt, account=order.account, principal=order.principal, symbol=order.symbol)
