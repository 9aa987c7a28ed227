"""SQLite connections as the gate needs them: durable, and proven to be so."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

BUSY_MS: Final = 5_000
CACHE_KIB: Final = 65_536
CHECKPOINT_PAGES: Final = 4_000  # 16 MiB of write-ahead log before it is folded into the file
FULL: Final = 2  # PRAGMA synchronous=FULL: a commit is on the disk when it returns


class NotDurable(Exception):
    """The file cannot be opened in the mode that makes a commit survive a power loss."""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open with WAL, synchronous=FULL, foreign keys and a bounded wait; assert each of them.

    Transactions are begun and ended by the caller; the connection may be handed to one other
    thread.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1_000
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        # Savepoints keep their undo pages in memory: as files they cost a sixth of an order.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA query_only = {'OFF' if writable else 'ON'}")
        _assert_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


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
