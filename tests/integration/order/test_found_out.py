"""What is in doubt is found out or given up in time, whatever disk and clocks do meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.orders import AttemptState, CancelIntent, OrderType
from ordergate.model.values import AccountId, Symbol, VenueName
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, buy

LOST = Fault(FaultKind.LOST_REQUEST, "submit")


class LeapingClock(ManualClock):
    """A wall clock that may be set; the other one runs on."""

    leapt = timedelta()

    def now(self) -> datetime:
        return super().now() + self.leapt


async def state_of(gate: Gate, order_id: str) -> str:
    attempts = await gate.store.read(lambda tx: tx.attempts(order_id))  # type: ignore[arg-type]
    return attempts[-1].state.value


async def without_a_record(gate: Gate, act: object) -> None:
    """Let the outcome of one wire write find the books unwritable."""
    send = gate.line.gateway._send
    sound = send._journal

    class Full:
        async def write(self, work: object) -> object:
            del work
            send._journal = sound
            raise JournalUnwritable("full")

    send._journal = Full()  # type: ignore[assignment]
    await act  # type: ignore[misc]
    send._journal = sound


def test_a_cancel_whose_outcome_no_disk_took_is_found_out(tmp_path: Path) -> None:
    clock = LeapingClock()

    async def scene() -> None:
        async with a_gate(tmp_path, clock=clock) as gate:
            gateway = gate.line.gateway
            limit = buy(order_type=OrderType.LIMIT, limit_price=Decimal("1.08400"))
            resting = await gateway.submit(limit, key=None, asker=AGENT)
            assert resting.attempt is not None
            assert resting.attempt.venue_order_id is not None
            cancel = CancelIntent(
                account=AccountId("paper-1"),
                venue=VenueName("paper"),
                symbol=Symbol("EURUSD"),
                venue_order_id=resting.attempt.venue_order_id,
            )
            await without_a_record(gate, gateway.cancel(cancel, key=None, asker=AGENT))
            clock.advance(30)
            await gate.line.settle.scan()
            rows = await gate.store.read(lambda tx: tx.attempts_in(frozenset(AttemptState)))
            assert {row.action.value: row.state.value for row in rows} == {
                "place": "canceled",
                "cancel": "applied",
            }

    asyncio.run(scene())


def test_an_order_lost_with_its_outcome_is_parked(tmp_path: Path) -> None:
    clock = LeapingClock()

    async def scene() -> None:
        async with a_gate(tmp_path, clock=clock, faults=(LOST,)) as gate:
            await without_a_record(gate, gate.line.gateway.submit(buy(), key=None, asker=AGENT))
            (order,) = (await gate.line.gateway.orders(**_EVERY)).items
            clock.advance(30)
            await gate.line.settle.scan()
            assert await state_of(gate, order.order.order_id) == "unknown"
            clock.advance(61)
            await gate.line.settle.scan()
            assert await state_of(gate, order.order.order_id) == "parked"

    asyncio.run(scene())


@pytest.mark.parametrize("leap", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_leap_of_the_wall_clock_neither_hides_nor_gives_up(
    tmp_path: Path, leap: timedelta
) -> None:
    clock = LeapingClock()

    async def scene() -> None:
        async with a_gate(tmp_path, clock=clock, faults=(LOST,)) as gate:
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            await gate.line.settle.scan()
            clock.leapt = leap
            clock.advance(30)
            await gate.line.settle.scan()
            assert await state_of(gate, view.order.order_id) == "unknown"
            clock.advance(31)
            await gate.line.settle.scan()
            assert await state_of(gate, view.order.order_id) == "parked"

    asyncio.run(scene())


def test_a_clock_set_forward_while_nobody_ran_ends_no_change(tmp_path: Path) -> None:
    """The venue may do it yet: a change that was given up has an end that nothing undoes."""
    clock = LeapingClock()

    async def scene() -> None:
        lost = Fault(FaultKind.LOST_REQUEST, operation="cancel")
        async with a_gate(tmp_path, clock=clock, faults=(lost,)) as gate:
            gateway = gate.line.gateway
            limit = buy(order_type=OrderType.LIMIT, limit_price=Decimal("1.08400"))
            resting = await gateway.submit(limit, key=None, asker=AGENT)
            assert resting.attempt is not None
            assert resting.attempt.venue_order_id is not None
            cancel = CancelIntent(
                account=gate.venue.account,
                venue=gate.venue.venue,
                symbol=limit.symbol,
                venue_order_id=resting.attempt.venue_order_id,
            )
            asked = await gateway.cancel(cancel, key=None, asker=AGENT)
            assert asked.status == "unknown"
        clock.leapt = timedelta(hours=1)
        async with a_gate(tmp_path, clock=clock) as gate:
            window_s = gate.line.settle.window.total_seconds()
            await gate.line.settle.scan()
            clock.advance(window_s - 1)
            await gate.line.settle.scan()
            assert await state_of(gate, asked.order.order_id) == "unknown"
            clock.advance(2)
            await gate.line.settle.scan()
            assert await state_of(gate, asked.order.order_id) == "not_applied"

    asyncio.run(scene())


_EVERY = {"states": None, "symbol": None, "limit": 10, "cursor": None, "asker": AGENT}
