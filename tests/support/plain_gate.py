"""A gate over a plain exchange: stops rest as orders of their own, and nothing is bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import Position, VenueOrderState
from ordergate.model.orders import CloseIntent
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName
from ordergate.order.exits.plan import STOP_KINDS
from support.gate import Gate, a_gate

PLAIN = PaperTerms(commission=False, swap=False, exits="resting")


@asynccontextmanager
async def a_plain_gate(folder: Path, **how: object) -> AsyncIterator[Gate]:
    async with a_gate(folder, **{"terms": PLAIN, **how}) as gate:
        yield gate


async def look(gate: Gate) -> None:
    """Let reconciliation and the managed exits have one turn each, as the workers do."""
    await gate.line.settle.scan()
    await gate.line.guarding.look()


async def held(gate: Gate) -> tuple[Position, ...]:
    return (await gate.venue.snapshot()).positions


async def resting(gate: Gate) -> tuple[VenueOrderState, ...]:
    return (await gate.venue.snapshot()).open_orders


async def stops(gate: Gate) -> list[tuple[Decimal, Decimal | None]]:
    """Return lots and trigger of every resting stop."""
    return [
        (order.quantity - order.filled_quantity, order.stop_price)
        for order in await resting(gate)
        if order.order_type in STOP_KINDS
    ]


def a_close(position_id: PositionId, quantity: str | None = None) -> CloseIntent:
    return CloseIntent(
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        position_id=position_id,
        quantity=None if quantity is None else Decimal(quantity),
    )
