"""Segments: closed months of the record beside the database, compressed, proven by themselves.

The database keeps every record. A segment ends at a checkpoint, so that it can be written, and
verified for years, without the signing key.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import bindparam, func, literal_column, select

from ordergate.adapters.storage import link
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.log_file import (
    Log,
    Part,
    Unreadable,
    keys_of,
    open_log,
    part_line,
    verified,
)
from ordergate.adapters.storage.statements import text_of
from ordergate.adapters.storage.tables import AUDIT, CHECKPOINTS
from ordergate.audit.chain import Link
from ordergate.audit.checkpoint import (
    Anchor,
    Finding,
    Opening,
    Verdict,
    Verify,
    hash_of,
    peaks_of,
)
from ordergate.model.canonical import canonical
from ordergate.model.records import CheckpointRow

RECORDS_MAX: Final = 1_000_000  # in one segment
PAGE: Final = 512
_NAME: Final = re.compile(r"audit-[0-9a-z]{8}-(\d{9})-(\d{9})\.jsonl\.gz")
_SHORT: Final = 8  # of the log's id, in a name
_MONTH: Final = len("2026-01")

_A: Final = AUDIT.c
_C: Final = CHECKPOINTS.c
_COLUMNS: Final = ("seq", "ts", "kind", "actor", "corr", "body", "h")
_FIELDS: Final = tuple(_A[name] for name in _COLUMNS)
_AT: Final = text_of(select(_A.ts).where(_A.seq == bindparam("seq")))
_NOTE_AT: Final = text_of(select(CHECKPOINTS).where(_C.size == bindparam("size")))
_ANY_NOTE: Final = text_of(
    select(CHECKPOINTS).order_by(_C.size).limit(literal_column("1")).offset(literal_column("0"))
)
_NOTES: Final = text_of(
    select(CHECKPOINTS)
    .where(_C.size > bindparam("after"), _C.size <= bindparam("last"))
    .order_by(_C.size)
)
# The last checkpoint whose newest record is of the month, or of one before.
_END: Final = text_of(
    select(func.max(_C.size))
    .select_from(CHECKPOINTS.join(AUDIT, _A.seq == _C.size))
    .where(_C.size > bindparam("after"), _C.size <= bindparam("most"))
    .where(literal_column(f"substr(audit.ts, 1, {_MONTH})") <= bindparam("month"))
)
_NEXT: Final = text_of(select(func.min(_C.size)).where(_C.size > bindparam("after")))
_SIZE: Final = text_of(select(func.max(_A.seq)))
_PAGE: Final = text_of(
    select(*_FIELDS)
    .where(_A.seq > bindparam("after"), _A.seq <= bindparam("last"))
    .order_by(_A.seq)
)


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of one database, in a directory of their own."""

    database: Database
    directory: Path

    def files(self) -> Sequence[Path]:
        """Return the segments that are there, in their order."""
        found = self.directory.glob("audit-*.jsonl.gz")
        return sorted(path for path in found if _NAME.fullmatch(path.name))

    def due(self, now: datetime) -> Part | None:
        """Return the oldest part that is closed and not written yet: a month, or a million."""
        with self.database.looked_at() as reading:
            after = self._written(reading)
            first = reading.cursor().execute(_AT, {"seq": after + 1}).fetchone()
            (size,) = reading.cursor().execute(_SIZE, {}).fetchone()
            if first is None:
                return None
            month = str(first[0])[:_MONTH]
            if month >= f"{now:%Y-%m}" and size - after < RECORDS_MAX:
                return None
            most = after + RECORDS_MAX
            given = {"after": after, "most": most, "month": month}
            (last,) = reading.cursor().execute(_END, given).fetchone()
            if last is None:  # a month without a checkpoint goes with what follows it
                (last,) = reading.cursor().execute(_NEXT, {"after": after}).fetchone()
            return None if last is None else Part(_opening(reading, after), int(last))

    def write(self, part: Part) -> Iterator[int]:
        """Write a part, page by page; yield the records so far. The file is there at the end."""
        opening = part.opening
        before = opening.link.seq
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"audit-{_short(opening.log_id)}-{before + 1:09}-{part.last:09}.jsonl.gz"
        fresh = self.directory / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with self.database.looked_at() as reading, fresh.open("xb") as file:
            with gzip.GzipFile(fileobj=file, filename="", mode="wb", mtime=0) as packed:
                packed.write(f"{part_line(part)}\n".encode())
                given = {"after": before, "last": part.last}
                notes = [_note(row) for row in reading.stream(_NOTES, given)]
                for after in range(before, part.last, PAGE):
                    given = {"after": after, "last": min(after + PAGE, part.last)}
                    page = reading.cursor().execute(_PAGE, given).fetchall()
                    packed.write("".join(_lines(page, notes)).encode())
                    yield given["last"] - before
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(stat.S_IREAD)
        fresh.replace(self.directory / name)

    def _written(self, reading: link.Link) -> int:
        """Return the last record of this log that is in a segment."""
        mine = _short(_log_of(reading))
        ends = [
            int(matched[2])
            for path in self.files()
            if (matched := _NAME.fullmatch(path.name)) and path.name.split("-")[1] == mine
        ]
        return max(ends, default=0)


def verify_segments(
    paths: Sequence[Path], *, verify: Verify, anchors: Sequence[Anchor] = ()
) -> Finding:
    """Check segments in their order, each by itself and as what follows from the one before."""
    try:
        with contextlib.ExitStack() as stack:
            logs = [stack.enter_context(open_log(path)) for path in paths]
            return _in_order(logs, verify, anchors)
    except Unreadable as error:
        return Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error))


def _in_order(logs: Sequence[Log], pinned: Verify, anchors: Sequence[Anchor]) -> Finding:
    verify = keys_of([row for log in logs for row in log.rotated], pinned)
    if isinstance(verify, Finding):
        return verify
    finding = Finding(verdict=Verdict.OK, size=0)
    end: Opening | None = None
    for log in logs:
        if log.part is None:
            raise Unreadable("several files are read together only where all are segments")
        gap = None if end is None else _gap(end, log.part.opening)
        if gap is not None:
            return gap
        finding = verified(log, verify, anchors)
        if finding.verdict is not Verdict.OK:
            return finding
        end = _after(log.checkpoints[-1])
    beyond = [anchor.size for anchor in anchors if anchor.size > finding.size]
    if beyond:
        reason = f"{min(beyond)} records were proven before"
        seq = finding.size + 1
        return Finding(verdict=Verdict.CUT, size=finding.size, seq=seq, reason=reason)
    return finding


def _gap(end: Opening, opening: Opening) -> Finding | None:
    size = end.link.seq
    if opening == end:
        return None
    missing = opening.link.seq > size
    return Finding(
        verdict=Verdict.CUT if missing else Verdict.TAMPERED,
        size=size,
        seq=size + 1,
        reason=f"the next segment begins at {opening.link.seq + 1}"
        if missing
        else "a segment does not follow from the one before",
    )


def _after(row: CheckpointRow) -> Opening:
    """Return where the part begins that follows a checkpoint."""
    said = json.loads(row.note)
    link = Link(row.size, said["head"])
    return Opening(log_id=said["origin"], link=link, peaks=peaks_of(row), previous=hash_of(row))


def _opening(reading: link.Link, after: int) -> Opening:
    row = reading.cursor().execute(_NOTE_AT, {"size": after}).fetchone()
    if row is not None:
        return _after(_note(row))
    if after:
        raise Unreadable(f"the checkpoint at {after} is missing")
    return Opening(log_id=_log_of(reading))


def _log_of(reading: link.Link) -> str:
    row = reading.cursor().execute(_ANY_NOTE, {}).fetchone()
    return "" if row is None else str(json.loads(_note(row).note)["origin"])


def _note(row: Sequence[object]) -> CheckpointRow:
    size, note, sig = row
    return CheckpointRow(size=int(str(size)), note=str(note), sig=str(sig))


def _short(log_id: str) -> str:
    return re.sub(r"[^0-9a-z]", "", log_id.lower())[:_SHORT].ljust(_SHORT, "0")


def _lines(page: Sequence[Sequence[object]], notes: list[CheckpointRow]) -> Iterator[str]:
    """Yield a page's lines, each checkpoint after its last record; what was written is dropped."""
    for row in page:
        yield canonical({"record": dict(zip(_COLUMNS, row, strict=True))}) + "\n"
        while notes and notes[0].size <= int(str(row[0])):
            yield canonical({"checkpoint": notes.pop(0)}) + "\n"
