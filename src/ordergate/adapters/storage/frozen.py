"""Books that are read as far as they can be and never written: a database that proves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ordergate.adapters.storage.columns import METADATA
from ordergate.adapters.storage.session import SqlTx
from ordergate.ports.journal import JournalUnreadable, JournalUnwritable

T = TypeVar("T")


class FrozenBooks:
    """Implements Journal and IdentityStore over one connection that writes nothing."""

    def __init__(self, connection: sqlite3.Connection, *, reason: str) -> None:
        self._connection = connection
        self._reason = reason
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="frozen-books")

    @classmethod
    def blank(cls, *, reason: str, begin: Callable[[SqlTx], None] | None = None) -> FrozenBooks:
        """Return empty books in memory, with what `begin` puts into them."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for statement in _schema():
            connection.execute(statement)
        if begin is not None:
            begin(SqlTx(connection.cursor()))
        connection.execute("PRAGMA query_only = ON")
        return cls(connection, reason=reason)

    @classmethod
    def of(cls, path: Path, *, reason: str) -> FrozenBooks:
        """Open a database as it lies; raise sqlite3.Error where it is none."""
        # Without its write-ahead log where that cannot be used: older words are better than none.
        last: sqlite3.Error | None = None
        for how in ("mode=ro", "immutable=1"):
            uri = f"{path.absolute().as_uri()}?{how}"
            connection = sqlite3.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error as error:
                last = error
                connection.close()
                continue
            connection.execute("PRAGMA query_only = ON")
            return cls(connection, reason=reason)
        assert last is not None
        raise last

    async def write(self, work: Callable[[SqlTx], T]) -> T:
        del work
        raise JournalUnwritable(self._reason)

    def sealed(self) -> int:
        """Return the audit's length as far as it can be read."""
        with contextlib.suppress(JournalUnreadable):
            return self.read_now(lambda tx: tx.audit_size())
        return 0

    async def read(self, work: Callable[[SqlTx], T]) -> T:
        return await asyncio.wrap_future(self._pool.submit(self.read_now, work))

    def read_now(self, work: Callable[[SqlTx], T]) -> T:
        """As `read`, for callers without an event loop; raise JournalUnreadable."""
        with self._lock:
            try:
                cursor = self._connection.execute("BEGIN")
                return work(SqlTx(cursor))
            except sqlite3.Error as error:
                raise JournalUnreadable(f"the books cannot be read: {error}") from error
            finally:
                with contextlib.suppress(sqlite3.Error):
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        self._pool.shutdown()
        self._connection.close()


@functools.cache
def _schema() -> tuple[str, ...]:
    """Return the statements that make every table and index, compiled once a process."""
    dialect = sqlite.dialect()
    made: list[str] = []
    for table in METADATA.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return tuple(made)
