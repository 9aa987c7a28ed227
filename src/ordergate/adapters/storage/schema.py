"""Bring a database to the schema this version speaks."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD: Final = "0011"  # newest revision in migrations/versions
MIGRATIONS: Final = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was written by a later version."""


def bring_up(connection: sqlite3.Connection) -> None:
    """Run the migrations an SQLite file still lacks, all or none."""
    if current(_revision(connection)):
        return
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as bound:
        # The driver begins no transaction before DDL; leaving without commit rolls all back.
        connection.execute("BEGIN IMMEDIATE")
        migrate(bound)
        bound.commit()


def current(found: str | None) -> bool:
    """Say whether a revision is the one this version speaks; raise NewerSchema."""
    if found is not None and found > HEAD:
        raise NewerSchema(f"the database is at revision {found}, this version knows {HEAD}")
    return found == HEAD


def migrate(bound: Connection) -> None:
    """Run what is lacking in the transaction that is open on this connection."""
    # Imported here: a start on a database that is up to date should not pay for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = bound
    command.upgrade(config, HEAD)


def _revision(connection: sqlite3.Connection) -> str | None:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    if known.fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])
