"""A disk that is really full for the books: SQLite may take no further page, and says so itself."""

from __future__ import annotations

import contextlib
from typing import Any

from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqlStore
from ordergate.order.journal.record import Record
from ordergate.ports.journal import JournalUnwritable

NO_LIMIT = 4_294_967_294
TRIES = 20


async def fill(store: SqlStore) -> None:
    """Let the file grow no more, and take the room that is left in it."""
    with contextlib.suppress(JournalUnwritable):  # another's write shared the commit and failed
        await store.write(lambda tx: _pages(tx, 1))  # SQLite makes it the size the file has
    stuffing: Any = "x" * 3_000
    try:
        for n in range(10_000):
            await store.write(lambda tx, n=n: tx.put_fact(f"stuffing-{n}", stuffing))
    except JournalUnwritable:
        return
    raise AssertionError("the disk took everything")


async def fill_to_the_last_record(store: SqlStore, record: Record) -> None:
    """Fill the disk, and the page that the next sealed record would still have fitted into."""
    await fill(store)
    try:
        for _ in range(1_000):
            await store.write(
                lambda tx: record.note(tx, "stuffing", actor="test", corr="disk", body={})
            )
    except JournalUnwritable:
        return
    raise AssertionError("the record took everything")


async def free(store: SqlStore) -> None:
    """Give the file room again."""
    for _ in range(TRIES):
        with contextlib.suppress(JournalUnwritable):  # as above
            await store.write(lambda tx: _pages(tx, NO_LIMIT))
            return
    raise AssertionError("the disk took no room")


def _pages(tx: SqlTx, most: int) -> None:
    tx._cursor.execute(f"PRAGMA max_page_count = {most}").fetchone()
