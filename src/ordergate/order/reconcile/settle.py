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
from ordergate.order.journal.lifecycle import INCIDENTS, PLACING, IllegalTransition
from ordergate.order.journal.record import Instance
from ordergate.order.reconcile.difference import Difference, Step, difference
from ordergate.order.reconcile.found import attempt_found, events_of, order_found
from ordergate.ports.journal import JournalTx
from ordergate.ports.venue_read import VenueReader

QUERIES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
SWEEP_S: Final = 5.0
SCAN_TIMEOUT_S: Final = 10.0
ENDED_WINDOW: Final = timedelta(minutes=10)
LOOK_BACK: Final = timedelta(minutes=5)
OWN_SENDING_MAX: Final = timedelta(seconds=20)  # beyond the wire's deadline: its outcome was lost
TRADES_REMEMBERED: Final = 20_000

_log = structlog.get_logger("ordergate.reconcile")

_LATE: Final = frozenset({"late_fill", "late_fill_complete"})
_WATCHED: Final = frozenset(
    {AttemptState.UNKNOWN, AttemptState.PARKED, AttemptState.WORKING, AttemptState.PARTIAL}
)


class Outside(Protocol):
    """What was sent while the books could not be written."""

    async def take_in(self) -> None:
        """Seal it into the books; raise while that is not possible."""
        ...

    def holds(self, tags: frozenset[Tag]) -> frozenset[Tag]:
        """Return those of the tags that are not in the books yet."""
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
            attempts = await self._journal.read(self._watched)
            started = self._clock.now()
            async with asyncio.timeout(SCAN_TIMEOUT_S):
                history = await self._reader.history(self._since(attempts))
            ours = frozenset(
                order.tag for order in history.orders if order.tag and is_tag(order.tag)
            )
            known = await self._journal.read(
                lambda tx: frozenset(one.tag for one in tx.attempts_tagged(sorted(ours)))
            )
            found = difference(attempts, history, known_tags=known, is_ours=ours)
            events = await self._book(found, history, started)
            self._last_scan = history.venue_time
            if self._scanned is not None:
                await self._scanned(history)
            return events

    def _watched(self, tx: JournalTx) -> Sequence[AttemptRecord]:
        now = self._clock.now()
        account = self._reader.account
        sending = [
            attempt
            for attempt in tx.attempts_in(frozenset({AttemptState.SENDING}), account=account)
            if attempt.epoch == self._epoch and now - attempt.claimed_at > OWN_SENDING_MAX
        ]
        ended = tx.attempts_ended_since(account, now - ENDED_WINDOW)
        return [*tx.attempts_in(_WATCHED, account=account), *sending, *ended]

    def _since(self, attempts: Sequence[AttemptRecord]) -> datetime:
        """Look far enough back for the oldest attempt that is still open, on the venue's clock."""
        days = [attempt.venue_day for attempt in attempts if attempt.ended_at is None]
        if days:
            oldest = datetime.combine(min(days), day_time(), tzinfo=UTC)
            return oldest - timedelta(days=2)
        if self._last_scan is not None:
            return self._last_scan - LOOK_BACK
        return datetime(1970, 1, 1, tzinfo=UTC)

    async def _book(self, found: Difference, history: VenueHistory, started: datetime) -> int:
        steps = await self._journal.read(lambda tx: self._unbooked(tx, found.steps))
        loose = self._loose_fills(history)
        parked = [one for one in found.not_found if self._given_up(one, started)]
        tags = frozenset(one.tag for one in found.strangers if one.tag is not None)
        mine = self._outside.holds(tags)
        strangers = [one for one in found.strangers if one.tag not in mine]
        if not (steps or loose or parked or strangers):
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
            for attempt in parked:
                current = tx.attempt(attempt.attempt_id)
                if current is not None and current.ver == attempt.ver:
                    moved.append(self._give_up(tx, current))
            for fill in loose:
                self._record.book_fill(tx, self._reader.account, None, fill)
            for stranger in strangers:
                moved.append(self._adopt(tx, stranger, history))
                halts.append(self._incident(tx, "an order with our tag that we did not know"))

        await self._journal.write(work)
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
            _, current = self._record.book(
                tx, current, "lost_sight", actor=self._instance, code="outcome not journaled"
            )
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

    def _given_up(self, attempt: AttemptRecord, started: datetime) -> bool:
        if attempt.state is not AttemptState.UNKNOWN:
            return False
        since = attempt.updated_at or attempt.claimed_at
        placing = attempt.action in PLACING
        return started - since >= (timedelta(seconds=QUERIES_S[-1]) if placing else self.window)

    def _give_up(self, tx: JournalTx, attempt: AttemptRecord) -> tuple[OrderRecord, AttemptRecord]:
        placing = attempt.action in PLACING
        event = "not_found" if placing else "not_applied"
        return self._record.book(tx, attempt, event, actor=self._instance, code=event)

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
        attempt = attempt_found(
            seen,
            order,
            attempt_id=AttemptId(self._ids.new_id()),
            day=history.venue_time.date(),
        )
        found, ended = events_of(seen)
        attempt = self._record.new_attempt(
            tx, attempt, found, actor="venue", detail={"venue_order": seen.venue_order_id}
        )
        if ended is None:
            return order, attempt
        return self._record.book(tx, attempt, ended, actor="venue")

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
