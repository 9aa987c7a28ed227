"""Managed exits inside a transaction: one row for each position the gate acts on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, literal_column, null

from ordergate.adapters.storage.statements import Shelf, given
from ordergate.adapters.storage.tables_beside import EXIT_GUARDS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.records import Guard
from ordergate.model.values import AccountId, PositionId

_G = EXIT_GUARDS.c
_GUARDS: Final = Shelf(EXIT_GUARDS, Guard)
_OPEN: Final = _GUARDS.select(_G.ended_at.is_(null()), order_by=(_G.created_at,))
_OF_POSITION: Final = _GUARDS.select(
    given(_G.account), given(_G.position_id), _G.ended_at.is_(null())
)
_PUT: Final = _GUARDS.update(
    given(_G.guard_id), _G.ver == bindparam("ver") - literal_column("1"), but=("guard_id",)
)


class ExitsTx(Transaction):
    def guards(self) -> Sequence[Guard]:
        return self._records(_GUARDS, _OPEN)

    def guard(self, account: AccountId, position_id: PositionId) -> Guard | None:
        return self._record(_GUARDS, _OF_POSITION, account=account, position_id=position_id)

    def add_guard(self, guard: Guard) -> None:
        self._add(_GUARDS, guard)

    def put_guard(self, guard: Guard) -> None:
        self._put(_PUT, _GUARDS.rows.to_row(guard))
