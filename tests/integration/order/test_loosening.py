"""What loosens waits, over the real order line; what tightens acts on the very next decision."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from ordergate.model.orders import CloseIntent
from ordergate.model.values import PrincipalId
from ordergate.order.policy.limits import Limits, Narrowing
from support.gate import a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, buy

STRICT = Limits(order_notional_max=Decimal(10))


def test_limits_loosened_while_the_gate_was_stopped_wait(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(tmp_path, limits=STRICT, clock=clock) as gate:
            assert (await gate.line.gateway.submit(buy(), key=None, asker=AGENT)).code
        async with a_gate(tmp_path, limits=Limits(), clock=clock) as gate:
            refused = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert refused.judgement is not None
            failed = refused.judgement.decision.failed
            assert failed is not None
            assert (failed.rule, failed.limit) == ("order_notional_max", 10)
            assert failed.source == "before the loosening that waits"
            (row,) = (await gate.line.gateway.safety()).loosenings
            assert (row.limit_name, row.new) == ("limits.order_notional_max", "1000000")
        clock.advance(600)
        async with a_gate(tmp_path, limits=Limits(), clock=clock) as gate:
            assert (await gate.line.gateway.submit(buy(), key=None, asker=AGENT)).status == "filled"
            assert (await gate.line.gateway.safety()).loosenings == ()

    asyncio.run(run())


def test_what_an_agents_own_trades_brought_is_booked_with_it_on_the_venues_day(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, clock=ManualClock()) as gate:
            gateway = gate.line.gateway
            await gateway.submit(buy(), key=None, asker=AGENT)
            account = await gateway.account(asker=AGENT)
            (held,) = account.positions
            gate.market.set("EURUSD", "1.08400", "1.08410")
            close = CloseIntent(
                account=gateway.account_id,
                venue=gateway.venue,
                symbol=held.symbol,
                position_id=held.position_id,
            )
            assert (await gateway.close(close, key=None, asker=AGENT)).status == "filled"
            day = (await gateway.account(asker=AGENT)).state.day
            used = await gate.store.read(lambda tx: tx.usage(gateway.account_id, AGENT.id, day))
            lost = held.quantity * 100_000 * (held.open_price - Decimal("1.08400"))
            assert used.result == -lost < 0
            nobody = await gate.store.read(
                lambda tx: tx.usage(gateway.account_id, PrincipalId("other"), day)
            )
            assert nobody.result == 0

    asyncio.run(run())


def test_an_agents_lost_day_refuses_it_and_not_another(tmp_path: Path) -> None:
    async def run() -> None:
        own = Narrowing(
            source=f"agent {AGENT.id}", values=(("limits.agent_daily_loss_max", Decimal(5)),)
        )
        async with a_gate(tmp_path, limits=Limits(narrowings=(own,)), clock=ManualClock()) as gate:
            gateway = gate.line.gateway
            await gateway.submit(buy(), key=None, asker=AGENT)
            gate.market.set("EURUSD", "1.08300", "1.08310")
            refused = await gateway.submit(buy(), key=None, asker=AGENT)
            assert refused.judgement is not None
            failed = refused.judgement.decision.failed
            assert failed is not None
            assert (failed.rule, failed.source) == ("agent_daily_loss", f"agent {AGENT.id}")
            assert (await gateway.safety()).halts == ()

    asyncio.run(run())
