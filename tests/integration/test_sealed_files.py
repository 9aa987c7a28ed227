"""Attacks on real files: our verifier and the independent one find the same, at the same place."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ordergate.adapters.storage.log_file import export_log, open_log, verify_file
from ordergate.adapters.storage.store import SqliteStore
from ordergate.audit.checkpoint import Anchor, Finding, Verdict
from support import oracle_verify
from support.sealed_log import PUBLIC, fill_log, seal_of, sealed_database, verify

SIZE = 600
TABLES = ("audit", "checkpoints", "audit_head")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "gate.db"
    sealed_database(path, SIZE)
    return path


@pytest.fixture
def database(master: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(master, tmp_path / "gate.db"))


def checked(path: Path, *anchors: Anchor) -> Finding:
    """Verify with both verifiers; they must agree on the verdict and on the record."""
    finding = verify_file(path, verify=verify, anchors=anchors)
    given = [(anchor.size, anchor.root) for anchor in anchors]
    code, _ = oracle_verify.verdict(path, PUBLIC, given)
    assert code == finding.verdict.exit_code, (finding, code)
    return finding


def edit(path: Path, *statements: str) -> None:
    """Write as an attacker does: the triggers are a speed bump only."""
    with sqlite3.connect(path) as connection:
        for trigger in ("update", "delete"):
            for table in ("audit", "checkpoints"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def exported(database: Path) -> Path:
    path = database.with_suffix(".jsonl")
    with open_log(database) as log, path.open("w", encoding="utf-8") as out:
        export_log(log, out)
    return path


def test_an_untouched_log_holds(database: Path) -> None:
    assert checked(database).verdict is Verdict.OK


def test_an_export_is_the_same_log(database: Path, tmp_path: Path) -> None:
    path = exported(database)
    assert checked(path) == checked(database)
    with open_log(path) as one, open_log(database) as other:
        assert one.head == other.head
        assert list(one.checkpoints) == list(other.checkpoints)
        assert list(one.rows) == list(other.rows)
    again = tmp_path / "again.jsonl"
    with open_log(path) as log, again.open("w", encoding="utf-8") as out:
        assert export_log(log, out) == SIZE
    assert again.read_bytes() == path.read_bytes()


def test_a_log_is_verified_beside_the_gateway_that_writes_it(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "gate.db")
    seal = seal_of()
    for size in (5, 10, 15):
        store.write_now(lambda tx: fill_log(tx, 5, seal=seal))
        finding = checked(tmp_path / "gate.db")
        assert (finding.verdict, finding.size) == (Verdict.OK, size)
    store.close_now()


@pytest.mark.parametrize(
    ("act", "verdict", "seq"),
    [
        ("UPDATE audit SET actor = 'operator' WHERE seq = 10", Verdict.TAMPERED, 10),
        ("UPDATE audit SET ts = replace(ts, 'T', ' ') WHERE seq = 10", Verdict.TAMPERED, 10),
        ("UPDATE audit SET ts = 'yesterday' WHERE seq = 10", Verdict.TAMPERED, 10),
        ("UPDATE audit SET body = body || ' ' WHERE seq = 600", Verdict.TAMPERED, 600),
        ("DELETE FROM audit WHERE seq = 300", Verdict.TAMPERED, 300),
        ("DELETE FROM audit WHERE seq > 590", Verdict.CUT, 591),
        ("DELETE FROM audit", Verdict.CUT, 1),
        ("DELETE FROM audit_head", Verdict.TAMPERED, None),
        ("UPDATE audit_head SET size = 599", Verdict.TAMPERED, 599),
        ("DELETE FROM checkpoints WHERE size = 512", Verdict.TAMPERED, 257),
        ("DELETE FROM checkpoints", Verdict.TAMPERED, 1),
        ("UPDATE checkpoints SET note = replace(note, 'log-1', 'log-2')", Verdict.TAMPERED, 1),
        ("DROP TABLE audit_head", Verdict.UNVERIFIABLE, None),
    ],
)
def test_a_touched_database_is_found(
    database: Path, act: str, verdict: Verdict, seq: int | None
) -> None:
    edit(database, act)
    finding = checked(database)
    assert finding.verdict is verdict
    assert seq is None or finding.seq == seq


def test_an_older_copy_is_found_by_an_anchor_alone(database: Path, tmp_path: Path) -> None:
    root = checked(database).root
    assert root is not None
    old = tmp_path / "old.db"
    sealed_database(old, 400)
    assert checked(old).verdict is Verdict.OK
    finding = checked(old, Anchor(SIZE, root))
    assert (finding.verdict, finding.seq) == (Verdict.CUT, 401)
    assert checked(database, Anchor(SIZE, root)).verdict is Verdict.OK
    assert checked(database, Anchor(SIZE, "0" * 64)).verdict is Verdict.TAMPERED


def spoilt_line(text: str, chance: random.Random) -> str:
    raw = bytearray(text.encode())
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(7)
    return bytes(raw).decode("utf-8", "surrogateescape")


def without(lines: list[str], chance: random.Random) -> list[str]:
    place = chance.randrange(len(lines))
    return [*lines[:place], *lines[place + 1 :]]


def doubled(lines: list[str], chance: random.Random) -> list[str]:
    place = chance.randrange(len(lines) - 1)  # a second head is the same head
    return [*lines[: place + 1], *lines[place:]]


def flipped(lines: list[str], chance: random.Random) -> list[str]:
    place = chance.randrange(len(lines))
    return [*lines[:place], spoilt_line(lines[place], chance), *lines[place + 1 :]]


def foreign_value(lines: list[str], chance: random.Random) -> list[str]:
    place = chance.randrange(len(lines))
    ((kind, fields),) = json.loads(lines[place]).items()
    fields[chance.choice(sorted(fields))] = chance.choice([None, 7, "x", [], 10**30])
    return [*lines[:place], json.dumps({kind: fields}), *lines[place + 1 :]]


def shortened(lines: list[str], chance: random.Random) -> list[str]:
    """Drop the newest entries but keep the head."""
    return [*lines[: chance.randrange(len(lines) - 1)], lines[-1]]


@pytest.mark.parametrize("attack", [without, doubled, flipped, foreign_value, shortened])
def test_no_attack_on_an_export_is_missed(
    database: Path, attack: Callable[[list[str], random.Random], list[str]]
) -> None:
    path = exported(database)
    lines = path.read_text("utf-8").splitlines()
    chance = random.Random(attack.__name__)
    for _ in range(30):
        path.write_text("\n".join(attack(lines, chance)) + "\n", "utf-8", errors="surrogateescape")
        finding = verify_file(path, verify=verify)
        code, _ = oracle_verify.verdict(path, PUBLIC)
        assert finding.verdict is not Verdict.OK, finding
        assert code != 0
        if Verdict.UNVERIFIABLE not in (finding.verdict, list(Verdict)[code]):
            assert code == finding.verdict.exit_code


def test_what_is_no_log_is_unverifiable(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(range(256)))
    deep = tmp_path / "deep"
    deep.write_text("[" * 100_000)
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    for path in (absent, noise, deep, other, tmp_path):
        finding = verify_file(path, verify=verify)
        assert finding.verdict is Verdict.UNVERIFIABLE
        assert finding.reason


def test_a_torn_database_is_never_ok(database: Path) -> None:
    whole = database.read_bytes()
    for part in (1, 2, 3):
        database.write_bytes(whole[: len(whole) * part // 4])
        assert verify_file(database, verify=verify).verdict is not Verdict.OK


def test_the_independent_verifier_runs_alone(database: Path) -> None:
    script = oracle_verify.SCRIPT
    ran = subprocess.run(
        [sys.executable, "-I", str(script), str(database), "--pub", PUBLIC],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "ok"), ran.stderr
