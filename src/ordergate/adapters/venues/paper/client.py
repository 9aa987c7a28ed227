"""The venue's file: its own SQLite database, one durable transaction per change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from ordergate.adapters.venues.paper.book import (
    PAYMENTS,
    AccountRow,
    Book,
    CashRow,
    FillRow,
    OrderRow,
    PositionRow,
    RefusalRow,
    Work,
)

VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 5

_PLACED: Final = "placed"
_APPLIED: Final = "applied"


class ForeignFile(Exception):
    """The file is no paper venue's, or of a version this program does not know."""


class History(NamedTuple):
    orders: list[OrderRow]
    refusals: list[RefusalRow]
    fills: list[FillRow]
    applied: list[str]
    cash: list[CashRow]


def _columns(row: type[Any]) -> str:
    return ", ".join(f'"{field}"' for field in row._fields)


def _table(name: str, row: type[Any]) -> str:
    texts = {field for field, kind in row.__annotations__.items() if kind == "str"}
    columns = ", ".join(
        f'"{field}" {"TEXT" if field in texts else "INTEGER"} NOT NULL' for field in row._fields
    )
    return f"CREATE TABLE {name} ({columns}, PRIMARY KEY (number)) WITHOUT ROWID"


def _put(name: str, row: type[Any]) -> str:
    marks = ", ".join("?" * len(row._fields))
    return f"INSERT OR REPLACE INTO {name} ({_columns(row)}) VALUES ({marks})"


_SCHEMA: Final = (
    _table("orders", OrderRow),
    "CREATE INDEX orders_open ON orders (status) WHERE done_at = 0",
    "CREATE INDEX orders_done ON orders (done_at)",
    "CREATE INDEX orders_group ON orders (oco_group) WHERE oco_group <> ''",
    _table("positions", PositionRow),
    "CREATE INDEX positions_open ON positions (steps) WHERE steps > 0",
    _table("fills", FillRow),
    "CREATE INDEX fills_time ON fills (time)",
    _table("refusals", RefusalRow),
    "CREATE INDEX refusals_at ON refusals (at)",
    "CREATE TABLE tags (tag TEXT PRIMARY KEY, did TEXT NOT NULL, at INTEGER NOT NULL)"
    " WITHOUT ROWID",
    "CREATE INDEX tags_at ON tags (at)",
    "CREATE TABLE instruments (symbol TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE account (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " balance INTEGER NOT NULL, day TEXT NOT NULL, day_end INTEGER NOT NULL,"
    " day_start_equity INTEGER NOT NULL, realised_today INTEGER NOT NULL,"
    " next_number INTEGER NOT NULL, venue_time INTEGER NOT NULL)",
)
# Files of before there were payments lack this table.
_CASH: Final = (
    _table("cash", CashRow).replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1),
    "CREATE INDEX IF NOT EXISTS cash_at ON cash (at)",
)
_PUT_ORDER: Final = _put("orders", OrderRow)
_PUT_POSITION: Final = _put("positions", PositionRow)
_PUT_FILL: Final = _put("fills", FillRow)
_PUT_REFUSAL: Final = _put("refusals", RefusalRow)
_PUT_CASH: Final = _put("cash", CashRow)
_PUT_ACCOUNT: Final = (
    f"INSERT OR REPLACE INTO account (one, {_columns(AccountRow)}) VALUES (1, ?, ?, ?, ?, ?, ?, ?)"
)


class VenueFile:
    """One connection writes, one reads history; calls on each must follow one another."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raise ForeignFile for one that is not ours."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write = _connect(path)
        version = self._write.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not self._write.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._create()
        elif version != VERSION:
            self._write.close()
            raise ForeignFile(f"{path} has version {version}, not {VERSION}")
        for statement in _CASH:
            self._write.execute(statement)
        self._read = _connect(path)

    def _create(self) -> None:
        self._write.execute("BEGIN IMMEDIATE")
        for statement in (*_SCHEMA, f"PRAGMA user_version = {VERSION}"):
            self._write.execute(statement)
        self._write.execute("COMMIT")

    def load(self) -> Book | None:
        """Return what is open and the account; None for a new file."""
        account = self._write.execute(f"SELECT {_columns(AccountRow)} FROM account").fetchone()
        if account is None:
            return None
        orders = self._write.execute(
            f"SELECT {_columns(OrderRow)} FROM orders WHERE done_at = 0 ORDER BY number"
        )
        positions = self._write.execute(
            f"SELECT {_columns(PositionRow)} FROM positions WHERE steps > 0 ORDER BY number"
        )
        return Book(
            account=AccountRow(*account),
            orders={row[0]: OrderRow(*row) for row in orders},
            positions={row[0]: PositionRow(*row) for row in positions},
            paid_in=self._paid_in(),
        )

    def _paid_in(self) -> int:
        kinds = ", ".join(f"'{kind}'" for kind in sorted(PAYMENTS))
        paid = self._write.execute(f"SELECT sum(amount) FROM cash WHERE kind IN ({kinds})")
        return int(paid.fetchone()[0] or 0)

    def commit(self, work: Work) -> None:
        """Make a change durable, all of it or nothing; any error means nothing."""
        write = self._write
        write.execute("BEGIN IMMEDIATE")
        try:
            if work.tags:
                write.executemany("INSERT INTO tags VALUES (?, ?, ?)", work.tags)
            if work.changed_orders:
                write.executemany(_PUT_ORDER, work.changed_orders.values())
            if work.changed_positions:
                write.executemany(_PUT_POSITION, work.changed_positions.values())
            if work.fills:
                write.executemany(_PUT_FILL, work.fills)
            if work.refusals:
                write.executemany(_PUT_REFUSAL, work.refusals)
            if work.cash:
                write.executemany(_PUT_CASH, work.cash)
            if work.instruments:
                write.executemany("INSERT INTO instruments VALUES (?, ?)", work.instruments)
            write.execute(_PUT_ACCOUNT, work.account)
            write.execute("COMMIT")
        finally:
            if write.in_transaction:
                write.execute("ROLLBACK")

    def instruments(self) -> dict[str, str]:
        """Return the specifications the books were kept in, as text."""
        return dict(self._write.execute("SELECT symbol, spec FROM instruments"))

    def knows_tag(self, tag: str) -> bool:
        return self._any("SELECT 1 FROM tags WHERE tag = ?", tag)

    def knows_order(self, number: int) -> bool:
        return self._any("SELECT 1 FROM orders WHERE number = ?", number)

    def group_spent(self, oco_group: str) -> bool:
        """Say whether an order of the group was executed or triggered, ever."""
        return self._any(
            "SELECT 1 FROM orders WHERE oco_group = ? AND oco_group <> '' AND triggered = 1",
            oco_group,
        )

    def _any(self, query: str, value: str | int) -> bool:
        return self._write.execute(query, (value,)).fetchone() is not None

    def history(self, since: int) -> History:
        """Read all of the account since a moment, in one consistent read."""
        read = self._read
        read.execute("BEGIN")
        try:
            orders = read.execute(
                f"SELECT {_columns(OrderRow)} FROM orders"
                " WHERE done_at = 0 OR done_at >= ? ORDER BY number",
                (since,),
            ).fetchall()
            refusals = read.execute(
                f"SELECT {_columns(RefusalRow)} FROM refusals WHERE at >= ? ORDER BY number",
                (since,),
            ).fetchall()
            fills = read.execute(
                f"SELECT {_columns(FillRow)} FROM fills WHERE time >= ? ORDER BY number", (since,)
            ).fetchall()
            applied = read.execute(
                "SELECT tag FROM tags WHERE did = ? AND at >= ?", (_APPLIED, since)
            ).fetchall()
            cash = read.execute(
                f"SELECT {_columns(CashRow)} FROM cash WHERE at >= ? ORDER BY number", (since,)
            ).fetchall()
        finally:
            read.execute("COMMIT")
        return History(
            [OrderRow(*row) for row in orders],
            [RefusalRow(*row) for row in refusals],
            [FillRow(*row) for row in fills],
            [row[0] for row in applied],
            [CashRow(*row) for row in cash],
        )

    def close(self) -> None:
        self._read.close()
        self._write.close()


def placed(tag: str, at: int) -> tuple[str, str, int]:
    """Return the row that spends an order's tag."""
    return (tag, _PLACED, at)


def applied(tag: str, at: int) -> tuple[str, str, int]:
    """Return the row that remembers a modification or cancel as carried out."""
    return (tag, _APPLIED, at)


def read_venue_time(path: Path) -> int | None:
    """Return the last venue time that a file kept; None where there is no file yet."""
    if not path.exists():
        return None
    with closing(_connect(path)) as connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            return None
        row = connection.execute("SELECT venue_time FROM account").fetchone()
    return None if row is None else int(row[0])


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
