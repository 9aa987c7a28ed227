"""The gate's books: implements the ports Journal and IdentityStore over a database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.readers import Readers
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.writer import Writer

T = TypeVar("T")


class SqlStore:
    """One writer with group commit, a few readers on snapshots."""

    def __init__(self, *, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    @classmethod
    def over(cls, database: Database) -> Self:
        """Open or create the database, migrated and proven durable; raise where it cannot be."""
        link = database.link(writable=True)
        try:
            database.bring_up(link)
            readers = Readers(database)
        except BaseException:
            link.close()
            raise
        return cls(writer=Writer(link), readers=readers)

    async def write(self, work: Callable[[SqlTx], T]) -> T:
        """Run `work` in a transaction and return when it is durable.

        What it raises undoes it and is raised here; JournalUnwritable when the commit failed. A
        caller that is cancelled meanwhile does not know whether the work was done.
        """
        return await asyncio.wrap_future(self._writer.submit(work))

    def sealed(self) -> int:
        """Return the audit's length at the last commit; a commit under way is not in it."""
        return self._writer.sealed

    async def read(self, work: Callable[[SqlTx], T]) -> T:
        """Run `work` on one consistent snapshot, beside the writer; it cannot write."""
        return await asyncio.wrap_future(self._readers.submit(work))

    def write_now(self, work: Callable[[SqlTx], T]) -> T:
        """As `write`, for callers without an event loop."""
        return self._writer.submit(work).result()

    def read_now(self, work: Callable[[SqlTx], T]) -> T:
        """As `read`, for callers without an event loop."""
        return self._readers.submit(work).result()

    async def close(self) -> None:
        """Finish what waits, then close; later calls raise NotReady."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        self._readers.stop()
        self._writer.stop()


class SqliteStore(SqlStore):
    """The same over a file of its own."""

    @classmethod
    def open(cls, path: Path) -> Self:
        return cls.over(SqliteFile(path))
