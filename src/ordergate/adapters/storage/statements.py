"""SQL texts: built from the tables by SQLAlchemy, compiled once, run through the driver's cursor.

Named parameters. Another database is another dialect and another driver; no statement is written
by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic

from sqlalchemy import ColumnElement, Table, bindparam, insert, literal_column, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement, UnaryExpression

from ordergate.adapters.storage.rows import R, Rows

_DIALECT: Final = sqlite.dialect(paramstyle="named")


def text_of(statement: ClauseElement) -> str:
    """Return a statement's SQL with named parameters."""
    return str(statement.compile(dialect=_DIALECT))


def upsert(table: Table) -> str:
    """Return: insert a row, or give the row with this primary key these values."""
    fresh = sqlite.insert(table)
    keys = {column.name for column in table.primary_key}
    news = {column.name: fresh.excluded[column.name] for column in table.c}
    for key in keys:
        del news[key]
    values = _binds(column.name for column in table.c)
    return text_of(
        fresh.values(values).on_conflict_do_update(index_elements=sorted(keys), set_=news)
    )


def insertion(table: Table) -> str:
    """Return: insert a row; a column the database numbers itself is left out."""
    names = (column.name for column in table.c if column is not table.autoincrement_column)
    return text_of(insert(table).values(_binds(names)))


def addition(table: Table, *, once_per: Sequence[ColumnElement[Any]]) -> str:
    """Return: insert a row, or nothing where one with these columns' values is there."""
    names = (column.name for column in table.c if column is not table.autoincrement_column)
    row = sqlite.insert(table).values(_binds(names))
    return text_of(row.on_conflict_do_nothing(index_elements=once_per))


def given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return: the column equals the parameter of its own name."""
    return column == bindparam(column.key)


class Shelf(Generic[R]):
    """One table of records of one kind: its statements, and the way between row and record."""

    def __init__(self, table: Table, kind: type[R]) -> None:
        self.table: Final = table
        self.rows: Final = Rows(kind)
        self.insert: Final = insertion(table)

    def select(
        self,
        *where: ColumnElement[bool],
        order_by: Sequence[ColumnElement[Any] | UnaryExpression[Any]] = (),
        limited: bool = False,
    ) -> str:
        """Return a query for whole records; `limited` takes the parameter row_limit."""
        query = select(*(self.table.c[name] for name in self.rows.names)).where(*where)
        query = query.order_by(*order_by)
        if limited:
            query = query.limit(bindparam("row_limit")).offset(literal_column("0"))
        return text_of(query)

    def update(self, *where: ColumnElement[bool], but: Iterable[str] = ()) -> str:
        """Return: give the rows found the record's values, except in the columns `but`."""
        kept = frozenset(but)
        news = _binds(name for name in self.rows.names if name not in kept)
        return text_of(update(self.table).where(*where).values(news))


def _binds(names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}
