"""A33: no call, whatever its name, takes protection from a position without a human's yes."""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, PlaceIntent, Side
from ordergate.model.values import Symbol
from support.gate import Gate, a_gate
from support.order_records import AGENT, buy

NO_STOP = {"side": Side.SELL, "stop_loss": None, "reduce_only": True}
STOP = buy(**NO_STOP, order_type=OrderType.STOP, stop_price=Decimal("1.08300"), oco_group="bracket")
TINY = Decimal("0.01")


def coins(quantity: str, stop_loss: str, **more: object) -> PlaceIntent:
    """Return a buy on a netted symbol: its fills share one position, and one stop."""
    return buy(
        symbol=Symbol("BTCUSD"), quantity=Decimal(quantity), stop_loss=Decimal(stop_loss), **more
    )


async def status(gate: Gate, intent: PlaceIntent) -> str:
    return (await gate.line.gateway.submit(intent, key=None, asker=AGENT)).status


def test_a_tiny_order_with_a_far_stop_does_not_move_the_stop_of_what_is_held(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            assert await status(gate, coins("0.3", "49500")) == "filled"
            assert await status(gate, coins("0.001", "40000")) == "filled"
            (position,) = (await gate.venue.snapshot()).positions
            assert (position.quantity, position.stop_loss) == (Decimal("0.301"), Decimal(49500))

    asyncio.run(run())


def test_a_far_stop_that_rested_before_the_position_does_not_move_it_either(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            trap = coins("0.001", "40000", order_type=OrderType.LIMIT, limit_price=Decimal(49900))
            assert await status(gate, trap) == "working"
            assert await status(gate, coins("0.3", "49500")) == "filled"
            gate.market.set("BTCUSD", "49880", "49890")
            (position,) = (await gate.venue.snapshot()).positions
            assert (position.quantity, position.stop_loss) == (Decimal("0.301"), Decimal(49500))

    asyncio.run(run())


@pytest.mark.parametrize(
    "sibling",
    [
        buy(**NO_STOP, quantity=TINY, oco_group="bracket"),
        buy(quantity=TINY, oco_group="bracket"),
        buy(
            quantity=TINY,
            symbol=Symbol("XAUUSD"),
            stop_loss=Decimal(1990),
            oco_group="bracket",
        ),
    ],
    ids=["a part of the exit", "an opening", "another symbol"],
)
def test_an_order_that_would_cancel_the_stop_beside_it_is_refused(
    tmp_path: Path, sibling: PlaceIntent
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            assert await status(gate, buy()) == "filled"
            assert await status(gate, STOP) == "working"
            view = await gate.line.gateway.submit(sibling, key=None, asker=AGENT)
            assert (view.status, view.order.code) == ("rejected", Code.STOP_REQUIRED)
            snapshot = await gate.venue.snapshot()
            assert [order.stop_price for order in snapshot.open_orders] == [STOP.stop_price]

    asyncio.run(run())


def test_a_stop_does_not_join_a_sibling_that_would_cancel_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            assert await status(gate, buy()) == "filled"
            target = buy(
                **NO_STOP,
                order_type=OrderType.LIMIT,
                limit_price=Decimal("1.09000"),
                quantity=TINY,
                oco_group="bracket",
            )
            assert await status(gate, target) == "working"
            view = await gate.line.gateway.submit(STOP, key=None, asker=AGENT)
            assert (view.status, view.order.code) == ("rejected", Code.STOP_REQUIRED)

    asyncio.run(run())


def test_a_stop_and_a_target_over_the_same_lots_are_a_bracket(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            assert await status(gate, buy()) == "filled"
            assert await status(gate, STOP) == "working"
            target = dataclasses.replace(
                STOP, order_type=OrderType.LIMIT, limit_price=Decimal("1.09000"), stop_price=None
            )
            assert await status(gate, target) == "working"
            gate.market.set("EURUSD", "1.09010", "1.09020")
            snapshot = await gate.venue.snapshot()
            assert (snapshot.positions, snapshot.open_orders) == ((), ())

    asyncio.run(run())
