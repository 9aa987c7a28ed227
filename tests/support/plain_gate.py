"""A gate over a plain exchange: stops rest as orders of their own, and nothing is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import Position, VenueOrderState
from ordergate.model.orders import CloseIntent, ModifyIntent, PlaceIntent
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName
from ordergate.order.exits.plan import STOP_KINDS
from support.gate import Gate, a_gate
from support.order_records import AGENT, buy

PLAIN = PaperTerms(commission=False, swap=False, exits="resting")


@asynccontextmanager
async def a_plain_gate(folder: Path, **how: object) -> AsyncIterator[Gate]:
    async with a_gate(folder, **{"terms": PLAIN, **how}) as gate:
        yield gate


@asynccontextmanager
async def working(folder: Path, **how: object) -> AsyncIterator[Gate]:
    """Run the workers beside a plain gate, as a process does."""
    async with a_plain_gate(folder, **how) as gate:
        tasks = at_work(gate)
        try:
            yield gate
        finally:
            await home(tasks)


def at_work(gate: Gate) -> list[asyncio.Task[None]]:
    """Start the workers of a process."""
    never = asyncio.Event()
    return [
        asyncio.create_task(gate.line.settle.run(never)),
        asyncio.create_task(gate.line.guarding.run(never)),
    ]


async def home(tasks: list[asyncio.Task[None]]) -> None:
    """End the workers."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(sees: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Wait until it is so, or fail."""
    async with asyncio.timeout(within_s):
        while not await sees():
            await asyncio.sleep(0.01)


async def opened(
    gate: Gate, intent: PlaceIntent | None = None, *, fault: Fault | None = None
) -> None:
    """Fill an order; a fault meets the first request after it."""
    view = await gate.line.gateway.submit(intent or buy(), key=None, asker=AGENT)
    assert view.status == "filled", view.code
    if fault is not None:
        gate.venue.inject(fault)


async def protected_position(gate: Gate, intent: PlaceIntent | None = None) -> PositionId:
    """Open a position and see its stop rest; return its id."""
    await opened(gate, intent)
    await look(gate)
    (position,) = await held(gate)
    assert await protected(gate)
    return position.position_id


async def protected(gate: Gate) -> bool:
    """Say whether stops rest for exactly what is held."""
    lots = sum((row.quantity for row in await held(gate)), Decimal(0))
    return lots > 0 and lots == sum((lots for lots, _ in await stops(gate)), Decimal(0))


def refusal(count: int) -> Fault:
    return Fault(FaultKind.REJECT, "submit", count=count, code="INVALID_PRICE")


def alarms(gate: Gate) -> list[object]:
    return [change.body["alarm"] for change in gate.changes if change.topic == "alarm"]


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


def a_change(position_id: PositionId, **terms: Decimal | None) -> ModifyIntent:
    return ModifyIntent(
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        position_id=position_id,
        **terms,
    )


def a_close(position_id: PositionId, quantity: str | None = None) -> CloseIntent:
    return CloseIntent(
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        position_id=position_id,
        quantity=None if quantity is None else Decimal(quantity),
    )
