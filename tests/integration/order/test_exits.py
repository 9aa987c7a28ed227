"""Managed exits over a plain exchange: protection, close plans, the ladder, restarts in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.errors import Code, IllegalState, KeyDiverged, NotSupported
from ordergate.model.market import Quality
from ordergate.model.orders import CancelIntent, OrderType, Side, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked
from ordergate.model.principals import Kind
from ordergate.model.records import ScopeKind
from ordergate.model.values import AccountId, IdempotencyKey, Tag
from ordergate.order.policy.limits import Limits
from support.gate import Gate, a_gate
from support.order_records import AGENT, OPERATOR, buy
from support.plain_gate import (
    PLAIN,
    a_change,
    a_close,
    a_plain_gate,
    alarms,
    held,
    look,
    opened,
    protected,
    protected_position,
    refusal,
    resting,
    stops,
    until,
    working,
)

D = Decimal


def position_account(gate: Gate) -> AccountId:
    return gate.venue.account


def test_the_stop_rests_as_an_order_for_what_was_filled(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert view.status == "filled"
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            account = await gate.line.gateway.account(asker=AGENT)
            assert account.positions[0].stop_loss == D("1.08")

    asyncio.run(run())


def test_a_close_takes_the_stop_first_and_leaves_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            await look(gate)
            (position,) = await held(gate)
            view = await gate.line.gateway.close(
                a_close(position.position_id), key=None, asker=AGENT
            )
            assert view.status == "filled"
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_a_part_closed_leaves_the_rest_protected(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            await look(gate)
            (position,) = await held(gate)
            view = await gate.line.gateway.close(
                a_close(position.position_id, "0.04"), key=None, asker=AGENT
            )
            assert view.status == "filled"
            assert [row.quantity for row in await held(gate)] == [D("0.06")]
            assert await stops(gate) == [(D("0.06"), D("1.08"))]

    asyncio.run(run())


# The wire lies, the venue refuses


@pytest.mark.parametrize("kind", [FaultKind.LOST_REQUEST, FaultKind.LOST_REPLY])
def test_a_stop_of_unknown_fate_is_there_within_two_seconds_and_once(
    tmp_path: Path, kind: FaultKind
) -> None:
    async def run() -> None:
        async with working(tmp_path) as gate:
            await opened(gate, fault=Fault(kind, "submit"))
            began = time.monotonic()
            await until(lambda: protected(gate), within_s=2.0)
            assert time.monotonic() - began < 2.0
            await asyncio.sleep(0.6)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert not (await gate.line.gateway.safety()).halts

    asyncio.run(run())


def test_a_stop_that_arrives_late_is_one_too_many_and_goes(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await opened(gate, fault=Fault(FaultKind.LATE_EXECUTION, "submit", delay_s=D("1.2")))
            await look(gate)
            assert await stops(gate) == []
            await asyncio.sleep(1.05)
            await look(gate)
            assert len(await stops(gate)) == 1
            await asyncio.sleep(0.4)
            assert len(await stops(gate)) == 2
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


def test_a_refused_stop_is_set_again_at_once_and_then_a_human_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await opened(gate, fault=refusal(1))
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert alarms(gate) == []
        async with a_plain_gate(tmp_path / "two") as gate:
            await opened(gate, fault=refusal(3))
            await look(gate)
            await look(gate)
            assert alarms(gate) == ["naked position"]
            (halt,) = (await gate.line.gateway.safety()).halts
            assert "has no stop" in halt.reason
            await asyncio.sleep(1.05)
            await look(gate)
            await asyncio.sleep(1.05)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]  # the halt does not hold it up
            assert alarms(gate) == ["naked position"]

    (tmp_path / "two").mkdir()
    asyncio.run(run())


def test_where_the_operator_says_so_what_cannot_be_protected_is_closed(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path, unprotected="close") as gate:
            await opened(gate, fault=refusal(2))
            await look(gate)
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())
            assert alarms(gate) == ["naked position"]

    asyncio.run(run())


def test_a_stop_too_near_the_market_rests_as_near_as_the_venue_takes_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await opened(gate)
            gate.market.set("EURUSD", "1.07900", "1.07910")  # already beyond the stop
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.07899"))]
            gate.market.set("EURUSD", "1.08500", "1.08510")
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


def test_an_attached_stop_that_the_venue_did_not_keep_is_set_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate)
            (position,) = await held(gate)
            bare = VenueModify(
                tag=Tag("G0000000000009"),
                account=position_account(gate),
                symbol=position.symbol,
                position_id=position.position_id,
                stop_loss=None,
            )
            await gate.venue.modify(bare)
            await look(gate)
            (position,) = await held(gate)
            assert position.stop_loss == D("1.08")
            assert await gate.store.read(lambda tx: tx.guards()) == []

    asyncio.run(run())


# Closing


@pytest.mark.parametrize("kind", [FaultKind.LOST_REPLY, FaultKind.LATE_EXECUTION])
def test_xe2_a_close_in_doubt_is_never_sent_again_by_itself(
    tmp_path: Path, kind: FaultKind
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            gate.venue.inject(Fault(kind, "submit", delay_s=D("0.4") if "late" in kind else D(0)))
            view = await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert view.status == "unknown"
            for _ in range(3):
                await look(gate)
                await asyncio.sleep(0.25)
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())
            view = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert view.status == "filled"
            history = await gate.venue.history(datetime(2020, 1, 1, tzinfo=UTC))
            assert [fill.side for fill in history.fills] == [Side.BUY, Side.SELL]  # never reversed
            assert alarms(gate) == []

    asyncio.run(run())


def test_xe2_a_close_that_never_arrived_leaves_the_position_protected(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            gate.venue.inject(Fault(FaultKind.LOST_REQUEST, "submit"))
            view = await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert view.status == "unknown"
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            with pytest.raises(IllegalState, match="in doubt"):
                await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            again = await gate.line.desk.close(
                position_id, reason="it never arrived", operator=OPERATOR
            )
            assert again.status == "filled"
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_a_close_that_the_venue_refuses_puts_the_stop_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            gate.venue.inject(Fault(FaultKind.REJECT, "submit", code="MARKET_CLOSED"))
            view = await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert (view.status, view.code) == ("rejected", Code.MARKET_CLOSED)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert alarms(gate) == ["close failed"]

    asyncio.run(run())


def test_a_close_that_would_be_refused_here_takes_nothing_from_the_position(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            before = await resting(gate)
            view = await gate.line.gateway.close(a_close(position_id, "0.2"), key=None, asker=AGENT)
            assert (view.status, view.code) == ("rejected", Code.EXCEEDS_POSITION)
            assert await resting(gate) == before

    asyncio.run(run())


def test_a_thin_book_is_left_step_by_step_until_flat(tmp_path: Path) -> None:
    async def run() -> None:
        thin = replace(PLAIN, fill_cap=D("0.04"))
        async with a_plain_gate(tmp_path, terms=thin) as gate:
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            for _ in range(3):
                gate.market.set("EURUSD", "1.08500", "1.08510")
                await look(gate)
            (position,) = await held(gate)
            assert position.quantity == D("0.10")
            assert sum(lots for lots, _ in await stops(gate)) == D("0.10")
            await gate.line.gateway.close(a_close(position.position_id), key=None, asker=AGENT)
            assert (await held(gate), await resting(gate)) == ((), ())
            steps = [one for one in gate.changes if one.body.get("exit") == "close"]
            assert steps  # every one is announced
            assert {one.principal for one in steps} == {AGENT.id}

    asyncio.run(run())


def test_a_close_that_does_not_fill_at_its_collar_reaches_wider(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            sound, limits = gate.venue.submit, []

            async def gapping(order: VenueOrder) -> Acked:
                limits.append(order.limit_price)
                if len(limits) == 1:  # the market falls away between the claim and the venue
                    gate.market.set("EURUSD", "1.07000", "1.07010")
                return await sound(order)

            gate.venue.submit = gapping  # type: ignore[method-assign]  # the wire, not our code
            view = await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert view.status == "canceled"
            assert limits == [D("1.07958"), D("1.05930")]
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_the_same_key_closes_once_and_another_body_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            key, gateway = IdempotencyKey("flat"), gate.line.gateway
            first = await gateway.close(a_close(position_id, "0.04"), key=key, asker=AGENT)
            again = await gateway.close(a_close(position_id, "0.04"), key=key, asker=AGENT)
            assert again.replayed
            assert again.order.order_id == first.order.order_id
            with pytest.raises(KeyDiverged):
                await gateway.close(a_close(position_id, "0.05"), key=key, asker=AGENT)
            assert [row.quantity for row in await held(gate)] == [D("0.06")]

    asyncio.run(run())


# Brackets, trails, changes


BRACKET = buy(take_profit=D("1.09000"))


def test_when_the_target_fills_the_stop_goes(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await protected_position(gate, BRACKET)
            assert len(await resting(gate)) == 2
            gate.market.set("EURUSD", "1.09010", "1.09020")
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_xe4_when_both_legs_fill_the_excess_is_closed_at_once_and_reported(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await protected_position(gate, BRACKET)
            gate.market.set("EURUSD", "1.09010", "1.09020")
            gate.market.set("EURUSD", "1.07990", "1.08000")
            (short,) = await held(gate)
            assert short.side is Side.SELL
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())
            assert alarms(gate) == ["exits exceeded the position"]
            assert (await gate.line.gateway.safety()).halts

    asyncio.run(run())


def test_a_target_filled_in_part_leaves_stops_over_the_rest(tmp_path: Path) -> None:
    async def run() -> None:
        thin = replace(PLAIN, fill_cap=D("0.04"))
        async with a_plain_gate(tmp_path, terms=thin) as gate:
            await gate.line.gateway.submit(
                replace(BRACKET, quantity=D("0.04")), key=None, asker=AGENT
            )
            await gate.line.gateway.submit(
                replace(BRACKET, quantity=D("0.03"), stop_loss=D("1.081")), key=None, asker=AGENT
            )
            await look(gate)
            targets = len(await resting(gate)) - len(await stops(gate))
            assert targets == 2
            gate.market.set("EURUSD", "1.09010", "1.09020")
            await look(gate)
            assert await held(gate) == ()
            assert await resting(gate) == ()

    asyncio.run(run())


def test_one_leg_of_an_agent_s_own_group_cancels_the_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            for kind, price in (("stop", {"stop_price": D("1.09")}), ("limit", {})):
                order = buy(
                    order_type=OrderType(kind),
                    oco_group="breakout",
                    quantity=D("0.05") if kind == "stop" else D("0.06"),
                    stop_loss=D("1.07"),
                    **(price or {"limit_price": D("1.08")}),
                )
                view = await gate.line.gateway.submit(order, key=None, asker=AGENT)
                assert view.status == "working", view.code
            gate.market.set("EURUSD", "1.08990", "1.09000")
            await look(gate)
            assert [row.quantity for row in await held(gate)] == [D("0.05")]
            assert await stops(gate) == [(D("0.05"), D("1.07"))]
            assert len(await resting(gate)) == 1

    asyncio.run(run())


def test_a_managed_trail_follows_the_market_and_never_comes_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await protected_position(gate)
            trail = buy(
                side=Side.SELL,
                order_type=OrderType.TRAILING_STOP,
                trail_amount=D("0.0020"),
                stop_loss=None,
                reduce_only=True,
            )
            view = await gate.line.gateway.submit(trail, key=IdempotencyKey("trail"), asker=AGENT)
            assert (view.status, view.order.principal) == ("working", AGENT.id)
            assert await stops(gate) == [(D("0.10"), D("1.08300"))]
            for bid, stop in (("1.0900", "1.0880"), ("1.0885", "1.0880"), ("1.0910", "1.0890")):
                gate.market.set("EURUSD", bid, str(D(bid) + D("0.0001")))
                await look(gate)
                assert await stops(gate) == [(D("0.10"), D(stop))]
            again = await gate.line.gateway.submit(trail, key=IdempotencyKey("trail"), asker=AGENT)
            assert again.replayed
            gate.market.set("EURUSD", "1.0889", "1.0890")
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_a_stop_is_brought_nearer_by_a_replacing_order_and_never_moved_away(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            nearer = a_change(position_id, stop_loss=D("1.082"))
            view = await gate.line.gateway.modify(nearer, key=IdempotencyKey("nearer"), asker=AGENT)
            assert view.status == "working"
            assert await stops(gate) == [(D("0.10"), D("1.082"))]
            again = await gate.line.gateway.modify(
                nearer, key=IdempotencyKey("nearer"), asker=AGENT
            )
            assert again.replayed
            for away in (D("1.0815"), None):
                with pytest.raises(NotSupported):
                    await gate.line.gateway.modify(
                        a_change(position_id, stop_loss=away), key=None, asker=AGENT
                    )
            wrong = await gate.line.gateway.modify(
                a_change(position_id, stop_loss=D("1.09")), key=None, asker=AGENT
            )
            assert wrong.status == "rejected"
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.082"))]

    asyncio.run(run())


def test_a_target_is_set_moved_and_taken_away(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            for target in (D("1.09"), D("1.095"), None):
                await gate.line.gateway.modify(
                    a_change(position_id, take_profit=target), key=None, asker=AGENT
                )
                found = [row.limit_price for row in await resting(gate) if row.limit_price]
                assert found == ([] if target is None else [target])
                assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


# What must hold at every moment


def watched(gate: Gate) -> list[tuple[Decimal, Decimal]]:
    """Keep, after every request that the venue answers, the lots held and the lots under a stop."""
    seen: list[tuple[Decimal, Decimal]] = []
    for name in ("submit", "cancel"):
        sound = getattr(gate.venue, name)

        async def one(request: object, sound: Callable[..., Awaitable[Acked]] = sound) -> Acked:
            answer = await sound(request)
            lots = sum((row.quantity for row in await held(gate)), D(0))
            seen.append((lots, sum((lots for lots, _ in await stops(gate)), D(0))))
            return answer

        setattr(gate.venue, name, one)
    return seen


def test_replacing_a_stop_never_leaves_the_position_without_one(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            seen = watched(gate)
            gateway = gate.line.gateway
            nearer = a_change(position_id, stop_loss=D("1.082"))
            await gateway.modify(nearer, key=None, asker=AGENT)
            await gateway.close(a_close(position_id, "0.04"), key=None, asker=AGENT)
            assert len(seen) == 5
            assert all(covered >= D("0.06") for _, covered in seen)
            assert seen[-1] == (D("0.06"), D("0.06"))

    asyncio.run(run())


def test_exits_pass_under_the_switch_a_halt_a_closed_market_and_without_a_price(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path, limits=Limits(orders_per_minute_max=D(1))) as gate:
            await opened(gate)
            gateway = gate.line.gateway
            for scope, target in ((ScopeKind.GLOBAL, ""), (ScopeKind.SYMBOL, "EURUSD")):
                await gateway.engage(scope=scope, target=target, reason="A16", asker=AGENT)
            await gateway.halt(ScopeKind.ACCOUNT, gateway.account_id, "A16")
            gate.market.judge("EURUSD", Quality.STALE)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            (position,) = await held(gate)
            gate.market.judge("EURUSD", None)
            view = await gateway.close(a_close(position.position_id), key=None, asker=AGENT)
            assert view.status == "filled"
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


@pytest.mark.parametrize("doubt", [Quality.OUT_OF_ORDER, Quality.GAP, Quality.FROZEN])
def test_a_price_in_doubt_opens_nothing_and_lets_exits_out(tmp_path: Path, doubt: Quality) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            gate.market.judge("EURUSD", doubt)
            gateway = gate.line.gateway
            more = await gateway.submit(buy(stop_loss=D("1.08")), key=None, asker=AGENT)
            assert (more.status, more.code) == ("rejected", Code.DATA_UNAVAILABLE)
            view = await gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert view.status == "filled"
            assert await held(gate) == ()

    asyncio.run(run())


def test_two_closes_at_once_do_not_turn_the_position_round(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            closes = (
                gate.line.gateway.close(a_close(position_id, lots), key=None, asker=AGENT)
                for lots in ("0.06", "0.06", None)
            )
            views = await asyncio.gather(*closes)
            assert sorted(view.status for view in views) == ["filled", "filled", "rejected"]
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


def test_an_agent_cannot_trap_an_exit_by_spending_its_key(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await protected_position(gate)
            page = await gate.line.gateway.orders(
                states=None, symbol=None, limit=50, cursor=None, asker=AGENT
            )
            keys = [one.order.key for one in page.items if one.order.principal_kind is Kind.GATEWAY]
            assert len(keys) == 1
            assert all(len(key) > 32 for key in keys)  # 128 bits of chance

    asyncio.run(run())


def test_an_agent_that_cancels_the_stop_waits_for_a_human(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await protected_position(gate)
            (stop,) = await resting(gate)
            cancel = CancelIntent(
                account=gate.venue.account,
                venue=gate.venue.venue,
                symbol=stop.symbol,
                venue_order_id=stop.venue_order_id,
            )
            view = await gate.line.gateway.cancel(cancel, key=None, asker=AGENT)
            assert view.status == "approval_required"
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


def test_an_opening_whose_answer_was_lost_is_found_out_and_protected_in_time(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with working(tmp_path) as gate:
            await asyncio.sleep(0.7)  # reconciliation has nothing to do and waits for its sweep
            gate.venue.inject(Fault(FaultKind.LOST_REPLY, "submit"))
            view = await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            assert view.status == "unknown"
            await until(lambda: protected(gate), within_s=2.0)

    asyncio.run(run())


def test_a_refused_change_of_what_has_only_just_been_opened_leaves_it_its_own_stop(
    tmp_path: Path,
) -> None:
    """The fill is noticed while the change is on its way to the venue, which refuses it."""

    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await look(gate)
            await gate.line.gateway.submit(buy(), key=None, asker=AGENT)
            (position,) = await held(gate)
            gate.venue.inject(refusal(1))
            sound, looking = gate.venue.submit, []

            async def submit(order: VenueOrder) -> Acked:
                gate.venue.submit = sound  # type: ignore[method-assign]  # the venue, not our code
                looking.append(asyncio.create_task(gate.line.guarding.look()))
                await asyncio.sleep(0.2)
                return await sound(order)

            gate.venue.submit = submit  # type: ignore[method-assign]
            nearer = a_change(position.position_id, stop_loss=D("1.082"))
            refused = await gate.line.gateway.modify(nearer, key=None, asker=AGENT)
            assert refused.status == "rejected"
            await asyncio.gather(*looking)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())
