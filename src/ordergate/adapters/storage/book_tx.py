"""The whole book's rows in a transaction: underlyings, baselines, cash, what came from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Table, bindparam, literal_column, select, update

from ordergate.adapters.storage.statements import Shelf, addition, given, text_of, upsert
from ordergate.adapters.storage.tables_beside import BASELINES, CASH, EXTERNALS, UNDERLYINGS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.accounts import CashKind, CashLine
from ordergate.model.canonical import iso
from ordergate.model.records import BaselineRecord, ExternalRecord, UnderlyingRecord
from ordergate.model.values import ZERO, AccountId, PrincipalId, Symbol

_NEWEST: Final = 2**63 - 1


def _before(table: Table, names: Sequence[str]) -> str:
    """Return: a page of an account's rows older than a cursor, newest first."""
    columns = table.c
    return text_of(
        select(columns.n, *(columns[name] for name in names))
        .where(given(columns.account), columns.n < bindparam("before"))
        .order_by(columns.n.desc())
        .limit(bindparam("row_limit"))
        .offset(literal_column("0"))
    )


_U = UNDERLYINGS.c
_UNDERLYINGS: Final = Shelf(UNDERLYINGS, UnderlyingRecord)
_CONFIRMED: Final = _UNDERLYINGS.select(_U.removed_at.is_(None), order_by=(_U.n,))
_REMOVE: Final = text_of(
    update(UNDERLYINGS)
    .where(given(_U.name), given(_U.venue), _U.removed_at.is_(None))
    .values(removed_by=bindparam("removed_by"), removed_at=bindparam("removed_at"))
)

_BASELINES: Final = Shelf(BASELINES, BaselineRecord)
_BASELINE: Final = _BASELINES.select(given(BASELINES.c.account))
_PUT_BASELINE: Final = upsert(BASELINES)

_C = CASH.c
_CASH: Final = Shelf(CASH, CashLine)
_ADD_CASH: Final = addition(CASH, once_per=(_C.account, _C.line_id))
_CASH_BEFORE: Final = _before(CASH, _CASH.rows.names)
_PAYMENTS: Final = text_of(select(_C.amount).where(given(_C.account), given(_C.kind)))

_E = EXTERNALS.c
_EXTERNALS: Final = Shelf(EXTERNALS, ExternalRecord)
_ADD_EXTERNAL: Final = addition(EXTERNALS, once_per=(_E.account, _E.kind, _E.venue_id))
_EXTERNALS_BEFORE: Final = _before(EXTERNALS, _EXTERNALS.rows.names)


class BookTx(Transaction):
    def underlyings(self) -> Sequence[UnderlyingRecord]:
        return self._records(_UNDERLYINGS, _CONFIRMED)

    def add_underlying(self, row: UnderlyingRecord) -> None:
        self._add(_UNDERLYINGS, row)

    def remove_underlying(self, name: Symbol, *, venue: str, by: PrincipalId, at: datetime) -> int:
        return self._changed(_REMOVE, name=name, venue=venue, removed_by=by, removed_at=iso(at))

    def baseline(self, account: AccountId) -> BaselineRecord | None:
        return self._record(_BASELINES, _BASELINE, account=account)

    def put_baseline(self, row: BaselineRecord) -> None:
        self._changed(_PUT_BASELINE, **_BASELINES.rows.to_row(row))

    def add_cash(self, account: AccountId, line: CashLine) -> bool:
        return self._changed(_ADD_CASH, **{**_CASH.rows.to_row(line), "account": account}) == 1

    def cash(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, CashLine]]:
        newest = _NEWEST if before is None else int(before)
        rows = self._all(_CASH_BEFORE, account=account, before=newest, row_limit=limit)
        return [(str(row[0]), _CASH.rows.from_row(row[1:])) for row in rows]

    def paid_in(self, account: AccountId) -> Decimal:
        payments = (
            row
            for kind in (CashKind.DEPOSIT, CashKind.WITHDRAWAL)
            for row in self._all(_PAYMENTS, account=account, kind=kind.value)
        )
        return sum((Decimal(row[0]) for row in payments), ZERO)

    def add_external(self, row: ExternalRecord) -> bool:
        return self._changed(_ADD_EXTERNAL, **_EXTERNALS.rows.to_row(row)) == 1

    def externals(
        self, account: AccountId, *, before: str | None, limit: int
    ) -> Sequence[tuple[str, ExternalRecord]]:
        newest = _NEWEST if before is None else int(before)
        rows = self._all(_EXTERNALS_BEFORE, account=account, before=newest, row_limit=limit)
        return [(str(row[0]), _EXTERNALS.rows.from_row(row[1:])) for row in rows]
