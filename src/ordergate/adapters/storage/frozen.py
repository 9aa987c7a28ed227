"""Books that are read as far as they can be and never written: a database that proves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ordergate.adapters.storage.columns import METADATA
from ordergate.adapters.storage.connection import in_memory
from ordergate.adapters.storage.link import Database, Link
from ordergate.adapters.storage.session import SqlTx
from ordergate.ports.journal import JournalUnreadable, JournalUnwritable

T = TypeVar("T")


class FrozenBooks:
    """Implements Journal and IdentityStore over one connection that writes nothing."""

    def __init__(self, link: Link, *, reason: str) -> None:
        self._link = link
        self._reason = reason
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="frozen-books")

    @classmethod
    def blank(cls, *, reason: str, begin: Callable[[SqlTx], None] | None = None) -> FrozenBooks:
        """Return empty books in memory, with what `begin` puts into them."""
        link = in_memory()
        for statement in _schema():
            link.execute(statement)
        if begin is not None:
            begin(SqlTx(link.cursor()))
        link.execute("PRAGMA query_only = ON")
        return cls(link, reason=reason)

    @classmethod
    def of(cls, database: Database, *, reason: str) -> FrozenBooks:
        """Open a database as it lies; raise its driver's error where it is none."""
        return cls(database.as_it_lies(), reason=reason)

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
                self._link.begin(writing=False)
                return work(SqlTx(self._link.cursor()))
            except self._link.errors as error:
                raise JournalUnreadable(f"the books cannot be read: {error}") from error
            finally:
                with contextlib.suppress(self._link.errors):
                    self._link.undo()

    async def close(self) -> None:
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        self._pool.shutdown()
        self._link.close()


@functools.cache
def _schema() -> tuple[str, ...]:
    """Return the statements that make every table and index, compiled once a process."""
    dialect = sqlite.dialect()
    made: list[str] = []
    for table in METADATA.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return tuple(made)
