"""PostgreSQL as the gate needs it: one writer at a time over all processes, durable, bounded.

Every writing transaction first takes one lock of the whole database, as SQLite's writers do: the
sealed log has one head, and who would link to it must wait for it anyway. A lost connection is
opened again by the next transaction.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import psycopg
from psycopg import conninfo

from ordergate.adapters.storage.link import InDoubt, Link, NotDurable, Owned
from ordergate.adapters.storage.schema import current, migrate
from ordergate.adapters.storage.statements import Sql

ANSWER_S: Final = 10.0  # a server that says nothing for so long is as good as gone
CONNECT_S: Final = 5
LOCKS: Final = 1_869_768_039  # the first word of our advisory locks: "ordg"
WRITING: Final = 1
OWNING: Final = 2
PAGE: Final = 1_000  # rows of a walk fetched at once
VERSION_MIN: Final = 13_00_00  # pg_xact_status over pg_current_xact_id

_SESSION: Final = {
    "synchronous_commit": "on",
    # Another gateway that is slow to commit is no fallen server: it is waited for.
    "lock_timeout": "8s",
    "statement_timeout": "9s",
    # A process that is stopped in the middle must not keep the others from writing.
    "idle_in_transaction_session_timeout": "10s",
    "default_transaction_isolation": "read\\ committed",
    "timezone": "UTC",
    # The server must notice soon when the machine of a gateway is gone.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_REQUIRED: Final = {
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "server_encoding": "UTF8",
}
_BEGIN: Final = f"SELECT pg_current_xact_id()::text, pg_advisory_xact_lock({LOCKS}, {WRITING})"
_OWN: Final = f"SELECT pg_try_advisory_lock({LOCKS}, {OWNING})"
_OWNER: Final = (
    "SELECT application_name, coalesce(client_addr::text, 'a local socket')"
    " FROM pg_locks JOIN pg_stat_activity USING (pid)"
    f" WHERE locktype = 'advisory' AND classid = {LOCKS} AND objid = {OWNING} AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_BECAME: Final = "SELECT pg_xact_status(%(xid)s::xid8)"

T = TypeVar("T")


class _Bounded(psycopg.Connection[Any]):
    """A connection that is given up when the server does not answer in time."""

    def wait(
        self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        try:
            return super().wait(gen, interval, ANSWER_S if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {ANSWER_S:g} s") from None


class PostgresLink:
    """Implements Link and its Cursor: one session, opened again after it was lost."""

    errors = psycopg.Error

    def __init__(self, url: str, *, writable: bool, alone: bool) -> None:
        self._url = url
        self._writable = writable
        self._alone = alone
        self._xid = ""
        self._streams = 0
        self._connection = self._connected()
        self._cursor = self._connection.cursor()

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def cursor(self) -> PostgresLink:
        return self

    def execute(self, sql: str, values: Mapping[str, Any] | None = None, /) -> PostgresLink:
        self._cursor.execute(_spoken(sql), values)
        return self

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def begin(self, *, writing: bool) -> None:
        if self._connection.broken or self._connection.closed:
            self._connection = self._connected()
            self._cursor = self._connection.cursor()
        if not writing:
            self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        self.execute("BEGIN")
        row = self.execute(_BEGIN).fetchone()
        self._xid = row[0]

    def commit(self) -> None:
        try:
            self.execute("COMMIT")
        except psycopg.Error:
            if not self._connection.broken and not self._connection.closed:
                raise
            if self._became() != "committed":
                raise
        else:
            # A transaction that failed before answers COMMIT with a rollback.
            if self._cursor.statusmessage != "COMMIT":
                raise psycopg.OperationalError("the transaction was rolled back")

    def undo(self) -> None:
        with contextlib.suppress(psycopg.Error):
            if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.execute("ROLLBACK")

    def stream(self, sql: str, values: Mapping[str, Any]) -> Iterator[Any]:
        self._streams += 1
        with self._connection.cursor(name=f"walk_{self._streams}") as walk:
            walk.itersize = PAGE
            walk.execute(_spoken(sql), values)
            yield from walk

    def at_fault(self, error: Exception) -> bool:
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return self._writable  # a reader may not write; a server that may not is a standby
        lost = psycopg.OperationalError | psycopg.InternalError
        return isinstance(error, lost) or self._connection.broken

    def words(self, error: Exception) -> str:
        code = getattr(error, "sqlstate", None)
        return f"{str(error).strip()} ({code or 'no code'})"

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> _Bounded:
        connection = _connect(self._url, read_only=not self._writable)
        try:
            _assert_durable(connection)
            if self._alone:
                _own(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _became(self) -> str:
        """Ask, over a new connection, what became of a commit whose answer never came."""
        try:
            with _connect(self._url, read_only=True) as fresh:
                row = fresh.execute(_BECAME, {"xid": self._xid}).fetchone()
        except psycopg.Error as error:
            raise InDoubt("the connection was lost in a commit; it may have been done") from error
        became = None if row is None else row[0]
        if became not in ("committed", "aborted"):
            raise InDoubt(f"the connection was lost in a commit, which is {became}")
        return str(became)


class Postgres:
    """Implements Database over a PostgreSQL database; `alone`: of its gateways, the only one."""

    errors = psycopg.Error

    def __init__(self, url: str, *, alone: bool = False) -> None:
        self._url = _guarded(url)
        self._alone = alone
        said = conninfo.conninfo_to_dict(url)
        self.name: Final = f"the PostgreSQL database {said.get('dbname', '')}"

    def link(self, *, writable: bool) -> PostgresLink:
        return PostgresLink(self._url, writable=writable, alone=self._alone and writable)

    def bring_up(self, link: Link) -> None:
        if current(_revision(link)):
            return
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(self._url, connect_timeout=CONNECT_S),
            poolclass=NullPool,
        )
        with engine.connect() as bound:
            bound.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCKS}, {WRITING})")
            if not current(_revision(link)):  # another gateway may have been at it
                migrate(bound)
            bound.commit()
        engine.dispose()

    def as_it_lies(self) -> PostgresLink:
        return PostgresLink(self._url, writable=False, alone=False)

    @contextlib.contextmanager
    def looked_at(self) -> Iterator[PostgresLink]:
        link = self.as_it_lies()
        try:
            link.begin(writing=False)
            link.execute("SET LOCAL statement_timeout = '0'")  # a whole log may be walked
            yield link
        finally:
            link.close()

    def is_unused(self) -> bool:
        try:
            with self.looked_at() as link:
                return bool(link.execute("SELECT to_regclass('audit') IS NULL").fetchone()[0])
        except psycopg.Error:
            return False

    def damage(self) -> str | None:
        return None  # the server keeps checksums of its pages; every record of ours is read


def _spoken(sql: str) -> bytes:
    return (sql.postgres if isinstance(sql, Sql) else sql).encode()


def _revision(link: Link) -> str | None:
    cursor = link.cursor()
    (there,) = cursor.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not there:
        return None
    row = cursor.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _connect(url: str, *, read_only: bool) -> _Bounded:
    options = _SESSION | {"default_transaction_read_only": "on" if read_only else "off"}
    return _Bounded.connect(
        url,
        autocommit=True,  # transactions are begun and ended in words, as with the other kind
        connect_timeout=CONNECT_S,
        application_name=f"ordergate {socket.gethostname()} {os.getpid()}"[:60],
        options=" ".join(f"-c {name}={value}" for name, value in options.items()),
        tcp_user_timeout=int(ANSWER_S * 1_000),
    )


def _assert_durable(connection: psycopg.Connection[Any]) -> None:
    if connection.info.server_version < VERSION_MIN:
        raise NotDurable("ordergate needs PostgreSQL 13 or newer")
    for name, wanted in _REQUIRED.items():
        row = connection.execute(f"SHOW {name}".encode()).fetchone()
        found = None if row is None else row[0]
        if found != wanted:
            raise NotDurable(f"PostgreSQL's {name} is {found}, not {wanted}")


def _own(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(_OWN.encode()).fetchone()
    if row is not None and row[0]:
        return
    holder = connection.execute(_OWNER.encode()).fetchone()
    who = "another gateway" if holder is None else f"{holder[0]} at {holder[1]}"
    raise Owned(
        f"{who} works on this database already",
        fix="stop that gateway first, or give this one a database of its own",
    )


def _guarded(url: str) -> str:
    """Return the address with the server's certificate demanded beyond this machine."""
    said = conninfo.conninfo_to_dict(url)
    host = str(said.get("host") or "")
    if not host or host.startswith("/") or host == "localhost" or _is_loopback(host):
        return url
    return conninfo.make_conninfo(url, sslmode="verify-full")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
