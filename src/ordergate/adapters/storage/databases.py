"""Which kind of database the books lie in."""

from __future__ import annotations

from pathlib import Path

from ordergate.adapters.storage.connection import SqliteFile
from ordergate.adapters.storage.link import Database
from ordergate.model.errors import NotSupported


def books_at(path: Path, url: str | None, *, alone: bool) -> Database:
    """Return the file, or the PostgreSQL database where one is named.

    `alone` claims a PostgreSQL database for one gateway; a file is claimed by its directory's lock.
    """
    if url is None:
        return SqliteFile(path)
    try:
        from ordergate.adapters.storage.postgres import Postgres
    except ImportError as error:
        raise NotSupported(
            f"journal.database_url needs PostgreSQL's driver: {error}",
            fix="pip install 'ordergate[postgres]'",
        ) from error
    return Postgres(url, alone=alone)
