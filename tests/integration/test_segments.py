"""Closed months of the record: written beside it, proven by themselves and one after another."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ordergate.adapters.storage import segments as storage
from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.storage.segments import Segments, verify_segments
from ordergate.adapters.storage.store import SqliteStore
from ordergate.audit.checkpoint import Anchor, Finding, Verdict
from ordergate.bootstrap.archiving import Archiving
from support.manual_clock import ManualClock
from support.oracle_verify import ordergate_verify
from support.record_attacks import node_verdicts
from support.sealed_log import PUBLIC, fill_log, seal_of, verify

JANUARY = datetime(2026, 1, 20, tzinfo=UTC)
APRIL = datetime(2026, 4, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of three months: 300, 40 and 260 records, and one of the next."""
    path = tmp_path_factory.mktemp("months") / "gate.db"
    store = SqliteStore.open(path)
    clock = ManualClock(JANUARY)
    seal = seal_of(clock)
    for count in (300, 40, 260, 1):
        store.write_now(lambda tx, count=count: fill_log(tx, count, seal=seal))
        store.write_now(seal.checkpoint)
        clock.advance(timedelta(days=25).total_seconds())
    store.close_now()
    return path


def written(book: Path, directory: Path, now: datetime = APRIL) -> list[Path]:
    segments = Segments(SqliteFile(book), directory)
    while (part := segments.due(now)) is not None:
        for _ in segments.write(part):
            pass
    return list(segments.files())


def checked(*paths: Path, anchors: tuple[Anchor, ...] = ()) -> Finding:
    """Verify with all three, which must agree."""
    found = (
        verify_file(paths[0], verify=verify, anchors=anchors)
        if len(paths) == 1
        else verify_segments(paths, verify=verify, anchors=anchors)
    )
    shown = [(anchor.size, anchor.root) for anchor in anchors]
    result, _ = ordergate_verify.verify(paths, PUBLIC, shown)
    line = {"files": [str(path) for path in paths], "anchors": [f"{s}:{r}" for s, r in shown]}
    (node,) = node_verdicts(PUBLIC, [json.dumps(line)])
    ours = (found.verdict.exit_code, found.seq)
    if len(paths) > 1 or not anchors:
        assert ours == (result.code, result.seq) == node, (found, result.reason, node)
    return found


def test_closed_months_are_written_once_and_read_only(book: Path, tmp_path: Path) -> None:
    files = written(book, tmp_path)
    assert [path.name[-27:] for path in files] == [
        "000000001-000000300.jsonl.gz"[-27:],
        "000000301-000000340.jsonl.gz"[-27:],
        "000000341-000000600.jsonl.gz"[-27:],
    ]
    before = [path.read_bytes() for path in files]
    assert written(book, tmp_path) == files
    assert [path.read_bytes() for path in files] == before
    assert all(path.stat().st_mode & 0o222 == 0 for path in files)
    assert Segments(SqliteFile(book), tmp_path / "other").due(JANUARY) is None, (
        "a month that goes on"
    )


def test_a_million_records_close_a_segment_too(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "RECORDS_MAX", 280)
    part = Segments(SqliteFile(book), tmp_path).due(JANUARY)
    assert part is not None
    assert part.last == 256, "the newest checkpoint within the bound"


def test_each_segment_proves_itself_and_all_prove_the_whole(book: Path, tmp_path: Path) -> None:
    files = written(book, tmp_path)
    for path, size in zip(files, (300, 340, 600), strict=True):
        assert checked(path) == Finding(verdict=Verdict.OK, size=size, root=checked(path).root), (
            path
        )
    assert checked(*files).size == 600
    root = checked(*files).root
    assert root is not None
    assert checked(*files, anchors=(Anchor(600, root[:8]),)).verdict is Verdict.OK
    assert checked(*files, anchors=(Anchor(600, "0" * 8),)).verdict is Verdict.TAMPERED
    beyond = checked(*files, anchors=(Anchor(601, root),))
    assert (beyond.verdict, beyond.seq) == (Verdict.CUT, 601)


@pytest.mark.slow
def test_a_segment_that_is_missing_cut_or_touched_is_found(book: Path, tmp_path: Path) -> None:
    one, two, three = written(book, tmp_path)
    gone = checked(one, three)
    assert (gone.verdict, gone.seq) == (Verdict.CUT, 301)
    twice = checked(one, two, two)
    assert twice.verdict is Verdict.TAMPERED
    lines = gzip.decompress(three.read_bytes()).decode().splitlines(keepends=True)

    def spoilt(*kept: str) -> Finding:
        path = tmp_path / "spoilt.jsonl.gz"
        path.write_bytes(gzip.compress("".join(kept).encode()))
        return checked(path)

    short = spoilt(*lines[:100])
    assert (short.verdict, short.seq) == (Verdict.CUT, 440)
    edited = spoilt(*lines[:99], lines[99].replace("local-agent", "other-agent"), *lines[100:])
    assert (edited.verdict, edited.seq) == (Verdict.TAMPERED, 439)
    assert spoilt(*lines[:-1]).verdict is Verdict.TAMPERED, "the checkpoint that closes it"
    opening = json.loads(lines[0])["segment"]
    for change in ({"prev": "00" * 32}, {"previous": ""}, {"log_id": "log-2"}, {"last": 599}):
        line = json.dumps({"segment": opening | change}) + "\n"
        assert spoilt(line, *lines[1:]).verdict is not Verdict.OK, change
    for change in ({"peaks": []}, {"prev": "00"}, {"first": "1"}, {"peaks": [1]}):
        line = json.dumps({"segment": opening | change}) + "\n"
        assert spoilt(line, *lines[1:]).verdict is Verdict.UNVERIFIABLE, change
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(three.read_bytes()[:-300])
    assert checked(torn).verdict is Verdict.UNVERIFIABLE
    export = tmp_path / "gate.db"
    shutil.copy(book, export)
    assert verify_segments([one, export], verify=verify).verdict is Verdict.UNVERIFIABLE


def test_the_gateway_writes_what_is_due_beside_its_work(book: Path, tmp_path: Path) -> None:
    archiving = Archiving(Segments(SqliteFile(book), tmp_path), clock=ManualClock(APRIL))

    async def three_times() -> None:
        for _ in range(4):
            await archiving.keep()

    asyncio.run(three_times())
    assert len(list(tmp_path.glob("*.gz"))) == 3
    lost = Archiving(
        Segments(SqliteFile(tmp_path / "absent.db"), tmp_path), clock=ManualClock(APRIL)
    )
    asyncio.run(lost.keep())  # told in the log, and tried again
