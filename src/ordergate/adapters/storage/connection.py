"""SQLite as the gate needs it: one file, durable, and proven to be so."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ordergate.adapters.storage.link import Link, NotDurable
from ordergate.adapters.storage.schema import bring_up

BUSY_MS: Final = 5_000
CACHE_KIB: Final = 65_536
CHECKPOINT_PAGES: Final = 4_000  # 16 MiB of write-ahead log before it is folded into the file
FULL: Final = 2  # PRAGMA synchronous=FULL: a commit is on the disk when it returns

# SQLite's own words for "this cannot be made durable, or read, now": never the fault of one work.
_AT_FAULT: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
    }
)
_PRIMARY_CODE: Final = 0xFF


class SqliteLink(sqlite3.Connection):
    """Implements Link."""

    errors = sqlite3.Error
    writable = True

    def begin(self, *, writing: bool) -> None:
        self.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    def commit(self) -> None:
        self.execute("COMMIT")

    def undo(self) -> None:
        if self.in_transaction:
            self.execute("ROLLBACK")

    def stream(self, sql: str, values: Mapping[str, Any]) -> Iterator[Any]:
        return self.execute(sql, values)

    def at_fault(self, error: Exception) -> bool:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return False
        code &= _PRIMARY_CODE
        # A reader may not write: that it tried is its own fault.
        return code in _AT_FAULT or (code == sqlite3.SQLITE_READONLY and self.writable)

    def words(self, error: Exception) -> str:
        return f"{error} ({getattr(error, 'sqlite_errorname', 'no code')})"


class SqliteFile:
    """Implements Database over one file, which one process at a time owns."""

    errors = sqlite3.Error

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.name: Final = path.name

    def link(self, *, writable: bool) -> SqliteLink:
        if writable:  # readable by its owner alone; a database keeps its mode, its log files too
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return connect(self.path, writable=writable)

    def bring_up(self, link: Link) -> None:
        assert isinstance(link, SqliteLink)
        bring_up(link)

    def as_it_lies(self) -> SqliteLink:
        # Without its write-ahead log where that cannot be used: older words are better than none.
        try:
            return self._as_it_lies("mode=ro")
        except sqlite3.Error:
            return self._as_it_lies("immutable=1")

    @contextlib.contextmanager
    def looked_at(self) -> Iterator[SqliteLink]:
        link = self._proven()
        link.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
        try:
            link.begin(writing=False)
            yield link
        finally:
            link.close()

    def is_unused(self) -> bool:
        if not self.path.exists() or self.path.stat().st_size == 0:
            return True
        try:
            with self.looked_at() as link:
                sql = "SELECT count(*) FROM sqlite_master WHERE name = 'audit'"
                return bool(link.execute(sql).fetchone() == (0,))
        except sqlite3.Error:
            return False

    def damage(self) -> str | None:
        with contextlib.closing(self._proven()) as link:
            (said,) = link.execute("PRAGMA quick_check(1)").fetchone()
        return None if said == "ok" else str(said)

    def _proven(self) -> SqliteLink:
        """Open for reading; what a lost power cut short is undone first.

        There is no journal beside a file that has its write-ahead log: only its very first moments
        leave one, and SQLite cannot roll that back where it may only read.
        """
        cut_short = self.path.with_name(f"{self.path.name}-journal").exists()
        link = self._read_only("mode=rw" if cut_short else "mode=ro")
        link.execute("PRAGMA query_only = ON")
        return link

    def _as_it_lies(self, how: str) -> SqliteLink:
        link = self._read_only(how)
        try:
            link.execute("SELECT count(*) FROM sqlite_master").fetchone()
            link.execute("PRAGMA query_only = ON")
        except sqlite3.Error:
            link.close()
            raise
        return link

    def _read_only(self, how: str) -> SqliteLink:
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?{how}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_MS / 1_000,
            factory=SqliteLink,
        )


def in_memory() -> SqliteLink:
    """Return a database that nothing outlives."""
    return sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, factory=SqliteLink
    )


def connect(path: Path, *, writable: bool) -> SqliteLink:
    """Open with WAL, synchronous=FULL, foreign keys and a bounded wait; assert each of them.

    Transactions are begun and ended by the caller; the connection may be handed to one other
    thread.
    """
    link = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1_000,
        factory=SqliteLink,
    )
    link.writable = writable
    try:
        link.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        link.execute("PRAGMA journal_mode = WAL")
        link.execute("PRAGMA synchronous = FULL")
        link.execute("PRAGMA foreign_keys = ON")
        link.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        link.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # Savepoints keep their undo pages in memory: as files they cost a sixth of an order.
        link.execute("PRAGMA temp_store = MEMORY")
        link.execute(f"PRAGMA query_only = {'OFF' if writable else 'ON'}")
        _assert_durable(link)
    except BaseException:
        link.close()
        raise
    return link


def _assert_durable(connection: sqlite3.Connection) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": FULL,
        "foreign_keys": 1,
        "busy_timeout": BUSY_MS,
    }
    for name, value in expected.items():
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise NotDurable(f"PRAGMA {name} is {found}, not {value}")
