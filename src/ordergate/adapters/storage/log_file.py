"""A sealed log as a file: the database itself, or its export in JSON lines; read, checked, written.

An export holds one object a line: {"record": ...}, {"checkpoint": ...}, at last {"head": ...}. A
segment begins with {"segment": ...} instead, ends in a checkpoint, and may be compressed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import typing
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

from sqlalchemy import Table, bindparam, select

from ordergate.adapters.keys import signed_under
from ordergate.adapters.storage import link
from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.link import Database, NotDurable
from ordergate.adapters.storage.statements import text_of
from ordergate.adapters.storage.tables import AUDIT, AUDIT_HEAD, CHECKPOINTS
from ordergate.audit.chain import Broken, Link
from ordergate.audit.checkpoint import (
    Anchor,
    Finding,
    Opening,
    Peaks,
    Verdict,
    Verify,
    verify_log,
    verify_part,
)
from ordergate.audit.keyring import ROTATED, keyring
from ordergate.model.canonical import canonical, iso
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow

T = TypeVar("T", AuditHead, CheckpointRow, AuditRow)
_SQLITE: Final = b"SQLite format 3\x00"
_TYPES: Final = {kind: typing.get_type_hints(kind) for kind in (AuditHead, CheckpointRow, AuditRow)}
_HASH_BYTES: Final = 32
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)  # no sealed body says this

_A: Final = AUDIT.c
_ROWS: Final = text_of(
    select(_A.seq, _A.ts, _A.kind, _A.actor, _A.corr, _A.body, _A.h)
    .where(_A.seq > bindparam("after"))
    .order_by(_A.seq)
)
_ROTATED: Final = text_of(
    select(_A.seq, _A.ts, _A.kind, _A.actor, _A.corr, _A.body, _A.h)
    .where(_A.kind == bindparam("kind"))
    .order_by(_A.seq)
)
_HEADS: Final = text_of(select(AUDIT_HEAD))
_CHECKPOINTS: Final = text_of(select(CHECKPOINTS).order_by(CHECKPOINTS.c.size))


class Unreadable(Exception):
    """The file is no log, or cannot be read to its end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What a segment says of itself: where it begins, and the record it ends with."""

    opening: Opening
    last: int


@dataclasses.dataclass(frozen=True, slots=True)
class Log:
    """One consistent read; `rows` can be walked once, while the file is open."""

    head: AuditHead | None
    checkpoints: Sequence[CheckpointRow]
    rows: Iterator[AuditRow]
    rotated: Sequence[AuditRow] = ()  # the records of new keys
    rows_after: Callable[[int], Iterator[AuditRow]] | None = None  # of a database alone
    part: Part | None = None  # of a segment alone


def verify_file(
    place: Path | Database, *, verify: Verify, anchors: Sequence[Anchor] = ()
) -> Finding:
    """Check the log in a database, an export or a segment, also beside a running gateway."""
    try:
        with open_log(place) as log:
            ring = keys_of(log.rotated, verify)
            if isinstance(ring, Finding):
                return ring
            return verified(log, ring, anchors)
    except Unreadable as error:
        return Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error))


def keys_of(rotated: Sequence[AuditRow], pinned: Verify) -> Verify | Finding:
    """Return the check under all keys of a log, or what is wrong with a change of keys."""
    ring = keyring(rotated, pinned=pinned, signed=signed_under)
    if not isinstance(ring, Broken):
        return ring
    return Finding(verdict=Verdict.TAMPERED, size=0, seq=ring.seq, reason=ring.reason)


def verified(log: Log, verify: Verify, anchors: Sequence[Anchor]) -> Finding:
    """Check an open log under all its keys."""
    if log.part is not None:
        return verify_part(
            log.rows,
            opening=log.part.opening,
            last=log.part.last,
            checkpoints=log.checkpoints,
            verify=verify,
            anchors=anchors,
        )
    return verify_log(
        log.rows,
        head=log.head,
        checkpoints=log.checkpoints,
        verify=verify,
        anchors=anchors,
        exported=log.rows_after is None,
    )


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
def open_log(place: Path | Database) -> Iterator[Log]:
    """Open a database (one snapshot, read-only) or an export; raise Unreadable."""
    if isinstance(place, Path):
        if not _is_sqlite(place):
            with _export(place) as log:
                yield log
            return
        place = SqliteFile(place)
    try:
        with _database(place) as log:
            yield log
    except (NotDurable, place.errors) as error:
        raise Unreadable(f"{place.name}: {error}") from error


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from error


@contextlib.contextmanager
def _database(database: Database) -> Iterator[Log]:
    with database.looked_at() as reading:
        heads = [_made(AuditHead, row) for row in _named(reading, _HEADS, AUDIT_HEAD)]
        notes = _named(reading, _CHECKPOINTS, CHECKPOINTS)
        yield Log(
            head=heads[0] if heads else None,
            checkpoints=[_made(CheckpointRow, row) for row in notes],
            rows=_rows(reading, {"after": 0}),
            rotated=tuple(_rows(reading, {"kind": ROTATED}, sql=_ROTATED)),
            rows_after=lambda after: _rows(reading, {"after": after}),
        )


def _named(reading: link.Link, sql: str, table: Table) -> Iterator[Mapping[str, Any]]:
    for row in reading.stream(sql, {}):
        yield dict(zip(table.columns.keys(), row, strict=True))


def _rows(reading: link.Link, values: Mapping[str, Any], *, sql: str = _ROWS) -> Iterator[AuditRow]:
    for seq, ts, kind, actor, corr, body, h in reading.stream(sql, values):
        if type(seq) is not int or type(body) is not str:
            raise Unreadable("the audit table is not ours")
        yield AuditRow(
            seq=seq, ts=_sealed_at(ts), kind=kind, actor=actor, corr=corr, body=body, h=h
        )


@contextlib.contextmanager
def _export(path: Path) -> Iterator[Log]:
    # Read twice, so that a log larger than memory can be checked.
    head, part = None, None
    checkpoints, rotated = [], []
    for kind, fields in _lines(path):
        if kind == "head":
            head = _made(AuditHead, fields)
        elif kind == "checkpoint":
            checkpoints.append(_made(CheckpointRow, fields))
        elif kind == "segment":
            part = _part(fields)
        elif fields.get("kind") == ROTATED:
            rotated.append(_row(fields))
    rows = (_row(fields) for kind, fields in _lines(path) if kind == "record")
    yield Log(head=head, checkpoints=checkpoints, rows=rows, rotated=rotated, part=part)


def _row(fields: Mapping[str, Any]) -> AuditRow:
    return _made(AuditRow, {**fields, "ts": _sealed_at(fields.get("ts"))})


def part_line(part: Part) -> str:
    """Return a segment's first line."""
    opening = part.opening
    said = {
        "log_id": opening.log_id,
        "first": opening.link.seq + 1,
        "last": part.last,
        "prev": opening.link.h,
        "peaks": opening.peaks.hashes,
        "previous": opening.previous,
    }
    return canonical({"segment": said})


def _part(fields: Mapping[str, Any]) -> Part:
    try:
        before = fields["first"] - 1
        opening = Opening(
            log_id=fields["log_id"],
            link=Link(before, fields["prev"]),
            peaks=Peaks(before, tuple(fields["peaks"])),
            previous=fields["previous"],
        )
        texts = (opening.log_id, opening.previous, opening.link.h, *opening.peaks.hashes)
        whole = type(before) is type(fields["last"]) is int and before >= 0
        if not whole or any(type(text) is not str for text in texts):
            raise Unreadable("a segment's first line has a bad field")
        if any(len(bytes.fromhex(text)) != _HASH_BYTES for text in texts[2:]):
            raise Unreadable("a segment's first line has a bad hash")
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"a segment's first line is none: {error}") from None
    if len(opening.peaks.hashes) != before.bit_count():
        raise Unreadable("a segment's first line has other peaks than its size")
    return Part(opening, fields["last"])


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield _entry(line, number)
    except (EOFError, zlib.error, OSError) as error:
        raise Unreadable(f"{path.name}: {error}") from error


def _entry(line: str, number: int) -> tuple[str, Mapping[str, Any]]:
    try:
        ((kind, fields),) = json.loads(line).items()
    except (ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(f"line {number} is no entry of a log") from error
    if kind not in ("record", "checkpoint", "head", "segment") or not isinstance(fields, dict):
        raise Unreadable(f"line {number} is no entry of a log")
    return kind, fields


def _sealed_at(ts: Any) -> datetime:
    """Return the time; one that no body says where the text is not as it was sealed."""
    try:
        at = datetime.fromisoformat(ts)
        return at if iso(at) == ts else _NO_TIME
    except (TypeError, ValueError, OverflowError):
        return _NO_TIME


def _made(kind: type[T], fields: Mapping[str, Any]) -> T:
    """Return the record; Unreadable where a field is absent or of the wrong type."""
    try:
        values = {name: fields[name] for name in _TYPES[kind]}
    except (KeyError, IndexError) as error:
        raise Unreadable(f"a {kind.__name__} lacks a field: {error}") from None
    for name, expected in _TYPES[kind].items():
        if type(values[name]) is not expected:
            raise Unreadable(f"a {kind.__name__} has a bad {name}")
    return kind(**values)
