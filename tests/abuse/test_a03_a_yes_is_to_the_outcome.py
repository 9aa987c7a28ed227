"""A3: a yes to new terms is one to what they come to; once the rest has changed it is none."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from tests.support.proofs import SIGNED_IN

from ordergate.model.errors import Code
from ordergate.model.orders import CloseIntent, ModifyIntent, OrderType
from ordergate.model.values import AccountId, Symbol, VenueName
from ordergate.model.views import OrderView
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR, buy

WHERE = {"account": AccountId("paper-1"), "venue": VenueName("paper"), "symbol": Symbol("EURUSD")}
RESTING = buy(
    order_type=OrderType.LIMIT, limit_price=Decimal("1.08000"), stop_loss=Decimal("1.07900")
)


async def modified(gate: Gate, intent: ModifyIntent) -> OrderView:
    return await gate.line.gateway.modify(intent, key=None, asker=AGENT)


async def yes_to(gate: Gate, view: OrderView) -> OrderView:
    assert view.status == "approval_required"
    assert view.ticket is not None
    return await gate.line.desk.approve(
        view.ticket.ticket_id,
        fingerprint=view.ticket.fingerprint,
        operator=OPERATOR,
        proof=SIGNED_IN,
    )


def test_a_yes_to_a_larger_order_is_none_after_its_price_and_stop_have_moved(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            resting = await gate.line.gateway.submit(RESTING, key=None, asker=AGENT)
            assert resting.attempt is not None
            target = resting.attempt.venue_order_id
            asked = await modified(
                gate, ModifyIntent(**WHERE, venue_order_id=target, quantity=Decimal("0.30"))
            )
            swapped = ModifyIntent(
                **WHERE,
                venue_order_id=target,
                limit_price=Decimal("1.08400"),
                stop_loss=Decimal("1.08100"),
            )
            assert (await modified(gate, swapped)).status == "applied"
            view = await yes_to(gate, asked)
            assert (view.status, view.order.code) == ("approval_required", Code.NEEDS_REAPPROVAL)
            (order,) = (await gate.venue.snapshot()).open_orders
            assert order.quantity == RESTING.quantity
            assert (await yes_to(gate, view)).status == "applied"
            (order,) = (await gate.venue.snapshot()).open_orders
            assert order.quantity == Decimal("0.30")

    asyncio.run(run())


def test_a_yes_to_a_wider_stop_is_none_after_the_position_has_changed(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            (position,) = (await gate.venue.snapshot()).positions
            named = {**WHERE, "position_id": position.position_id}
            asked = await modified(gate, ModifyIntent(**named, stop_loss=Decimal("1.07500")))
            part = CloseIntent(**named, quantity=Decimal("0.05"))
            await gate.line.gateway.close(part, key=None, asker=AGENT)
            view = await yes_to(gate, asked)
            assert view.order.code == Code.NEEDS_REAPPROVAL
            (held,) = (await gate.venue.snapshot()).positions
            assert held.stop_loss == Decimal("1.0800")

    asyncio.run(run())


def test_a_yes_is_still_good_after_the_market_alone_has_moved(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            (position,) = (await gate.venue.snapshot()).positions
            asked = await modified(
                gate,
                ModifyIntent(
                    **WHERE, position_id=position.position_id, stop_loss=Decimal("1.07500")
                ),
            )
            gate.market.set("EURUSD", "1.08520", "1.08530")
            assert (await yes_to(gate, asked)).status == "applied"

    asyncio.run(run())
