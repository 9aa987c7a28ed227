"""The order line over the real store and the real paper venue: from request to record and back."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.proofs import SIGNED_IN

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.model.accounts import VenueSnapshot
from ordergate.model.errors import (
    Code,
    DataUnavailable,
    Forbidden,
    IllegalState,
    InvalidApproval,
    InvalidArgument,
    KeyDiverged,
    NotFound,
)
from ordergate.model.orders import (
    AttemptState,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderState,
    OrderType,
    PlaceIntent,
    VenueModify,
)
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import ScopeKind, TicketState
from ordergate.model.values import (
    AccountId,
    IdempotencyKey,
    PositionId,
    PrincipalId,
    Symbol,
    Tag,
    VenueName,
)
from ordergate.model.views import OrderView
from ordergate.order.dispatch.send import Look
from ordergate.order.policy.limits import Limits
from support.gate import Gate, a_gate, start_gate
from support.order_records import AGENT, OPERATOR, buy

WHERE = {"account": AccountId("paper-1"), "venue": VenueName("paper"), "symbol": Symbol("EURUSD")}
SMALL = buy()
LARGE = buy(quantity=Decimal("0.50"), stop_loss=Decimal("1.08100"))
RESTING = buy(
    order_type=OrderType.LIMIT, limit_price=Decimal("1.08000"), stop_loss=Decimal("1.07500")
)


async def opened(gate: Gate, intent: PlaceIntent = SMALL) -> OrderView:
    view = await gate.line.gateway.submit(intent, key=None, asker=AGENT)
    assert view.status in ("filled", "working"), view.order.code
    return view


async def the_position(gate: Gate) -> PositionId:
    (position,) = (await gate.venue.snapshot()).positions
    return position.position_id


def test_a_good_small_order_fills_once_and_its_stop_rests_at_the_venue(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert view.status == "filled"
            assert view.attempt is not None
            assert view.attempt.average_price == Decimal("1.08510")
            (position,) = (await gate.venue.snapshot()).positions
            assert position.stop_loss == SMALL.stop_loss
            assert position.tag == view.attempt.tag
            assert position.quantity == Decimal("0.10")

    asyncio.run(run())


def test_the_same_key_answers_the_same_and_another_body_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            key = IdempotencyKey("once")
            first = await gate.line.gateway.submit(SMALL, key=key, asker=AGENT)
            again = await gate.line.gateway.submit(SMALL, key=key, asker=AGENT)
            assert again.replayed
            assert (again.order.order_id, again.status) == (first.order.order_id, first.status)
            with pytest.raises(KeyDiverged):
                await gate.line.gateway.submit(
                    dataclasses.replace(SMALL, quantity=Decimal("0.11")), key=key, asker=AGENT
                )
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def test_64_calls_with_one_key_make_one_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            key = IdempotencyKey("all at once")
            views = await asyncio.gather(
                *(gate.line.gateway.submit(SMALL, key=key, asker=AGENT) for _ in range(64))
            )
            assert len({view.order.order_id for view in views}) == 1
            assert {view.status for view in views} == {"filled"}
            assert sum(not view.replayed for view in views) == 1
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


@pytest.mark.parametrize("cap", [1, 3, 7])
def test_concurrent_orders_never_pass_a_cap(tmp_path: Path, cap: int) -> None:
    async def run() -> None:
        limits = Limits(open_positions_max=Decimal(cap), duplicate_window_s=Decimal(1))
        async with a_gate(tmp_path, limits=limits) as gate:
            orders = (
                dataclasses.replace(SMALL, quantity=Decimal("0.01") * n, note=str(n))
                for n in range(1, 21)
            )
            views = await asyncio.gather(
                *(gate.line.gateway.submit(order, key=None, asker=AGENT) for order in orders)
            )
            filled = [view for view in views if view.status == "filled"]
            refused = [view for view in views if view.status == "rejected"]
            assert len(filled) == cap
            assert len(filled) + len(refused) == 20
            assert {view.order.code for view in refused} == {Code.EXCEEDS_LOCAL_LIMIT}
            assert len((await gate.venue.snapshot()).positions) == cap

    asyncio.run(run())


def test_a_draft_without_a_stop_is_refused_and_a_sound_one_waits_for_a_human(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            bad = dataclasses.replace(SMALL, stop_loss=None)
            view = await gate.line.gateway.draft(bad, key=None, asker=AGENT)
            assert view.order.state is OrderState.POLICY_REJECTED
            assert view.order.code == Code.STOP_REQUIRED
            kept = await gate.line.gateway.draft(SMALL, key=None, asker=AGENT)
            assert kept.status == "draft"
            assert [one.order.order_id for one in await gate.line.desk.drafts()] == [
                kept.order.order_id
            ]
            sent = await gate.line.desk.submit_draft(kept.order.order_id, operator=OPERATOR)
            assert sent.status == "filled"
            assert (sent.order.principal, sent.order.drafted_by) == (OPERATOR.id, AGENT.id)
            with pytest.raises(IllegalState):
                await gate.line.desk.submit_draft(kept.order.order_id, operator=OPERATOR)

    asyncio.run(run())


def test_a_draft_survives_the_kill_switch_and_cannot_be_sent_under_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await gate.line.gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="test", asker=AGENT
            )
            kept = await gate.line.gateway.draft(SMALL, key=None, asker=AGENT)
            assert kept.status == "draft"
            view = await gate.line.desk.submit_draft(kept.order.order_id, operator=OPERATOR)
            assert (view.status, view.order.code) == ("rejected", Code.KILL_SWITCH_ACTIVE)

    asyncio.run(run())


def test_a_large_order_waits_and_a_yes_sends_exactly_it_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
            assert view.status == "approval_required"
            assert view.ticket is not None
            assert (await gate.venue.snapshot()).positions == ()
            (waiting,) = await gate.line.desk.waiting()
            shown = waiting.ticket.fingerprint
            with pytest.raises(Forbidden):
                await gate.line.desk.approve(
                    view.ticket.ticket_id, fingerprint=shown, operator=AGENT, proof=SIGNED_IN
                )
            with pytest.raises(InvalidApproval):
                await gate.line.desk.approve(
                    view.ticket.ticket_id, fingerprint="0" * 64, operator=OPERATOR, proof=SIGNED_IN
                )
            done = await gate.line.desk.approve(
                view.ticket.ticket_id, fingerprint=shown, operator=OPERATOR, proof=SIGNED_IN
            )
            assert done.status == "filled"
            with pytest.raises(InvalidApproval):
                await gate.line.desk.approve(
                    view.ticket.ticket_id, fingerprint=shown, operator=OPERATOR, proof=SIGNED_IN
                )
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def test_two_yeses_at_once_send_one_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
            assert view.ticket is not None
            ticket = view.ticket
            answers = await asyncio.gather(
                *(
                    gate.line.desk.approve(
                        ticket.ticket_id,
                        fingerprint=ticket.fingerprint,
                        operator=OPERATOR,
                        proof=SIGNED_IN,
                    )
                    for _ in range(8)
                ),
                return_exceptions=True,
            )
            done = [one for one in answers if isinstance(one, OrderView)]
            assert len(done) == 1
            assert all(isinstance(one, InvalidApproval | OrderView) for one in answers)
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def test_a_yes_after_the_price_left_its_band_asks_anew_and_sends_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
            assert view.ticket is not None
            gate.market.set("EURUSD", "1.09200", "1.09210")
            again = await gate.line.desk.approve(
                view.ticket.ticket_id,
                fingerprint=view.ticket.fingerprint,
                operator=OPERATOR,
                proof=SIGNED_IN,
            )
            assert (again.status, again.order.code) == (
                "approval_required",
                Code.NEEDS_REAPPROVAL,
            )
            assert again.ticket is not None
            assert again.ticket.ticket_id != view.ticket.ticket_id
            assert again.ticket.reference_price == Decimal("1.09210")
            assert (await gate.venue.snapshot()).positions == ()

    asyncio.run(run())


def test_a_no_ends_the_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
            assert view.ticket is not None
            denied = await gate.line.desk.deny(
                view.ticket.ticket_id, reason="too large", operator=OPERATOR
            )
            assert (denied.status, denied.order.code) == ("denied", Code.APPROVAL_DENIED)
            assert await gate.line.desk.waiting() == ()

    asyncio.run(run())


def test_the_kill_switch_stops_new_risk_and_no_exit(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            await opened(gate)
            resting = await opened(gate, RESTING)
            waiting = await gateway.submit(LARGE, key=None, asker=AGENT)
            position = await the_position(gate)
            halt = await gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="stop", asker=AGENT
            )
            again = await gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="stop", asker=AGENT
            )
            assert again.halt_id == halt.halt_id
            refused = await gateway.submit(
                dataclasses.replace(SMALL, quantity=Decimal("0.02")), key=None, asker=AGENT
            )
            assert (refused.status, refused.order.code) == ("rejected", Code.KILL_SWITCH_ACTIVE)
            killed = await gateway.status(waiting.order.order_id, asker=AGENT)
            assert killed.status == "killed"
            await gate.line.settle.scan()
            assert (await gateway.status(resting.order.order_id, asker=AGENT)).status == "canceled"
            assert (await gate.venue.snapshot()).open_orders == ()

            tighter = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.08300"))
            assert (await gateway.modify(tighter, key=None, asker=AGENT)).status == "applied"
            stripped = ModifyIntent(**WHERE, position_id=position, stop_loss=None)
            view = await gateway.modify(stripped, key=None, asker=AGENT)
            assert (view.status, view.order.code) == ("rejected", Code.KILL_SWITCH_ACTIVE)
            (held,) = (await gate.venue.snapshot()).positions
            assert held.stop_loss == Decimal("1.08300")
            close = CloseIntent(**WHERE, position_id=position)
            assert (await gateway.close(close, key=None, asker=AGENT)).status == "filled"
            assert (await gate.venue.snapshot()).positions == ()

    asyncio.run(run())


def test_only_an_operator_with_a_reason_releases_the_kill_switch(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            halt = await gate.line.gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="stop", asker=AGENT
            )
            with pytest.raises(Forbidden):
                await gate.line.desk.release(halt.halt_id, reason="please", operator=AGENT)
            with pytest.raises(InvalidArgument):
                await gate.line.desk.release(halt.halt_id, reason=" ", operator=OPERATOR)
            await gate.line.desk.release(halt.halt_id, reason="checked", operator=OPERATOR)
            assert (await opened(gate)).status == "filled"
            with pytest.raises(NotFound):
                await gate.line.desk.release(halt.halt_id, reason="checked", operator=OPERATOR)

    asyncio.run(run())


def test_the_kill_switch_survives_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await gate.line.gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="stop", asker=AGENT
            )
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert view.order.code == Code.KILL_SWITCH_ACTIVE

    asyncio.run(run())


def test_widening_a_stop_waits_for_a_human_whatever_it_is_called(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate)
            position = await the_position(gate)
            wider = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.07900"))
            view = await gate.line.gateway.modify(wider, key=None, asker=AGENT)
            assert view.status == "approval_required", view.order.code
            (held,) = (await gate.venue.snapshot()).positions
            assert held.stop_loss == SMALL.stop_loss

    asyncio.run(run())


def test_a_yes_to_what_has_become_a_tightening_needs_none_and_is_sent(tmp_path: Path) -> None:
    """Meanwhile the stop went farther away by hand: what was asked for protects more now."""

    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate)
            position = await the_position(gate)
            wider = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.07900"))
            asked = await gate.line.gateway.modify(wider, key=None, asker=AGENT)
            ticket = asked.ticket
            assert ticket is not None
            by_hand = VenueModify(
                tag=Tag("HAND0000000001"),
                account=gate.venue.account,
                symbol=SMALL.symbol,
                position_id=position,
                stop_loss=Decimal("1.07000"),
            )
            await gate.venue.modify(by_hand)
            done = await gate.line.desk.approve(
                ticket.ticket_id, fingerprint=ticket.fingerprint, operator=OPERATOR, proof=SIGNED_IN
            )
            assert done.status == "applied"
            (held,) = (await gate.venue.snapshot()).positions
            assert held.stop_loss == Decimal("1.07900")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (FaultKind.LOST_REPLY, "unknown"),
        (FaultKind.LATE_EXECUTION, "unknown"),
        (FaultKind.DUPLICATE_DELIVERY, "filled"),
    ],
)
def test_a_lost_outcome_is_found_out_and_never_sent_again(
    tmp_path: Path, kind: FaultKind, before: str
) -> None:
    async def run() -> None:
        async with a_gate(tmp_path, faults=[Fault(kind, operation="submit")]) as gate:
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert view.status == before
            for _ in range(3):
                await gate.line.settle.scan()
            found = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert found.status == "filled"
            assert found.attempt is not None
            assert found.attempt.n == 1
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def test_a_lost_request_stays_unknown_and_counts_as_filled(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.LOST_REQUEST, operation="submit")]
        async with a_gate(tmp_path, faults=faults) as gate:
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert view.status == "unknown"
            await gate.line.settle.scan()
            still = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert still.status == "unknown"
            blocked = await gate.line.gateway.submit(
                dataclasses.replace(SMALL, quantity=Decimal("0.02")), key=None, asker=AGENT
            )
            assert blocked.status == "rejected"
            assert (await gate.venue.snapshot()).positions == ()

    asyncio.run(run())


def test_a_requote_lets_the_same_key_try_once_more_under_a_new_tag(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.REQUOTE, operation="submit")]
        async with a_gate(tmp_path, faults=faults) as gate:
            key = IdempotencyKey("again")
            first = await gate.line.gateway.submit(SMALL, key=key, asker=AGENT)
            assert first.order.state is OrderState.REQUOTED
            second = await gate.line.gateway.submit(SMALL, key=key, asker=AGENT)
            assert second.status == "filled", second.order.code
            assert second.order.order_id == first.order.order_id
            assert first.attempt is not None
            assert second.attempt is not None
            assert second.attempt.n == 2
            assert second.attempt.tag != first.attempt.tag
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def test_a_definitive_refusal_ends_the_order_and_frees_its_limits(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.REJECT, operation="submit")]
        async with a_gate(tmp_path, faults=faults) as gate:
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert view.status == "rejected"
            assert view.attempt is not None
            assert view.attempt.state is AttemptState.REJECTED
            attempt_id = view.attempt.attempt_id
            held = await gate.store.read(lambda tx: tx.reservation(attempt_id))
            assert held is not None
            assert held.released_seq is not None

    asyncio.run(run())


def test_a_crash_between_claim_and_outcome_is_found_out_at_the_next_start(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.LATE_REPLY, operation="submit", delay_s=Decimal(30))]
        gate = await start_gate(tmp_path, faults=faults)
        task = asyncio.create_task(gate.line.gateway.submit(SMALL, key=None, asker=AGENT))
        for _ in range(200):
            await asyncio.sleep(0.01)
            if (await gate.venue.snapshot()).positions:
                break
        (row,) = await gate.store.read(
            lambda tx: tuple(tx.attempts_in(frozenset({AttemptState.SENDING})))
        )
        task.cancel()
        for one in asyncio.all_tasks() - {asyncio.current_task()}:
            one.cancel()
        await gate.store.close()
        gate.spool.close_now()
        again = await start_gate(tmp_path)
        view = await again.line.gateway.status(row.order_id, asker=AGENT)
        assert view.status == "filled"
        assert view.attempt is not None
        assert view.attempt.epoch == row.epoch
        assert len((await again.venue.snapshot()).positions) == 1
        await again.stop()

    asyncio.run(run())


def test_an_agent_does_not_see_another_agents_orders(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await opened(gate)
            other = Principal(PrincipalId("other"), Kind.AGENT, "other")
            with pytest.raises(NotFound):
                await gate.line.gateway.status(view.order.order_id, asker=other)
            page = await gate.line.gateway.orders(
                states=None, symbol=None, limit=10, cursor=None, asker=other
            )
            assert page.items == ()

    asyncio.run(run())


def test_orders_page_by_page_are_all_orders_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            for n in range(1, 8):
                await gate.line.gateway.submit(
                    dataclasses.replace(SMALL, quantity=Decimal("0.01") * n), key=None, asker=AGENT
                )
            seen: list[str] = []
            cursor: str | None = None
            for _ in range(4):
                page = await gate.line.gateway.orders(
                    states=None, symbol=None, limit=3, cursor=cursor, asker=AGENT
                )
                seen += [view.order.order_id for view in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert len(seen) == len(set(seen)) == 7

    asyncio.run(run())


def test_cancelling_a_resting_order_needs_nobody(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await opened(gate, RESTING)
            assert view.attempt is not None
            assert view.attempt.venue_order_id is not None
            done = await gate.line.gateway.cancel(
                CancelIntent(**WHERE, venue_order_id=view.attempt.venue_order_id),
                key=None,
                asker=AGENT,
            )
            assert done.status == "applied"
            await gate.line.settle.scan()
            assert (
                await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            ).status == "canceled"

    asyncio.run(run())


def test_a_resting_order_that_fills_is_booked_by_the_next_scan(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await opened(gate, RESTING)
            gate.market.set("EURUSD", "1.07990", "1.08000")
            await gate.line.settle.scan()
            done = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert done.status == "filled"
            fills = await gate.line.gateway.fills(limit=10, cursor=None, asker=AGENT)
            assert [view.fill.price for view in fills.items] == [Decimal("1.08000")]

    asyncio.run(run())


def test_an_ask_expires_by_the_wall_clock_and_a_draft_by_the_venues_day(tmp_path: Path) -> None:
    async def run() -> None:
        limits = Limits(approval_ttl_s=Decimal(1))
        async with a_gate(tmp_path, limits=limits) as gate:
            asked = await gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
            draft = await gate.line.gateway.draft(SMALL, key=None, asker=AGENT)
            gate.market.advance(days=30)
            await gate.line.upkeep.tick()
            waiting = await gate.line.gateway.status(asked.order.order_id, asker=AGENT)
            assert waiting.status == "approval_required"
            ended = await gate.line.gateway.status(draft.order.order_id, asker=AGENT)
            assert ended.status == "expired"
            await asyncio.sleep(1.05)
            await gate.line.upkeep.tick()
            expired = await gate.line.gateway.status(asked.order.order_id, asker=AGENT)
            assert (expired.status, expired.order.code) == ("expired", Code.APPROVAL_EXPIRED)
            assert expired.ticket is not None
            assert expired.ticket.state is TicketState.EXPIRED

    asyncio.run(run())


def test_a_restored_database_adopts_what_it_lost_and_halts_new_risk(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate)
            await opened(gate, RESTING)
        for path in tmp_path.glob("gate.db*"):
            path.unlink()
        async with a_gate(tmp_path) as gate:
            page = await gate.line.gateway.orders(
                states=None, symbol=None, limit=10, cursor=None, asker=OPERATOR
            )
            assert sorted(view.status for view in page.items) == ["filled", "working"]
            assert {view.attempt.incident for view in page.items if view.attempt} == {"found"}
            view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert (view.status, view.order.code) == ("rejected", Code.HALTED)
            close = CloseIntent(**WHERE, position_id=await the_position(gate))
            assert (await gate.line.gateway.close(close, key=None, asker=AGENT)).status == "filled"

    asyncio.run(run())


def test_an_adopted_order_that_has_filled_is_done_and_its_fill_is_booked(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            await opened(gate)
            position = await the_position(gate)
        for path in tmp_path.glob("gate.db*"):
            path.unlink()
        async with a_gate(tmp_path) as gate:
            books = gate.line.gateway
            (found,) = (
                await books.orders(states=None, symbol=None, limit=9, cursor=None, asker=OPERATOR)
            ).items
            assert found.attempt is not None
            assert found.order.state is OrderState.DONE
            assert found.attempt.position_id == position
            (fill,) = (await books.fills(limit=9, cursor=None, asker=OPERATOR)).items
            assert (fill.origin, fill.fill.tag) == ("gate", found.attempt.tag)
            await gate.line.settle.scan()
            assert len((await books.fills(limit=9, cursor=None, asker=OPERATOR)).items) == 1

    asyncio.run(run())


def test_a_fill_after_the_snapshot_still_counts(tmp_path: Path) -> None:
    """A judge whose snapshot is older than a fill must not find room that the fill has taken."""

    async def run() -> None:
        limits = Limits(open_positions_max=Decimal(1), duplicate_window_s=Decimal(1))
        async with a_gate(tmp_path, limits=limits) as gate:
            old = await gate.line.gateway._look()
            await opened(gate)
            fresh = gate.line.gateway._look
            gate.line.gateway._look = _always(old)  # type: ignore[method-assign]  # an old look
            other = dataclasses.replace(SMALL, quantity=Decimal("0.02"))
            view = await gate.line.gateway.submit(other, key=None, asker=AGENT)
            gate.line.gateway._look = fresh  # type: ignore[method-assign]  # as it was
            assert view.status == "rejected"
            assert len((await gate.venue.snapshot()).positions) == 1

    asyncio.run(run())


def _always(look: Look) -> Callable[[], Awaitable[Look]]:
    async def stale() -> Look:
        return look

    return stale


def test_an_unreadable_account_stops_openings_and_lets_a_cancel_by_id_go(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await opened(gate, RESTING)
            assert view.attempt is not None
            assert view.attempt.venue_order_id is not None
            readable = gate.venue.snapshot
            gate.venue.snapshot = _unreadable  # type: ignore[method-assign]  # the link is down
            refused = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert (refused.status, refused.order.code) == ("rejected", Code.DATA_UNAVAILABLE)
            with pytest.raises(DataUnavailable):
                await gate.line.gateway.close(
                    CloseIntent(**WHERE, position_id=PositionId("P9")), key=None, asker=AGENT
                )
            done = await gate.line.gateway.cancel(
                CancelIntent(**WHERE, venue_order_id=view.attempt.venue_order_id),
                key=None,
                asker=AGENT,
            )
            gate.venue.snapshot = readable  # type: ignore[method-assign]  # and up again
            assert done.status == "applied"
            assert (await gate.venue.snapshot()).open_orders == ()

    asyncio.run(run())


async def _unreadable() -> VenueSnapshot:
    raise ConnectionResetError("the link is down")


def test_a_lost_day_halts_the_account_and_takes_its_resting_openings_away(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            gateway = gate.line.gateway
            await opened(gate, dataclasses.replace(SMALL, stop_loss=Decimal("1.0000")))
            deep = dataclasses.replace(
                RESTING, limit_price=Decimal("0.50000"), stop_loss=Decimal("0.45000")
            )
            resting = await opened(gate, deep)
            assert await gateway.watch_day() is None
            gate.market.set("EURUSD", "0.80000", "0.80010")
            halt = await gateway.watch_day()
            assert halt is not None
            assert (halt.kind, halt.scope, halt.reason) == ("halt", "account", "daily_loss")
            await gate.line.settle.scan()
            ended = await gateway.status(resting.order.order_id, asker=AGENT)
            assert ended.status == "canceled"
            assert (await gate.venue.snapshot()).open_orders == ()
            refused = await gateway.submit(SMALL, key=None, asker=AGENT)
            assert refused.status == "rejected"
            again = await gateway.watch_day()
            assert again is not None
            assert again.halt_id == halt.halt_id

    asyncio.run(run())


def test_a_cancel_marks_its_order_and_a_refused_cancel_unmarks_it(tmp_path: Path) -> None:
    async def run() -> None:
        faults = [Fault(FaultKind.REJECT, operation="cancel")]
        async with a_gate(tmp_path, faults=faults) as gate:
            view = await opened(gate, RESTING)
            assert view.attempt is not None
            assert view.attempt.venue_order_id is not None
            cancel = CancelIntent(**WHERE, venue_order_id=view.attempt.venue_order_id)
            refused = await gate.line.gateway.cancel(cancel, key=None, asker=AGENT)
            assert refused.status == "rejected"
            kinds = await gate.store.read(
                lambda tx: [row.kind for row in tx.audit_tail(limit=20, corr=view.order.order_id)]
            )
            assert kinds[-2:] == ["attempt.cancel_requested", "attempt.cancel_not_applied"]
            after = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert after.attempt is not None
            assert (after.status, after.attempt.cancel_pending) == ("working", False)

    asyncio.run(run())


def test_an_operators_own_order_is_its_own_yes_and_no_way_past_a_limit(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_gate(tmp_path) as gate:
            view = await gate.line.gateway.submit(LARGE, key=None, asker=OPERATOR)
            assert view.status == "filled", view.order.code
            position = await the_position(gate)
            wider = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.07900"))
            assert (await gate.line.gateway.modify(wider, key=None, asker=OPERATOR)).status == (
                "applied"
            )
            huge = dataclasses.replace(LARGE, quantity=Decimal(5))
            refused = await gate.line.gateway.submit(huge, key=None, asker=OPERATOR)
            assert (refused.status, refused.order.code) == ("rejected", Code.EXCEEDS_LOCAL_LIMIT)
            assert await gate.line.desk.waiting() == ()

    asyncio.run(run())
