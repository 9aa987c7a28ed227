"""What looks at the market beside the order line: price alerts and watchlists, news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ordergate.audit.seal import Seal
from ordergate.market.alerts.watch import Watch
from ordergate.market.feed.subscribe import Market
from ordergate.model.views import Change
from ordergate.ports.price_alerts import WatchStore
from ordergate.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    watch: Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the outlook stands on: the books, the seal, the clock, and who is told."""

    store: WatchStore
    seal: Seal
    clock: Clock
    ids: Ids
    publish: Callable[[Change], None]


def outlook(market: Market, on: Standing) -> Outlook:
    return Outlook(
        watch=Watch(
            store=on.store,
            seal=on.seal,
            market=market,
            clock=on.clock,
            ids=on.ids,
            publish=on.publish,
        )
    )
