"""C25: what opens must not rest through a long silence of the venue; protection always stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.accounts import VenueSnapshot
from ordergate.model.orders import Action, CancelIntent, OrderType
from ordergate.model.values import OrderId
from ordergate.order.deadman import CAUSE
from ordergate.ports.journal import OrderFilter
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, buy

AFTER = timedelta(seconds=60)
LOW = {
    "order_type": OrderType.LIMIT,
    "limit_price": Decimal("1.08200"),
    "stop_loss": Decimal("1.07500"),
}


class Link:
    """A gate whose way to the venue breaks when told to, and whose time moves when told to."""

    def __init__(self, gate: Gate, clock: ManualClock) -> None:
        self.gate = gate
        self._clock = clock
        self._snapshot = gate.venue.snapshot

    async def look(self) -> None:
        await self.gate.line.upkeep._dead_man.look()

    async def silent_for(self, seconds: float) -> None:
        """Break the link, look once in vain, let time pass, mend it and look again."""
        self.gate.venue.snapshot = unreachable  # type: ignore[method-assign]  # a broken link
        self._clock.advance(seconds / 2)
        await self.look()
        self._clock.advance(seconds / 2)
        self.gate.venue.snapshot = self._snapshot  # type: ignore[method-assign]
        await self.look()
        await self.gate.line.settle.scan()

    async def rest(self) -> OrderId:
        """Rest a buy below the market, and hold a position with its stop."""
        gateway = self.gate.line.gateway
        assert (await gateway.submit(buy(), key=None, asker=AGENT)).status == "filled"
        resting = await gateway.submit(buy(**LOW), key=None, asker=AGENT)
        assert resting.status == "working"
        await self.look()
        return resting.order.order_id

    async def resting(self) -> int:
        return len((await self.gate.venue.snapshot()).open_orders)

    async def kinds(self) -> list[str]:
        rows = await self.gate.store.read(lambda tx: tx.audit_tail(limit=200))
        return [row.kind for row in rows]


async def unreachable() -> VenueSnapshot:
    raise ConnectionResetError("the link is down")


def play(folder: Path, scene: Callable[[Link], Awaitable[None]], **how: object) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(folder, clock=clock, **{"dead_man": AFTER, **how}) as gate:
            await scene(Link(gate, clock))

    asyncio.run(run())


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    async def scene(link: Link) -> None:
        await link.rest()
        await link.silent_for(3600)
        assert await link.resting() == 1

    play(tmp_path, scene, dead_man=None)


@pytest.mark.parametrize(("silence_s", "left"), [(59.9, 1), (60.0, 0), (3600.0, 0)])
def test_a_silence_of_the_limit_ends_resting_openings_and_leaves_the_stop(
    tmp_path: Path, silence_s: float, left: int
) -> None:
    async def scene(link: Link) -> None:
        await link.rest()
        await link.silent_for(silence_s)
        assert await link.resting() == left
        (position,) = (await link.gate.venue.snapshot()).positions
        assert position.stop_loss == Decimal("1.0800")
        assert (await link.kinds()).count("link.returned") == 1 - left

    play(tmp_path, scene)


def test_an_order_is_cancelled_once_and_the_next_one_may_rest(tmp_path: Path) -> None:
    async def scene(link: Link) -> None:
        ended = await link.rest()
        await link.silent_for(90)
        status = await link.gate.line.gateway.status(ended, asker=AGENT)
        assert status.status == "canceled"
        fresh = buy(**LOW, quantity=Decimal("0.05"))
        view = await link.gate.line.gateway.submit(fresh, key=None, asker=AGENT)
        assert view.status == "working"
        for _ in range(5):
            await link.look()
        assert await link.resting() == 1
        assert (await link.kinds()).count("link.returned") == 1

    play(tmp_path, scene)


def test_a_cancel_that_the_venue_refused_is_sent_again(tmp_path: Path) -> None:
    async def scene(link: Link) -> None:
        await link.rest()
        await link.silent_for(90)
        assert await link.resting() == 1
        await link.look()
        assert await link.resting() == 0
        assert (await link.kinds()).count("link.returned") == 1

    play(tmp_path, scene, faults=[Fault(FaultKind.REJECT, "cancel")])


@pytest.mark.parametrize(("dead_s", "left"), [(30, 1), (600, 0)])
def test_a_gateway_that_was_dead_is_a_link_that_was_lost(
    tmp_path: Path, dead_s: float, left: int
) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(tmp_path, clock=clock, dead_man=AFTER) as gate:
            await Link(gate, clock).look()
            view = await gate.line.gateway.submit(buy(**LOW), key=None, asker=AGENT)
            assert view.status == "working"
        clock.advance(dead_s)
        async with a_gate(tmp_path, clock=clock, dead_man=AFTER) as gate:
            link = Link(gate, clock)
            await link.look()
            assert await link.resting() == left

    asyncio.run(run())


def test_what_rested_while_it_was_off_is_not_swept_when_it_is_switched_on(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        for dead_man in (AFTER, None, AFTER):
            async with a_gate(tmp_path, clock=clock, dead_man=dead_man) as gate:
                link = Link(gate, clock)
                await link.look()
                if dead_man is None:
                    view = await gate.line.gateway.submit(buy(**LOW), key=None, asker=AGENT)
                    assert view.status == "working"
            clock.advance(3600)
        async with a_gate(tmp_path, clock=clock, dead_man=None) as gate:
            assert await Link(gate, clock).resting() == 1

    asyncio.run(run())


def test_each_cancel_is_an_order_of_its_own_by_explicit_id(tmp_path: Path) -> None:
    async def scene(link: Link) -> None:
        target = await link.rest()
        await link.silent_for(60)
        orders = await link.gate.store.read(lambda tx: tx.orders(OrderFilter(), limit=10))
        (cancel,) = (order for order in orders if order.action is Action.CANCEL)
        assert isinstance(cancel.intent, CancelIntent)
        assert (cancel.principal, cancel.intent.target_order_id) == ("gateway", target)
        assert cancel.key.startswith(f"{CAUSE}-")

    play(tmp_path, scene)
