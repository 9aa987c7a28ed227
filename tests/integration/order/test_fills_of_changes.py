"""Fills that come with another answer, or before it: booked to their order, and at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.orders import ModifyIntent, OrderType
from ordergate.model.values import AccountId, Symbol, VenueName
from support.gate import a_gate
from support.order_records import AGENT, buy
from support.plain_gate import look, protected, resting, until, working


def test_a_fill_that_a_change_brought_is_booked_to_its_order(tmp_path: Path) -> None:
    async def scene() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            limit = buy(order_type=OrderType.LIMIT, limit_price=Decimal("1.08400"))
            resting = await gateway.submit(limit, key=None, asker=AGENT)
            await look(gate)
            assert resting.attempt is not None
            assert resting.attempt.venue_order_id is not None
            nearer = ModifyIntent(
                account=AccountId("paper-1"),
                venue=VenueName("paper"),
                symbol=Symbol("EURUSD"),
                venue_order_id=resting.attempt.venue_order_id,
                limit_price=Decimal("1.08600"),
            )
            changed = await gateway.modify(nearer, key=None, asker=AGENT)
            assert changed.status == "applied", (changed.status, changed.code)
            await look(gate)
            fills = await gateway.fills(limit=10, cursor=None, asker=AGENT)
            assert [row.fill.quantity for row in fills.items] == [Decimal("0.10")]
            attempt_id = resting.attempt.attempt_id
            booked = await gate.store.read(lambda tx: tx.fills_of(attempt_id))
            assert [fill.quantity for fill in booked] == [Decimal("0.10")]

    asyncio.run(scene())


def test_a_fill_that_came_before_the_answer_is_protected_at_once(tmp_path: Path) -> None:
    slow = Fault(FaultKind.LATE_REPLY, "submit", delay_s=Decimal("0.5"))

    async def scene() -> None:
        async with working(tmp_path, faults=(slow,)) as gate:
            limit = buy(order_type=OrderType.LIMIT, limit_price=Decimal("1.08400"))
            asked = asyncio.create_task(gate.line.gateway.submit(limit, key=None, asker=AGENT))

            async def rests() -> bool:
                return bool(await resting(gate))

            await until(rests, within_s=10)
            gate.market.set("EURUSD", "1.08380", "1.08390")
            answered = await asked
            assert answered.status in ("working", "filled")
            await until(lambda: protected(gate), within_s=3.5)  # a sweep comes after 5 s

    asyncio.run(scene())
