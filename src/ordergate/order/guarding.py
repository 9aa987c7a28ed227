"""Stands a guard over every position that an order of ours has opened, and looks after them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from ordergate.model.accounts import Position, VenueOrderState, VenueSnapshot
from ordergate.model.errors import GateError, NotFound
from ordergate.model.orders import CancelIntent, OrderState, PlaceIntent
from ordergate.model.principals import Kind
from ordergate.model.records import Guard, OrderRecord, ScopeKind
from ordergate.model.values import ZERO, IdempotencyKey, OrderId, PositionId
from ordergate.model.views import Change
from ordergate.order.exits import plan, steps
from ordergate.order.exits.protect import Means, Protect
from ordergate.order.gateway import GATEWAY
from ordergate.order.opened import SEEN, Watched, news
from ordergate.ports.journal import JournalTx, JournalUnwritable, OrderFilter, Stale

PAUSE_S: Final = 1.0
HURRY_S: Final = 0.25  # while something is unprotected, or a request of unknown fate
LEFT_MAX: Final = 500
CUT_S: Final = 10.0  # a step that was journaled is on its way much sooner

_log = structlog.get_logger("ordergate.exits")


class Guarding:
    """Looks when an order has moved, and at least once a second."""

    def __init__(self, means: Means, protect: Protect) -> None:
        self._means = means
        self._protect = protect
        self._gateway = means.gateway
        self._journal = means.journal
        self._nudged = asyncio.Event()
        self._looking = asyncio.Lock()
        self._sound: set[str] = set()  # tags of positions that were opened on purpose
        self._finished_s = means.clock.monotonic()

    def nudge(self) -> None:
        """Ask for a look soon: an order has moved."""
        self._nudged.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Look until stopped."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HURRY_S if self._protect.hurried else PAUSE_S):
                    await self._nudged.wait()
            self._nudged.clear()
            if not stop.is_set():
                await self.look()

    async def recover(self) -> None:
        """Exits first (reliability.md 2.5): finish the steps that were cut, then protect and close.

        It needs no arming and waits for no human.
        """
        await self._finish_cut(timedelta(0))
        await self.look()

    async def _finish_cut(self, age: timedelta) -> None:
        """Send or refuse the steps that were journaled at least `age` ago, and no more than that.

        A start finds those of the run before; books that took nothing for a while leave some, too.
        """
        self._finished_s = self._means.clock.monotonic()
        where = OrderFilter(states=frozenset({OrderState.PROPOSED}))
        left = await self._journal.read(lambda tx: tuple(tx.orders(where, limit=LEFT_MAX)))
        now = self._means.clock.now()
        for order in left:
            if order.principal_kind is Kind.GATEWAY and abs(now - order.created_at) >= age:
                with contextlib.suppress(GateError):  # refused now: the look finds it missing
                    await self._gateway.resume(order.order_id)

    async def look(self) -> None:
        """Bring every guarded position as near to what its guard says as it goes now."""
        try:
            async with self._looking:
                if self._means.clock.monotonic() - self._finished_s >= CUT_S:
                    await self._finish_cut(timedelta(seconds=CUT_S))
                await self._notice()
                guarded = await self._protect.guarded()
        except (GateError, JournalUnwritable, Stale) as error:
            _log.error("exits.look", reason=f"{type(error).__name__}: {error}")
            return
        await asyncio.gather(*(self._protect.tend(position_id) for position_id in guarded))

    async def _notice(self) -> None:
        """Stand guards over what has been opened, on purpose or by an exit too many."""
        try:
            await self._take_fills()
        except JournalUnwritable as error:
            self._gateway.books_failed(error)
        if self._gateway.exits_only:
            await self._take_unwritten()
        if not self._means.reader.capabilities().refuses_over_close:
            await self._take_excess()

    async def _take_fills(self) -> None:
        """Stand a guard over what the fills since the last look have opened."""
        account = self._gateway.account_id
        seen, found = await self._journal.read(lambda tx: (tx.fact(SEEN), news(tx, account)))
        if seen is not None and found.newest == int(seen):
            return
        linked = self._means.reader.capabilities().oco_groups
        groups = {} if linked else found.groups
        snapshot = await self._protect.snapshot() if found.watched or groups else None
        if (found.watched or groups) and snapshot is None:
            return
        watched = [one for one in found.watched if not self._attached(one, snapshot)]

        def work(tx: JournalTx) -> None:
            for position_id, intent, order in watched:
                self._stand(tx, position_id, intent, order)
            if not groups:
                tx.put_fact(SEEN, str(found.newest))

        await self._journal.write(work)
        if groups and snapshot is not None:
            await self._cancel_groups(groups, snapshot)
            await self._journal.write(lambda tx: tx.put_fact(SEEN, str(found.newest)))

    async def _take_unwritten(self) -> None:
        """Guard without books what is held and in no fill of theirs: its order's terms hold."""
        if self._means.reader.capabilities().attached_stops:
            return  # it came with its stop; one that is gone may have been taken away by a human
        snapshot = await self._protect.snapshot()
        for position in () if snapshot is None else snapshot.positions:
            order = await self._journal.read(lambda tx, one=position: _opening_of(tx, one))  # type: ignore[misc]  # bound now
            if order is None or not isinstance(order.intent, PlaceIntent):
                continue
            if await self._protect.guard(position.position_id) is None:
                guard = steps.enlarged(self._guard_for(position, order), order.intent)
                if (guard.stop, guard.target) != (None, None):
                    self._protect.hold(guard)

    def _attached(self, watched: Watched, snapshot: VenueSnapshot | None) -> bool:
        """Say whether the venue holds the stop with the position, as it was asked to."""
        if snapshot is None or not self._means.reader.capabilities().attached_stops:
            return False
        position_id, intent, _ = watched
        position = plan.held_of(position_id, snapshot)
        if position is None or intent.stop_loss is None:
            return True
        held = position.stop_loss
        return held is not None and plan.holds(position.side, held, intent.stop_loss)

    def _stand(
        self, tx: JournalTx, position_id: PositionId, intent: PlaceIntent, order: OrderRecord
    ) -> None:
        known = tx.guard(order.account, position_id)
        guard = known or steps.guard_for(
            position_id,
            intent.side,
            order,
            guard_id=self._means.ids.new_id(),
            at=self._means.clock.now(),
        )
        larger = steps.enlarged(guard, intent)
        if known is None or larger != known:
            self._protect.put(tx, guard, "guarded", stop=larger.stop, target=larger.target)

    async def _cancel_groups(
        self, groups: Mapping[str, OrderRecord], snapshot: VenueSnapshot
    ) -> None:
        """Cancel the other orders of a group of which one was executed: the venue does not."""
        for resting in snapshot.open_orders:
            done = groups.get(resting.oco_group or "")
            if done is None or not await self._another(resting, done):
                continue
            await self._gateway.one_order(
                CancelIntent(
                    account=done.account,
                    venue=done.venue,
                    symbol=resting.symbol,
                    venue_order_id=resting.venue_order_id,
                ),
                key=IdempotencyKey(f"exit-{self._means.ids.new_id()}"),
                asker=GATEWAY,
            )

    async def _another(self, resting: VenueOrderState, done: OrderRecord) -> bool:
        """Say whether a resting order is another of the group, and may go without harm.

        The stop of a position that no guard stands over and that is still held stays.
        """

        def work(tx: JournalTx) -> bool:
            tags = () if resting.tag is None else tx.attempts_tagged([resting.tag])
            if any(attempt.order_id == done.order_id for attempt in tags):
                return False
            side = resting.side.opposite
            guards = [(guard.symbol, guard.side) for guard in tx.guards()]
            return not resting.reduce_only or (resting.symbol, side) in guards

        if await self._journal.read(work):
            return True
        snapshot = await self._protect.snapshot()
        return snapshot is not None and not any(
            (row.symbol, row.side) == (resting.symbol, resting.side.opposite)
            for row in snapshot.positions
        )

    async def _take_excess(self) -> None:
        """Close at once what exits have opened: both legs of a bracket filled, or a close twice."""
        snapshot = await self._protect.snapshot()
        if snapshot is not None:
            await self._take_strays(snapshot)
        for position in () if snapshot is None else snapshot.positions:
            if position.tag is None or position.tag in self._sound:
                continue
            told = not self._gateway.exits_only  # else an exit may not be in the books yet
            order = await self._journal.read(lambda tx, one=position: _exit_behind(tx, one))  # type: ignore[misc]  # bound now
            if order is None and told:
                self._sound.add(position.tag)
            if order is None:
                continue
            if await self._protect.guard(position.position_id) is None:
                await self._close_excess(position, order)

    async def _take_strays(self, snapshot: VenueSnapshot) -> None:
        """Stand a guard over an exit that came after its position went: it takes the exit out."""
        held = {position.position_id for position in snapshot.positions}
        for resting in snapshot.open_orders:
            position_id = resting.position_id
            if not resting.reduce_only or position_id is None or position_id in held:
                continue
            if resting.tag is None or await self._protect.guard(position_id) is not None:
                continue
            attempts = await self._journal.read(
                lambda tx, tag=resting.tag: tx.attempts_tagged([tag])  # type: ignore[misc]  # bound now
            )
            for attempt in attempts:
                guard = steps.guard_for(
                    position_id,
                    resting.side.opposite,
                    await self._order(attempt.order_id),
                    guard_id=self._means.ids.new_id(),
                    at=self._means.clock.now(),
                )
                await self._protect.change(guard, "stray")

    async def _order(self, order_id: OrderId) -> OrderRecord:
        order = await self._journal.read(lambda tx: tx.order(order_id))
        if order is None:
            raise NotFound("an attempt without its order")
        return order

    def _guard_for(self, position: Position, order: OrderRecord) -> Guard:
        return steps.guard_for(
            position.position_id,
            position.side,
            order,
            guard_id=self._means.ids.new_id(),
            at=self._means.clock.now(),
        )

    async def _close_excess(self, position: Position, order: OrderRecord) -> None:
        guard = self._guard_for(position, order)
        await self._protect.change(guard, "excess", keep=ZERO)
        self._means.publish(
            Change(
                topic="alarm",
                principal=None,
                body={
                    "alarm": "exits exceeded the position",
                    "position_id": position.position_id,
                    "symbol": position.symbol,
                    "order_id": order.order_id,
                },
            )
        )
        await self._gateway.halt(
            ScopeKind.ACCOUNT, self._gateway.account_id, "incident: exits exceeded the position"
        )


def _opening_of(tx: JournalTx, position: Position) -> OrderRecord | None:
    """Return the order of ours that has opened a position on purpose."""
    for attempt in () if position.tag is None else tx.attempts_tagged([position.tag]):
        if attempt.opening:
            return tx.order(attempt.order_id)
    return None


def _exit_behind(tx: JournalTx, position: Position) -> OrderRecord | None:
    """Return the exit of ours that has opened a position; None when it was opened on purpose."""
    if position.tag is None:
        return None
    for attempt in tx.attempts_tagged([position.tag]):
        if not attempt.opening:
            return tx.order(attempt.order_id)
    return None
