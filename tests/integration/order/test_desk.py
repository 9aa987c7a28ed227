"""What only the operator does, over the real order line: loosen, settle what is parked, pace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.errors import (
    Forbidden,
    IllegalState,
    InvalidArgument,
    NotFound,
    NotSupported,
)
from ordergate.model.orders import AttemptState
from ordergate.model.values import OrderId
from ordergate.model.views import OrderView
from ordergate.order.policy.limits import Limits
from ordergate.order.reconcile.settle import QUERIES_S
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy
from support.recordings import utc, write_rows

NOTIONAL = "limits.order_notional_fraction"
CHOKED = Decimal("0.0001")


async def choke(gate: Gate, value: Decimal = CHOKED) -> None:
    await gate.line.gateway.tighten(NOTIONAL, value, reason="mine", asker=AGENT)


async def value_of(gate: Gate, name: str = NOTIONAL) -> tuple[str, str]:
    (row,) = [one for one in (await gate.line.gateway.safety()).limits if one.name == name]
    return row.value, row.source


async def last_record(gate: Gate, kind: str) -> dict[str, object]:
    (row,) = await gate.store.read(lambda tx: tx.audit_tail(limit=1, kind=kind))
    return {"actor": row.actor, **json.loads(row.body)["body"]}


async def after_the_delay(gate: Gate, clock: ManualClock, seconds: float = 600) -> None:
    clock.advance(seconds)
    await gate.line.upkeep.tick()


def test_a_choked_limit_is_taken_back_by_the_operator_and_orders_pass_again(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        limits = Limits(order_notional_fraction=Decimal("0.5"), origin={NOTIONAL: "file"})
        clock = ManualClock()
        async with a_gate(tmp_path, limits=limits, clock=clock) as gate:
            await choke(gate, Decimal("0.001"))
            await choke(gate)
            refused = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert refused.status == "rejected"
            safety = await gate.line.desk.loosen(
                NOTIONAL, reason="it was choked", operator=OPERATOR
            )
            (waiting,) = safety.loosenings
            assert (waiting.old, waiting.new, waiting.by) == ("0.0001", "0.5", OPERATOR.id)
            assert (await last_record(gate, "limit.loosening_announced"))["to"] == "0.5"
            await after_the_delay(gate, clock, 599)
            assert (await value_of(gate))[0] == "0.0001", "it waits"
            await after_the_delay(gate, clock, 1)
            assert (await gate.line.gateway.safety()).tightenings == ()
            assert await value_of(gate) == ("0.5", "file"), "back to the file and not beyond"
            assert (await gate.line.gateway.submit(buy(), key=None, asker=AGENT)).status == "filled"
            sealed = await last_record(gate, "limit.loosened")
            assert sealed["actor"] == OPERATOR.id
            said = {name: sealed[name] for name in ("limit", "from", "to", "reason")}
            assert said == {
                "limit": NOTIONAL,
                "from": "0.0001",
                "to": "0.5",
                "reason": "it was choked",
            }

    asyncio.run(run())


def test_what_is_tightened_while_a_loosening_waits_stays(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(tmp_path, clock=clock) as gate:
            await choke(gate, Decimal("0.001"))
            await gate.line.desk.loosen(NOTIONAL, reason="looked", operator=OPERATOR)
            clock.advance(300)
            await choke(gate)
            await after_the_delay(gate, clock)
            assert (await value_of(gate))[0] == "0.0001"

    asyncio.run(run())


def test_a_loosening_is_called_off(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(tmp_path, clock=clock) as gate:
            desk = gate.line.desk
            await choke(gate)
            await desk.loosen(NOTIONAL, reason="looked", operator=OPERATOR)
            with pytest.raises(Forbidden):
                await desk.withdraw_loosening(NOTIONAL, reason="mine", operator=AGENT)
            safety = await desk.withdraw_loosening(NOTIONAL, reason="not yet", operator=OPERATOR)
            assert safety.loosenings == ()
            await after_the_delay(gate, clock)
            assert (await value_of(gate))[0] == "0.0001"
            with pytest.raises(IllegalState, match="no loosening"):
                await desk.withdraw_loosening(NOTIONAL, reason="again", operator=OPERATOR)

    asyncio.run(run())


def test_loosening_touches_one_limit_and_only_what_is_tight(tmp_path: Path) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(tmp_path, clock=clock) as gate:
            desk = gate.line.desk
            await choke(gate)
            await gate.line.gateway.tighten(
                "open_orders_max", Decimal(3), reason="mine", asker=AGENT
            )
            first = await desk.loosen("order_notional_fraction", reason="looked", operator=OPERATOR)
            again = await desk.loosen(NOTIONAL, reason="again", operator=OPERATOR)
            assert first.loosenings == again.loosenings, "asked twice it waits once"
            await after_the_delay(gate, clock)
            assert (await value_of(gate, "limits.open_orders_max"))[0] == "3"
            with pytest.raises(IllegalState, match="not tightened"):
                await desk.loosen(NOTIONAL, reason="again", operator=OPERATOR)
            with pytest.raises(InvalidArgument, match="no limit"):
                await desk.loosen("limits.nothing", reason="looked", operator=OPERATOR)

    asyncio.run(run())


def test_only_an_operator_with_a_reason_loosens(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await choke(gate)
            with pytest.raises(Forbidden):
                await gate.line.desk.loosen(NOTIONAL, reason="please", operator=AGENT)
            with pytest.raises(InvalidArgument, match="reason"):
                await gate.line.desk.loosen(NOTIONAL, reason=" ", operator=OPERATOR)
            assert (await value_of(gate))[0] == "0.0001"

    asyncio.run(run())


def with_parked(
    path: Path, scene: Callable[[Gate, OrderView, ManualClock], Awaitable[None]]
) -> None:
    """Play a scene with an order whose request was lost and that no scan finds."""

    async def run() -> None:
        clock = ManualClock()
        faults = [Fault(FaultKind.LOST_REQUEST, operation="submit")]
        async with a_gate(path, faults=faults, clock=clock) as gate:
            sent = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert sent.status == "unknown"
            clock.advance(QUERIES_S[-1] + 1)
            await gate.line.settle.scan()
            await scene(gate, sent, clock)

    asyncio.run(run())


@pytest.mark.parametrize(("placed", "status"), [(False, "not_sent"), (True, "canceled")])
def test_a_parked_order_is_listed_and_settled_under_its_own_id(
    tmp_path: Path, placed: bool, status: str
) -> None:
    async def scene(gate: Gate, sent: OrderView, clock: ManualClock) -> None:
        desk, order_id = gate.line.desk, sent.order.order_id
        (parked,) = await desk.parked()
        assert (parked.order.order_id, parked.status) == (order_id, "parked")
        clock.advance(gate.line.settle.window.total_seconds())
        settled = await desk.resolve(order_id, placed=placed, reason="looked", operator=OPERATOR)
        assert settled.status == status
        assert await desk.parked() == ()
        with pytest.raises(IllegalState, match="not parked"):
            await desk.resolve(order_id, placed=placed, reason="looked", operator=OPERATOR)

    with_parked(tmp_path, scene)


def test_an_order_that_was_never_sent_cannot_be_settled(tmp_path: Path) -> None:
    async def scene(gate: Gate, sent: OrderView, clock: ManualClock) -> None:
        with pytest.raises(NotFound):
            await gate.line.desk.resolve(
                OrderId("nothing"), placed=True, reason="looked", operator=OPERATOR
            )
        with pytest.raises(Forbidden):
            await gate.line.desk.resolve(
                sent.order.order_id, placed=True, reason="looked", operator=AGENT
            )
        attempts = await gate.store.read(
            lambda tx: tuple(tx.attempts_in(frozenset({AttemptState.PARKED})))
        )
        assert len(attempts) == 1

    with_parked(tmp_path, scene)


def test_the_pace_of_a_recording_is_the_operators_and_sealed(tmp_path: Path) -> None:
    rows = (f"2026-01-07T14:{minute:02}:00Z,1.085,1.0851" for minute in range(60))
    recorded = write_rows(tmp_path / "EURUSD.csv", "time,bid,ask", rows)

    async def run() -> None:
        clock = ManualClock()
        feed = ReplayFeed.open((recorded,), clock=clock)
        async with a_gate(tmp_path, clock=clock, pace=feed) as gate:
            desk = gate.line.desk
            clock.advance(5)
            await desk.set_pace(paused=True, speed=None, operator=OPERATOR)
            held = feed.venue_now()
            clock.advance(10)
            assert feed.venue_now() == held == utc("2026-01-07T14:00:05")
            sealed = await last_record(gate, "feed.paced")
            assert (sealed["actor"], sealed["paused"], sealed["speed"]) == (OPERATOR.id, True, "1")
            await desk.set_pace(paused=False, speed=Decimal(60), operator=OPERATOR)
            clock.advance(1)
            assert feed.venue_now() == utc("2026-01-07T14:01:05")
            for speed in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal(10) ** 9):
                with pytest.raises(InvalidArgument, match="speed"):
                    await desk.set_pace(paused=True, speed=speed, operator=OPERATOR)
            with pytest.raises(Forbidden):
                await desk.set_pace(paused=True, speed=None, operator=AGENT)
            assert not feed.paused

    asyncio.run(run())


def test_a_simulated_market_has_no_pace_to_set(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            with pytest.raises(NotSupported, match="no recording"):
                await gate.line.desk.set_pace(paused=True, speed=None, operator=OPERATOR)

    asyncio.run(run())
