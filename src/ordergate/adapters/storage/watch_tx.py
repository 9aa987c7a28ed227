"""Price alerts and watchlists inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, literal_column

from ordergate.adapters.storage.statements import Shelf, given, text_of, upsert
from ordergate.adapters.storage.tables_beside import PRICE_ALERTS, WATCHLISTS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.price_alerts import AlertState, PriceAlert, Watchlist
from ordergate.model.values import PrincipalId

_A = PRICE_ALERTS.c
_W = WATCHLISTS.c
_ALERTS: Final = Shelf(PRICE_ALERTS, PriceAlert)
_LISTS: Final = Shelf(WATCHLISTS, Watchlist)
_ONE: Final = _ALERTS.select(given(_A.alert_id))
_OPEN: Final = _ALERTS.select(
    _A.state != literal_column(f"'{AlertState.DONE.value}'"),
    order_by=(_A.created_at, _A.alert_id),
    limited=True,
)
_OWN: Final = _ALERTS.select(
    given(_A.principal), order_by=(_A.created_at, _A.alert_id), limited=True
)
_PUT: Final = upsert(PRICE_ALERTS)
_REMOVE: Final = text_of(delete(PRICE_ALERTS).where(given(_A.alert_id)))
_OWN_LISTS: Final = _LISTS.select(given(_W.principal), order_by=(_W.name,), limited=True)
_PUT_LIST: Final = upsert(WATCHLISTS)
_REMOVE_LIST: Final = text_of(delete(WATCHLISTS).where(given(_W.principal), given(_W.name)))


class WatchRowsTx(Transaction):
    def price_alerts(self, *, limit: int) -> Sequence[PriceAlert]:
        return self._records(_ALERTS, _OPEN, row_limit=limit)

    def price_alerts_of(self, principal: PrincipalId, *, limit: int) -> Sequence[PriceAlert]:
        return self._records(_ALERTS, _OWN, principal=principal, row_limit=limit)

    def price_alert(self, alert_id: str) -> PriceAlert | None:
        return self._record(_ALERTS, _ONE, alert_id=alert_id)

    def put_price_alert(self, alert: PriceAlert) -> None:
        self._changed(_PUT, **_ALERTS.rows.to_row(alert))

    def remove_price_alert(self, alert_id: str) -> None:
        self._changed(_REMOVE, alert_id=alert_id)

    def watchlists_of(self, principal: PrincipalId, *, limit: int) -> Sequence[Watchlist]:
        return self._records(_LISTS, _OWN_LISTS, principal=principal, row_limit=limit)

    def put_watchlist(self, kept: Watchlist) -> None:
        self._changed(_PUT_LIST, **_LISTS.rows.to_row(kept))

    def remove_watchlist(self, principal: PrincipalId, name: str) -> None:
        self._changed(_REMOVE_LIST, principal=principal, name=name)
