"""A database of a test's own on the PostgreSQL server of this machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest

SERVER = os.environ.get(
    "ORDERGATE_TEST_POSTGRES", "postgresql://postgres:postgres@127.0.0.1:5432/postgres"
)


@contextmanager
def fresh_database(*, like: str = "template0") -> Iterator[str]:
    """Make an empty database, give its address, and drop it; skip where no server answers."""
    name = f"ordergate_{secrets.token_hex(8)}"
    with _admin() as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" ENCODING UTF8')
    try:
        yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with _admin() as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def copied(url: str) -> AbstractContextManager[str]:
    """Copy a database that nobody is connected to."""
    return fresh_database(like=url.rpartition("/")[2])


def empty(url: str) -> None:
    """Take all rows out of a database, also those that are append-only; its tables stay."""
    with psycopg.connect(url, connect_timeout=5) as database:
        database.execute("SET LOCAL session_replication_role = replica")
        found = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in found.fetchall():
            if table != "alembic_version":
                database.execute(f'DELETE FROM "{table}"')


def _admin() -> psycopg.Connection[object]:
    try:
        return psycopg.connect(SERVER, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        pytest.skip(
            f"no PostgreSQL at {SERVER.rsplit('@', 1)[-1]}: make postgres starts one: {error}"
        )
