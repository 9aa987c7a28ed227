"""Everything a door needs, wired over the fake gateway and the hand-moved market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.alerts.watch import Watch
from ordergate.market.bars.library.fetch import Library
from ordergate.market.news.fetch import Calendar, News
from ordergate.model.errors import Unauthenticated
from ordergate.model.market import Bar, Quote, Timeframe
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AuditRow
from ordergate.model.values import PrincipalId, Symbol
from ordergate.model.views import Change
from ordergate.surfaces.catalogue.dispatch import Dispatch, Observer
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.catalogue.services import GateStatus, Services, SignalFloors
from ordergate.surfaces.catalogue.throttle import Rate, Throttle
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.memory_research import MemoryResearch
from support.memory_watch import MemoryWatch
from support.stateful_gateway import FakeGateway
from support.told_news import OneStory

AGENT = Principal(PrincipalId("agent-1"), Kind.AGENT, "agent one")
OTHER = Principal(PrincipalId("agent-2"), Kind.AGENT, "agent two")
READER = Principal(PrincipalId("reader"), Kind.READ_ONLY, "reader")
OPERATOR = Principal(PrincipalId("operator:ann"), Kind.OPERATOR, "ann")
TOKENS = {"token-agent": AGENT, "token-other": OTHER, "token-reader": READER}


class Ids:
    def __init__(self) -> None:
        self._n = 0

    def new_id(self) -> str:
        self._n += 1
        return f"{self._n:032x}"


class BarMarket(ManualMarket):
    """The hand-moved market with ticks it has seen and bars made of its clock."""

    def ticks(self, symbol: Symbol, limit: int) -> tuple[Quote, ...]:
        newest = self.quote(symbol)
        return () if newest is None else (newest,)[-limit:]

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: Any = None
    ) -> tuple[Bar, ...]:
        end = before or self.venue_now()
        step: timedelta = timeframe.length
        price = Decimal("1.0850")
        return tuple(
            Bar(symbol, timeframe, end - step * n, price, price, price, price, None, True)
            for n in range(limit, 0, -1)
        )


@dataclass
class Doors:
    market: BarMarket
    clock: ManualClock
    gateway: FakeGateway
    services: Services
    dispatch: Dispatch
    operations: tuple[Operation, ...]
    changes: list[Change]
    revoked: set[str]

    async def bearer(self, token: str) -> Principal:
        if token not in TOKENS or token in self.revoked:
            raise Unauthenticated("unknown token")
        return TOKENS[token]


def _row(seq: int, kind: str, actor: str, corr: str) -> AuditRow:
    at = ManualClock().now()
    return AuditRow(seq=seq, ts=at, kind=kind, actor=actor, corr=corr, body="{}", h="a" * 64)


ROWS = (
    _row(1, "gate.started", "gateway", ""),
    _row(2, "order.accepted", "agent-1", "o1"),
    _row(3, "limits.in_force", "gateway", "p1"),
)


async def audit_tail(
    *, after: int | None, limit: int, kind: str | None, corr: str | None
) -> Sequence[AuditRow]:
    rows = [row for row in ROWS if kind in (None, row.kind) and corr in (None, row.corr)]
    return rows[-limit:] if after is None else [row for row in rows if row.seq > after][:limit]


def doors(
    *,
    data_only: bool = False,
    rate: Rate | None = None,
    observers: Sequence[Observer] = (),
    listeners: Sequence[Any] = (),
    bars: Path | None = None,
) -> Doors:
    """Return a gate with quotes for EURUSD and GBPUSD, ready for any door."""
    market, clock = BarMarket(), ManualClock()
    gateway = FakeGateway(market, clock)
    market.set("EURUSD", "1.08500", "1.08510")
    market.set("GBPUSD", "1.26500", "1.26512")
    changes: list[Change] = []

    def publish(change: Change) -> None:
        changes.append(change)
        for listener in listeners:
            listener(change)

    gateway.publish = publish
    services = Services(
        gateway=gateway,  # type: ignore[arg-type]
        market=market,  # type: ignore[arg-type]
        audit=audit_tail,
        status=lambda: GateStatus(
            version="0.1.0",
            ready=True,
            started_at=clock.now(),
            console_url="http://ordergate.localhost:8030",
        ),
        publish=publish,
        clock=clock,
        ids=Ids(),
        stored=Library(lambda: BarFiles(bars or Path("no-bars"))),
        floors=SignalFloors(confidence=Decimal("0.42"), edge=Decimal(0)),
        watch=Watch(
            store=MemoryWatch(),
            seal=None,  # type: ignore[arg-type]  # nothing fires here
            market=market,  # type: ignore[arg-type]
            clock=clock,
            ids=Ids(),
            publish=publish,
        ),
        research=MemoryResearch(),
        news=News(
            sources=(OneStory(clock),),
            calendar=Calendar(
                source=OneStory(clock), before=timedelta(minutes=15), after=timedelta(minutes=15)
            ),
            clock=clock,
        ),
    )
    chosen = operations(data_only=data_only)
    throttle = None if rate is None else Throttle(rate, clock.monotonic)
    dispatch = Dispatch(services, chosen, throttle=throttle, observers=observers)
    return Doors(market, clock, gateway, services, dispatch, chosen, changes, set())
