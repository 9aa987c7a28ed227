"""A full disk at a plain exchange: no plan can be kept, and the close goes out all the same."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.errors import Code, NotReady, Refused
from ordergate.model.orders import OrderState, OrderType, Side, VenueCancel
from ordergate.model.values import AccountId, IdempotencyKey, Symbol, Tag
from ordergate.order.emergency import HeldOutside
from ordergate.ports.journal import JournalUnwritable, OrderFilter
from support.full_disk import fill, free
from support.gate import Gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, buy
from support.plain_gate import (
    a_change,
    a_close,
    a_plain_gate,
    alarms,
    held,
    look,
    opened,
    protected_position,
    refusal,
    resting,
    stops,
)

D = Decimal


async def look_full(gate: Gate) -> None:
    """Let reconciliation and the managed exits have a turn; the books take nothing of it."""
    with contextlib.suppress(JournalUnwritable):
        await gate.line.settle.scan()
    await gate.line.guarding.look()


def test_the_first_close_on_a_full_disk_goes_out(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            await fill(gate.store)
            view = await gate.line.gateway.close(
                a_close(position_id), key=IdempotencyKey("out"), asker=AGENT
            )
            assert view.status == "filled"
            assert await held(gate) == ()
            await free(gate.store)
            await look(gate)
            await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())

    asyncio.run(run())


@pytest.mark.parametrize(("requests", "lots"), [(1, None), (2, None), (2, "0.04")])
def test_a_disk_that_fills_up_amid_a_close_holds_it_up_nowhere(
    tmp_path: Path, requests: int, lots: str | None
) -> None:
    """After so many of the plan's requests nothing more can be written; the close goes out once."""

    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate, buy(take_profit=D("1.09")))
            sound, left = gate.venue.cancel, [requests]

            async def cancel(request: Any) -> Any:
                answer = await sound(request)
                left[0] -= 1
                if left[0] == 0:
                    await fill(gate.store)
                return answer

            gate.venue.cancel = cancel  # type: ignore[method-assign]  # the venue, not our code
            view = await gate.line.gateway.close(
                a_close(position_id, lots), key=IdempotencyKey("out"), asker=AGENT
            )
            rest = [] if lots is None else [D("0.06")]
            assert view.status == "filled", view.code
            assert [row.quantity for row in await held(gate)] == rest
            await free(gate.store)
            for _ in range(3):
                await look(gate)
            assert [row.quantity for row in await held(gate)] == rest

    asyncio.run(run())


def test_a_close_that_failed_without_books_leaves_the_position_protected(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            gate.market.close_session("EURUSD")
            sound = gate.venue.cancel

            async def cancel(request: Any) -> Any:
                answer = await sound(request)
                await fill(gate.store)
                return answer

            gate.venue.cancel = cancel  # type: ignore[method-assign]  # the venue, not our code
            view = await gate.line.gateway.close(a_close(position_id), key=None, asker=AGENT)
            assert view.status == "rejected"
            await asyncio.sleep(1.1)
            await gate.line.guarding.look()
            assert await stops(gate) == [(D("0.10"), D("1.08"))]

    asyncio.run(run())


def test_a_key_that_went_out_without_the_books_goes_out_once(tmp_path: Path) -> None:
    """Asked again when the disk has room and the books do not know of it yet."""

    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            await fill(gate.store)
            part, key = a_close(position_id, "0.04"), IdempotencyKey("part")
            first = await gate.line.gateway.close(part, key=key, asker=AGENT)
            assert first.status == "filled"
            await free(gate.store)
            again = await gate.line.gateway.close(part, key=key, asker=AGENT)
            assert (again.order.order_id, again.replayed) == (first.order.order_id, True)
            with pytest.raises(HeldOutside):
                await gate.line.gateway.propose(
                    part, key=key, asker=AGENT, also=lambda tx, order: None
                )
            for _ in range(3):
                await look(gate)
            last = await gate.line.gateway.close(part, key=key, asker=AGENT)
            assert (last.order.order_id, last.replayed) == (first.order.order_id, True)
            assert [row.quantity for row in await held(gate)] == [D("0.06")]

    asyncio.run(run())


def test_a_refused_exit_that_no_book_can_keep_names_no_order(tmp_path: Path) -> None:
    """Nothing is made up: an id that nobody can look up, or two ids under one key, would be."""

    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            await fill(gate.store)
            close = a_close(position_id, "0.20")
            for _ in range(2):
                with pytest.raises(Refused, match="nothing was stored or sent") as error:
                    await gate.line.gateway.close(close, key=IdempotencyKey("out"), asker=AGENT)
                assert error.value.refusal is Code.EXCEEDS_POSITION
                assert (error.value.details["value"], error.value.details["limit"]) == (
                    D("0.20"),
                    D("0.10"),
                )
            await free(gate.store)
            await look(gate)
            view = await gate.line.gateway.close(close, key=IdempotencyKey("out"), asker=AGENT)
            again = await gate.line.gateway.close(close, key=IdempotencyKey("out"), asker=AGENT)
            assert view.status == again.status == "rejected"
            assert (view.order.order_id, again.replayed) == (again.order.order_id, True)

    asyncio.run(run())


def test_a_change_that_was_cut_by_a_full_disk_comes_to_its_end(tmp_path: Path) -> None:
    """The books took the request and not its claim: it is not left behind for ever."""

    async def run() -> None:
        clock = ManualClock()
        async with a_plain_gate(tmp_path, clock=clock) as gate:
            position_id = await protected_position(gate)
            sound, left = gate.venue.snapshot, [1]

            async def snapshot() -> VenueSnapshot:
                found = await sound()
                if not left.pop():
                    gate.venue.snapshot = sound  # type: ignore[method-assign]  # the venue
                    await fill(gate.store)
                left.append(0)
                return found

            gate.venue.snapshot = snapshot  # type: ignore[method-assign]  # the venue, not our code
            change, key = a_change(position_id, stop_loss=D("1.082")), IdempotencyKey("nearer")
            with pytest.raises(NotReady, match="full"):
                await gate.line.gateway.modify(change, key=key, asker=AGENT)
            await free(gate.store)
            proposed = OrderFilter(states=frozenset({OrderState.PROPOSED}))
            assert await gate.store.read(lambda tx: len(tx.orders(proposed, limit=9))) == 1
            clock.advance(11)
            for _ in range(3):
                await look(gate)
            assert await gate.store.read(lambda tx: len(tx.orders(proposed, limit=9))) == 0
            assert await stops(gate) == [(D("0.10"), D("1.082"))]

    asyncio.run(run())


def test_a_change_that_no_book_can_keep_is_refused_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate)
            before = await resting(gate)
            await fill(gate.store)
            with pytest.raises(NotReady, match="full"):
                await gate.line.gateway.modify(
                    a_change(position_id, stop_loss=D("1.082")), key=None, asker=AGENT
                )
            assert await resting(gate) == before

    asyncio.run(run())


def test_what_an_exit_on_the_emergency_record_opened_is_closed_as_soon_as_there_is_room(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            position_id = await protected_position(gate, buy(take_profit=D("1.09")))
            await fill(gate.store)
            await gate.line.gateway.close(a_close(position_id, "0.04"), key=None, asker=AGENT)
            await gate.line.guarding.look()
            assert await stops(gate) == [(D("0.06"), D("1.08"))]  # cut to what is left
            gate.market.set("EURUSD", "1.09010", "1.09020")
            gate.market.set("EURUSD", "1.07990", "1.08000")
            (short,) = await held(gate)
            assert (short.side, short.quantity) == (Side.SELL, D("0.06"))
            await gate.line.guarding.look()
            await free(gate.store)
            for _ in range(3):
                await look(gate)
            assert (await held(gate), await resting(gate)) == ((), ())
            assert "exits exceeded the position" in alarms(gate)

    asyncio.run(run())


def test_a_disk_that_fills_up_before_the_first_stop_rests_keeps_no_stop_away(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            await opened(gate, buy(take_profit=D("1.09")))
            await fill(gate.store)
            await look_full(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert len(await resting(gate)) == 2, "and its target"
            await free(gate.store)
            await look(gate)
            await look(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert len(await resting(gate)) == 2

    asyncio.run(run())


def test_an_entry_that_fills_on_a_full_disk_is_protected(tmp_path: Path) -> None:
    """Nobody has asked for anything since: the fill itself finds that the books take nothing."""

    async def run() -> None:
        async with a_plain_gate(tmp_path) as gate:
            entry = buy(order_type=OrderType.LIMIT, limit_price=D("1.084"), take_profit=D("1.09"))
            view = await gate.line.gateway.submit(entry, key=None, asker=AGENT)
            assert view.status == "working"
            await fill(gate.store)
            gate.market.set("EURUSD", "1.08390", "1.08400")
            assert [row.quantity for row in await held(gate)] == [D("0.10")]
            await look_full(gate)
            assert await stops(gate) == [(D("0.10"), D("1.08"))]
            assert len(await resting(gate)) == 2, "and its target"
            assert "books_unwritable" in alarms(gate)
            (position,) = await held(gate)
            part = a_close(position.position_id, "0.04")
            assert (await gate.line.gateway.close(part, key=None, asker=AGENT)).status == "filled"
            await look_full(gate)
            assert await stops(gate) == [(D("0.06"), D("1.08"))]  # cut to what is left
            await free(gate.store)
            for _ in range(3):
                await look(gate)
            assert await stops(gate) == [(D("0.06"), D("1.08"))]
            assert len(await resting(gate)) == 2
            (guard,) = await gate.store.read(lambda tx: tuple(tx.guards()))
            assert guard.stop == D("1.08")

    asyncio.run(run())


def test_a_stop_that_goes_on_a_full_disk_is_tried_again_and_told_of_until_it_rests(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_plain_gate(tmp_path, clock=clock) as gate:
            await protected_position(gate)
            (stop,) = await resting(gate)
            await fill(gate.store)
            away = VenueCancel(  # by another program
                account=AccountId("paper-1"),
                symbol=Symbol("EURUSD"),
                tag=Tag("elsewhere"),
                venue_order_id=stop.venue_order_id,
            )
            await gate.venue.cancel(away)
            gate.venue.inject(refusal(2))
            for _ in range(2):
                await gate.line.guarding.look()
            assert await stops(gate) == []
            assert "naked position" in alarms(gate)
            clock.advance(3)
            await gate.line.guarding.look()
            assert [lots for lots, _ in await stops(gate)] == [D("0.10")]
            await free(gate.store)
            for _ in range(3):
                await look(gate)
            assert [lots for lots, _ in await stops(gate)] == [D("0.10")]

    asyncio.run(run())
