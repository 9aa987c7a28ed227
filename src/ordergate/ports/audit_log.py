"""The sealed log: appended to inside a transaction, read by anyone who may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ordergate.model.records import AuditHead, AuditRow, CheckpointRow


class AuditTx(Protocol):
    """The log's part of one transaction. Only `audit.seal` calls the writing half."""

    def audit_head(self) -> AuditHead | None: ...

    def append_audit(
        self, row: AuditRow, head: AuditHead, sign: Callable[[AuditHead], AuditHead]
    ) -> None:
        """Add a record and its head; the head is signed once, when the transaction ends."""
        ...

    def add_checkpoint(self, row: CheckpointRow) -> None: ...

    def last_checkpoint(self) -> CheckpointRow | None: ...

    def checkpoints(self, *, after: int, limit: int) -> Sequence[CheckpointRow]:
        """Return checkpoints with size > after, smallest first."""
        ...

    def audit_hashes(self, *, after: int, upto: int) -> Sequence[str]:
        """Return the leaf bodies' canonical text of records after..upto, in order."""
        ...

    def audit_rows(
        self, *, after: int, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        """Return rows with seq > after, oldest first."""
        ...

    def audit_tail(
        self, *, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        """Return the newest rows, oldest first."""
        ...
