"""A gateway that dies at any step of a plan: the next one goes on where the venue stands (XE1-5).

It dies at the n-th request to the venue, before the request has left or after it was carried out;
nothing of what follows in that process happens, and the next process finds what is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.storage.store import SqliteStore
from ordergate.model.orders import CloseIntent, OrderType, Side
from ordergate.model.records import ScopeKind
from support.gate import Gate, a_market, start_gate
from support.manual_market import ManualMarket
from support.order_records import AGENT, buy
from support.plain_gate import PLAIN, a_change, a_close, held, look, protected, resting, stops

D = Decimal
WHEN = ("before", "after")


class Died(BaseException):
    """The process ends here: no handler runs on."""


def dies_at(gate: Gate, number: int, when: str) -> list[str]:
    """Let the gate die at the n-th request from here on; return the requests as they come."""
    calls: list[str] = []
    for name in ("submit", "cancel", "modify"):
        sound = getattr(gate.venue, name)

        async def one(
            request: Any, sound: Callable[[Any], Awaitable[Any]] = sound, name: str = name
        ) -> Any:
            calls.append(name)
            if len(calls) == number:
                if when == "after":
                    await sound(request)
                await _unplugged(gate.store)
                raise Died
            return await sound(request)

        setattr(gate.venue, name, one)
    return calls


async def _unplugged(store: SqliteStore) -> None:
    """Let nothing more be written: the process is gone."""

    async def never(*_: object) -> None:
        raise Died

    store.write = never  # type: ignore[method-assign,assignment]  # what a dead process does


async def restarted(folder: Path, market: ManualMarket, gate: Gate) -> Gate:
    del gate.store.write  # type: ignore[attr-defined]  # the files are closed in good order
    await gate.stop()
    return await start_gate(folder, market=market, terms=PLAIN)


async def with_a_position(folder: Path, market: ManualMarket, **terms: Any) -> Gate:
    gate = await start_gate(folder, market=market, terms=PLAIN)
    view = await gate.line.gateway.submit(buy(**terms), key=None, asker=AGENT)
    assert view.status == "filled"
    return gate


async def die(act: Awaitable[object]) -> bool:
    try:
        await act
    except Died:
        return True
    return False


async def settled(gate: Gate) -> None:
    """Let the new process work on for a while, under the kill switch: exits go on."""
    await gate.line.gateway.engage(scope=ScopeKind.GLOBAL, target="", reason="night", asker=AGENT)
    for _ in range(6):
        await look(gate)
        await asyncio.sleep(0.2)


async def flat_or_protected(gate: Gate) -> None:
    positions = await held(gate)
    assert all(row.side is Side.BUY for row in positions)  # never turned round
    if positions:
        assert await protected(gate)
    else:
        assert await resting(gate) == ()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("lots", [None, "0.04"])
def test_xe1_xe2_a_close_that_was_cut_short_ends_flat_or_protected(
    tmp_path: Path, when: str, number: int, lots: str | None
) -> None:
    async def run() -> None:
        market = a_market()
        gate = await with_a_position(tmp_path, market, take_profit=D("1.095"))
        await look(gate)
        assert len(await resting(gate)) == 2
        (position,) = await held(gate)
        dies_at(gate, number, when)
        close: CloseIntent = a_close(position.position_id, lots)
        assert await die(gate.line.gateway.close(close, key=None, asker=AGENT))
        gate = await restarted(tmp_path, market, gate)
        await flat_or_protected(gate)  # as soon as it has recovered
        await settled(gate)
        await flat_or_protected(gate)
        quantity = sum((row.quantity for row in await held(gate)), D(0))
        sent = await gate.line.gateway.orders(
            states=None, symbol=None, limit=50, cursor=None, asker=AGENT
        )
        closes = [one for one in sent.items if isinstance(one.order.intent, CloseIntent)]
        if any(one.status == "unknown" for one in closes):
            assert quantity == D("0.10")  # it may never have left: a human decides
        else:
            assert quantity == (D(0) if lots is None else D("0.06"))
        await gate.stop()

    asyncio.run(run())


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("number", [1, 2])
def test_xe3_a_position_whose_stop_was_not_placed_is_protected_before_anything_else(
    tmp_path: Path, when: str, number: int
) -> None:
    async def run() -> None:
        market = a_market()
        gate = await with_a_position(tmp_path, market, take_profit=D("1.095"))
        dies_at(gate, number, when)
        assert await die(gate.line.guarding.look())
        gate = await restarted(tmp_path, market, gate)
        assert await protected(gate)
        await settled(gate)
        assert await stops(gate) == [(D("0.10"), D("1.08"))]
        assert len(await resting(gate)) == 2
        await gate.stop()

    asyncio.run(run())


def test_xe3_a_position_that_nobody_has_looked_at_yet_is_protected_too(tmp_path: Path) -> None:
    async def run() -> None:
        market = a_market()
        gate = await with_a_position(tmp_path, market)
        await gate.stop()
        gate = await start_gate(tmp_path, market=market, terms=PLAIN)
        assert await protected(gate)
        await gate.stop()

    asyncio.run(run())


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("number", [1, 2])
def test_xe5_a_stop_that_was_being_replaced_is_never_looser_afterwards(
    tmp_path: Path, when: str, number: int
) -> None:
    async def run() -> None:
        market = a_market()
        gate = await with_a_position(tmp_path, market)
        await look(gate)
        (position,) = await held(gate)
        dies_at(gate, number, when)
        change = a_change(position.position_id, stop_loss=D("1.082"))
        assert await die(gate.line.gateway.modify(change, key=None, asker=AGENT))
        gate = await restarted(tmp_path, market, gate)
        await settled(gate)
        assert await stops(gate) == [(D("0.10"), D("1.082"))]
        await gate.stop()

    asyncio.run(run())


def test_xe5_a_trail_goes_on_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        market = a_market()
        gate = await with_a_position(tmp_path, market)
        await look(gate)
        guard = (await gate.store.read(lambda tx: tx.guards()))[0]
        trail = buy(
            side=Side.SELL,
            order_type=OrderType.TRAILING_STOP,
            trail_amount=D("0.0020"),
            stop_loss=None,
            reduce_only=True,
        )
        await gate.line.gateway.submit(trail, key=None, asker=AGENT)
        await gate.stop()
        market.set("EURUSD", "1.0900", "1.0901")
        gate = await start_gate(tmp_path, market=market, terms=PLAIN)
        assert await stops(gate) == [(D("0.10"), D("1.0880"))]
        assert guard.stop == D("1.08")
        await gate.stop()

    asyncio.run(run())
