"""The doors over the house: REST and stream, MCP, and the operator's console."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from ordergate import __version__
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.log_file import export_log, open_log
from ordergate.alerts.push import Push
from ordergate.bootstrap.bar_sources import bars_at
from ordergate.bootstrap.house import CONSOLE_HOST, House, database_of
from ordergate.bootstrap.lookback import signal_floors
from ordergate.market.bars.library.fetch import Library
from ordergate.market.feed.subscribe import Market
from ordergate.market.hours.calendar import ends_soon
from ordergate.model.records import AuditRow
from ordergate.ports.audit_log import AuditTx
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.operations import listed, operations, toolsets_of
from ordergate.surfaces.catalogue.services import GateStatus, Services
from ordergate.surfaces.catalogue.throttle import Rate, Throttle
from ordergate.surfaces.console.alerting import Alerting, Presence
from ordergate.surfaces.console.app import Beside, console_app
from ordergate.surfaces.console.behind import principal_of
from ordergate.surfaces.console.entry import Entry
from ordergate.surfaces.edge import LOOPBACK, Authenticate, Boundary, HostGuard, boundary, by_bearer
from ordergate.surfaces.mcp.http import Access, mcp_app
from ordergate.surfaces.mcp.prompts import INSTRUCTIONS, SessionPrompts
from ordergate.surfaces.mcp.resources import CatalogueResources, is_known, touched
from ordergate.surfaces.mcp.server import mcp_server
from ordergate.surfaces.mcp.subscriptions import Subscriptions
from ordergate.surfaces.mcp.tools import CatalogueTools, permits, principal_of_request
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from ordergate.surfaces.stream.hub import Hub
from ordergate.surfaces.stream.quotes import tell_quotes
from ordergate.surfaces.stream.socket import Stream, stream_routes
from ordergate.surfaces.stream.tickets import Tickets

HTTPS: Final = 443  # a browser leaves this port out of an origin


@dataclass(slots=True)
class Life:
    """What the process knows of itself; `ready` is true between recovery and stopping."""

    started_at: datetime
    console_url: str
    public_url: str | None = None  # the console's TLS name, where a phone reaches it
    remote: tuple[str, ...] = ()  # names of the certificate, beyond this machine
    remote_port: int = 0  # of the console there
    ready: bool = False
    last_call: float = 0.0  # monotonic seconds

    @property
    def remote_origins(self) -> tuple[str, ...]:
        """Return the console's origins beyond this machine; a browser leaves :443 out."""
        port = "" if self.remote_port == HTTPS else f":{self.remote_port}"
        return tuple(f"https://{name}{port}" for name in self.remote)

    @property
    def address(self) -> str:
        """Return where the human opens the console: what every link begins with."""
        return self.public_url or next(iter(self.remote_origins), self.console_url)

    @property
    def origins(self) -> frozenset[str]:
        return frozenset({self.console_url, self.address, *self.remote_origins})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    rest: ASGIApp
    mcp: ASGIApp
    console: ASGIApp
    dispatch: Dispatch


def doors(house: House, hub: Hub, life: Life, alerts: Push) -> Doors:
    """Build every door on the one catalogue and the one dispatch."""
    offered = operations(data_only=house.settings.mcp.data_only)
    shown = listed(offered, toolsets_of(house.settings.mcp.toolsets))
    metrics = Metrics()
    hub.listen(metrics.changed)
    hub.listen(alerts.changed)
    house.market.listen(tell_quotes(house.market.quote, hub.publish))
    dispatch = _dispatch(house, hub, life, (metrics, alerts), offered)
    limits = boundary((*LOOPBACK, *life.remote))
    health = Health(
        version=__version__,
        ready=lambda: life.ready,
        trouble=lambda: house.line.emergency.trouble,
        mcp=lambda: {"tools": len(shown), "sse": house.settings.server.sse},
    )
    bearer = by_bearer(house.sign_in.bearer)

    def stream(authenticate: Authenticate) -> list[BaseRoute]:
        tickets = Tickets(monotonic=house.clock.monotonic, new_id=house.ids.new_id)
        return stream_routes(
            Stream(hub=hub, ask=dispatch, authenticate=authenticate, tickets=tickets)
        )

    rest = rest_app(
        dispatch,
        offered,
        authenticate=bearer,
        health=health,
        metrics=metrics,
        routes=stream(bearer),
    )
    behind = rest_app(
        dispatch,
        offered,
        authenticate=principal_of,
        health=health,
        metrics=metrics,
        routes=stream(Entry(house.sign_in).watcher),
    )
    alerting = Alerting(
        alerts=alerts,
        sign_in=house.sign_in,
        gateway=house.line.gateway,
        presence=Presence(health.ready, house.prove),
    )
    console = console_app(
        desk=house.line.desk,
        sign_in=house.sign_in,
        gateway=house.line.gateway,
        origins=life.origins,
        audit=_exported(database_of(house.settings)),
        beside=Beside(behind, alerting.routes()),
    )
    return Doors(
        rest=HostGuard(rest, limits),
        mcp=_mcp(house, hub, dispatch, offered, limits),
        console=console,
        dispatch=dispatch,
    )


def _dispatch(
    house: House, hub: Hub, life: Life, told: tuple[Metrics, Push], offered: Sequence[Operation]
) -> Dispatch:
    settings, clock, (metrics, alerts) = house.settings, house.clock, told

    def status() -> GateStatus:
        broken, pace = settings.limits.problem, house.pace
        problems = (
            None if broken is None else broken.message,
            house.line.emergency.trouble,
            alerts.problem(),
            *_ending_tables(house.market),
            house.market.trouble(),
        )
        return GateStatus(
            version=__version__,
            ready=life.ready,
            started_at=life.started_at,
            console_url=life.address,
            problems=tuple(filter(None, problems)),
            paused=None if pace is None else pace.paused,
            speed=None if pace is None else pace.speed,
        )

    def called(_: object) -> None:
        life.last_call = clock.monotonic()

    services = Services(
        gateway=house.line.gateway,
        market=house.market,
        audit=_audit_tail(house),
        status=status,
        publish=hub.publish,
        clock=clock,
        ids=house.ids,
        stored=Library(lambda: bars_at(house.settings)),
        floors=signal_floors(settings),
        watch=house.outlook.watch,
        news=house.outlook.news,
        research=house.research,
    )
    rate = Rate(per_second=float(settings.server.calls_per_second), burst=settings.server.burst)
    return Dispatch(
        services,
        offered,
        throttle=Throttle(rate, clock.monotonic),
        observers=(metrics.called, called),
    )


def _ending_tables(market: Market) -> Iterator[str]:
    """Say which tables of exchange hours end soon: beyond them nothing is opened."""
    for calendar in sorted({item.calendar for item in market.instruments()}):
        last = ends_soon(calendar, market.venue_now())
        if last is not None:
            yield f"the hours of {calendar} are known until {last}: update ordergate"


def _mcp(
    house: House,
    hub: Hub,
    dispatch: Dispatch,
    offered: Sequence[Operation],
    limits: Boundary,
) -> ASGIApp:
    subscriptions = Subscriptions(listen=hub.listen, touched=touched, known=is_known)
    server = mcp_server(
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=CatalogueTools(
            offered,
            dispatch,
            principal_of=principal_of_request,
            toolsets=toolsets_of(house.settings.mcp.toolsets),
        ),
        resources=CatalogueResources(dispatch, principal_of=principal_of_request),
        prompts=SessionPrompts(),
        subscriptions=subscriptions,
    )
    access = Access(
        bearer=house.sign_in.bearer,
        limits=limits,
        permits=permits(offered),
        monotonic=house.clock.monotonic,
    )
    return mcp_app(server, subscriptions, access, sse=house.settings.server.sse)


def _audit_tail(house: House) -> Any:
    async def tail(
        *, after: int | None, limit: int, kind: str | None, corr: str | None
    ) -> Sequence[AuditRow]:
        def work(tx: AuditTx) -> Sequence[AuditRow]:
            if after is None:
                return tx.audit_tail(limit=limit, kind=kind, corr=corr)
            return tx.audit_rows(after=after, limit=limit, kind=kind, corr=corr)

        return await house.store.read(work)

    return tail


def _exported(database: Database) -> Callable[[], AsyncIterator[str]]:
    """Return what streams the sealed log as JSON lines, read in a thread of its own."""

    async def lines() -> AsyncIterator[str]:
        text = await asyncio.to_thread(_export_text, database)
        for line in text:
            yield line

    return lines


def _export_text(database: Database) -> list[str]:
    out = io.StringIO()
    with open_log(database) as log:
        export_log(log, out)
    return out.getvalue().splitlines(keepends=True)


def addresses(host: str, ports: Mapping[str, int]) -> dict[str, str]:
    """Return where each listener answers, as a client writes it."""
    shown = f"[{host}]" if ":" in host else host
    return {
        "rest": f"http://{shown}:{ports['rest']}",
        "mcp": f"http://{shown}:{ports['mcp']}",
        "console": f"http://{CONSOLE_HOST}:{ports['console']}",
    }
