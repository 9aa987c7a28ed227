"""SQL texts: built from the tables by SQLAlchemy, compiled once, run through the driver's cursor.

Named parameters, two dialects; no statement of a table is written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Generic

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement, UnaryExpression

from ordergate.adapters.storage.rows import R, Rows

_SQLITE: Final = sqlite.dialect(paramstyle="named")
_POSTGRES: Final = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
_Insert = Callable[[Table], Any]  # either dialect's; they are spelled alike and share no type


class Sql(str):
    """A statement as SQLite reads it; `postgres` is the same one in the other dialect."""

    _other: ClauseElement

    @cached_property
    def postgres(self) -> str:
        return str(self._other.compile(dialect=_POSTGRES))


def text_of(statement: ClauseElement, other: ClauseElement | None = None) -> Sql:
    """Return a statement's SQL with named parameters; `other` where PostgreSQL needs another."""
    text = Sql(statement.compile(dialect=_SQLITE))
    text._other = statement if other is None else other
    return text


def upsert(table: Table) -> Sql:
    """Return: insert a row, or give the row with this primary key these values."""
    return text_of(_upsert(sqlite.insert, table), _upsert(postgresql.insert, table))


def _upsert(insert_into: _Insert, table: Table) -> ClauseElement:
    fresh = insert_into(table)
    keys = {column.name for column in table.primary_key}
    news = {column.name: fresh.excluded[column.name] for column in table.c}
    for key in keys:
        del news[key]
    row = fresh.values(_binds(column.name for column in table.c)).inline()
    updated: ClauseElement = row.on_conflict_do_update(index_elements=sorted(keys), set_=news)
    return updated


def addition(table: Table, *, once_per: Sequence[ColumnElement[Any]] = ()) -> Sql:
    """Return: insert a row, or nothing where one with these columns' values is there.

    Without `once_per`: where anything unique of it is taken. A column the database numbers itself
    is left out.
    """
    parts = _addition(sqlite.insert, table, once_per), _addition(postgresql.insert, table, once_per)
    return text_of(*parts)


def _addition(
    insert_into: _Insert, table: Table, once_per: Sequence[ColumnElement[Any]]
) -> ClauseElement:
    names = (column.name for column in table.c if column is not table.autoincrement_column)
    row = insert_into(table).values(_binds(names)).inline()
    added: ClauseElement = row.on_conflict_do_nothing(index_elements=once_per or None)
    return added


def given(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return: the column equals the parameter of its own name."""
    return column == bindparam(column.key)


def one_of(column: ColumnElement[Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return: the column is in a JSON list, the parameter of its name and an s; in each dialect."""
    listed = bindparam(f"{column.key}s", type_=Text)
    lists = func.json_each(listed), func.json_array_elements_text(cast(listed, postgresql.JSON))
    here, there = (each.table_valued("value") for each in lists)
    return column.in_(select(here.c.value)), column.in_(select(there.c.value))


class Shelf(Generic[R]):
    """One table of records of one kind: its statements, and the way between row and record."""

    def __init__(self, table: Table, kind: type[R]) -> None:
        self.table: Final = table
        self.rows: Final = Rows(kind)
        self.insert: Final = addition(table)

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
