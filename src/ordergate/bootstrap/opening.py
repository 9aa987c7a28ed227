"""The books at the start: believed only when pages, record, states and anchor agree (2.5, 0 and 1).

What does not prove itself starts exits-only on books that are read and never written. What is
older than its anchor opens, but with the kill switch on and every credential void.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ordergate.adapters.anchor_file import Anchored, Anchors, AnchorUnreadable
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.inspection import Inspection, inspect
from ordergate.adapters.storage.link import Database, NotDurable
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqlStore
from ordergate.audit.checkpoint import Finding, Verdict
from ordergate.model.records import AuditHead
from ordergate.order.journal.told import Told
from ordergate.ports.journal import JournalUnreadable

Books = SqlStore | FrozenBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The books as they were found."""

    books: Books
    damaged: str | None = None  # why nothing that adds risk may rest on them
    lost: AuditHead | None = None  # the anchor that they are older than


def open_books(
    database: Database,
    *,
    anchors: Anchors,
    verify: Callable[[bytes, bytes], bool],
    credentials: Callable[[SqlTx], None],
    keyless: str | None = None,
) -> Opened:
    """Open the database as far as it proves itself; `keyless` says why nothing can be sealed.

    `credentials` writes into books that stand in for a database that cannot even be read.
    """
    try:
        anchor = anchors.read()
    except AnchorUnreadable as error:
        return _frozen(database, f"the anchor cannot be read: {error}", credentials)
    if keyless is not None:
        return _frozen(database, f"the signing key is lost: {keyless}", credentials)
    given_up = anchor is not None and anchor.set_aside is not None
    if database.is_unused():
        if anchor is not None and not given_up:
            gone = f"{database.name} is gone: it held {anchor.head.size} records"
            return _frozen(database, gone, credentials)
        lost = None if anchor is None else anchor.head
    else:
        finding, lost = examine(database, anchor, verify=verify)
        if finding.verdict is not Verdict.OK and lost is None:
            return _frozen(database, told(finding), credentials)
    try:
        return Opened(books=SqlStore.over(database), lost=lost)
    except (database.errors, NotDurable, OSError) as error:
        return _frozen(database, f"{database.name} cannot be opened: {error}", credentials)


def examine(
    database: Database, anchor: Anchored | None, *, verify: Callable[[bytes, bytes], bool]
) -> tuple[Finding, AuditHead | None]:
    """Return what a database proves of itself, and the anchor that it is a valid older state of."""
    record = Told()
    head = None if anchor is None or anchor.set_aside is not None else anchor.head
    seen = inspect(
        database,
        verify=verify,
        hear=lambda row: record.hear(row.kind, row.corr, row.body),
        anchor=None if head is None else head.size,
    )
    if seen.finding.verdict is not Verdict.OK:
        return seen.finding, None
    differs = record.differs(seen.states, seen.halts, whole=seen.whole)
    if differs is not None:
        return _bad(seen, Verdict.TAMPERED, None, differs), None
    if head is None:
        return seen.finding, None
    if seen.head is None or seen.head.log_id != head.log_id:
        return _bad(seen, Verdict.TAMPERED, 1, "this is not the log that was anchored"), None
    if seen.head.size < head.size:
        reason = f"it ends at {seen.head.size}, and {head.size} records were anchored"
        return _bad(seen, Verdict.CUT, seen.head.size + 1, reason), head
    if seen.anchored != head.h:
        return _bad(seen, Verdict.TAMPERED, head.size, "not the record that was anchored"), None
    return seen.finding, None


def told(finding: Finding) -> str:
    """Return a finding in words."""
    where = "" if finding.seq is None else f" at record {finding.seq}"
    return f"the record is {finding.verdict}{where}: {finding.reason}"


def _bad(seen: Inspection, verdict: Verdict, seq: int | None, reason: str) -> Finding:
    return Finding(verdict=verdict, size=seen.finding.size, seq=seq, reason=reason)


def _frozen(database: Database, reason: str, credentials: Callable[[SqlTx], None]) -> Opened:
    try:
        books = FrozenBooks.of(database, reason=reason)
        try:
            books.read_now(_essentials)
        except JournalUnreadable:
            books.close_now()
            raise
    except (database.errors, NotDurable, JournalUnreadable):
        books = FrozenBooks.blank(reason=reason, begin=credentials)
    return Opened(books=books, damaged=reason)


def _essentials(tx: SqlTx) -> None:
    """Read what no door can do without: who may come in, and what is stopped."""
    tx.tokens()
    tx.operators()
    tx.halts()
    tx.tightenings()
