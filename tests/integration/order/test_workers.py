"""The workers beside the gateway go on after what cannot be read or written for a moment."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.order.policy.limits import Limits
from ordergate.ports.journal import JournalUnwritable
from support.gate import a_gate
from support.order_records import AGENT, buy

SOON_S = 10.0


class Once:
    """A seam that fails the first time it is used and is itself again afterwards."""

    def __init__(self, seam: Any, error: Exception) -> None:
        self._seam = seam
        self._error: Exception | None = error
        self.failed = asyncio.Event()

    def __call__(self, *args: Any, **more: Any) -> Any:
        error, self._error = self._error, None
        if error is not None:
            self.failed.set()
            raise error
        return self._seam(*args, **more)


async def until_filled(gate: Any, order_id: Any) -> None:
    while (await gate.line.gateway.status(order_id, asker=AGENT)).status != "filled":
        await asyncio.sleep(0.01)


def test_reconciliation_survives_a_read_that_fails(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.LOST_REPLY, operation="submit")]
        async with a_gate(tmp_path, faults=faults) as gate:
            settle, stop = gate.line.settle, asyncio.Event()
            broken = Once(settle._watched, OSError("the disk is away"))
            settle._watched = broken  # type: ignore[method-assign]  # fails once
            worker = asyncio.create_task(settle.run(stop))
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            settle.nudge()
            async with asyncio.timeout(SOON_S):
                await broken.failed.wait()
                settle.nudge()
                await until_filled(gate, view.order.order_id)
            assert not worker.done()
            stop.set()
            settle.nudge()
            await worker

    asyncio.run(run())


def test_upkeep_survives_books_that_cannot_be_written(tmp_path: Path) -> None:
    async def run() -> None:
        limits = Limits(approval_ttl_s=Decimal(1))
        async with a_gate(tmp_path, limits=limits) as gate:
            upkeep, stop = gate.line.upkeep, asyncio.Event()
            large = buy(quantity=Decimal("0.50"), stop_loss=Decimal("1.08100"))
            asked = await gate.line.gateway.submit(large, key=None, asker=AGENT)
            broken = Once(upkeep._due, JournalUnwritable("no space left"))
            upkeep._due = broken  # type: ignore[method-assign]  # fails once
            worker = asyncio.create_task(upkeep.run(stop))
            async with asyncio.timeout(SOON_S):
                await broken.failed.wait()
                while True:
                    view = await gate.line.gateway.status(asked.order.order_id, asker=AGENT)
                    if view.status == "expired":
                        break
                    await asyncio.sleep(0.05)
            assert not worker.done()
            stop.set()
            await worker

    asyncio.run(run())
