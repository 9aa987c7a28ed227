"""Managed exits over a plain exchange: protection, close plans, the ladder, restarts in between."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from support.order_records import AGENT, buy
from support.plain_gate import a_close, a_plain_gate, held, look, resting, stops

D = Decimal


def test_the_stop_rests_as_an_order_for_what_was_filled(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert view.status == "filled"
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            account = await gate.line.gateway.account(asker=AGENT)
            assert account.positions[0].stop_loss == D("1.08")

    asyncio.run(run())


def test_a_close_takes_the_stop_first_and_leaves_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            await look(gate)
            (position,) = await held(gate)
            view = await gate.line.gateway.close(
                a_close(position.position_id), key=None, asker=AGENT
            )
            assert view.status == "filled"
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_a_part_closed_leaves_the_rest_protected(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            await look(gate)
            (position,) = await held(gate)
            view = await gate.line.gateway.close(
                a_close(position.position_id, "0.04"), key=None, asker=AGENT
            )
            assert view.status == "filled"
            assert [row.quantity for row in await held(gate)] == [D("0.06")]
            assert await stops(gate) == [(D("0.06"), D("1.08"))]

    asyncio.run(run())
