"""The sealed log inside a transaction: rows, the signed head, checkpoints."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, bindparam, select

from ordergate.adapters.storage.link import Cursor
from ordergate.adapters.storage.statements import Shelf, given, text_of, upsert
from ordergate.adapters.storage.tables import AUDIT, AUDIT_HEAD, CHECKPOINTS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow

Sign = Callable[[AuditHead], AuditHead]
Unsealed = tuple[AuditHead, Sign]

_A = AUDIT.c
_AUDIT: Final = Shelf(AUDIT, AuditRow)
_HEADS: Final = Shelf(AUDIT_HEAD, AuditHead)
_HEAD: Final = _HEADS.select(given(AUDIT_HEAD.c.id))
_SIZE: Final = text_of(select(AUDIT_HEAD.c.size).where(given(AUDIT_HEAD.c.id)))
_PUT_HEAD: Final = upsert(AUDIT_HEAD)
_HEAD_ID: Final = 1
_BODIES: Final = text_of(
    select(_A.body).where(_A.seq > bindparam("after"), _A.seq <= bindparam("upto")).order_by(_A.seq)
)
_C = CHECKPOINTS.c
_CHECKPOINTS: Final = Shelf(CHECKPOINTS, CheckpointRow)
_LAST_CHECKPOINT: Final = _CHECKPOINTS.select(order_by=(_C.size.desc(),), limited=True)
_CHECKPOINTS_AFTER: Final = _CHECKPOINTS.select(
    _C.size > bindparam("after"), order_by=(_C.size,), limited=True
)


class AuditLogTx(Transaction):
    def __init__(self, cursor: Cursor) -> None:
        super().__init__(cursor)
        self.unsealed: Unsealed | None = None

    def audit_head(self) -> AuditHead | None:
        if self.unsealed is not None:
            return self.unsealed[0]
        return self._record(_HEADS, _HEAD, id=_HEAD_ID)

    def audit_size(self) -> int:
        """Return how many records the log has, this transaction's included."""
        if self.unsealed is not None:
            return self.unsealed[0].size
        row = self._one(_SIZE, id=_HEAD_ID)
        return 0 if row is None else int(row[0])

    def append_audit(self, row: AuditRow, head: AuditHead, sign: Sign) -> None:
        self._add(_AUDIT, row)
        self.unsealed = head, sign

    def seal_head(self) -> None:
        """Sign and write the head of what was appended: the last act of a transaction."""
        if self.unsealed is not None:
            head, sign = self.unsealed
            self.unsealed = None
            self._changed(_PUT_HEAD, id=_HEAD_ID, **_HEADS.rows.to_row(sign(head)))

    def forget_head(self, *, standing: Unsealed | None = None) -> None:
        """Drop the head of what is undone; what stood before it stands again."""
        self.unsealed = standing

    def add_checkpoint(self, row: CheckpointRow) -> None:
        self._add(_CHECKPOINTS, row)

    def last_checkpoint(self) -> CheckpointRow | None:
        return self._record(_CHECKPOINTS, _LAST_CHECKPOINT, row_limit=1)

    def checkpoints(self, *, after: int, limit: int) -> Sequence[CheckpointRow]:
        return self._records(_CHECKPOINTS, _CHECKPOINTS_AFTER, after=after, row_limit=limit)

    def audit_hashes(self, *, after: int, upto: int) -> Sequence[str]:
        return [body for (body,) in self._all(_BODIES, after=after, upto=upto)]

    def audit_rows(
        self, *, after: int, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        sql = _page(kind is not None, corr is not None, newest=False)
        return self._records(_AUDIT, sql, after=after, kind=kind, corr=corr, row_limit=limit)

    def audit_tail(
        self, *, limit: int, kind: str | None = None, corr: str | None = None
    ) -> Sequence[AuditRow]:
        sql = _page(kind is not None, corr is not None, newest=True)
        rows = self._records(_AUDIT, sql, after=0, kind=kind, corr=corr, row_limit=limit)
        return rows[::-1]


@functools.cache
def _page(kind: bool, corr: bool, *, newest: bool) -> str:
    conditions: list[ColumnElement[bool]] = [_A.seq > bindparam("after")]
    if kind:
        conditions.append(given(_A.kind))
    if corr:
        conditions.append(given(_A.corr))
    order = _A.seq.desc() if newest else _A.seq.asc()
    return _AUDIT.select(*conditions, order_by=(order,), limited=True)
