"""The ground every transaction stands on: a cursor inside a transaction that somebody else ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ordergate.adapters.storage.link import Cursor
from ordergate.adapters.storage.rows import Column, R
from ordergate.adapters.storage.statements import Shelf
from ordergate.ports.journal import Stale


class Transaction:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def _one(self, sql: str, **values: Column) -> Any:
        """Return the first row, or None."""
        return self._cursor.execute(sql, values).fetchone()

    def _all(self, sql: str, **values: Column) -> list[Any]:
        return self._cursor.execute(sql, values).fetchall()

    def _record(self, shelf: Shelf[R], sql: str, **values: Column) -> R | None:
        row = self._one(sql, **values)
        return None if row is None else shelf.rows.from_row(row)

    def _records(self, shelf: Shelf[R], sql: str, **values: Column) -> Sequence[R]:
        return [shelf.rows.from_row(row) for row in self._all(sql, **values)]

    def _add(self, shelf: Shelf[R], record: R, **more: Column) -> None:
        """Insert a record; raise Stale where it, or something unique of it, is there already."""
        self._insert(shelf.insert, {**shelf.rows.to_row(record), **more}, what=shelf.table.name)

    def _insert(self, sql: str, row: dict[str, Column], *, what: str) -> None:
        if not self._changed(sql, **row):
            raise Stale(f"already in {what}")

    def _put(self, sql: str, row: dict[str, Column]) -> None:
        """Update exactly one row; raise Stale when none is as it was read."""
        if not self._changed(sql, **row):
            raise Stale("the row is no longer as it was read")

    def _changed(self, sql: str, **values: Column) -> int:
        """Return how many rows the statement changed."""
        return self._cursor.execute(sql, values).rowcount
