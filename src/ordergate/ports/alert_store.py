"""The outbox of alerts: kept with the books, read from the sealed log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ordergate.model.alerts import AlertRecord
from ordergate.ports.journal import JournalTx

T = TypeVar("T")


class AlertTx(JournalTx, Protocol):
    def open_alerts(self, *, limit: int) -> Sequence[AlertRecord]:
        """Return the alerts that are not over, oldest first."""
        ...

    def alerts(self, *, limit: int) -> Sequence[AlertRecord]:
        """Return the newest alerts, newest first."""
        ...

    def alert(self, alert_id: str) -> AlertRecord | None: ...

    def put_alert(self, alert: AlertRecord) -> None:
        """Insert the alert, or give the one of this id these values."""
        ...


class AlertStore(Protocol):
    async def write(self, work: Callable[[AlertTx], T]) -> T:
        """Run `work` in one durable transaction; JournalUnwritable when it could not be made so."""
        ...

    async def read(self, work: Callable[[AlertTx], T]) -> T: ...
