"""A sealed log as a file: the database itself, or its export in JSON lines; read, checked, written.

An export holds one object a line: {"record": ...}, {"checkpoint": ...}, at last {"head": ...}.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sqlite3
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

from sqlalchemy import bindparam, select

from ordergate.adapters.storage.connection import BUSY_MS
from ordergate.adapters.storage.statements import text_of
from ordergate.adapters.storage.tables import AUDIT, AUDIT_HEAD, CHECKPOINTS
from ordergate.audit.checkpoint import Anchor, Finding, Verdict, verify_log
from ordergate.model.canonical import canonical, iso
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow

T = TypeVar("T", AuditHead, CheckpointRow, AuditRow)
_SQLITE: Final = b"SQLite format 3\x00"
_TYPES: Final = {kind: typing.get_type_hints(kind) for kind in (AuditHead, CheckpointRow, AuditRow)}
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)  # no sealed body says this

_A: Final = AUDIT.c
_ROWS: Final = text_of(
    select(_A.seq, _A.ts, _A.kind, _A.actor, _A.corr, _A.body, _A.h)
    .where(_A.seq > bindparam("after"))
    .order_by(_A.seq)
)
_HEADS: Final = text_of(select(AUDIT_HEAD))
_CHECKPOINTS: Final = text_of(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size))


class Unreadable(Exception):
    """The file is no log, or cannot be read to its end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Log:
    """One consistent read; `rows` can be walked once, while the file is open."""

    head: AuditHead | None
    checkpoints: Sequence[CheckpointRow]
    rows: Iterator[AuditRow]
    rows_after: Callable[[int], Iterator[AuditRow]] | None = None  # of a database alone


def verify_file(
    path: Path, *, verify: Callable[[bytes, bytes], bool], anchors: Sequence[Anchor] = ()
) -> Finding:
    """Check the log in a database or an export, also beside a running gateway."""
    try:
        with open_log(path) as log:
            return verify_log(
                log.rows,
                head=log.head,
                checkpoints=log.checkpoints,
                verify=verify,
                anchors=anchors,
            )
    except Unreadable as error:
        return Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error))


def export_log(log: Log, out: TextIO) -> int:
    """Write the log as JSON lines, each checkpoint after its last record; return the records."""
    count = 0
    notes = iter(log.checkpoints)
    following = next(notes, None)
    for row in log.rows:
        out.write(canonical({"record": row}) + "\n")
        count += 1
        while following is not None and following.size <= row.seq:
            out.write(canonical({"checkpoint": following}) + "\n")
            following = next(notes, None)
    if log.head is not None:
        out.write(canonical({"head": log.head}) + "\n")
    return count


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[Log]:
    """Open a database (one snapshot, read-only) or an export; raise Unreadable."""
    try:
        with path.open("rb") as file:
            is_database = file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from error
    try:
        with _database(path) if is_database else _export(path) as log:
            yield log
    except sqlite3.Error as error:
        raise Unreadable(f"{path.name}: {error}") from error


@contextlib.contextmanager
def _database(path: Path) -> Iterator[Log]:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_MS / 1_000
    )
    # Bytes that are no text must be read as wrong, not end the reading.
    connection.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        heads = [_made(AuditHead, row) for row in connection.execute(_HEADS)]
        yield Log(
            head=heads[0] if heads else None,
            checkpoints=[_made(CheckpointRow, row) for row in connection.execute(_CHECKPOINTS)],
            rows=_rows(connection, 0),
            rows_after=functools.partial(_rows, connection),
        )
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, after: int) -> Iterator[AuditRow]:
    for seq, ts, kind, actor, corr, body, h in connection.execute(_ROWS, {"after": after}):
        if type(seq) is not int or type(body) is not str:
            raise Unreadable("the audit table is not ours")
        yield AuditRow(
            seq=seq, ts=_sealed_at(ts), kind=kind, actor=actor, corr=corr, body=body, h=h
        )


@contextlib.contextmanager
def _export(path: Path) -> Iterator[Log]:
    # Read twice, so that a log larger than memory can be checked.
    head = None
    checkpoints = []
    for kind, fields in _lines(path):
        if kind == "head":
            head = _made(AuditHead, fields)
        elif kind == "checkpoint":
            checkpoints.append(_made(CheckpointRow, fields))
    rows = (
        _made(AuditRow, {**fields, "ts": _sealed_at(fields.get("ts"))})
        for kind, fields in _lines(path)
        if kind == "record"
    )
    yield Log(head=head, checkpoints=checkpoints, rows=rows)


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            try:
                ((kind, fields),) = json.loads(line).items()
            except (ValueError, AttributeError, RecursionError) as error:
                raise Unreadable(f"line {number} is no entry of a log") from error
            if kind not in ("record", "checkpoint", "head") or not isinstance(fields, dict):
                raise Unreadable(f"line {number} is no entry of a log")
            yield kind, fields


def _sealed_at(ts: Any) -> datetime:
    """Return the time; one that no body says where the text is not as it was sealed."""
    try:
        at = datetime.fromisoformat(ts)
        return at if iso(at) == ts else _NO_TIME
    except (TypeError, ValueError, OverflowError):
        return _NO_TIME


def _made(kind: type[T], fields: Mapping[str, Any] | sqlite3.Row) -> T:
    """Return the record; Unreadable where a field is absent or of the wrong type."""
    try:
        values = {name: fields[name] for name in _TYPES[kind]}
    except (KeyError, IndexError) as error:
        raise Unreadable(f"a {kind.__name__} lacks a field: {error}") from None
    for name, expected in _TYPES[kind].items():
        if type(values[name]) is not expected:
            raise Unreadable(f"a {kind.__name__} has a bad {name}")
    return kind(**values)
