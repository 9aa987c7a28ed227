"""A16: a reading of the account that is too old to open on is good enough to get out on."""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path

from ordergate.model.errors import Code
from ordergate.model.orders import CloseIntent, ModifyIntent, Side
from ordergate.model.values import AccountId, Symbol, VenueName
from ordergate.order.dispatch.send import Look
from support.gate import Gate, a_gate
from support.order_records import AGENT, buy

WHERE = {"account": AccountId("paper-1"), "venue": VenueName("paper"), "symbol": Symbol("EURUSD")}


def looks_are_slow(gate: Gate) -> None:
    """Let every look at the account be a minute old by the time it is judged."""
    sound = gate.line.gateway._look

    async def old() -> Look:
        look = await sound()
        return dataclasses.replace(look, read_at=look.read_at - 60)

    gate.line.gateway._look = old  # type: ignore[method-assign]  # a slow machine


def test_tightening_reducing_and_closing_pass_on_old_facts_and_opening_does_not(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            await gateway.submit(buy(), key=None, asker=AGENT)
            (position,) = (await gate.venue.snapshot()).positions
            named = {**WHERE, "position_id": position.position_id}
            looks_are_slow(gate)
            opening = buy(quantity=Decimal("0.02"))
            refused = await gateway.submit(opening, key=None, asker=AGENT)
            assert (refused.status, refused.order.code) == ("rejected", Code.DATA_UNAVAILABLE)
            nearer = ModifyIntent(**named, stop_loss=Decimal("1.0820"))
            assert (await gateway.modify(nearer, key=None, asker=AGENT)).status == "applied"
            part = buy(side=Side.SELL, quantity=Decimal("0.05"), stop_loss=None, reduce_only=True)
            assert (await gateway.submit(part, key=None, asker=AGENT)).status == "filled"
            rest = CloseIntent(**named)
            assert (await gateway.close(rest, key=None, asker=AGENT)).status == "filled"

    asyncio.run(run())
