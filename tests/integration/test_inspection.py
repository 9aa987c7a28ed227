"""A long log is looked at from a signed checkpoint on: an edit behind it shows at the start."""

from __future__ import annotations

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
