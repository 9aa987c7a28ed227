"""Alerts inside a transaction: what is still to be told, and what was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import null

from ordergate.adapters.storage.statements import Shelf, given, upsert
from ordergate.adapters.storage.tables_beside import ALERTS
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.alerts import AlertRecord

_A = ALERTS.c
_ALERTS: Final = Shelf(ALERTS, AlertRecord)
_ONE: Final = _ALERTS.select(given(_A.alert_id))
_OPEN: Final = _ALERTS.select(_A.ended_at.is_(null()), order_by=(_A.created_at,), limited=True)
_NEWEST: Final = _ALERTS.select(order_by=(_A.created_at.desc(), _A.alert_id.desc()), limited=True)
_PUT: Final = upsert(ALERTS)


class AlertsTx(Transaction):
    def open_alerts(self, *, limit: int) -> Sequence[AlertRecord]:
        return self._records(_ALERTS, _OPEN, row_limit=limit)

    def alerts(self, *, limit: int) -> Sequence[AlertRecord]:
        return self._records(_ALERTS, _NEWEST, row_limit=limit)

    def alert(self, alert_id: str) -> AlertRecord | None:
        return self._record(_ALERTS, _ONE, alert_id=alert_id)

    def put_alert(self, alert: AlertRecord) -> None:
        self._changed(_PUT, **_ALERTS.rows.to_row(alert))
