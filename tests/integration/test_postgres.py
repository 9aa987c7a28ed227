"""The books in PostgreSQL under trouble: lost sessions, silent servers, another gateway.

A `Wire` stands between the store and the server, and does to the bytes what networks do.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from ordergate.adapters.storage import postgres
from ordergate.adapters.storage.columns import METADATA
from ordergate.adapters.storage.inspection import inspect
from ordergate.adapters.storage.link import NotDurable, Owned
from ordergate.adapters.storage.log_file import open_log, verify_file
from ordergate.adapters.storage.postgres import Postgres
from ordergate.adapters.storage.schema import HEAD, NewerSchema
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqlStore
from ordergate.audit.checkpoint import Verdict
from ordergate.ports.journal import JournalUnreadable, JournalUnwritable
from support.postgres import empty, fresh_database
from support.sealed_log import fill_log, seal_of, verify

SOON_S = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with fresh_database() as url:
        SqlStore.over(Postgres(url)).close_now()
        yield url


@pytest.fixture
def url(server: str) -> str:
    empty(server)
    return server


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = SqlStore.over(Postgres(url))
    yield opened
    opened.close_now()


@contextmanager
def behind(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The administrator's own session, whom no trigger stops."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET session_replication_role = replica")
        yield database


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class Wire:
    """Passes bytes on both ways; cuts the line around a COMMIT, refuses calls, or falls silent."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._far = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._near = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(
            f"{parts.hostname}:{parts.port}", f"127.0.0.1:{self._near.getsockname()[1]}"
        )
        self.cut: str | None = None  # "before" or "after" the next COMMIT
        self.refusing = False
        self.silent = threading.Event()
        self._unheard: set[socket.socket] = set()
        self._answered = threading.Event()
        self._open: list[socket.socket] = [self._near]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._open:
            _hang_up(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._near.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            far = socket.create_connection(self._far, timeout=5)
            far.settimeout(None)
            self._open += [client, far]
            for source, target, asks in ((client, far, True), (far, client, False)):
                threading.Thread(
                    target=self._pass, args=(source, target, asks), daemon=True
                ).start()

    def _pass(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        try:
            while data := source.recv(65_536):
                if self.silent.is_set():
                    continue
                if asks and self.cut is not None and b"COMMIT" in data:
                    if self.cut == "after":
                        self._unheard.add(target)
                        target.sendall(data)
                        self._answered.wait(5)
                    self.cut = None
                    break
                if source in self._unheard:  # the server's own answer comes, and goes no further
                    self._answered.set()
                    continue
                target.sendall(data)
        except OSError:
            pass
        _hang_up(source)
        _hang_up(target)


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    made = Wire(url)
    yield made
    made.close()


@pytest.fixture
def far(wire: Wire) -> Iterator[SqlStore]:
    """A store that reaches its server over the wire."""
    opened = SqlStore.over(Postgres(wire.url))
    yield opened
    opened.close_now()


def kept(url: str, name: str) -> object:
    with psycopg.connect(url) as database:
        row = database.execute("SELECT value FROM facts WHERE name = %s", (name,)).fetchone()
        return None if row is None else row[0]


def test_the_migrations_lead_to_the_declared_tables(url: str) -> None:
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.connect() as bound:
        context = MigrationContext.configure(bound, opts={"compare_type": False})
        assert compare_metadata(context, METADATA) == []
    with psycopg.connect(url) as database:
        loose = database.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'text'"
            " AND collation_name IS DISTINCT FROM 'C'"
        ).fetchall()
    assert loose == []  # text is ordered by its bytes


def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    with behind(url) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        try:
            with pytest.raises(NewerSchema):
                SqlStore.over(Postgres(url))
        finally:
            database.execute("UPDATE alembic_version SET version_num = %s", (HEAD,))


def test_every_session_is_durable_and_bounded(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as database:
        name = database.info.dbname
        database.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        for writable in (True, False):
            link = Postgres(url).link(writable=writable)
            shown = {
                name: link.execute(f"SHOW {name}").fetchone()[0]
                for name in ("synchronous_commit", "lock_timeout", "statement_timeout")
            }
            link.close()
            assert shown == {
                "synchronous_commit": "on",
                "lock_timeout": "8s",
                "statement_timeout": "9s",
            }
    finally:
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


def test_a_server_that_does_not_wait_for_its_disk_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._SESSION, "synchronous_commit", "off")
    with pytest.raises(NotDurable, match="synchronous_commit is off"):
        SqlStore.over(Postgres(url))


@pytest.mark.parametrize("table", ["audit", "checkpoints"])
@pytest.mark.parametrize("act", ["UPDATE {} SET sig = sig", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_sealed_log_is_append_only(store: SqlStore, url: str, table: str, act: str) -> None:
    store.write_now(lambda tx: fill_log(tx, 256))
    words = act.format(table).replace("sig = sig", "sig = sig" if table != "audit" else "h = h")
    with psycopg.connect(url) as database, pytest.raises(psycopg.Error, match="append-only"):
        database.execute(words)


def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        store.read_now(lambda tx: tx.put_fact("a", "b"))


def test_lost_sessions_are_opened_again(store: SqlStore, url: str) -> None:
    store.write_now(lambda tx: tx.put_fact("a", "1"))

    def lost(tx: SqlTx) -> None:
        tx.put_fact("a", "2")
        end_sessions(url)
        tx.put_fact("a", "3")

    with pytest.raises(JournalUnwritable):
        store.write_now(lost)
    for _ in range(2):  # each reader may hold a session that is gone
        try:
            store.read_now(lambda tx: tx.fact("a"))
        except JournalUnreadable:
            continue
    assert store.read_now(lambda tx: tx.fact("a")) == "1"
    store.write_now(lambda tx: tx.put_fact("a", "4"))
    assert store.read_now(lambda tx: tx.fact("a")) == "4"


def test_a_commit_whose_answer_is_lost_is_found_out(wire: Wire, far: SqlStore, url: str) -> None:
    wire.cut = "after"
    far.write_now(lambda tx: tx.put_fact("committed", "yes"))  # the server says that it is
    assert kept(url, "committed") == "yes"


def test_a_commit_that_never_arrived_did_not_happen(wire: Wire, far: SqlStore, url: str) -> None:
    wire.cut = "before"
    with pytest.raises(JournalUnwritable):
        far.write_now(lambda tx: tx.put_fact("committed", "no"))
    assert kept(url, "committed") is None
    far.write_now(lambda tx: tx.put_fact("again", "yes"))
    assert kept(url, "again") == "yes"


def test_a_commit_that_nobody_can_be_asked_about_is_not_called_done(
    wire: Wire, far: SqlStore, url: str
) -> None:
    wire.cut, wire.refusing = "after", True
    with pytest.raises(JournalUnwritable, match="may have been done"):
        far.write_now(lambda tx: tx.put_fact("committed", "yes"))
    assert kept(url, "committed") == "yes"


def test_a_silent_server_is_given_up(
    wire: Wire, far: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_S", SOON_S)
    far.write_now(lambda tx: tx.put_fact("a", "1"))
    wire.silent.set()
    with pytest.raises(JournalUnwritable, match="no answer within"):
        far.write_now(lambda tx: tx.put_fact("a", "2"))


def test_one_gateway_serves_from_a_database(url: str) -> None:
    first = SqlStore.over(Postgres(url, alone=True))
    with pytest.raises(Owned, match="works on this database already"):
        SqlStore.over(Postgres(url, alone=True))
    beside = SqlStore.over(Postgres(url))  # `ordergate audit verify` and its like are no gateway
    beside.close_now()
    first.close_now()
    SqlStore.over(Postgres(url, alone=True)).close_now()


def test_who_lost_the_database_to_another_writes_nothing(url: str) -> None:
    first = SqlStore.over(Postgres(url, alone=True))
    end_sessions(url)
    second = SqlStore.over(Postgres(url, alone=True))
    for _ in range(2):  # the first try finds the session gone
        with pytest.raises(JournalUnwritable):
            first.write_now(lambda tx: tx.put_fact("owner", "first"))
    second.write_now(lambda tx: tx.put_fact("owner", "second"))
    second.close_now()
    first.write_now(lambda tx: tx.put_fact("owner", "first again"))
    assert kept(url, "owner") == "first again"
    first.close_now()


def test_two_stores_seal_one_chain(url: str) -> None:
    stores = [SqlStore.over(Postgres(url)) for _ in range(2)]
    seal = seal_of()

    def fill(store: SqlStore) -> None:
        for _ in range(20):
            store.write_now(lambda tx: fill_log(tx, 2, seal=seal))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, stores))
    for store in stores:
        store.close_now()
    finding = verify_file(Postgres(url), verify=verify)
    assert (finding.verdict, finding.size) == (Verdict.OK, 80)


def test_what_was_changed_behind_our_back_is_found(store: SqlStore, url: str) -> None:
    store.write_now(lambda tx: fill_log(tx, 30))
    with behind(url) as database:
        database.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 17")
    finding = inspect(Postgres(url), verify=verify, hear=lambda row: None, anchor=None).finding
    assert (finding.verdict, finding.seq) == (Verdict.TAMPERED, 17)


def test_a_long_log_is_walked_in_pages(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE", 7)
    store.write_now(lambda tx: fill_log(tx, 40))
    with open_log(Postgres(url)) as log:
        assert log.rows_after is not None
        assert [row.seq for row in log.rows_after(5)] == list(range(6, 41))
        assert len(list(log.rows)) == 40


def test_a_database_that_cannot_be_reached_is_not_taken_for_an_empty_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nowhere = Postgres(f"postgresql://nobody@127.0.0.1:{port}/nothing")
    assert not nowhere.is_unused()
    finding = inspect(nowhere, verify=verify, hear=lambda row: None, anchor=None).finding
    assert finding.verdict is Verdict.UNVERIFIABLE
    assert "nobody" not in nowhere.name


@pytest.mark.parametrize(
    ("host", "guarded"),
    [("127.0.0.1", False), ("localhost", False), ("[::1]", False), ("db.example", True)],
)
def test_beyond_this_machine_the_servers_certificate_is_demanded(host: str, guarded: bool) -> None:
    address = postgres._guarded(f"postgresql://gate:secret@{host}/books?sslmode=disable")
    assert ("verify-full" in address) is guarded
