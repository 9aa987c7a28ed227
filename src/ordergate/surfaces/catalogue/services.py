"""What a handler may use: the gate, the market and a few readings, injected at the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ordergate.surfaces.catalogue.workbench import Workbench

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ordergate.market.alerts.watch import Watch
    from ordergate.market.bars.library.fetch import Library
    from ordergate.market.feed.subscribe import Market
    from ordergate.market.news.fetch import News
    from ordergate.model.records import AuditRow
    from ordergate.model.views import Change
    from ordergate.order.gateway import Gateway
    from ordergate.surfaces.catalogue.research_jobs import ResearchJobs


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStatus:
    """What the running process says of itself. `problems` are words for a person."""

    version: str
    ready: bool
    started_at: datetime
    console_url: str
    problems: tuple[str, ...] = ()
    paused: bool | None = None  # of a recording; None = the prices are none
    speed: Decimal | None = None


class AuditTail(Protocol):
    async def __call__(
        self, *, after: int | None, limit: int, kind: str | None, corr: str | None
    ) -> Sequence[AuditRow]:
        """Return rows with seq > after, or the newest where `after` is None; oldest first."""
        ...


class WallClock(Protocol):
    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFloors:
    """What the operator lets a signal be proposed from; `edge` is in units of the risk."""

    confidence: Decimal
    edge: Decimal


class IdSource(Protocol):
    def new_id(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    gateway: Gateway
    market: Market
    audit: AuditTail
    status: Callable[[], GateStatus]
    publish: Callable[[Change], None]
    clock: WallClock
    ids: IdSource
    stored: Library
    floors: SignalFloors
    bench: Workbench = field(default_factory=Workbench)
    watch: Watch | None = None  # price alerts and watchlists; None = none are kept here
    news: News | None = None  # None = there is none here
    research: ResearchJobs | None = None  # None = no jobs run here
