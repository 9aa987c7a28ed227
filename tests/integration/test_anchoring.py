"""What makes a rewrite show: a checkpoint each minute, at a kill and at an arming; the anchors."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from ordergate.adapters.anchor_file import Anchors
from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from ordergate.audit.checkpoint import Verdict
from ordergate.bootstrap.anchoring import CHECKPOINT_S, Anchoring
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import PrincipalId
from ordergate.order.halt import Halt
from ordergate.order.journal.record import Record
from support.manual_clock import ManualClock
from support.memory_journal import Books, MemoryTx
from support.sealed_log import KEY, fill_log, seal_of, verify


class Counted:
    """Ids, one after another."""

    def __init__(self) -> None:
        self._made = 0

    def new_id(self) -> str:
        self._made += 1
        return f"halt-{self._made}"


def test_a_minute_of_records_gets_a_checkpoint_and_a_quiet_minute_none(tmp_path: Path) -> None:
    clock, seal = ManualClock(), seal_of()
    store = SqliteStore.open(tmp_path / "gate.db")
    anchors = Anchors(tmp_path / "config", tmp_path / "data", second=tmp_path / "second")
    anchoring = Anchoring(store, anchors, checkpoint=seal.checkpoint, clock=clock)
    stop = asyncio.Event()

    async def minutes() -> list[int]:
        seen = []
        running = asyncio.create_task(anchoring.run(stop))
        for count in (3, 0, 4):
            if count:
                await store.write(lambda tx, count=count: fill_log(tx, count, seal=seal))
            until = clock.monotonic() + CHECKPOINT_S + 2
            while clock.monotonic() < until:
                await asyncio.sleep(0.001)
            notes = await store.read(lambda tx: tx.checkpoints(after=0, limit=10))
            seen.append(len(notes))
        stop.set()
        await running
        return seen

    assert asyncio.run(minutes()) == [1, 1, 2]
    kept = anchors.read()
    assert kept is not None
    assert kept.head.size == 7
    assert (tmp_path / "second" / next((tmp_path / "second").iterdir()).name).exists()
    store.close_now()


def test_the_kill_switch_seals_a_checkpoint_and_another_halt_none() -> None:
    tx = MemoryTx(Books())
    record = Record(seal=seal_of(), clock=ManualClock())
    halt = Halt(record=record, ids=Counted(), clock=ManualClock())
    for kind, expected in ((HaltKind.HALT, 0), (HaltKind.KILL, 2)):
        prepared = halt.prepare(
            kind=kind,
            scope=ScopeKind.GLOBAL,
            target="",
            reason="a test",
            by=PrincipalId("operator:ann"),
        )
        halt.engage(tx, prepared)
        last = tx.last_checkpoint()
        assert (0 if last is None else last.size) == expected


def test_works_that_share_a_commit_share_one_head_and_one_that_fails_leaves_none(
    tmp_path: Path,
) -> None:
    store, seal = SqliteStore.open(tmp_path / "gate.db"), seal_of(sign=counted)
    held, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        held.set()
        assert go_on.wait(10)

    def fail(tx: SqlTx) -> None:
        fill_log(tx, 2, seal=seal)
        raise ValueError("undone")

    async def together() -> list[object]:
        first = asyncio.create_task(store.write(hold))
        await asyncio.to_thread(held.wait, 10)
        works = [lambda tx: fill_log(tx, 3, seal=seal), fail, lambda tx: fill_log(tx, 1, seal=seal)]
        waiting = [asyncio.create_task(store.write(work)) for work in (*works, fail)]
        await asyncio.sleep(0.1)
        go_on.set()
        await first
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    signed = len(SIGNED)
    told = asyncio.run(together())
    assert [type(one) for one in told] == [type(None), ValueError, type(None), ValueError]
    assert len(SIGNED) == signed + 1
    assert store.sealed() == 4
    store.close_now()
    found = verify_file(tmp_path / "gate.db", verify=verify)
    assert (found.verdict, found.size) == (Verdict.OK, 4)


SIGNED: list[bytes] = []


def counted(message: bytes) -> bytes:
    SIGNED.append(message)
    return KEY.sign(message)
