"""The gate's database: implements the ports Journal and IdentityStore over one SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ordergate.adapters.storage.connection import connect
from ordergate.adapters.storage.readers import Readers
from ordergate.adapters.storage.schema import bring_up
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """One writer with group commit, a few readers on snapshots. One process owns the file."""

    def __init__(self, *, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        """Open or create the database, migrated and proven durable; raise where it cannot be."""
        connection = connect(path, writable=True)
        try:
            bring_up(connection)
            readers = Readers(path)
        except BaseException:
            connection.close()
            raise
        return cls(writer=Writer(connection), readers=readers)

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
