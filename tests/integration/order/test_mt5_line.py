"""The order line on MetaTrader 5, with what a real terminal and a real broker do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.venues.mt5.link import VENUE
from ordergate.adapters.venues.mt5.venue import Mt5Venue
from ordergate.bootstrap.mt5 import in_doubt
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.values import Symbol, VenueOrderId
from ordergate.model.views import OrderView
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.faults import Fault, FaultKind
from ordergate.testing.mt5.server import Server
from support.gate import Gate, start_gate
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.mt5 import ACCOUNT, a_venue, on_ticks
from support.order_records import AGENT, buy

D = Decimal
WHERE: dict[str, Any] = {"account": ACCOUNT, "venue": VENUE, "symbol": Symbol("EURUSD")}


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


@dataclass
class Broker:
    """A server that outlives the gates which trade on it."""

    folder: Path
    server: Server
    market: ManualMarket
    clock: ManualClock

    @asynccontextmanager
    async def gate(self) -> AsyncIterator[Gate]:
        venues: list[Mt5Venue] = []

        def venue(market: ManualMarket, store: SqliteStore) -> Mt5Venue:
            async def recall(magics: Any) -> dict[int, Any]:
                found = await store.read(lambda tx: tx.attempts_numbered(magics))
                return {one.magic: one.tag for one in found}

            venues.append(a_venue(self.server, market, recall=recall))
            return venues[0]

        gate = await start_gate(
            self.folder, market=self.market, clock=self.clock, other_venue=venue
        )
        venues[0].doubt(await gate.store.read(lambda tx: in_doubt(tx, ACCOUNT)))
        try:
            yield gate
        finally:
            await gate.stop()

    def quote(self, bid: str, ask: str) -> None:
        self.market.set("EURUSD", bid, ask)


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    server, market = Server(), ManualMarket()
    market.listen(on_ticks(server))
    made = Broker(tmp_path, server, market, ManualClock())
    made.quote("1.08500", "1.08510")
    return made


async def opened(gate: Gate, lots: str = "0.10", **more: Any) -> OrderView:
    intent = buy(**WHERE, quantity=D(lots), **more)
    return await gate.line.gateway.submit(intent, key=None, asker=AGENT)


async def state(gate: Gate, view: OrderView) -> str:
    (attempt,) = await gate.store.read(lambda tx: tx.attempts(view.order.order_id))
    return attempt.state.value


def deals(broker: Broker) -> int:
    return len(broker.server.books.deals)


@pytest.mark.parametrize(
    ("fault", "at_once", "in_the_end", "executed"),
    [
        (Fault(kind=FaultKind.NONE_AFTER), "unknown", "filled", 1),
        (Fault(kind=FaultKind.NONE), "unknown", "parked", 0),
        (Fault(kind=FaultKind.RETCODE_AFTER, retcode=10012), "unknown", "filled", 1),
        (Fault(kind=FaultKind.RETCODE, retcode=10031), "unknown", "parked", 0),
        (Fault(kind=FaultKind.RETCODE, retcode=10099), "unknown", "parked", 0),
        (Fault(kind=FaultKind.IPC_LOST), "not_sent", "not_sent", 0),
        (Fault(kind=FaultKind.NONE, error=-8), "not_sent", "not_sent", 0),
        (Fault(kind=FaultKind.RETCODE, retcode=10006), "rejected", "rejected", 0),
        (Fault(kind=FaultKind.LATE_FILL), "working", "filled", 1),
        (Fault(kind=FaultKind.PARTIAL, percent=40), "partial", "canceled", 1),
    ],
)
def test_what_a_terminal_answers_ends_as_it_must_and_is_sent_once(
    broker: Broker, fault: Fault, at_once: str, in_the_end: str, executed: int
) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            broker.server.faults.add(fault)
            view = await opened(gate)
            assert await state(gate, view) == at_once
            broker.quote("1.08510", "1.08520")
            await gate.line.settle.scan()
            broker.clock.advance(301)
            await gate.line.settle.scan()
            assert await state(gate, view) == in_the_end
            assert deals(broker) == executed

    run(scene())


@pytest.mark.parametrize("comment", [None, "", "server text"])
def test_an_outcome_lost_in_a_crash_is_found_whatever_the_server_wrote(
    broker: Broker, comment: str | None
) -> None:
    async def scene() -> None:
        broker.server.switches.comment_is = comment
        async with broker.gate() as gate:
            broker.server.faults.add(Fault(kind=FaultKind.NONE_AFTER))
            view = await opened(gate)
            assert await state(gate, view) == "unknown"
        async with broker.gate() as gate:
            await gate.line.settle.scan()
            assert await state(gate, view) == "filled"
            externals = await gate.store.read(
                lambda tx: tx.externals(ACCOUNT, before=None, limit=10)
            )
            assert list(externals) == []
            assert deals(broker) == 1

    run(scene())


def test_a_stop_moved_unseen_before_a_crash_is_found_applied(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            await opened(gate)
            (held,) = (await gate.venue.snapshot()).positions
            broker.server.faults.add(Fault(kind=FaultKind.NONE_AFTER))
            nearer = ModifyIntent(**WHERE, position_id=held.position_id, stop_loss=D("1.0820"))
            moved = await gate.line.gateway.modify(nearer, key=None, asker=AGENT)
            assert await state(gate, moved) == "unknown"
        async with broker.gate() as gate:
            await gate.line.settle.scan()
            assert await state(gate, moved) == "applied"

    run(scene())


def test_a_cancel_that_never_arrived_is_not_called_applied_after_a_crash(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            resting = await opened(gate, order_type=OrderType.LIMIT, limit_price=D("1.0840"))
            assert resting.attempt is not None
            number = VenueOrderId(str(resting.attempt.venue_order_id))
            broker.server.faults.add(Fault(kind=FaultKind.NONE))
            cancel = CancelIntent(**WHERE, venue_order_id=number)
            asked = await gate.line.gateway.cancel(cancel, key=None, asker=AGENT)
        async with broker.gate() as gate:
            await gate.line.settle.scan()
            assert await state(gate, asked) == "unknown"
            broker.clock.advance(301)
            await gate.line.settle.scan()
            assert await state(gate, asked) == "not_applied"
            assert await state(gate, resting) == "working"

    run(scene())


def test_a_close_in_doubt_does_not_lock_the_position(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            await opened(gate)
            (held,) = (await gate.venue.snapshot()).positions
            close = CloseIntent(**WHERE, position_id=held.position_id)
            broker.server.faults.add(Fault(kind=FaultKind.NONE))
            first = await gate.line.gateway.close(close, key=None, asker=AGENT)
            assert await state(gate, first) == "unknown"
            second = await gate.line.gateway.close(close, key=None, asker=AGENT)
            assert second.status == "filled"
            assert (await gate.venue.snapshot()).positions == ()
            assert deals(broker) == 2

    run(scene())


def test_a_stop_that_the_broker_dropped_is_set_again(broker: Broker) -> None:
    async def scene() -> None:
        broker.server.switches.drops_stops = True
        async with broker.gate() as gate:
            await opened(gate)
            assert [p.stop_loss for p in (await gate.venue.snapshot()).positions] == [None]
            await gate.line.guarding.look()
            assert [p.stop_loss for p in (await gate.venue.snapshot()).positions] == [D("1.08")]

    run(scene())


def test_a_stop_that_fired_and_a_deposit_leave_nothing_unexplained(broker: Broker) -> None:
    async def scene() -> None:
        broker.server.switches.drops_magic = True
        async with broker.gate() as gate:
            await opened(gate)
            await gate.line.settle.scan()
            broker.server.pay(1_000)
            broker.quote("1.07990", "1.08000")
            for _ in range(3):
                broker.clock.advance(301)
                await gate.line.settle.scan()
            assert await gate.store.read(lambda tx: list(tx.halts())) == []
            assert (await gate.venue.snapshot()).positions == ()

    run(scene())


def test_an_order_made_by_hand_is_found_and_counted(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            await gate.line.settle.scan()
            broker.clock.advance(1)
            by_hand = {"action": K.TRADE_ACTION_DEAL, "symbol": "EURUSD", "volume": 0.3, "type": 0}
            await gate.venue._link.client.send({**by_hand, "type_filling": 0})
            broker.market.advance(seconds=1)
            await gate.line.settle.scan()
            externals = await gate.store.read(
                lambda tx: tx.externals(ACCOUNT, before=None, limit=10)
            )
            kinds = {one.kind.value for _, one in externals}
            assert "position" in kinds
            assert await gate.store.read(lambda tx: list(tx.halts())) == []

    run(scene())


def trailing(**more: Any) -> PlaceIntent:
    terms: dict[str, Any] = {
        "side": Side.SELL,
        "order_type": OrderType.TRAILING_STOP,
        "quantity": D("0.10"),
        "stop_loss": None,
        "trail_amount": D("0.00200"),
        "reduce_only": True,
    }
    return buy(**WHERE, **{**terms, **more})


async def stops(gate: Gate) -> list[Decimal | None]:
    return [held.stop_loss for held in (await gate.venue.snapshot()).positions]


def test_a_trailing_stop_ratchets_the_stop_that_rests_at_the_broker(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            await opened(gate, take_profit=D("1.2000"))
            view = await gate.line.gateway.submit(trailing(), key=None, asker=AGENT)
            assert (view.status, await stops(gate)) == ("applied", [D("1.083")])
            for bid, level in (("1.08600", "1.084"), ("1.09000", "1.088"), ("1.08900", "1.088")):
                broker.quote(bid, str(D(bid) + D("0.0001")))
                broker.clock.advance(5)
                await gate.line.guarding.look()
                assert await stops(gate) == [D(level)]
        async with broker.gate() as gate:
            broker.quote("1.09200", "1.09210")
            await gate.line.guarding.look()
            assert await stops(gate) == [D("1.09")]
            (held,) = (await gate.venue.snapshot()).positions
            assert held.take_profit == D("1.2")
            broker.quote("1.08990", "1.09000")
            assert (await gate.venue.snapshot()).positions == ()
            await gate.line.guarding.look()
            assert deals(broker) == 2

    run(scene())


def test_a_trail_that_would_begin_farther_away_keeps_the_nearer_stop(broker: Broker) -> None:
    async def scene() -> None:
        async with broker.gate() as gate:
            await opened(gate, stop_loss=D("1.0840"))
            await gate.line.gateway.submit(trailing(), key=None, asker=AGENT)
            assert await stops(gate) == [D("1.084")]

    run(scene())
