"""What survives a crash: the gate's books and its emergency journal.

The books are the production tables and statements on an in-memory SQLite connection; a write takes
time, and a crash may come before its commit or between the commit and the answer.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from ordergate.adapters.storage import frozen
from ordergate.adapters.storage.session import SqlTx
from ordergate.ports.emergency import EmergencyUnwritable, Spooled
from ordergate.ports.journal import JournalUnwritable

T = TypeVar("T")
NOW_S = 0.0


def connection() -> sqlite3.Connection:
    """Return empty books in memory; `Disk.wipe` makes them empty again."""
    made = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
    made.execute("PRAGMA temp_store = MEMORY")
    made.execute("PRAGMA journal_mode = MEMORY")
    for statement in frozen._schema():
        made.execute(statement)
    return made


class Disk:
    """One machine's disk; `full` makes every write fail, as long as it lasts."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self.books = books
        self.cursor = books.cursor()
        self.full = False
        self.spool: list[str] = []
        self.generation = 0
        self.busy_until = 0.0
        self.watchers: list[Callable[[], None]] = []  # called at every commit
        self.dies: Callable[[], bool] = lambda: False  # between a work and its commit
        books.execute("BEGIN")  # rolled back when the history is over: the next begins empty

    def wipe(self) -> None:
        self.books.execute("ROLLBACK")

    def commit(self, work: Callable[[SqlTx], T]) -> T:
        """Run one work as the writer does: all of it, or nothing."""
        tx = SqlTx(self.cursor)
        self.cursor.execute("SAVEPOINT work")
        try:
            if self.full:
                raise JournalUnwritable("database or disk is full (SQLITE_FULL)")
            value = work(tx)
            tx.seal_head()
            if self.dies():
                raise JournalUnwritable("the process has died")
        except BaseException:
            self.cursor.execute("ROLLBACK TO work")
            self.cursor.execute("RELEASE work")
            raise
        self.cursor.execute("RELEASE work")
        for watcher in self.watchers:
            watcher()
        return value

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.books.execute(query).fetchall()


class SimJournal:
    """Implements ports.journal.Journal: one writer, first come first served, durable on return."""

    def __init__(self, disk: Disk, chance: random.Random) -> None:
        self._disk = disk
        self._chance = chance
        self._sealed = SqlTx(disk.cursor).audit_size()

    async def write(self, work: Callable[[SqlTx], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        took = self._chance.choice((0.001, 0.002, 0.004, 0.020))
        at = max(loop.time(), self._disk.busy_until) + took
        self._disk.busy_until = at
        loop.call_at(at, self._commit, work, future)
        return await future

    def _commit(self, work: Callable[[SqlTx], T], future: asyncio.Future[T]) -> None:
        if future.cancelled():
            return  # given up before its work began: it takes the work with it
        loop = asyncio.get_running_loop()
        try:
            value = self._disk.commit(work)
        except Exception as error:  # noqa: BLE001 - its waiter is told
            loop.call_soon(_fail, future, error)
            return
        self._sealed = SqlTx(self._disk.cursor).audit_size()
        # Between the commit and the answer there is time to die.
        loop.call_later(self._chance.choice((0.0, 0.001, 0.005)), _tell, future, value)

    def sealed(self) -> int:
        return self._sealed

    async def read(self, work: Callable[[SqlTx], T]) -> T:
        await asyncio.sleep(0)
        return work(SqlTx(self._disk.cursor))


class BlankBooks:
    """Implements ports.journal.Journal: empty books that take nothing."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._cursor = books.cursor()

    async def write(self, work: Callable[[SqlTx], T]) -> T:
        del work
        raise JournalUnwritable("blank")

    def sealed(self) -> int:
        return 0

    async def read(self, work: Callable[[SqlTx], T]) -> T:
        await asyncio.sleep(0)
        return work(SqlTx(self._cursor))


class SimSpool:
    """Implements ports.emergency.EmergencyFile on the disk's small file."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def held(self) -> Spooled:
        return Spooled(
            generation=f"g{self._disk.generation}", bodies=tuple(self._disk.spool), torn=False
        )

    async def append(self, body: str) -> None:
        await asyncio.sleep(0.001)
        if len(self._disk.spool) > 1_000:
            raise EmergencyUnwritable("no room")
        self._disk.spool.append(body)

    async def renew(self) -> None:
        await asyncio.sleep(0.001)
        self._disk.spool.clear()
        self._disk.generation += 1


def _tell(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
