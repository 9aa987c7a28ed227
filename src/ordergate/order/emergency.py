"""Exits when the books cannot be written: recorded in the emergency journal, then sent, once each.

Nothing that adds risk passes here. What went out is sealed into the books as soon as they can be
written again, and the venue's books tell what became of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from weakref import WeakValueDictionary

import structlog

from ordergate.model.errors import DataUnavailable, NotReady
from ordergate.model.orders import CancelIntent, CloseIntent, Lane, OrderState, PlaceIntent
from ordergate.model.records import AttemptRecord, HaltKind, HaltRecord, OrderRecord, ScopeKind
from ordergate.model.values import AttemptId, IdempotencyKey, OrderId, PrincipalId, Tag
from ordergate.model.verdicts import Judgement, Verb
from ordergate.model.views import Change
from ordergate.order.dispatch.attempt import Owner, attempt_of
from ordergate.order.dispatch.look import Look
from ordergate.order.dispatch.send import SEND_WITHIN_S, Claim, Send
from ordergate.order.dispatch.unbooked import (
    PROVEN,
    Unbooked,
    exit_record,
    outcome_record,
    read_records,
    unstored,
)
from ordergate.order.dispatch.wire import to_wire
from ordergate.order.halt import Halt, halt_record, read_halts
from ordergate.order.intent.accept import Accept
from ordergate.order.intent.idempotency import Asked, tag
from ordergate.order.journal.record import Instance, Step
from ordergate.ports.emergency import EmergencyFile, EmergencyUnwritable
from ordergate.ports.journal import Journal, JournalTx, JournalUnreadable, JournalUnwritable

IMPORTED: Final = "emergency_imported"  # the fact that names what was taken in last
ALARM: Final = "alarm"
CLOSED: Final = "the gate's books cannot be written"

T = TypeVar("T")
_log = structlog.get_logger("ordergate.emergency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """What stands in for the books: a file for what is sent, and empty books to judge by."""

    file: EmergencyFile
    blank: Journal


@dataclass(slots=True)
class Held:
    """An exit outside the books, and where it stands now."""

    exit: Unbooked
    judgement: Judgement | None = None
    claim: Claim | None = None  # until it is sent
    over: asyncio.Event = field(default_factory=asyncio.Event)


class HeldOutside(NotReady):
    """The key stands for an exit that is on the emergency record and not in the books yet."""


class Emergency:
    def __init__(
        self,
        *,
        instance: Instance,
        accept: Accept,
        send: Send,
        halt: Halt,
        spare: Spare,
        publish: Callable[[Change], None],
    ) -> None:
        self._instance = instance
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._accept = accept
        self._send = send
        self._halt = halt
        self._file = spare.file
        self._blank = spare.blank
        self._publish = publish
        self._one = asyncio.Lock()  # of writing to the file, and of taking it in
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._held: dict[OrderId, Held] = {}
        self._by_key: dict[tuple[str, str], OrderId] = {}
        self._unrecorded: list[str] = []  # records that no disk took; sealed from memory
        self._sending = 0
        self._trouble: str | None = None
        self._damaged = False
        for exit_ in read_records(self._file.held().bodies):
            held = Held(exit_.lost())
            held.over.set()
            self._keep(held)

    @property
    def trouble(self) -> str | None:
        """Why the books take nothing; None while they do."""
        return self._trouble

    def not_ready(self) -> NotReady:
        """Return the answer to whoever asks for more than an exit."""
        return NotReady(
            f"{CLOSED}: {self._trouble}; nothing was sent. Closing, tightening and cancelling pass",
            fix="tell the operator: `ordergate doctor` says what is wrong",
            details={"exits_only": True},
        )

    def begin_damaged(self, reason: str) -> None:
        """Start exits-only: what the database says proves nothing, so nobody is judged by it."""
        self._damaged = True
        self.alarm(reason)

    def alarm(self, reason: str) -> None:
        """Stop new risk in memory, once for as long as the trouble lasts, and tell the humans."""
        if self._trouble is not None:
            return
        self._trouble = reason
        self._halt_openings()
        self._tell("books_unwritable", f"{CLOSED}: {reason}. Exits go on, openings do not.")

    async def keep_stop(self, halt: HaltRecord) -> None:
        """Put a stop that the books did not take on record: it outlives this process, too."""
        async with self._one:
            try:
                await self._file.append(halt_record(halt))
            except EmergencyUnwritable as error:
                _log.error("emergency.stop", halt=halt.halt_id, reason=str(error))

    def held(self, order_id: OrderId) -> Held | None:
        """Return an exit that is not in the books yet."""
        return self._held.get(order_id)

    def holds(self, tags: frozenset[Tag]) -> frozenset[Tag]:
        """Return those of the tags that the emergency journal answers for."""
        return tags & {held.exit.attempt.tag for held in self._held.values()}

    async def claimed(
        self, asked: Asked, look: Look, work: Callable[[JournalTx], T]
    ) -> T | Held | OrderRecord:
        """Claim in the books; where they cannot be written, put an exit on the emergency record.

        Requests with one key take turns, so that a key is never in the books and outside them.
        """
        async with self._lock_of(asked):
            known = self._known(asked)
            if known is not None:
                return known
            if self._trouble is None:
                try:
                    return await self._journal.write(work)
                except JournalUnwritable as error:
                    self.alarm(str(error))
            # An exit does not wait for the disk again: `take_in` finds out when it is well.
            return await self._stored(asked) or await self._begin(asked, look)

    @contextlib.asynccontextmanager
    async def turn(self, asked: Asked) -> AsyncIterator[None]:
        """Let a plan's request have its key's turn; raise HeldOutside where it came too late."""
        async with self._lock_of(asked):
            if self._known(asked) is not None:
                raise HeldOutside("its key stands for an exit outside the books")
            yield

    async def send(self, held: Held) -> bool:
        """Make the one wire write of an exit on record; False where it was made, or is under way.

        What came of it goes on record too; where it cannot, the venue's books will tell.
        """
        claim, held.claim = held.claim, None
        if claim is None:
            await held.over.wait()
            return False
        try:
            outcome = await self._send.exit(claim)
            held.exit = held.exit.ended(outcome, self._clock.now())
            async with self._one:
                await self._put_outcome(outcome_record(held.exit))
        finally:
            self._sending -= 1
            held.over.set()
        return True

    async def take_in(self) -> None:
        """Seal into the books what went out without them; raise while that is not possible.

        It is one transaction, and names what it took: taken in twice, nothing changes.
        """
        async with self._one:
            spooled = self._file.held()
            bodies = (*spooled.bodies, *self._unrecorded)
            if not bodies and not spooled.torn and self._trouble is None:
                return
            if self._sending:
                raise NotReady("an exit is on the wire outside the books")
            halt = self._halt_openings()
            taken = f"{spooled.generation}:{len(bodies)}"

            def work(tx: JournalTx) -> HaltRecord | None:
                if bodies and tx.fact(IMPORTED) == taken:
                    return None
                durable = self._halt.engage(tx, halt)
                self._record.note(
                    tx,
                    "emergency.imported",
                    actor=self._instance.name,
                    corr=spooled.generation,
                    body={"records": bodies, "torn": spooled.torn, "reason": self._trouble},
                )
                for stop in read_halts(bodies):
                    self._halt.engage(tx, stop)
                for exit_ in read_records(bodies):
                    self._book(tx, exit_)
                tx.put_fact(IMPORTED, taken)
                return durable

            durable = await self._journal.write(work)
            if durable is not None:
                self._halt.settle(halt, durable)
            self._trouble = None
            self._held.clear()
            self._by_key.clear()
            self._unrecorded.clear()
            if spooled.bodies or spooled.torn:
                try:
                    await self._file.renew()
                except EmergencyUnwritable as error:  # what is in the books is not taken in twice
                    _log.error("emergency.renew", reason=str(error))
        _log.warning("emergency.imported", records=len(bodies))

    def _book(self, tx: JournalTx, exit_: Unbooked) -> None:
        """Put one exit into the books, as far as its own record proves it."""
        order, attempt = exit_.order, exit_.attempt
        if tx.order(order.order_id) is not None or tx.attempts_tagged([attempt.tag]):
            return
        if tx.order_for_key(order.principal, order.key) is not None:
            # The books kept a claim that they said they had not: both stand, each by its tag.
            order = dataclasses.replace(order, key=IdempotencyKey(f"emergency-{order.order_id}"))
        me = self._instance.name
        order = self._record.new_order(tx, order, "proposed", actor=order.principal)
        steps = [Step("judged_allow", order.principal), Step("claimed", attempt.owner)]
        order = self._record.walk(tx, order, steps)
        began = dataclasses.replace(attempt, ver=0, code=None, ended_at=None)
        began = self._record.new_attempt(
            tx, began, "claimed", actor=attempt.owner, detail={"emergency": True}
        )
        self._record.mark_cancel(tx, order, "cancel_requested", actor=me)
        proven = exit_.event if exit_.event in PROVEN else None
        self._record.book(
            tx, began, proven or "lost_sight", actor=me, code=attempt.code or exit_.event
        )

    async def _begin(self, asked: Asked, look: Look) -> Held:
        judgement = await self._judged(asked, look)
        lane, verb = judgement.decision.lane, judgement.decision.verb
        order = self._accept.new(asked.intent, key=asked.key, asker=asked.asker)
        order = dataclasses.replace(order, lane=lane, attempts=1)
        if lane is Lane.OPEN or verb is Verb.ASK:
            raise self.not_ready()
        if verb is Verb.DENY:
            raise unstored(judgement)
        if look.snapshot is None and isinstance(asked.intent, PlaceIntent | CloseIntent):
            raise DataUnavailable(
                "the venue cannot be read, so what this order comes to is not known",
                fix="ask again with the same idempotency_key; nothing was stored or sent",
            )
        exit_ = Unbooked(
            dataclasses.replace(order, state=OrderState.ACTIVE), self._attempt(order, look, lane)
        )
        wire = to_wire(order.intent, exit_.attempt)
        async with self._one:
            await self._put_exit(exit_)
            self._sending += 1
        claim = Claim(
            order=exit_.order,
            judgement=judgement,
            attempt=exit_.attempt,
            wire=wire,
            send_by=self._clock.monotonic() + SEND_WITHIN_S,
        )
        held = Held(exit_, judgement, claim)
        self._keep(held)
        return held

    async def _judged(self, asked: Asked, look: Look) -> Judgement:
        """Judge by the books where they can be read and believed, else by the venue's word alone.

        Blank books leave facts out: that denies openings, and never an exit the venue shows.
        """

        def work(tx: JournalTx) -> Judgement:
            return self._send.judged(tx, asked.intent, look, asked.asker)

        if not self._damaged:
            try:
                return await self._journal.read(work)
            except JournalUnreadable as error:
                _log.error("emergency.unreadable", reason=str(error))
        return await self._blank.read(work)

    def _attempt(self, order: OrderRecord, look: Look, lane: Lane) -> AttemptRecord:
        owner = Owner(
            name=self._instance.name,
            epoch=self._instance.epoch,
            attempt_id=AttemptId(self._instance.ids.new_id()),
            now=self._clock.now(),
        )
        tagged = tag(order.intent_hash, 1)
        return attempt_of(order, tagged, n=1, owner=owner, snapshot=look.snapshot, lane=lane)

    async def _put_exit(self, exit_: Unbooked) -> None:
        """Put an exit on record; where no disk takes it, only what the venue makes safe goes on."""
        body = exit_record(exit_)
        try:
            await self._file.append(body)
        except EmergencyUnwritable as error:
            intent = exit_.order.intent
            whole = isinstance(intent, CloseIntent) and intent.quantity is None
            # Repeated after a crash, neither can do more than it was asked to do once.
            safe = isinstance(intent, CancelIntent) or (whole and self._send.refuses_over_close)
            if not safe:
                raise self.not_ready() from error
            self._unrecorded.append(body)
            self._tell("exit_unrecorded", f"an exit goes out unrecorded: {error}")

    async def _put_outcome(self, body: str) -> None:
        try:
            await self._file.append(body)
        except EmergencyUnwritable as error:
            self._unrecorded.append(body)
            _log.error("emergency.outcome", reason=str(error))

    def _lock_of(self, asked: Asked) -> asyncio.Lock:
        if asked.key is None:
            return asyncio.Lock()
        name = (asked.asker.id, asked.key)
        lock = self._turns.get(name)
        if lock is None:
            lock = self._turns[name] = asyncio.Lock()
        return lock

    def _known(self, asked: Asked) -> Held | None:
        if asked.key is None:
            return None
        order_id = self._by_key.get((asked.asker.id, asked.key))
        if order_id is None:
            return None
        held = self._held[order_id]
        asked.require_same(held.exit.order)
        return held

    async def _stored(self, asked: Asked) -> OrderRecord | None:
        """Return the order that the key stands for in the books, as far as they can be read."""
        key = asked.key
        if key is None:
            return None
        with contextlib.suppress(JournalUnreadable):
            stored = await self._journal.read(lambda tx: tx.order_for_key(asked.asker.id, key))
            if stored is not None:
                asked.require_same(stored)
                return stored
        return None

    def _keep(self, held: Held) -> None:
        order = held.exit.order
        self._held[order.order_id] = held
        self._by_key[order.principal, order.key] = order.order_id

    def _halt_openings(self) -> HaltRecord:
        """Return the halt of all openings that holds in memory, made where there is none."""
        for halt in self._halt.unwritten():
            if halt.kind is HaltKind.HALT and halt.scope is ScopeKind.GLOBAL:
                return halt
        return self._halt.prepare(
            kind=HaltKind.HALT,
            scope=ScopeKind.GLOBAL,
            target="",
            reason=CLOSED,
            by=PrincipalId(self._instance.name),
        )

    def _tell(self, alarm: str, message: str) -> None:
        _log.critical("emergency.alarm", alarm=alarm, message=message)
        body = {"alarm": alarm, "message": message}
        self._publish(Change(topic=ALARM, principal=None, body=body))
