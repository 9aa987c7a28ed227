"""A stop holds for all that adds risk: what was on the wire, of unknown fate, or unwritten too."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.errors import InvalidArgument, SymbolNotFound
from ordergate.model.orders import OrderState, OrderType, Side
from ordergate.model.records import HaltRecord, ScopeKind
from ordergate.model.values import IdempotencyKey
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR, buy

RESTING = buy(
    order_type=OrderType.LIMIT, limit_price=Decimal("1.08000"), stop_loss=Decimal("1.07500")
)


async def kill(gate: Gate) -> HaltRecord:
    return await gate.line.gateway.engage(
        scope=ScopeKind.GLOBAL, target="", reason="test", asker=AGENT
    )


async def resting(gate: Gate) -> int:
    return len((await gate.venue.snapshot()).open_orders)


def test_an_opening_on_the_wire_when_the_switch_is_engaged_does_not_rest(tmp_path: Path) -> None:
    async def run() -> None:
        late = Fault(FaultKind.LATE_REPLY, "submit", delay_s=Decimal("0.3"))
        async with a_gate(tmp_path, faults=[late]) as gate:
            sent = asyncio.create_task(gate.line.gateway.submit(RESTING, key=None, asker=AGENT))
            while not await resting(gate):
                await asyncio.sleep(0.01)
            await kill(gate)
            await sent
            assert await resting(gate) == 0

    asyncio.run(run())


def test_an_opening_of_unknown_fate_that_turns_up_under_the_switch_does_not_rest(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        lost = Fault(FaultKind.LOST_REPLY, "submit")
        async with a_gate(tmp_path, faults=[lost]) as gate:
            view = await gate.line.gateway.submit(RESTING, key=None, asker=AGENT)
            assert view.status == "unknown"
            await kill(gate)
            await gate.line.settle.scan()
            await gate.line.upkeep.tick()
            assert await resting(gate) == 0

    asyncio.run(run())


def test_a_cancel_that_was_lost_is_tried_again_while_the_switch_is_engaged(tmp_path: Path) -> None:
    async def run() -> None:
        refused = Fault(FaultKind.REJECT, "cancel")
        async with a_gate(tmp_path, faults=[refused]) as gate:
            await gate.line.gateway.submit(RESTING, key=None, asker=AGENT)
            await kill(gate)
            assert await resting(gate) == 1
            await gate.line.upkeep.tick()
            assert await resting(gate) == 0

    asyncio.run(run())


def test_an_opening_filled_in_part_is_cancelled_though_an_opposite_position_is_held(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        terms = PaperTerms(commission=False, swap=False, fill_cap=Decimal("0.10"))
        async with a_gate(tmp_path, terms=terms) as gate:
            short = buy(side=Side.SELL, stop_loss=Decimal("1.0900"))
            assert (await gate.line.gateway.submit(short, key=None, asker=AGENT)).status == "filled"
            long = buy(
                order_type=OrderType.LIMIT,
                limit_price=Decimal("1.08000"),
                stop_loss=Decimal("1.07500"),
                quantity=Decimal("0.15"),
            )
            await gate.line.gateway.submit(long, key=None, asker=AGENT)
            gate.market.set("EURUSD", "1.07980", "1.07990")
            await gate.line.settle.scan()
            (partly,) = (await gate.venue.snapshot()).open_orders
            assert partly.filled_quantity == Decimal("0.10")
            await kill(gate)
            assert await resting(gate) == 0

    asyncio.run(run())


def test_a_switch_that_could_not_be_written_shows_stops_and_is_written_when_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            with monkeypatch.context() as broken:
                broken.setattr(type(gate.store), "write", _full_disk)
                await kill(gate)
            shown = await gateway.safety()
            assert shown.killed
            view = await gateway.submit(buy(), key=IdempotencyKey("k"), asker=AGENT)
            assert view.status == "not_sent"
            await gate.line.upkeep.tick()
            (halt,) = await gate.line.desk.halts()
            await gate.line.desk.release(halt.halt_id, reason="disk freed", operator=OPERATOR)
            await gate.line.upkeep.tick()
            assert not (await gateway.safety()).killed
            view = await gateway.submit(buy(quantity=Decimal("0.11")), key=None, asker=AGENT)
            assert view.status == "filled"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("scope", "target", "error"),
    [
        (ScopeKind.SYMBOL, "eurusd", SymbolNotFound),
        (ScopeKind.SYMBOL, "", SymbolNotFound),
        (ScopeKind.ACCOUNT, "paper", InvalidArgument),
        (ScopeKind.AGENT, "", InvalidArgument),
    ],
)
def test_a_stop_that_could_stop_nothing_is_refused_and_not_believed(
    tmp_path: Path, scope: ScopeKind, target: str, error: type[Exception]
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            with pytest.raises(error):
                await gate.line.gateway.engage(
                    scope=scope, target=target, reason="test", asker=AGENT
                )
            assert await gate.line.desk.halts() == ()

    asyncio.run(run())


def test_drafting_with_the_key_of_a_requote_leaves_no_order_behind(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, faults=[Fault(FaultKind.REQUOTE, "submit")]) as gate:
            key = IdempotencyKey("requoted")
            asked = await gate.line.gateway.submit(buy(), key=key, asker=AGENT)
            assert asked.status == "requoted"
            drafted = await gate.line.gateway.draft(buy(), key=key, asker=AGENT)
            assert drafted.order.state is OrderState.REQUOTED
            again = await gate.line.gateway.submit(buy(), key=key, asker=AGENT)
            assert again.status == "filled"

    asyncio.run(run())


async def _full_disk(*_: object) -> None:
    raise JournalUnwritable("database or disk is full")
