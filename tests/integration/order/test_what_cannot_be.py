"""One report that fits no table is an incident; it keeps nothing else from being found out."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.accounts import VenueHistory
from ordergate.model.orders import OrderType
from ordergate.model.outcomes import VenueStatus
from ordergate.model.values import Symbol
from support.gate import Gate, a_gate
from support.order_records import AGENT, buy

RESTING = buy(
    order_type=OrderType.LIMIT, limit_price=Decimal("1.08000"), stop_loss=Decimal("1.07500")
)


def misreport(gate: Gate, symbol: Symbol) -> None:
    """Let the venue report an order of unknown fate as replaced, which no table lists."""
    sound = gate.venue.history

    async def history(since: datetime) -> VenueHistory:
        found = await sound(since)
        orders = tuple(
            dataclasses.replace(order, status=VenueStatus.REPLACED)
            if order.symbol == symbol
            else order
            for order in found.orders
        )
        return dataclasses.replace(found, orders=orders)

    gate.venue.history = history  # type: ignore[method-assign]  # a venue that contradicts itself


def test_a_report_that_cannot_be_halts_the_account_and_the_rest_is_booked(tmp_path: Path) -> None:
    async def run() -> None:
        lost = Fault(FaultKind.LOST_REPLY, "submit", symbol="XAUUSD")
        async with a_gate(tmp_path, faults=[lost]) as gate:
            gateway = gate.line.gateway
            resting = await gateway.submit(RESTING, key=None, asker=AGENT)
            gold = buy(
                symbol=Symbol("XAUUSD"), quantity=Decimal("0.01"), stop_loss=Decimal("1990.00")
            )
            unknown = await gateway.submit(gold, key=None, asker=AGENT)
            assert unknown.status == "unknown"
            misreport(gate, Symbol("XAUUSD"))
            gate.market.set("EURUSD", "1.07990", "1.08000")
            await gate.line.settle.scan()
            found = await gateway.status(resting.order.order_id, asker=AGENT)
            assert found.status == "filled"
            assert (await gateway.status(unknown.order.order_id, asker=AGENT)).status == "unknown"
            (halt,) = await gate.line.desk.halts()
            assert "incident" in halt.reason

    asyncio.run(run())
