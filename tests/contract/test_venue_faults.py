"""The fault matrix: 12 faults of a wire x 4 operations x every venue adapter, each to its end.

An adapter joins with one line of ADAPTERS. Its faults come at the venue port, where an adapter has
already turned what its transport did into an answer, an exception or silence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.venues.mt5.link import VENUE
from ordergate.adapters.venues.mt5.venue import Mt5Venue
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.outcomes import Acked, NeverSent, VenueRefusal
from ordergate.model.values import AccountId, Symbol, VenueName
from ordergate.model.views import OrderView
from ordergate.order.dispatch import send
from ordergate.ports.venue_trade import VenueTrader
from ordergate.testing.mt5.server import Server
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.mt5 import ACCOUNT, a_venue, on_ticks
from support.order_records import AGENT, buy

PAPER, PAPER_ACCOUNT = VenueName("paper"), AccountId("paper-1")
Act = Callable[[], Awaitable[Acked]]
Operations = list[tuple[str, Callable[[], Awaitable[OrderView]]]]
PLACED: Final = frozenset({Action.PLACE, Action.CLOSE})


@dataclass
class FaultyWire:
    """Implements ports.venue_trade.VenueTrader between the gate and an adapter's own."""

    trader: VenueTrader
    fault: str | None = None
    sends: Counter[str] = field(default_factory=Counter)  # by tag
    late: list[Act] = field(default_factory=list)

    async def submit(self, order: VenueOrder) -> Acked:
        return await self._through(order.tag, lambda: self.trader.submit(order))

    async def modify(self, change: VenueModify) -> Acked:
        return await self._through(change.tag, lambda: self.trader.modify(change))

    async def cancel(self, cancel: VenueCancel) -> Acked:
        return await self._through(cancel.tag, lambda: self.trader.cancel(cancel))

    async def _through(self, tag: str, act: Act) -> Acked:
        self.sends[tag] += 1
        if self.fault is None:
            return await act()
        return await FAULTS[self.fault].wire(self, act)

    async def arrive(self) -> None:
        """Let what was on its way for long be carried out now."""
        late, self.late = self.late, []
        for act in late:
            await act()


Wire = Callable[[FaultyWire, Act], Awaitable[Acked]]


def _raises(error: Exception, *, done: bool) -> Wire:
    async def wire(_: FaultyWire, act: Act) -> Acked:
        if done:
            await act()
        raise error

    return wire


async def _silent(_: FaultyWire, act: Act) -> Acked:
    await act()
    await asyncio.Event().wait()
    raise AssertionError("silence has ended")


async def _too_slow(_: FaultyWire, act: Act) -> Acked:
    answer = await act()
    for _byte in range(1_000):
        await asyncio.sleep(send.WIRE_TIMEOUT_S / 10)
    return answer


async def _twice(_: FaultyWire, act: Act) -> Acked:
    answer = await act()
    with contextlib.suppress(VenueRefusal):  # "known already", or nothing left to change
        await act()
    return answer


async def _late(wire: FaultyWire, act: Act) -> Acked:
    wire.late.append(act)
    raise TimeoutError("no answer yet")


@dataclass(frozen=True)
class Fault:
    """What goes wrong on the wire, and what the gate must make of it at once and at the end.

    `placed` are the states of a submit or close: after the write, after the next scan of the
    venue's books, and in the end; `changed` those of a modification or cancel.
    """

    wire: Wire
    placed: tuple[str, str, str]
    changed: tuple[str, str, str]


def _proven(wire: Wire) -> Fault:
    """Nothing left the gate, and that is proven."""
    return Fault(wire, ("not_sent",) * 3, ("not_sent",) * 3)


def _done(wire: Wire) -> Fault:
    """It was carried out, and no answer says so: the next scan does."""
    return Fault(wire, ("unknown", "filled", "filled"), ("unknown", "applied", "applied"))


NEVER = _raises(NeverSent("nothing left"), done=False)
FAULTS: Final[dict[str, Fault]] = {
    "refuse": _proven(_raises(ConnectionRefusedError("refused"), done=False)),
    "dns_fail": _proven(_raises(NeverSent("no such host"), done=False)),
    "reset_before_bytes": _proven(NEVER),
    "reset_mid_request": Fault(
        _raises(ConnectionResetError("reset"), done=False),
        ("unknown", "unknown", "parked"),
        ("unknown", "unknown", "not_applied"),
    ),
    "reset_after_request": _done(_raises(ConnectionResetError("reset"), done=True)),
    "hang": _done(_silent),
    "slow_drip": _done(_too_slow),
    "truncated_body": _done(_raises(ValueError("the body ends too soon"), done=True)),
    "error_5xx_after_execution": _done(_raises(RuntimeError("HTTP 503"), done=True)),
    "error_400_after_execution": _done(_raises(RuntimeError("HTTP 400: timed out"), done=True)),
    "duplicate_reply": Fault(_twice, ("filled",) * 3, ("applied",) * 3),
    "late_after_a_negative_query": Fault(
        _late, ("unknown", "unknown", "filled"), ("unknown", "unknown", "applied")
    ),
}


@dataclass
class Bench:
    """A gate on one adapter, with the faulty wire between."""

    gate: Gate
    wire: FaultyWire
    clock: ManualClock
    account: AccountId = PAPER_ACCOUNT
    venue: VenueName = PAPER

    @property
    def where(self) -> dict[str, Any]:
        return {"account": self.account, "venue": self.venue, "symbol": Symbol("EURUSD")}


@asynccontextmanager
async def _paper(folder: Path) -> AsyncIterator[Bench]:
    clock, wires = ManualClock(), []

    def wired(trader: VenueTrader) -> VenueTrader:
        wires.append(FaultyWire(trader))
        return wires[0]

    async with a_gate(folder, clock=clock, wired=wired) as gate:
        yield Bench(gate, wires[0], clock)


@asynccontextmanager
async def _mt5(folder: Path) -> AsyncIterator[Bench]:
    clock, wires, server = ManualClock(), [], Server()
    market = ManualMarket()
    market.listen(on_ticks(server))
    market.set("EURUSD", "1.08500", "1.08510")

    def wired(trader: VenueTrader) -> VenueTrader:
        wires.append(FaultyWire(trader))
        return wires[0]

    def venue(market: ManualMarket, _: SqliteStore) -> Mt5Venue:
        return a_venue(server, market)

    async with a_gate(folder, clock=clock, wired=wired, market=market, other_venue=venue) as gate:
        yield Bench(gate, wires[0], clock, ACCOUNT, VENUE)


ADAPTERS: Final[dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]]] = {
    "paper": _paper,
    "mt5": _mt5,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_fault_ends_as_it_must_and_nothing_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, fault: str
) -> None:
    async def scene() -> None:
        async with ADAPTERS[adapter](tmp_path) as there:
            operations = await _prepared(there)
            there.wire.fault = fault
            if FAULTS[fault].wire in (_silent, _too_slow):
                monkeypatch.setattr(send, "WIRE_TIMEOUT_S", 0.6)  # else a minute goes by
            await _matrix(there, FAULTS[fault], operations)

    asyncio.run(scene())


async def _matrix(there: Bench, fault: Fault, operations: Operations) -> None:
    """Ask for every operation under the fault, and follow each through scans to its end."""
    before = dict(there.wire.sends)
    asked = [(operation, await act()) for operation, act in operations]

    async def see(place: int) -> None:
        for operation, view in asked:
            wanted = fault.placed if view.order.action in PLACED else fault.changed
            assert (operation, await _state(there, view)) == (operation, wanted[place])

    await see(0)
    await there.gate.line.settle.scan()
    await see(1)
    await there.wire.arrive()
    await there.gate.line.settle.scan()
    window = float(there.gate.venue.capabilities().settle_window_s)
    there.clock.advance(max(61, window + 1))
    await there.gate.line.settle.scan()
    await see(2)
    fresh = {tag: n for tag, n in there.wire.sends.items() if tag not in before}
    assert sorted(fresh.values()) == [1, 1, 1, 1]
    assert await _executed(there) == 2 + 2 * (fault.placed[2] == "filled")


async def _prepared(there: Bench) -> Operations:
    """Open two positions and rest an order in good weather; return the four things to ask."""
    gateway = there.gate.line.gateway
    for lots in ("0.05", "0.06"):
        view = await gateway.submit(
            buy(**there.where, quantity=Decimal(lots)), key=None, asker=AGENT
        )
        assert view.status == "filled"
    resting = await gateway.submit(
        buy(
            **there.where,
            order_type=OrderType.LIMIT,
            limit_price=Decimal("1.08400"),
            quantity=Decimal("0.07"),
        ),
        key=None,
        asker=AGENT,
    )
    assert resting.attempt is not None
    assert resting.attempt.venue_order_id is not None
    kept, left = (await there.gate.venue.snapshot()).positions
    cancel = CancelIntent(**there.where, venue_order_id=resting.attempt.venue_order_id)
    nearer = ModifyIntent(**there.where, position_id=kept.position_id, stop_loss=Decimal("1.08200"))
    close = CloseIntent(**there.where, position_id=left.position_id)
    return [
        ("cancel", lambda: gateway.cancel(cancel, key=None, asker=AGENT)),
        ("modify", lambda: gateway.modify(nearer, key=None, asker=AGENT)),
        ("close", lambda: gateway.close(close, key=None, asker=AGENT)),
        (
            "submit",
            lambda: gateway.submit(
                buy(**there.where, quantity=Decimal("0.08")), key=None, asker=AGENT
            ),
        ),
    ]


async def _state(there: Bench, view: OrderView) -> str:
    attempts = await there.gate.store.read(lambda tx: tx.attempts(view.order.order_id))
    assert len(attempts) == 1
    return attempts[0].state.value


async def _executed(there: Bench) -> int:
    """Return how many executions stand in the venue's own books."""
    history = await there.gate.venue.history(
        (await there.gate.venue.snapshot()).venue_time.replace(year=2000)
    )
    return len(history.fills)


def test_the_matrix_is_whole() -> None:
    assert len(FAULTS) == 12
    ends = {state for fault in FAULTS.values() for state in (*fault.placed, *fault.changed)}
    assert ends <= {state.value for state in AttemptState}
