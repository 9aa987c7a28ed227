"""Price alerts and watchlists kept in memory: the port's promises without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ordergate.model.price_alerts import AlertState, PriceAlert, Watchlist
from ordergate.model.values import PrincipalId


class MemoryWatch:
    """Implements ports.price_alerts.WatchStore and the transaction it hands out; seals nothing."""

    def __init__(self) -> None:
        self.alerts: dict[str, PriceAlert] = {}
        self.lists: dict[tuple[PrincipalId, str], Watchlist] = {}

    async def write(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def price_alerts(self, *, limit: int) -> Sequence[PriceAlert]:
        return [one for one in self.alerts.values() if one.state is not AlertState.DONE][:limit]

    def price_alerts_of(self, principal: PrincipalId, *, limit: int) -> Sequence[PriceAlert]:
        return [one for one in self.alerts.values() if one.principal == principal][:limit]

    def price_alert(self, alert_id: str) -> PriceAlert | None:
        return self.alerts.get(alert_id)

    def put_price_alert(self, alert: PriceAlert) -> None:
        self.alerts[alert.alert_id] = alert

    def remove_price_alert(self, alert_id: str) -> None:
        self.alerts.pop(alert_id, None)

    def watchlists_of(self, principal: PrincipalId, *, limit: int) -> Sequence[Watchlist]:
        return [kept for (owner, _), kept in sorted(self.lists.items()) if owner == principal]

    def put_watchlist(self, kept: Watchlist) -> None:
        self.lists[(kept.principal, kept.name)] = kept

    def remove_watchlist(self, principal: PrincipalId, name: str) -> None:
        self.lists.pop((principal, name), None)
