"""Migrations lead to the tables the code speaks of, and every query finds its rows by index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from ordergate.adapters.storage import (
    alerts_tx,
    audit_tx,
    exits_tx,
    identity_tx,
    limits_tx,
    orders_tx,
    schema,
)
from ordergate.adapters.storage.columns import METADATA
from ordergate.adapters.storage.connection import connect
from ordergate.adapters.storage.schema import HEAD, MIGRATIONS, NewerSchema, bring_up

SMALL = {"tokens", "operators", "tightenings", "recovery_codes", "passkeys"}  # read whole by design


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "gate.db", writable=True)
    bring_up(connection)
    yield connection
    connection.close()


def test_the_newest_revision_is_the_one_the_code_speaks() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_migrations_lead_to_the_declared_tables(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'gate.db'}")
    with engine.connect() as bound:
        context = MigrationContext.configure(bound, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    loose = database.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
        " AND name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
    ).fetchall()
    assert loose == []


def test_the_tables_can_be_spoken_in_the_other_dialect() -> None:
    for table in METADATA.sorted_tables:
        text = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "STRICT" not in text


def test_bringing_up_again_changes_nothing(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database.execute("SELECT * FROM sqlite_master").fetchall()
    monkeypatch.setattr(schema, "MIGRATIONS", Path("absent"))  # would fail if it were used
    bring_up(database)
    assert database.execute("SELECT * FROM sqlite_master").fetchall() == before


def test_a_database_of_a_later_version_is_refused(database: sqlite3.Connection) -> None:
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema):
        bring_up(database)


# The last table of the first revision, and one of a later one: they are one transaction.
@pytest.mark.parametrize("taken", ["sessions", "passkeys"])
def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, taken: str) -> None:
    connection = connect(tmp_path / "gate.db", writable=True)
    connection.execute(f"CREATE TABLE {taken} (x)")
    with pytest.raises(Exception, match=taken):
        bring_up(connection)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    assert names == [taken]
    connection.close()


def test_all_revisions_are_one_transaction(tmp_path: Path) -> None:
    connection = connect(tmp_path / "gate.db", writable=True)
    spoken: list[str] = []
    connection.set_trace_callback(lambda sql: spoken.append(f"{connection.in_transaction} {sql}"))
    bring_up(connection)
    changes = [one for one in spoken if re.search(r" \s*(CREATE|INSERT|UPDATE|ALTER)", one)]
    assert len(changes) > 20
    assert [one for one in changes if not one.startswith("True")] == []
    assert sum(one.endswith("COMMIT") for one in spoken) == 1
    connection.close()


def every_query() -> Iterator[str]:
    for module in (alerts_tx, audit_tx, exits_tx, identity_tx, limits_tx, orders_tx):
        for value in vars(module).values():
            if isinstance(value, str) and value.startswith(("SELECT", "UPDATE", "DELETE")):
                yield value
    for given in product((False, True), repeat=4):
        yield orders_tx._page_of_orders(*given)
    for kind, corr, newest in product((False, True), repeat=3):
        yield audit_tx._page(kind, corr, newest=newest)


@pytest.mark.parametrize("sql", sorted(set(every_query())))
def test_no_query_reads_a_table_from_end_to_end(database: sqlite3.Connection, sql: str) -> None:
    values = dict.fromkeys(re.findall(r":(\w+)", sql))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    paged = "LIMIT" in sql
    for step in plan:
        if "VIRTUAL TABLE" in step:  # a list that came as a parameter
            continue
        scanned = re.match(r"SCAN (\w+)(.*)", step)
        # A page may walk an index from its newest end: the limit stops it.
        walks_index = (scanned and paged and "INDEX" in scanned[2]) or "checkpoints" in step
        # Every sign-in is voided at once, at a start on books that were rolled back.
        voids = sql == identity_tx._REVOKE_SESSIONS
        assert not scanned or scanned[1] in SMALL or walks_index or voids, step
        assert not (paged and "TEMP B-TREE" in step), step
