"""The embedded paper venue: both venue ports over its own file and the market's prices."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from ordergate.adapters.venues.paper import client, mapping, statement
from ordergate.adapters.venues.paper.book import Work
from ordergate.adapters.venues.paper.core import Core
from ordergate.adapters.venues.paper.faults import Fault, FaultKind, FaultPlan
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import Capabilities, CashKind, VenueHistory, VenueSnapshot
from ordergate.model.market import Slice
from ordergate.model.orders import VenueCancel, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked, VenueRefusal
from ordergate.model.values import AccountId, VenueName
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock

PULSE_S: Final = 5.0
WAITING_SLICES_MAX: Final = 10_000
COMMIT_DEADLINE_S: Final = 30.0

T = TypeVar("T")
Decide = Callable[[Work, int], T]
Remember = Callable[[Work, VenueRefusal, int], None]


def last_venue_time(path: Path) -> datetime | None:
    """Return the venue time a file was last at; None where there is no file yet."""
    at = client.read_venue_time(path)
    return None if at is None else mapping.moment(at)


class PaperVenue:
    """Implements VenueReader and VenueTrader. All methods belong to one event loop's thread.

    Every change is durable in the venue's own file before any answer shows it. Requests commit in a
    worker thread, one after the other; slices that come meanwhile wait their turn.
    """

    def __init__(
        self,
        *,
        path: Path,
        markets: MarketFacts,
        clock: Clock,
        terms: PaperTerms = PaperTerms(),  # noqa: B008 - frozen
        faults: tuple[Fault, ...] = (),
        account: AccountId = statement.ACCOUNT,
    ) -> None:
        self._core = Core(path, markets, terms, account)
        self._account = account
        self._clock = clock
        self._faults = FaultPlan(faults)
        self._late: list[Callable[[], Awaitable[Acked]]] = []
        self._listeners: list[Callable[[], None]] = []
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="paper-venue")
        self._turn = asyncio.Lock()
        self._inflight: tuple[Future[None], Work] | None = None
        self._waiting: deque[Slice] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._seen = self._core.book.account.venue_time
        self._pulsed_at = clock.monotonic()
        self._closed = False

    @property
    def venue(self) -> VenueName:
        return statement.VENUE

    @property
    def account(self) -> AccountId:
        return self._account

    def capabilities(self) -> Capabilities:
        plain = self._core.floor.terms.plain
        return statement.PLAIN if plain else statement.CAPABILITIES

    def last_venue_time(self) -> datetime | None:
        return mapping.moment(self._seen)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back after the books changed without a request that was answered with it."""
        self._listeners.append(callback)

    async def pay(self, kind: CashKind, amount: Decimal, *, note: str = "") -> None:
        """Book a deposit, a withdrawal or another line of cash, as the venue's clerk would."""
        await self._carry_out(
            lambda work, now: self._core.pay(work, kind, amount, note=note, now=now)
        )

    def inject(self, fault: Fault) -> None:
        """Add a fault for calls to come."""
        self._faults.add(fault)

    def on_slice(self, slice_: Slice) -> None:
        """Let the next slice of market meet the books; what it changes is durable on return.

        While a request is being committed the slice waits and meets the books after it.
        """
        if self._inflight is not None:
            if len(self._waiting) < WAITING_SLICES_MAX:
                self._waiting.append(slice_)
                return
            self._land()
        self._meet(slice_)

    async def snapshot(self) -> VenueSnapshot:
        core = self._core
        if core.book.due <= core.floor.now():
            await self._carry_out(_nothing)
        return statement.snapshot(core.book, core.floor, self._account)

    async def history(self, since: datetime) -> VenueHistory:
        found = await asyncio.wrap_future(self._worker.submit(self._core.history, since))
        late, self._late = self._late, []
        for execute in late:
            with suppress(VenueRefusal):
                await execute()
        return found

    async def submit(self, order: VenueOrder) -> Acked:
        core = self._core

        async def act() -> Acked:
            return await self._carry_out(
                lambda work, now: core.place(work, order, now=now),
                lambda work, no, now: core.refuse(work, order, no, now=now),
            )

        return await self._deliver(self._faults.take("submit", order.symbol), act)

    async def modify(self, change: VenueModify) -> Acked:
        async def act() -> Acked:
            return await self._carry_out(lambda work, now: self._core.modify(work, change, now=now))

        return await self._deliver(self._faults.take("modify", change.symbol), act)

    async def cancel(self, cancel: VenueCancel) -> Acked:
        async def act() -> Acked:
            return await self._carry_out(lambda work, now: self._core.cancel(work, cancel, now=now))

        return await self._deliver(self._faults.take("cancel", cancel.symbol), act)

    async def close(self) -> None:
        """Finish what is being committed, keep the time and the marks, and let the file go."""
        if self._closed:
            return
        self._closed = True
        async with self._turn:
            self._core.commit(self._core.pulse(), self._seen)
            self._worker.shutdown(wait=True)
            self._core.file.close()

    async def _deliver(self, fault: Fault | None, act: Callable[[], Awaitable[Acked]]) -> Acked:
        """Carry the request to the books and the answer back, as well as the fault lets it."""
        if fault is None:
            return await act()
        delay_s = float(fault.delay_s)
        match fault.kind:
            case FaultKind.REJECT:
                raise mapping.refusal(fault.code or "REJECTED")
            case FaultKind.REQUOTE:
                raise mapping.refusal("REQUOTE")
            case FaultKind.LOST_REQUEST:
                raise TimeoutError("the request was lost")
            case FaultKind.LATE_EXECUTION:
                self._execute_late(act, delay_s=delay_s)
                raise TimeoutError("no answer yet")
            case FaultKind.LOST_REPLY:
                with suppress(VenueRefusal):
                    await act()
                await self._clock.sleep(delay_s)
                raise ConnectionResetError("the answer was lost")
            case FaultKind.DUPLICATE_DELIVERY:
                answer = await act()
                with suppress(VenueRefusal):
                    await act()
                return answer
            case FaultKind.LATE_REPLY:
                try:
                    return await act()
                finally:
                    await self._clock.sleep(delay_s)

    def _execute_late(self, act: Callable[[], Awaitable[Acked]], *, delay_s: float) -> None:
        if not delay_s:
            self._late.append(act)
            return

        async def wait_and_act() -> None:
            await self._clock.sleep(delay_s)
            with suppress(VenueRefusal):
                await act()

        self._start(wait_and_act())

    async def _carry_out(self, decide: Decide[T], remember: Remember | None = None) -> T:
        """Decide and commit, to the end, even when the caller stops waiting."""
        return await asyncio.shield(self._start(self._serve(decide, remember)))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: the caller may have stopped waiting

    async def _serve(self, decide: Decide[T], remember: Remember | None) -> T:
        async with self._turn:
            now = max(self._core.floor.now(), self._seen)
            work = self._core.begin(now)
            try:
                answer = decide(work, now)
            except VenueRefusal as no:
                work = self._core.begin(now)
                if remember is not None:
                    remember(work, no, now)
                await self._commit(work, now)
                raise
            await self._commit(work, now)
            return answer

    async def _commit(self, work: Work, now: int) -> None:
        if work.empty:
            return
        future = self._worker.submit(self._core.commit, work, now)
        self._inflight = (future, work)
        try:
            await asyncio.wrap_future(future)
        finally:
            self._land()

    def _land(self) -> None:
        """Make the change in flight the present, if it became durable; then meet what waited.

        Waits for a commit that still runs; one that outlasts its deadline stays in flight.
        """
        if self._inflight is None:
            return
        future, work = self._inflight
        durable = not future.cancelled() and future.exception(COMMIT_DEADLINE_S) is None
        self._inflight = None
        if durable:
            self._present(work)
        while self._waiting and self._inflight is None:
            self._meet(self._waiting.popleft())

    def _meet(self, slice_: Slice) -> None:
        self._seen = max(self._seen, mapping.micros(slice_.end))
        work = self._core.watch(slice_)
        if work is not None:
            self._core.commit(work, self._seen)
            self._pulsed_at = self._clock.monotonic()
            self._present(work)
        elif self._clock.monotonic() - self._pulsed_at >= PULSE_S:
            self._pulsed_at = self._clock.monotonic()
            pulse = self._core.pulse()
            self._core.commit(pulse, self._seen)
            self._core.land(pulse)

    def _present(self, work: Work) -> None:
        self._core.land(work)
        if work.is_news:
            for listener in self._listeners:
                listener()


def _nothing(work: Work, now: int) -> None:
    """Change nothing but what time alone brings."""
