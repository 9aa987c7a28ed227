"""The gate's columns and tables, in the words that the definitions are written in.

Decimals are plain text, times ISO 8601 UTC text of fixed width. Text is ordered by its bytes in
either dialect: so text order is time order, and a minus sorts before every digit.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


@compiles(Text, "postgresql")
def _ordered_by_bytes(*_: Any, **__: Any) -> str:
    return 'TEXT COLLATE "C"'


WIDE: Final = BigInteger().with_variant(Integer(), "sqlite")  # 64 bits in either dialect


def text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def maybe(name: str) -> Column[str]:
    return Column(name, Text)


def number(name: str) -> Column[int]:
    return Column(name, WIDE, nullable=False)


def index_of_known(column: str, *columns: str) -> Index:
    """Return an index of the rows that have a value in `column`."""
    known = literal_column(column).is_not(None)
    return Index(None, *columns, sqlite_where=known, postgresql_where=known)


def table(
    name: str, *parts: Column[str] | Column[int] | Index | CheckConstraint | UniqueConstraint
) -> Table:
    return Table(name, METADATA, *parts, sqlite_strict=True)
