"""Where price alerts and watchlists are kept: with the books, in one transaction with the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ordergate.model.price_alerts import PriceAlert, Watchlist
from ordergate.model.values import PrincipalId
from ordergate.ports.audit_log import AuditTx

T = TypeVar("T")


class WatchTx(AuditTx, Protocol):
    def price_alerts(self, *, limit: int) -> Sequence[PriceAlert]:
        """Return everybody's alerts that are not done, oldest first."""
        ...

    def price_alerts_of(self, principal: PrincipalId, *, limit: int) -> Sequence[PriceAlert]:
        """Return one principal's alerts, oldest first."""
        ...

    def price_alert(self, alert_id: str) -> PriceAlert | None: ...

    def put_price_alert(self, alert: PriceAlert) -> None:
        """Insert the alert, or give the one of this id these values."""
        ...

    def remove_price_alert(self, alert_id: str) -> None: ...

    def watchlists_of(self, principal: PrincipalId, *, limit: int) -> Sequence[Watchlist]:
        """Return one principal's lists by name."""
        ...

    def put_watchlist(self, kept: Watchlist) -> None:
        """Insert the list, or give the one of this name these values."""
        ...

    def remove_watchlist(self, principal: PrincipalId, name: str) -> None: ...


class WatchStore(Protocol):
    async def write(self, work: Callable[[WatchTx], T]) -> T:
        """Run `work` in one durable transaction; JournalUnwritable when it could not be made so."""
        ...

    async def read(self, work: Callable[[WatchTx], T]) -> T: ...
