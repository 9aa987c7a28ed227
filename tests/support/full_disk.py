"""A disk that is really full for the books: SQLite may take no further page, and says so itself."""

from __future__ import annotations

from typing import Any

from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from ordergate.ports.journal import JournalUnwritable

NO_LIMIT = 4_294_967_294


async def fill(store: SqliteStore) -> None:
    """Let the file grow no more, and take the room that is left in it."""
    await store.write(lambda tx: _pages(tx, 1))  # SQLite makes it the size the file has
    stuffing: Any = "x" * 3_000
    try:
        for n in range(10_000):
            await store.write(lambda tx, n=n: tx.put_fact(f"stuffing-{n}", stuffing))
    except JournalUnwritable:
        return
    raise AssertionError("the disk took everything")


async def free(store: SqliteStore) -> None:
    """Give the file room again."""
    await store.write(lambda tx: _pages(tx, NO_LIMIT))


def _pages(tx: SqlTx, most: int) -> None:
    tx._cursor.execute(f"PRAGMA max_page_count = {most}").fetchone()
