"""A15: sells, at once or one after the other, never turn a netted position round."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side
from ordergate.model.values import Symbol
from support.gate import a_gate
from support.order_records import AGENT, buy

COINS = buy(symbol=Symbol("BTCUSD"), quantity=Decimal("0.2"), stop_loss=Decimal(49500))


@pytest.mark.parametrize("at_once", [True, False])
def test_sells_that_fit_one_by_one_do_not_flip_together(tmp_path: Path, at_once: bool) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            await gateway.submit(COINS, key=None, asker=AGENT)
            sells = [
                buy(
                    symbol=Symbol("BTCUSD"),
                    side=Side.SELL,
                    quantity=Decimal("0.15") + Decimal("0.0001") * n,
                    stop_loss=Decimal(50500),
                )
                for n in range(3)
            ]
            if at_once:
                views = await asyncio.gather(
                    *(gateway.submit(sell, key=None, asker=AGENT) for sell in sells)
                )
            else:
                views = [await gateway.submit(sell, key=None, asker=AGENT) for sell in sells]
            assert sorted(view.status for view in views) == ["filled", "rejected", "rejected"]
            refused = {view.order.code for view in views if view.status == "rejected"}
            assert refused == {Code.EXCEEDS_POSITION}
            (position,) = (await gate.venue.snapshot()).positions
            assert position.side is Side.BUY

    asyncio.run(run())


def test_exits_at_once_leave_its_part_to_the_exit_at_rest(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            await gateway.submit(COINS, key=None, asker=AGENT)
            out = buy(symbol=Symbol("BTCUSD"), side=Side.SELL, stop_loss=None, reduce_only=True)
            target = replace(
                out,
                order_type=OrderType.LIMIT,
                quantity=Decimal("0.15"),
                limit_price=Decimal(52000),
            )
            assert (await gateway.submit(target, key=None, asker=AGENT)).status == "working"
            sizes = [Decimal("0.03") + Decimal("0.0001") * n for n in range(3)]
            views = await asyncio.gather(
                *(gateway.submit(replace(out, quantity=q), key=None, asker=AGENT) for q in sizes)
            )
            assert sorted(view.status for view in views) == ["filled", "rejected", "rejected"]
            snapshot = await gate.venue.snapshot()
            (position,), (resting,) = snapshot.positions, snapshot.open_orders
            assert resting.quantity <= position.quantity

    asyncio.run(run())
