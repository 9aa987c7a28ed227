"""A database looked at before it is believed: its pages, its sealed log, its states, its anchor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import bindparam, literal_column, null, select

from ordergate.adapters.storage.link import Database, NotDurable
from ordergate.adapters.storage.log_file import Log, Unreadable, keys_of, open_log, verified
from ordergate.adapters.storage.statements import text_of
from ordergate.adapters.storage.tables import ATTEMPTS, AUDIT, HALTS, ORDERS, TICKETS
from ordergate.audit.checkpoint import Finding, Verdict, Verify, verify_tail
from ordergate.audit.keyring import ROTATED
from ordergate.model.records import AuditHead, AuditRow

WHOLE_MAX: Final = 10_000  # records; a longer log is read from a checkpoint on
TAIL_MIN: Final = 2_000

_STATES: Final = (
    text_of(select(ORDERS.c.order_id, ORDERS.c.state)),
    text_of(select(ATTEMPTS.c.attempt_id, ATTEMPTS.c.state)),
    text_of(select(TICKETS.c.ticket_id, TICKETS.c.state)),
)
_HASH: Final = text_of(select(AUDIT.c.h).where(AUDIT.c.seq == bindparam("seq")))
_ROTATED: Final = text_of(
    select(AUDIT.c.body)
    .where(AUDIT.c.kind == bindparam("kind"))
    .order_by(AUDIT.c.seq.desc())
    .limit(literal_column("1"))
    .offset(literal_column("0"))
)
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
    database: Database,
    *,
    verify: Verify,
    hear: Callable[[AuditRow], None],
    anchor: int | None,
) -> Inspection:
    """Check every page and record; `hear` is told each record that is read, in order."""
    try:
        if (damage := database.damage()) is not None:
            raise Unreadable(f"{database.name}: {damage}")
        with open_log(database) as log:
            finding, whole = _proven(log, verify, hear)
            head = log.head
        with database.looked_at() as link:
            states = {name: state for sql in _STATES for name, state in link.stream(sql, {})}
            halts = frozenset(name for (name,) in link.stream(_HALTS, {}))
            at_anchor = link.cursor().execute(_HASH, {"seq": anchor}).fetchone()
    except (Unreadable, NotDurable, database.errors) as error:
        return Inspection(finding=Finding(verdict=Verdict.UNVERIFIABLE, size=0, reason=str(error)))
    return Inspection(
        finding=finding,
        head=head,
        states=states,
        halts=halts,
        anchored=None if at_anchor is None else at_anchor[0],
        whole=whole,
    )


def _proven(log: Log, pinned: Verify, hear: Callable[[AuditRow], None]) -> tuple[Finding, bool]:
    """Check the whole log, or of a long one what stands behind a signed checkpoint near its end.

    A start must not take minutes; `ordergate audit verify` reads from the first record always.
    """

    def heard(rows: Iterator[AuditRow]) -> Iterator[AuditRow]:
        for row in rows:
            hear(row)
            yield row

    verify = keys_of(log.rotated, pinned)
    if isinstance(verify, Finding):
        return verify, True
    head, start = log.head, None
    if head is not None and head.size > WHOLE_MAX:
        old = [one for one in log.checkpoints if one.size <= head.size - TAIL_MIN]
        start = old[-1] if old else None
    if head is None or start is None or log.rows_after is None:
        return verified(replace(log, rows=heard(log.rows)), verify, ()), True
    rows = heard(log.rows_after(start.size))
    return verify_tail(rows, head=head, start=start, verify=verify), False


def newest_rotation(database: Database) -> str | None:
    """Return the key that the newest sealed change of keys goes to; raise the driver's error."""
    with database.looked_at() as link:
        row = link.cursor().execute(_ROTATED, {"kind": ROTATED}).fetchone()
    return None if row is None else str(json.loads(row[0])["body"]["new"])
