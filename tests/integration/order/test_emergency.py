"""The books have no room: exits go out by the emergency journal, once each; openings wait."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from integration.order.test_order_line import RESTING, SMALL, WHERE, opened, the_position
from ordergate.adapters.emergency_file import EmergencyJournal
from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.audit.checkpoint import Verdict
from ordergate.model.errors import KeyDiverged, NotReady
from ordergate.model.orders import CancelIntent, CloseIntent, ModifyIntent, VenueOrder
from ordergate.model.outcomes import Acked
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import IdempotencyKey, Tag
from ordergate.model.views import OrderView
from ordergate.order.dispatch.unbooked import read_records
from ordergate.order.kill import ASIDE_MAX
from ordergate.ports.emergency import EmergencyUnwritable
from support.full_disk import fill, fill_to_the_last_record, free
from support.gate import Gate, a_gate, start_gate
from support.order_records import AGENT, OPERATOR
from support.sealed_history import untold
from support.sealed_log import verify

KEY = IdempotencyKey("out")


async def close(gate: Gate, key: IdempotencyKey | None = KEY, **more: object) -> OrderView:
    intent = CloseIntent(**WHERE, position_id=await the_position(gate))
    return await gate.line.gateway.close(
        dataclasses.replace(intent, **more),  # type: ignore[arg-type]
        key=key,
        asker=AGENT,
    )


async def orders(gate: Gate) -> int:
    """Return how many orders the venue has ever been sent."""
    return len((await gate.venue.history(datetime(1970, 1, 1, tzinfo=UTC))).orders)


def play(folder: Path, scene: Callable[[Gate], Awaitable[None]], **how: object) -> None:
    async def run() -> None:
        async with a_gate(folder, **how) as gate:
            await scene(gate)

    asyncio.run(run())


def test_on_a_full_disk_a_close_reaches_the_venue_once_and_an_opening_does_not(
    tmp_path: Path,
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        await fill(gate.store)
        before = await orders(gate)
        with pytest.raises(NotReady, match="full"):
            await gate.line.gateway.submit(SMALL, key=IdempotencyKey("in"), asker=AGENT)
        assert await orders(gate) == before
        view = await close(gate)
        assert view.status == "filled"
        assert await orders(gate) == before + 1
        assert (await gate.venue.snapshot()).positions == ()
        assert [one.body["alarm"] for one in gate.changes if one.topic == "alarm"] == [
            "books_unwritable"
        ]

    play(tmp_path, scene)


def test_the_record_is_on_the_disk_before_a_byte_leaves(tmp_path: Path) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        await fill(gate.store)
        sound, seen = gate.venue.submit, []

        async def submit(order: VenueOrder) -> Acked:
            seen.append(order.tag.encode() in (tmp_path / "emergency.journal").read_bytes())
            return await sound(order)

        gate.venue.submit = submit  # type: ignore[method-assign]
        assert (await close(gate)).status == "filled"
        assert seen == [True]

    play(tmp_path, scene)


def test_the_same_key_is_answered_from_the_emergency_journal_and_not_sent_again(
    tmp_path: Path,
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        position = await the_position(gate)
        await fill(gate.store)
        part = CloseIntent(**WHERE, position_id=position, quantity=Decimal("0.02"))

        async def ask() -> OrderView:
            return await gate.line.gateway.close(part, key=KEY, asker=AGENT)

        before = await orders(gate)
        views = await asyncio.gather(*(ask() for _ in range(16)))
        assert await orders(gate) == before + 1
        assert {view.status for view in views} == {"filled"}
        assert sum(not view.replayed for view in views) == 1
        assert len({view.order.order_id for view in views}) == 1
        other = dataclasses.replace(part, quantity=Decimal("0.03"))
        with pytest.raises(KeyDiverged):
            await gate.line.gateway.close(other, key=KEY, asker=AGENT)
        found = await gate.line.gateway.status(views[0].order.order_id, asker=AGENT)
        assert found.status == "filled"

    play(tmp_path, scene)


def test_a_tightening_and_a_cancel_pass_and_a_widening_does_not(tmp_path: Path) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        resting = await opened(gate, RESTING)
        position = await the_position(gate)
        await fill(gate.store)
        tighter = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.0810"))
        view = await gate.line.gateway.modify(tighter, key=None, asker=AGENT)
        assert view.status == "applied"
        wider = dataclasses.replace(tighter, stop_loss=Decimal("1.0700"))
        with pytest.raises(NotReady):
            await gate.line.gateway.modify(wider, key=None, asker=AGENT)
        assert resting.attempt is not None
        assert resting.attempt.venue_order_id is not None
        cancel = CancelIntent(**WHERE, venue_order_id=resting.attempt.venue_order_id)
        assert (await gate.line.gateway.cancel(cancel, key=None, asker=AGENT)).status == "applied"
        snapshot = await gate.venue.snapshot()
        assert snapshot.open_orders == ()
        assert snapshot.positions[0].stop_loss == Decimal("1.0810")

    play(tmp_path, scene)


def test_when_there_is_room_again_what_went_out_is_sealed_and_openings_wait_for_the_operator(
    tmp_path: Path,
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        resting = await opened(gate, RESTING)
        assert resting.attempt is not None
        await fill(gate.store)
        closed = await close(gate)
        venue_id = resting.attempt.venue_order_id
        assert venue_id is not None
        cancel = CancelIntent(**WHERE, venue_order_id=venue_id)
        canceled = await gate.line.gateway.cancel(cancel, key=None, asker=AGENT)
        with pytest.raises(NotReady):
            await gate.line.settle.scan()
        await free(gate.store)
        sent = await orders(gate)
        for _ in range(2):
            await gate.line.settle.scan()
        assert await orders(gate) == sent
        for view, status in ((closed, "filled"), (canceled, "applied")):
            found = await gate.line.gateway.status(view.order.order_id, asker=AGENT)
            assert found.status == status
            assert found.order.key == view.order.key
        again = await gate.line.gateway.close(closed.order.intent, key=KEY, asker=AGENT)  # type: ignore[arg-type]
        assert again.replayed
        assert await orders(gate) == sent
        (halt,) = await gate.line.desk.halts()
        assert (halt.kind, halt.scope) == (HaltKind.HALT, ScopeKind.GLOBAL)
        assert gate.spool.held().bodies == ()
        await gate.line.desk.release(halt.halt_id, reason="disk freed", operator=OPERATOR)
        await opened(gate, dataclasses.replace(SMALL, quantity=Decimal("0.05")))

    play(tmp_path, scene)
    assert verify_file(tmp_path / "gate.db", verify=verify).verdict is Verdict.OK
    assert untold(tmp_path / "gate.db") == []


@pytest.mark.parametrize("fault", [FaultKind.LOST_REPLY, FaultKind.LOST_REQUEST])
def test_an_outcome_lost_in_the_emergency_is_found_out_and_not_sent_again(
    tmp_path: Path, fault: FaultKind
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        gate.venue.inject(Fault(fault, "submit"))
        intent = CloseIntent(**WHERE, position_id=await the_position(gate))

        async def ask() -> OrderView:
            return await gate.line.gateway.close(intent, key=KEY, asker=AGENT)

        await fill(gate.store)
        before = await orders(gate)
        assert (await ask()).status == "unknown"
        assert (await ask()).replayed
        await free(gate.store)
        await gate.line.settle.scan()
        reached = fault is FaultKind.LOST_REPLY
        again = await ask()
        assert (again.status, again.replayed) == ("filled" if reached else "unknown", True)
        assert await orders(gate) == before + reached

    play(tmp_path, scene)


def test_what_went_out_before_the_process_ended_is_sealed_at_the_next_start(tmp_path: Path) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        await fill(gate.store)
        view = await close(gate)
        sent = await orders(gate)
        bodies = gate.spool.held().bodies
        assert len(bodies) == 2
        again = await start_gate(tmp_path)  # as after a kill: the file is as it was left
        try:
            assert again.spool.held().bodies == ()
            found = await again.line.gateway.status(view.order.order_id, asker=AGENT)
            assert found.status == "filled"
            size = again.store.sealed()
            # The crash came after the books took it and before the file was renewed.
            for body in bodies:
                again.spool.append_now(body)
            await again.line.emergency.take_in()
            rows = await again.store.read(lambda tx: tx.attempts(view.order.order_id))
            assert len(rows) == 1
            assert await orders(again) == sent
            assert again.store.sealed() <= size + 1  # that it was read again, and nothing else
        finally:
            await again.stop()

    play(tmp_path, scene)
    assert verify_file(tmp_path / "gate.db", verify=verify).verdict is Verdict.OK
    assert untold(tmp_path / "gate.db") == []


def test_taken_in_twice_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        await fill(gate.store)
        view = await close(gate)
        await free(gate.store)
        with monkeypatch.context() as stuck:
            stuck.setattr(type(gate.spool), "renew_now", _stuck)
            await gate.line.emergency.take_in()
            assert len(gate.spool.held().bodies) == 2
            size = gate.store.sealed()
            await gate.line.emergency.take_in()
            assert gate.store.sealed() == size
        await gate.line.emergency.take_in()
        assert gate.spool.held().bodies == ()
        assert gate.store.sealed() == size
        rows = await gate.store.read(lambda tx: tx.attempts(view.order.order_id))
        assert len(rows) == 1

    play(tmp_path, scene)


def _stuck(*_: object) -> None:
    raise EmergencyUnwritable("no room")


def test_the_kill_switch_cancels_what_would_open_though_it_cannot_be_written(
    tmp_path: Path,
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate, RESTING)
        await fill(gate.store)
        await gate.line.gateway.engage(
            scope=ScopeKind.GLOBAL, target="", reason="test", asker=AGENT
        )
        assert (await gate.venue.snapshot()).open_orders == ()
        assert (await gate.line.gateway.safety()).killed
        await free(gate.store)
        await gate.line.settle.scan()
        await gate.line.upkeep.tick()
        kinds = {halt.kind for halt in await gate.line.desk.halts()}
        assert kinds == {HaltKind.HALT, HaltKind.KILL}

    play(tmp_path, scene)


def test_a_kill_switch_that_could_not_be_written_outlives_the_process(tmp_path: Path) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        await fill_to_the_last_record(gate.store, gate.line.instance.record)
        stop = gate.line.gateway.engage
        for _ in range(3):
            await stop(scope=ScopeKind.GLOBAL, target="", reason="smoke", asker=AGENT)
        await stop(scope=ScopeKind.SYMBOL, target="XAUUSD", reason="gold", asker=AGENT)
        assert len(gate.spool.held().bodies) == 2, "one record a stop, however often it is engaged"
        await free(gate.store)
        again = await start_gate(tmp_path)  # as after a kill: nothing was written meanwhile
        try:
            halts = await again.line.desk.halts()
            killed = {(one.scope, one.reason) for one in halts if one.kind is HaltKind.KILL}
            assert killed == {(ScopeKind.GLOBAL, "smoke"), (ScopeKind.SYMBOL, "gold")}
            assert (await again.line.gateway.safety()).killed
            refused = await again.line.gateway.submit(SMALL, key=None, asker=AGENT)
            assert refused.order.code == "KILL_SWITCH_ACTIVE"
            assert again.spool.held().bodies == ()
        finally:
            await again.stop()

    play(tmp_path, scene)


def test_stops_without_number_leave_the_emergency_journal_to_exits(tmp_path: Path) -> None:
    async def scene(gate: Gate) -> None:
        await fill_to_the_last_record(gate.store, gate.line.instance.record)
        stop = gate.line.gateway.engage
        for n in range(ASIDE_MAX + 8):
            await stop(scope=ScopeKind.AGENT, target=f"agent-{n}", reason="all", asker=AGENT)
        await stop(scope=ScopeKind.GLOBAL, target="", reason="all", asker=AGENT)
        assert len(gate.spool.held().bodies) == ASIDE_MAX + 1

    play(tmp_path, scene)


@pytest.mark.parametrize("intent", ["close", "tighten"])
def test_where_no_disk_takes_a_record_only_what_the_venue_makes_safe_goes_out(
    tmp_path: Path, intent: str
) -> None:
    async def scene(gate: Gate) -> None:
        await opened(gate)
        position = await the_position(gate)
        await fill(gate.store)
        gate.spool.close_now()
        (tmp_path / "emergency.journal").unlink()
        (tmp_path / "emergency.journal").mkdir()
        before = await orders(gate)
        if intent == "close":
            assert (await close(gate)).status == "filled"
            assert await orders(gate) == before + 1
            alarms = [one.body["alarm"] for one in gate.changes if one.topic == "alarm"]
            assert alarms == ["books_unwritable", "exit_unrecorded"]
        else:
            tighter = ModifyIntent(**WHERE, position_id=position, stop_loss=Decimal("1.0810"))
            with pytest.raises(NotReady):
                await gate.line.gateway.modify(tighter, key=None, asker=AGENT)
            assert (await gate.venue.snapshot()).positions[0].stop_loss == SMALL.stop_loss

    play(tmp_path, scene)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_wire_an_exit_is_found_out_and_never_repeated(
    tmp_path: Path, moment: str
) -> None:
    died_closing(tmp_path, moment)
    tags = tags_on_record(tmp_path)

    async def scene(gate: Gate) -> None:
        reached = moment == "after"
        assert await orders(gate) == 1 + reached
        (row,) = await gate.store.read(lambda tx: tx.attempts_tagged(tags))
        view = await gate.line.gateway.status(row.order_id, asker=AGENT)
        assert view.status == ("filled" if reached else "unknown")
        assert view.order.key == KEY
        again = await gate.line.gateway.close(view.order.intent, key=KEY, asker=AGENT)  # type: ignore[arg-type]
        assert again.replayed
        await gate.line.settle.scan()
        assert await orders(gate) == 1 + reached
        assert len((await gate.venue.snapshot()).positions) == (not reached)
        assert "incident" not in str(await gate.line.desk.halts())

    play(tmp_path, scene)
    assert verify_file(tmp_path / "gate.db", verify=verify).verdict is Verdict.OK
    assert untold(tmp_path / "gate.db") == []


def died_closing(folder: Path, moment: str) -> None:
    """Run a gate that is killed in the middle of an emergency exit."""
    child = subprocess.run(
        [sys.executable, "-m", "support.emergency_child", str(folder), moment],
        cwd=Path(__file__).parents[2],
        timeout=30,
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-2000:]


def tags_on_record(folder: Path) -> list[Tag]:
    spool = EmergencyJournal(folder / "emergency.journal", new_id=lambda: "0" * 32)
    bodies = spool.held().bodies
    spool.close_now()
    assert len(bodies) == 1, "the exit, and no outcome"
    return [one.attempt.tag for one in read_records(bodies)]
