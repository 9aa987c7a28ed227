"""An agent that acts at once: its request meets the guard that only now comes to stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.model.errors import NotSupported
from ordergate.model.values import PositionId
from support.gate import Gate
from support.order_records import AGENT, buy
from support.plain_gate import (
    a_change,
    a_close,
    a_plain_gate,
    held,
    look,
    opened,
    refusal,
    stops,
)

D = Decimal


@asynccontextmanager
async def outrun(folder: Path) -> AsyncIterator[tuple[Gate, PositionId]]:
    """Give a position whose guard is written just before whatever is written of it first."""
    async with a_plain_gate(folder) as gate:
        await opened(gate, buy(take_profit=D("1.09")))
        (position,) = await held(gate)
        sound, looks = gate.store.write, []

        async def write(work: Any) -> Any:
            if not looks:
                looks.append(asyncio.create_task(gate.line.guarding.look()))
                async with asyncio.timeout(5):
                    while not await guards(gate):
                        await asyncio.sleep(0.01)
            return await sound(work)

        gate.store.write = write  # type: ignore[method-assign]  # the disk, not our code
        yield gate, position.position_id
        await asyncio.gather(*looks)
        assert looks
        assert await guards(gate) <= 1


async def guards(gate: Gate) -> int:
    return len(await gate.store.read(lambda tx: tuple(tx.guards())))


@pytest.mark.parametrize(("lots", "rest"), [(None, []), ("0.04", [D("0.06")])])
def test_a_close_goes_out_and_leaves_what_it_leaves_protected(
    tmp_path: Path, lots: str | None, rest: list[Decimal]
) -> None:
    async def run() -> None:
        async with outrun(tmp_path) as (gate, position_id):
            view = await gate.line.gateway.close(a_close(position_id, lots), key=None, asker=AGENT)
            assert view.status == "filled", view.code
            assert [row.quantity for row in await held(gate)] == rest
            await look(gate)
            assert [row for row, _ in await stops(gate)] == rest

    asyncio.run(run())


def test_a_nearer_stop_holds(tmp_path: Path) -> None:
    async def run() -> None:
        async with outrun(tmp_path) as (gate, position_id):
            nearer = a_change(position_id, stop_loss=D("1.082"))
            view = await gate.line.gateway.modify(nearer, key=None, asker=AGENT)
            assert view.status == "working", view.code
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.082"))]

    asyncio.run(run())


def test_a_farther_stop_is_refused_before_anybody_stands_guard(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await opened(gate, buy(take_profit=D("1.09")))
            (position,) = await held(gate)
            assert await guards(gate) == 0
            farther = a_change(position.position_id, stop_loss=D("1.07"))
            with pytest.raises(NotSupported, match="nearer"):
                await gate.line.gateway.modify(farther, key=None, asker=AGENT)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


def test_a_nearer_stop_that_the_venue_refuses_leaves_the_first_one_wanted(tmp_path: Path) -> None:
    async def run() -> None:
        async with outrun(tmp_path) as (gate, position_id):
            gate.venue.inject(refusal(1))
            nearer = a_change(position_id, stop_loss=D("1.082"))
            await gate.line.gateway.modify(nearer, key=None, asker=AGENT)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())
