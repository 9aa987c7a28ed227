"""The controls that halt, and the one that clears an exit's way, over the real line."""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.errors import Code, InvalidArgument, NotReady
from ordergate.model.orders import CloseIntent, OrderType
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import HaltKind, HaltRecord, ScopeKind
from ordergate.model.values import AccountId, PositionId, PrincipalId, Symbol, VenueName
from ordergate.model.views import OrderView
from ordergate.order.policy.limits import Limits, Narrowing
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR, buy
from support.proofs import SIGNED_IN

OTHER = Principal(PrincipalId("other-agent"), Kind.AGENT, "other agent")
GOLD: dict[str, Any] = {
    "symbol": Symbol("XAUUSD"),
    "quantity": Decimal("0.01"),
    "stop_loss": Decimal("1990.00"),
}


async def opened(gate: Gate, n: int, *, by: Principal = AGENT, **terms: Any) -> OrderView:
    """Send a small buy, each of another size: none is a duplicate."""
    terms = {"quantity": Decimal(n) / 100, **terms}
    return await gate.line.gateway.submit(buy(**terms), key=None, asker=by)


async def closed(gate: Gate) -> OrderView:
    (first, *_) = (await gate.venue.snapshot()).positions
    intent = CloseIntent(
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=first.symbol,
        position_id=PositionId(first.position_id),
    )
    return await gate.line.gateway.close(intent, key=None, asker=AGENT)


async def the_halt(gate: Gate) -> HaltRecord:
    (halt,) = await gate.line.desk.halts()
    assert halt.kind is HaltKind.HALT
    return halt


def said(view: OrderView) -> str:
    assert view.judgement is not None
    assert view.judgement.decision.failed is not None
    return view.judgement.decision.failed.rule


def test_repeated_execution_halts_the_agent_until_an_operator_says_why_not(
    tmp_path: Path,
) -> None:
    limits = Limits(repeat_orders_max=Decimal(2))

    async def halts() -> None:
        async with a_gate(tmp_path, limits=limits) as gate:
            assert (await opened(gate, 1)).status == "filled"
            assert (await opened(gate, 2)).status == "filled"
            assert said(await opened(gate, 3)) == "repetition"
            halt = await the_halt(gate)
            assert (halt.scope, halt.target) == (ScopeKind.AGENT, AGENT.id)
            assert halt.reason == "repetition"

    async def stands() -> None:
        async with a_gate(tmp_path, limits=limits) as gate:
            assert (await opened(gate, 1, **GOLD)).code is Code.HALTED
            assert (await opened(gate, 4, by=OTHER)).status == "filled"
            assert (await closed(gate)).status == "filled"
            halt = await the_halt(gate)
            with pytest.raises(InvalidArgument):
                await gate.line.desk.release(halt.halt_id, reason=" ", operator=OPERATOR)
            await gate.line.desk.release(halt.halt_id, reason="a test", operator=OPERATOR)
            assert (await opened(gate, 5)).status == "filled"
            assert await gate.line.desk.halts() == ()

    asyncio.run(halts())
    asyncio.run(stands())


def test_fills_without_a_humans_touch_halt_the_agent_whatever_the_symbol(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, limits=Limits(hands_off_fills_max=Decimal(2))) as gate:
            await opened(gate, 1)
            await opened(gate, 1, **GOLD)
            assert said(await opened(gate, 3)) == "hands_off_fills"
            assert (await the_halt(gate)).scope is ScopeKind.AGENT

    asyncio.run(run())


def test_a_humans_yes_begins_the_count_of_fills_anew(tmp_path: Path) -> None:
    limits = Limits(hands_off_fills_max=Decimal(2), auto_approve_notional=Decimal(15_000))

    async def run() -> None:
        async with a_gate(tmp_path, limits=limits) as gate:
            await opened(gate, 1)
            asked = (await opened(gate, 20)).ticket
            assert asked is not None
            await gate.line.desk.approve(
                asked.ticket_id, fingerprint=asked.fingerprint, operator=OPERATOR, proof=SIGNED_IN
            )
            for n in (2, 3):
                assert (await opened(gate, n)).status == "filled"
            assert said(await opened(gate, 4)) == "hands_off_fills"

    asyncio.run(run())


def test_positions_that_keep_losing_halt_the_agent_that_opened_them(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, limits=Limits(losing_closes_max=Decimal(2))) as gate:
            await opened(gate, 1)
            await opened(gate, 2)
            gate.market.set("EURUSD", "1.07990", "1.08000")  # both stops fire
            await gate.line.settle.scan()
            assert (await gate.venue.snapshot()).positions == ()
            order = {"stop_loss": Decimal("1.07500")}
            assert (await opened(gate, 3, by=OTHER, **order)).status == "filled"
            assert said(await opened(gate, 4, **order)) == "losing_closes"
            assert (await the_halt(gate)).target == AGENT.id

    asyncio.run(run())


def test_chasing_a_price_halts_the_symbol_for_everybody(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, limits=Limits(drift_max_fraction=Decimal("0.01"))) as gate:
            await opened(gate, 1)
            gate.market.set("EURUSD", "1.09700", "1.09710")
            order = {"stop_loss": Decimal("1.09")}
            assert said(await opened(gate, 2, by=OTHER, **order)) == "price_drift"
            halt = await the_halt(gate)
            assert (halt.scope, halt.target) == (ScopeKind.SYMBOL, "EURUSD")
            assert (await opened(gate, 3, **order)).code is Code.HALTED
            assert (await opened(gate, 1, **GOLD)).status == "filled"
            await gate.line.desk.release(halt.halt_id, reason="a test", operator=OPERATOR)
            assert (await opened(gate, 4, **order)).status == "filled"

    asyncio.run(run())


def test_after_a_write_that_failed_everything_is_halted_and_exits_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object) -> None:
        raise JournalUnwritable("no space left on device")

    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate, 1)
            with monkeypatch.context() as broken:
                broken.setattr(type(gate.store), "write", full_disk)
                with pytest.raises(NotReady):
                    await opened(gate, 2)
            with pytest.raises(NotReady):
                await opened(gate, 3)  # nobody has found the disk well yet
            await gate.line.settle.scan()
            halt = await the_halt(gate)
            assert (halt.scope, halt.target) == (ScopeKind.GLOBAL, "")
            assert (await opened(gate, 4, by=OTHER)).code is Code.HALTED
            assert (await closed(gate)).status == "filled"
            await gate.line.desk.release(halt.halt_id, reason="disk freed", operator=OPERATOR)
            assert (await opened(gate, 5)).status == "filled"

    asyncio.run(run())


async def in_its_own_way(gate: Gate) -> None:
    """Hold a position whose close at market would meet an own bid."""
    await opened(gate, 1, stop_loss=Decimal("1.07"))
    bid = {"order_type": OrderType.LIMIT, "limit_price": Decimal("1.08000")}
    await opened(gate, 2, stop_loss=Decimal("1.07"), **bid)
    gate.market.set("EURUSD", "1.08000", "1.08010")


def test_an_exit_does_not_trade_with_an_own_opening_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await in_its_own_way(gate)
            view = await closed(gate)
            assert view.status == "filled"
            assert view.judgement is not None
            assert "self_trade" in {row.rule for row in view.judgement.decision.warnings}
            left = await gate.venue.snapshot()
            assert (left.positions, left.open_orders) == ((), ())
            told = [change.body for change in gate.changes if change.topic == "orders"]
            assert "cancel" in {body["action"] for body in told}

    asyncio.run(run())


@pytest.mark.parametrize("how", ["refused", "hanging"])
def test_an_exit_goes_on_though_its_way_is_not_cleared(tmp_path: Path, how: str) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        faults = [Fault(FaultKind.REJECT, "cancel")] if how == "refused" else []
        async with a_gate(tmp_path, faults=faults) as gate:
            await in_its_own_way(gate)
            if how == "hanging":
                gate.venue.cancel = never  # type: ignore[method-assign,assignment]  # a dead link
            assert (await closed(gate)).status == "filled"
            assert (await gate.venue.snapshot()).positions == ()

    asyncio.run(run())


def test_week_and_peak_are_watched_also_when_nobody_asks(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            assert await gate.line.gateway.watch_day() is None
            seen = await gate.venue.snapshot()
            equity = seen.account.equity * Decimal("0.98")
            poor = dataclasses.replace(
                seen, account=dataclasses.replace(seen.account, equity=equity)
            )
            judge = gate.line.gateway._judge
            found = gate.store.read_now(lambda tx: judge.lost(tx, poor))
            assert found is not None
            assert (found.rule, found.scope) == ("daily_loss", ScopeKind.ACCOUNT)

    asyncio.run(run())


def test_an_accounts_own_daily_loss_is_watched_also_when_nobody_asks(tmp_path: Path) -> None:
    cap = ("limits.daily_loss_fraction", Decimal("0.001"))
    own = Narrowing(source="account paper-1", values=(cap,))

    async def run() -> None:
        async with a_gate(tmp_path, limits=Limits(narrowings=(own,))) as gate:
            assert await gate.line.gateway.watch_day() is None
            seen = await gate.venue.snapshot()
            equity = seen.account.equity * Decimal("0.995")  # within the 2 % of everyone
            poor = dataclasses.replace(
                seen, account=dataclasses.replace(seen.account, equity=equity)
            )
            judge = gate.line.gateway._judge
            found = gate.store.read_now(lambda tx: judge.lost(tx, poor))
            assert found is not None
            assert found.rule == "daily_loss"

    asyncio.run(run())
