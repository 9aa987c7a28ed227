"""What became of an order is found out however late, and nothing is stuck on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.orders import AttemptState, VenueOrder
from ordergate.model.outcomes import Acked
from ordergate.model.views import OrderView
from ordergate.order.reconcile.settle import ENDED_WINDOW, OWN_SENDING_MAX, QUERIES_S
from support.full_disk import fill_to_the_last_record, free
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy

SMALL = buy()


async def state_of(gate: Gate, sent: OrderView) -> AttemptState:
    (attempt,) = await gate.store.read(lambda tx: tx.attempts(sent.order.order_id))
    return attempt.state


def test_an_outcome_that_could_not_be_written_is_found_out_without_a_restart(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        clock, lost = ManualClock(), Fault(FaultKind.LOST_REQUEST, "submit")
        async with a_gate(tmp_path, clock=clock, faults=[lost]) as gate:
            sound = gate.venue.submit

            async def submit(order: VenueOrder) -> Acked:
                # the disk is full between the claim and its outcome
                await fill_to_the_last_record(gate.store, gate.line.instance.record)
                return await sound(order)

            gate.venue.submit = submit  # type: ignore[method-assign]
            sent = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert sent.status == "unknown"
            assert await state_of(gate, sent) is AttemptState.SENDING
            await free(gate.store)
            clock.advance(OWN_SENDING_MAX.total_seconds() + 1)
            await gate.line.settle.scan()
            clock.advance(QUERIES_S[-1] + 1)
            await gate.line.settle.scan()
            assert await state_of(gate, sent) is AttemptState.PARKED

    asyncio.run(run())


@pytest.mark.parametrize("down", [False, True])
def test_an_order_that_was_settled_as_not_placed_is_adopted_however_late_it_turns_up(
    tmp_path: Path, down: bool
) -> None:
    async def run() -> None:
        clock, kept = ManualClock(), []
        async with a_gate(tmp_path, clock=clock) as gate:
            sound = gate.venue.submit

            async def submit(order: VenueOrder) -> Acked:
                kept.append(order)
                raise TimeoutError

            gate.venue.submit = submit  # type: ignore[method-assign]
            sent = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            clock.advance(gate.line.settle.window.total_seconds() + QUERIES_S[-1])
            await gate.line.settle.scan()
            await gate.line.desk.resolve(
                sent.order.order_id, placed=False, reason="looked", operator=OPERATOR
            )
            clock.advance(2 * ENDED_WINDOW.total_seconds())
            await gate.line.settle.scan()
            await sound(kept[0])  # a venue that held it back for longer than anyone thought
            if down:
                clock.advance(2 * ENDED_WINDOW.total_seconds())
            await gate.line.settle.scan()
            assert await state_of(gate, sent) is AttemptState.FILLED
            (halt,) = (await gate.line.gateway.safety()).halts
            assert "adopted_filled" in halt.reason

    asyncio.run(run())
