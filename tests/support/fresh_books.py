"""Books as a first start leaves them, without running every migration anew for each test."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from ordergate.adapters.storage.store import SqliteStore


def open_books(path: Path) -> SqliteStore:
    """Open a database; where there is none, begin with a copy of one that was just migrated."""
    if not path.exists():
        shutil.copy(_migrated(), path)
    return SqliteStore.open(path)


@functools.cache
def _migrated() -> Path:
    path = Path(tempfile.mkdtemp(prefix="ordergate-books-")) / "gate.db"
    SqliteStore.open(path).close_now()
    assert [one.name for one in path.parent.iterdir()] == ["gate.db"], "nothing is left in a log"
    return path
