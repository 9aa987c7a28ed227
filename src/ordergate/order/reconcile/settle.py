"""What really happened: scan the venue's books, adopt by tag, park what cannot be found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from typing import Final, Protocol

import structlog

from ordergate.model.accounts import VenueHistory, VenueOrderState
from ordergate.model.orders import AttemptState
from ordergate.model.outcomes import Fill
from ordergate.model.records import (
    AttemptRecord,
    HaltKind,
    HaltRecord,
    OrderRecord,
    ScopeKind,
)
from ordergate.model.values import AttemptId, OrderId, PrincipalId, Tag
from ordergate.order.halt import Halt
from ordergate.order.intent.idempotency import is_tag
from ordergate.order.journal.lifecycle import DISBELIEVED, INCIDENTS, PLACING, IllegalTransition
from ordergate.order.journal.record import Instance
from ordergate.order.reconcile.difference import Difference, Step, difference
from ordergate.order.reconcile.found import attempt_found, events_of, order_found
from ordergate.ports.journal import JournalTx, JournalUnwritable
from ordergate.ports.venue_read import VenueReader

QUERIES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
SWEEP_S: Final = 4.0
SCAN_TIMEOUT_S: Final = 10.0
ENDED_WINDOW: Final = timedelta(minutes=10)
LOOK_BACK: Final = timedelta(minutes=5)
OWN_SENDING_MAX: Final = timedelta(seconds=20)  # beyond the wire's deadline: its outcome was lost
TRADES_REMEMBERED: Final = 20_000

_log = structlog.get_logger("ordergate.reconcile")
_Waiting = tuple[AttemptId, AttemptState]

_LATE: Final = frozenset({"late_fill", "late_fill_complete"})
_WAITED_FOR: Final = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})
_WATCHED: Final = _WAITED_FOR | {AttemptState.PARKED, AttemptState.WORKING, AttemptState.PARTIAL}


class Outside(Protocol):
    """What was sent while the books could not be written."""

    async def take_in(self) -> None:
        """Seal it into the books; raise while that is not possible."""
        ...

    def holds(self, tags: frozenset[Tag]) -> frozenset[Tag]:
        """Return those of the tags that are not in the books yet."""
        ...

    def alarm(self, reason: str) -> None:
        """Stop new risk: the books take nothing."""
        ...


class Settle:
    """Bring the gate's books to the venue's, after every change there and at least every 5 s."""

    def __init__(
        self,
        *,
        instance: Instance,
        halt: Halt,
        reader: VenueReader,
        changed: Callable[[OrderRecord, AttemptRecord], None],
        outside: Outside,
        scanned: Callable[[VenueHistory], Awaitable[None]] | None = None,
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._ids = instance.ids
        self._instance = instance.name
        self._epoch = instance.epoch
        self._halt = halt
        self._reader = reader
        self._changed = changed
        self._scanned = scanned
        self._outside = outside
        self._one = asyncio.Lock()
        self._nudged = asyncio.Event()
        self._booked: dict[str, None] = {}
        self._disowned = False  # of the attempts that an earlier instance left behind
        self._last_scan: datetime | None = None  # venue clock
        self._since_s: dict[_Waiting, float] = {}  # monotonic

    @property
    def window(self) -> timedelta:
        """How long after its claim an order may still arrive at the venue unseen."""
        return timedelta(seconds=float(self._reader.capabilities().settle_window_s))

    def nudge(self) -> None:
        """Ask for a scan soon: the venue's books have changed."""
        self._nudged.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Scan until stopped: when nudged, when an UNKNOWN is due, and every SWEEP_S."""
        pause = QUERIES_S[0]
        while not stop.is_set():
            try:
                async with asyncio.timeout(pause):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()
            if stop.is_set():
                return
            try:
                await self.scan()
                pause = await self._pause()
            except Exception as error:  # noqa: BLE001 - what cannot be read now is asked again
                _log.warning("reconcile.failed", reason=type(error).__name__)
                pause = SWEEP_S

    async def recover(self) -> None:
        """Find out, before anything opens, what became of the attempts of earlier instances."""
        await self.scan()

    async def _disown(self) -> None:
        """Take the attempts of earlier instances for lost from sight, once."""
        if self._disowned:
            return

        def orphaned(tx: JournalTx) -> None:
            for attempt in tx.attempts_in(frozenset({AttemptState.SENDING})):
                if attempt.epoch != self._epoch:
                    self._record.book(
                        tx,
                        attempt,
                        "lost_sight",
                        actor=self._instance,
                        code="restart",
                        detail={"owner": attempt.owner},
                    )

        await self._journal.write(orphaned)
        self._disowned = True

    async def scan(self) -> int:
        """Do one full scan and book what it proves; return the number of events booked."""
        async with self._one:
            # What was sent outside the books is ours: unsealed, its tags would be strangers.
            await self._outside.take_in()
            await self._disown()
            started_s = self._clock.monotonic()
            attempts = self._overdue(await self._journal.read(self._watched), started_s)
            async with asyncio.timeout(SCAN_TIMEOUT_S):
                history = await self._reader.history(self._since(attempts))
            ours = frozenset(
                order.tag for order in history.orders if order.tag and is_tag(order.tag)
            )
            known = await self._journal.read(lambda tx: tx.attempts_tagged(sorted(ours)))
            watched = {one.attempt_id: one for one in attempts}
            # Adopted however late it turns up: the watch on what has ended is no limit to it.
            watched |= {one.attempt_id: one for one in known if one.state in DISBELIEVED}
            found = difference(
                tuple(watched.values()),
                history,
                known_tags=frozenset(one.tag for one in known),
                is_ours=ours,
            )
            events = await self._book(found, history, started_s)
            self._last_scan = history.venue_time
            if self._scanned is not None:
                await self._scanned(history)
            return events

    def _watched(self, tx: JournalTx) -> Sequence[AttemptRecord]:
        now = self._clock.now()
        account = self._reader.account
        ended = tx.attempts_ended_since(account, now - ENDED_WINDOW)
        return [*tx.attempts_in(_WATCHED, account=account), *ended]

    def _overdue(self, attempts: Sequence[AttemptRecord], now_s: float) -> list[AttemptRecord]:
        """Leave out what may be on the wire now; take the time of all that is waited for.

        The wall clock counts up to the first sight of an attempt, from there on the one that no
        leap moves: a clock set back must not hide what is lost, nor one set forward give it up.
        """
        wall = self._clock.now()
        waiting = [attempt for attempt in attempts if attempt.state in _WAITED_FOR]
        self._since_s = {
            (one.attempt_id, one.state): self._since_s.get(
                (one.attempt_id, one.state), now_s - _age_s(one, wall)
            )
            for one in waiting
        }
        return [
            one
            for one in attempts
            if one.state is not AttemptState.SENDING or self._waited(one, now_s) > OWN_SENDING_MAX
        ]

    def _waited(self, attempt: AttemptRecord, now_s: float) -> timedelta:
        """Return how long an attempt has been in a state in which it is waited for."""
        since_s = self._since_s.get((attempt.attempt_id, attempt.state), now_s)
        return timedelta(seconds=now_s - since_s)

    def _since(self, attempts: Sequence[AttemptRecord]) -> datetime:
        """Look far enough back for the oldest attempt that is still open, on the venue's clock."""
        days = [attempt.venue_day for attempt in attempts if attempt.ended_at is None]
        if days:
            oldest = datetime.combine(min(days), day_time(), tzinfo=UTC)
            return oldest - timedelta(days=2)
        if self._last_scan is not None:
            return self._last_scan - LOOK_BACK
        return datetime(1970, 1, 1, tzinfo=UTC)

    async def _book(self, found: Difference, history: VenueHistory, started_s: float) -> int:
        steps = await self._journal.read(lambda tx: self._unbooked(tx, found.steps))
        loose = self._loose_fills(history)
        missed = [one for one in found.not_found if self._given_up(one, started_s)]
        tags = frozenset(one.tag for one in found.strangers if one.tag is not None)
        mine = self._outside.holds(tags)
        strangers = [one for one in found.strangers if one.tag not in mine]
        if not (steps or loose or missed or strangers):
            return 0
        moved: list[tuple[OrderRecord, AttemptRecord]] = []
        halts: list[HaltRecord] = []

        def work(tx: JournalTx) -> None:
            moved.clear()
            halts.clear()
            for step in steps:
                try:
                    moved.extend(self._take(tx, step, halts))
                except IllegalTransition as error:
                    # One contradiction must not hide what became of all the others.
                    halts.append(self._incident(tx, str(error)))
            for attempt in missed:
                current = tx.attempt(attempt.attempt_id)
                if current is not None and current.ver == attempt.ver:
                    moved.append(self._give_up(tx, current))
            for fill in loose:
                self._record.book_fill(tx, self._reader.account, None, fill)
            for stranger in strangers:
                moved.append(self._adopt(tx, stranger, history))
                halts.append(self._incident(tx, "an order with our tag that we did not know"))

        try:
            await self._journal.write(work)
        except JournalUnwritable as error:
            self._outside.alarm(str(error))  # a fill that is in no book is protected without them
            raise
        for fill in loose:
            self._remember(fill)
        for order, attempt in moved:
            self._changed(order, attempt)
        return len(moved) + len(loose)

    def _take(
        self, tx: JournalTx, step: Step, halts: list[HaltRecord]
    ) -> list[tuple[OrderRecord, AttemptRecord]]:
        current = tx.attempt(step.attempt.attempt_id)
        if current is None or current.ver != step.attempt.ver:
            return []  # it moved meanwhile; the next scan sees both
        if current.state is AttemptState.SENDING:
            _, current = self._lose(tx, current)
        if step.event is None:
            for fill in step.fills:
                self._record.book_fill(tx, current.account, current.attempt_id, fill)
            return []
        order, moved = self._record.book(
            tx,
            current,
            step.event,
            actor="venue",
            fills=step.fills,
            detail={"fills": [fill.trade_id for fill in step.fills]},
            **step.fields,
        )
        raced = step.event in _LATE and current.cancel_pending
        if (step.event in INCIDENTS or step.event in _LATE) and not raced:
            halts.append(self._incident(tx, f"{step.event} on order {order.order_id}"))
        return [(order, moved)]

    def _given_up(self, attempt: AttemptRecord, started_s: float) -> bool:
        """Say whether a scan that did not find an attempt has an end for its state."""
        if attempt.state is not AttemptState.UNKNOWN:
            return attempt.state is AttemptState.SENDING
        placing = attempt.action in PLACING
        enough = timedelta(seconds=QUERIES_S[-1]) if placing else self.window
        return self._waited(attempt, started_s) >= enough

    def _give_up(self, tx: JournalTx, attempt: AttemptRecord) -> tuple[OrderRecord, AttemptRecord]:
        if attempt.state is AttemptState.SENDING:
            return self._lose(tx, attempt)
        event = "not_found" if attempt.action in PLACING else "not_applied"
        return self._record.book(tx, attempt, event, actor=self._instance, code=event)

    def _lose(self, tx: JournalTx, attempt: AttemptRecord) -> tuple[OrderRecord, AttemptRecord]:
        code = "outcome not journaled"
        return self._record.book(tx, attempt, "lost_sight", actor=self._instance, code=code)

    def _adopt(
        self, tx: JournalTx, seen: VenueOrderState, history: VenueHistory
    ) -> tuple[OrderRecord, AttemptRecord]:
        """Take an order of ours that the journal lost (a restored database) into the books."""
        order = order_found(
            seen,
            account=self._reader.account,
            venue=self._reader.venue,
            order_id=OrderId(self._ids.new_id()),
            now=self._clock.now(),
        )
        order = self._record.new_order(tx, order, "found", actor="venue")
        fills = [one for one in history.fills if one.venue_order_id == seen.venue_order_id]
        attempt = attempt_found(
            seen,
            order,
            attempt_id=AttemptId(self._ids.new_id()),
            day=history.venue_time.date(),
            fills=fills,
        )
        found, ended = events_of(seen)
        attempt = self._record.new_attempt(
            tx, attempt, found, actor="venue", detail={"venue_order": seen.venue_order_id}
        )
        for fill in fills:
            self._record.book_fill(tx, order.account, attempt.attempt_id, fill)
        if ended is not None:
            return self._record.book(tx, attempt, ended, actor="venue")
        if attempt.ended_at is not None:
            order = self._record.move(tx, order, "attempt_ended", actor="venue")
        return order, attempt

    def _incident(self, tx: JournalTx, reason: str) -> HaltRecord:
        prepared = self._halt.prepare(
            kind=HaltKind.HALT,
            scope=ScopeKind.ACCOUNT,
            target=self._reader.account,
            reason=f"incident: {reason}",
            by=PrincipalId(self._instance),
        )
        durable = self._halt.engage(tx, prepared)
        self._halt.settle(prepared, durable)
        return durable

    def _unbooked(self, tx: JournalTx, steps: Sequence[Step]) -> list[Step]:
        """Leave out the fills that stand in the journal, and the steps that bring nothing else."""
        left = []
        for step in steps:
            booked = {fill.trade_id for fill in tx.fills_of(step.attempt.attempt_id)}
            fresh = tuple(fill for fill in step.fills if fill.trade_id not in booked)
            if step.event is not None or fresh:
                left.append(replace(step, fills=fresh))
        return left

    def _loose_fills(self, history: VenueHistory) -> list[Fill]:
        """Return fills of no order of ours: stops fired at the venue, trades made around us."""
        ours = {order.venue_order_id for order in history.orders if is_tag(order.tag)}
        return [
            fill
            for fill in history.fills
            if fill.venue_order_id not in ours and fill.trade_id not in self._booked
        ]

    def _remember(self, fill: Fill) -> None:
        self._booked[fill.trade_id] = None
        while len(self._booked) > TRADES_REMEMBERED:
            del self._booked[next(iter(self._booked))]

    async def _pause(self) -> float:
        """Return how long until the next scan is due."""
        unknown = await self._journal.read(
            lambda tx: tx.attempts_in(
                frozenset({AttemptState.UNKNOWN}), account=self._reader.account
            )
        )
        now = self._clock.now()
        pause = SWEEP_S
        for attempt in unknown:
            waited = (now - (attempt.updated_at or attempt.claimed_at)).total_seconds()
            due = next((at for at in QUERIES_S if at > waited), SWEEP_S + waited)
            pause = min(pause, max(due - waited, 0.05))
        return pause


def _age_s(attempt: AttemptRecord, wall: datetime) -> float:
    """Return how old an attempt's state is by the wall clock; 0 where that was set back.

    A change has an end that nothing undoes: a clock set forward while nobody ran must not bring
    it, so its time begins with the first look. A lost order is parked, and may be found later.
    """
    change = attempt.action not in PLACING and attempt.state is AttemptState.UNKNOWN
    age = timedelta() if change else wall - (attempt.updated_at or attempt.claimed_at)
    return max(age, timedelta()).total_seconds()
