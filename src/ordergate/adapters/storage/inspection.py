"""A database looked at before it is believed: its pages, its sealed log, its states, its anchor."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import bindparam, null, select

from ordergate.adapters.storage.connection import BUSY_MS
from ordergate.adapters.storage.log_file import Log, Unreadable, open_log
from ordergate.adapters.storage.statements import text_of
from ordergate.adapters.storage.tables import ATTEMPTS, AUDIT, HALTS, ORDERS, TICKETS
from ordergate.audit.checkpoint import Finding, Verdict, verify_log, verify_tail
from ordergate.model.records import AuditHead, AuditRow

WHOLE_MAX: Final = 10_000  # records; a longer log is read from a checkpoint on
TAIL_MIN: Final = 2_000

_STATES: Final = (
    text_of(select(ORDERS.c.order_id, ORDERS.c.state)),
    text_of(select(ATTEMPTS.c.attempt_id, ATTEMPTS.c.state)),
    text_of(select(TICKETS.c.ticket_id, TICKETS.c.state)),
)
_HASH: Final = text_of(select(AUDIT.c.h).where(AUDIT.c.seq == bindparam("seq")))
_HALTS: Final = text_of(select(HALTS.c.halt_id).where(HALTS.c.released_at.is_(null())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found; `states` and `halts` are the tables' own words, not the record's."""

    finding: Finding
    head: AuditHead | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    halts: frozenset[str] = frozenset()
    anchored: str | None = None  # the hash where the anchor stands; None = the log is shorter
    whole: bool = True  # the log was read from its first record


def inspect(
    path: Path,
    *,
    verify: Callable[[bytes, bytes], bool],
    hear: Callable[[AuditRow], None],
    anchor: int | None,
) -> Inspection:
    """Check every page and record; `hear` is told each record that is read, in order."""
    try:
        _pages(path)
        with open_log(path) as log:
            finding, whole = _proven(log, verify, hear)
            head = log.head
        with _reading(path) as connection:
            states = {name: state for sql in _STATES for name, state in connection.execute(sql)}
            halts = frozenset(name for (name,) in connection.execute(_HALTS))
            at_anchor = connection.execute(_HASH, {"seq": anchor}).fetchone()
    except (Unreadable, sqlite3.Error) as error:
        return Inspection(finding=Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error)))
    return Inspection(
        finding=finding,
        head=head,
        states=states,
        halts=halts,
        anchored=None if at_anchor is None else at_anchor[0],
        whole=whole,
    )


def _proven(
    log: Log, verify: Callable[[bytes, bytes], bool], hear: Callable[[AuditRow], None]
) -> tuple[Finding, bool]:
    """Check the whole log, or of a long one what stands behind a signed checkpoint near its end.

    A start must not take minutes; `ordergate audit verify` reads from the first record always.
    """

    def heard(rows: Iterator[AuditRow]) -> Iterator[AuditRow]:
        for row in rows:
            hear(row)
            yield row

    head, start = log.head, None
    if head is not None and head.size > WHOLE_MAX:
        old = [one for one in log.checkpoints if one.size <= head.size - TAIL_MIN]
        start = old[-1] if old else None
    if head is None or start is None or log.rows_after is None:
        rows = heard(log.rows)
        return verify_log(rows, head=head, checkpoints=log.checkpoints, verify=verify), True
    rows = heard(log.rows_after(start.size))
    return verify_tail(rows, head=head, start=start, verify=verify), False


def is_unused(path: Path) -> bool:
    """Say whether a database has never held a record: absent, empty, or without our tables."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    try:
        with _reading(path) as connection:
            sql = f"SELECT count(*) FROM sqlite_master WHERE name = '{AUDIT.name}'"
            return bool(connection.execute(sql).fetchone() == (0,))
    except sqlite3.Error:
        return False


def _pages(path: Path) -> None:
    with _reading(path) as connection:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise Unreadable(f"{path.name}: {said}")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1_000)
    try:
        yield connection
    finally:
        connection.close()
