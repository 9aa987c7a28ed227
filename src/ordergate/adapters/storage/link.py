"""What books stand on: a database of either kind, and one connection to it.

SQLite and PostgreSQL differ here and nowhere above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ordergate.model.errors import IllegalState


class NotDurable(Exception):
    """The database cannot be opened in the mode that makes a commit survive a power loss."""


class InDoubt(Exception):
    """The connection was lost in a commit, and the database cannot be asked what became of it."""


class Owned(IllegalState):
    """Another gateway serves from this database."""


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...

    def execute(self, sql: str, values: Mapping[str, Any] = ..., /) -> Cursor: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Link(Protocol):
    """One connection. Transactions are begun and ended by the caller."""

    @property
    def errors(self) -> type[Exception]:
        """The driver's own exceptions."""
        ...

    def cursor(self) -> Cursor: ...

    def begin(self, *, writing: bool) -> None:
        """Begin a transaction: the only writer of the database, or one snapshot of it."""
        ...

    def commit(self) -> None:
        """Return when the transaction is durable; raise InDoubt where that cannot be known."""
        ...

    def undo(self) -> None:
        """Roll back what is under way, if anything is."""
        ...

    def stream(self, sql: str, values: Mapping[str, Any]) -> Iterator[Any]:
        """Walk a result too large for memory, inside a transaction."""
        ...

    def at_fault(self, error: Exception) -> bool:
        """Say whether the database itself failed, and no work that was done on it."""
        ...

    def words(self, error: Exception) -> str: ...

    def close(self) -> None: ...


class Database(Protocol):
    """Where the books lie."""

    @property
    def name(self) -> str: ...

    @property
    def errors(self) -> type[Exception]: ...

    def link(self, *, writable: bool) -> Link:
        """Connect, durable and proven to be so; raise NotDurable where it is not."""
        ...

    def bring_up(self, link: Link) -> None:
        """Run the migrations the database still lacks, all or none."""
        ...

    def as_it_lies(self) -> Link:
        """Connect to read whatever is there, and to write nothing."""
        ...

    def looked_at(self) -> AbstractContextManager[Link]:
        """Open one snapshot to be checked: what is no text is read as wrong, not refused."""
        ...

    def is_unused(self) -> bool:
        """Say whether it has never held a record: absent, empty, or without our tables."""
        ...

    def damage(self) -> str | None:
        """Return what is wrong with its pages, as far as the database itself can tell."""
        ...
