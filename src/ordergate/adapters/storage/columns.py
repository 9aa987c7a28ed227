"""The gate's columns and tables, in the words that the definitions are written in.

Decimals are plain text, times ISO 8601 UTC text of fixed width (so that text order is time order).
"""

from __future__ import annotations

from typing import Final

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

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
WIDE: Final = BigInteger().with_variant(Integer(), "sqlite")  # 64 bits in either dialect


def text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def maybe(name: str) -> Column[str]:
    return Column(name, Text)


def number(name: str) -> Column[int]:
    return Column(name, WIDE, nullable=False)


def index_of_known(column: str, *columns: str) -> Index:
    """Return an index of the rows that have a value in `column`."""
    return Index(None, *columns, sqlite_where=literal_column(column).is_not(None))


def table(
    name: str, *parts: Column[str] | Column[int] | Index | CheckConstraint | UniqueConstraint
) -> Table:
    return Table(name, METADATA, *parts, sqlite_strict=True)
