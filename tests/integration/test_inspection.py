"""A long log is looked at from a signed checkpoint on: an edit behind it shows at the start."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from ordergate.adapters.storage import inspection
from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.inspection import Inspection, inspect
from ordergate.audit.checkpoint import Verdict
from support.sealed_log import sealed_database, verify

SIZE = 1_000


@pytest.fixture(params=[100_000, 500], ids=["whole", "from a checkpoint"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(inspection, "WHOLE_MAX", request.param)
    monkeypatch.setattr(inspection, "TAIL_MIN", 200)
    path = tmp_path / "gate.db"
    assert SqliteFile(path).is_unused()
    sealed_database(path, SIZE)
    assert not SqliteFile(path).is_unused()
    return path


def looked_at(path: Path) -> tuple[Inspection, list[int]]:
    heard: list[int] = []
    found = inspect(
        SqliteFile(path), verify=verify, hear=lambda row: heard.append(row.seq), anchor=SIZE
    )
    return found, heard


def edited(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as file:
        for (name,) in file.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            file.execute(f"drop trigger {name}")
        file.execute(statement)
    file.close()


def test_a_sound_log_proves_itself_and_tells_its_end(path: Path) -> None:
    found, heard = looked_at(path)
    assert (found.finding.verdict, found.finding.size) == (Verdict.OK, SIZE)
    assert heard == list(range(1 if found.whole else 769, SIZE + 1))
    assert found.head is not None
    assert found.anchored == found.head.h


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("update audit set actor = 'operator' where seq = 900", Verdict.TAMPERED),
        ("delete from audit where seq = 900", Verdict.TAMPERED),
        ("delete from audit where seq > 990", Verdict.CUT),
        ("update audit_head set h = replace(h, 'a', 'b')", Verdict.TAMPERED),
        ("update checkpoints set sig = replace(sig, 'a', 'b') where size = 768", Verdict.TAMPERED),
    ],
)
def test_an_edit_near_the_end_is_found(path: Path, statement: str, verdict: Verdict) -> None:
    edited(path, statement)
    assert looked_at(path)[0].finding.verdict is verdict


def test_what_is_no_database_is_unverifiable(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    assert looked_at(path)[0].finding.verdict is Verdict.UNVERIFIABLE
    assert not SqliteFile(path).is_unused()


def test_the_power_lost_in_the_first_moments_leaves_an_unused_file(tmp_path: Path) -> None:
    """Before the write-ahead log is on, SQLite keeps its undo pages in a journal of its own."""
    making, path = tmp_path / "making.db", tmp_path / "gate.db"
    with contextlib.closing(sqlite3.connect(making, isolation_level=None)) as file:
        file.execute("PRAGMA cache_size = 1")
        file.execute("CREATE TABLE early (filling)")
        file.execute("BEGIN")
        file.execute("CREATE TABLE audit (seq)")
        for _ in range(200):  # more than fits in memory: the file is written before the commit
            file.execute("INSERT INTO early VALUES (randomblob(4096))")
        for suffix in ("", "-journal"):
            shutil.copyfile(f"{making}{suffix}", f"{path}{suffix}")
    assert SqliteFile(path).is_unused()
    assert not Path(f"{path}-journal").exists()
