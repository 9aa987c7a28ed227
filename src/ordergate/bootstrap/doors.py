"""The doors over the house: REST and stream, MCP, and the operator's console."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from ordergate import __version__
from ordergate.adapters.storage.log_file import export_log, open_log
from ordergate.bootstrap.house import CONSOLE_HOST, GATE_FILE, House
from ordergate.model.records import AuditRow
from ordergate.ports.audit_log import AuditTx
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.operation import Operation
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.catalogue.services import GateStatus, Services
from ordergate.surfaces.catalogue.throttle import Rate, Throttle
from ordergate.surfaces.console.app import console_app
from ordergate.surfaces.console.behind import principal_of
from ordergate.surfaces.console.entry import Entry
from ordergate.surfaces.edge import Authenticate, HostGuard, boundary, by_bearer
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


@dataclass(slots=True)
class Life:
    """What the process knows of itself; `ready` is true between recovery and stopping."""

    started_at: datetime
    console_url: str
    origins: tuple[str, ...]  # by which the console is reached, exactly
    ready: bool = False
    last_call: float = 0.0  # monotonic seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    rest: ASGIApp
    mcp: ASGIApp
    console: ASGIApp
    dispatch: Dispatch


def doors(house: House, hub: Hub, life: Life) -> Doors:
    """Build every door on the one catalogue and the one dispatch."""
    offered = operations(data_only=house.settings.mcp.data_only)
    metrics = Metrics()
    hub.listen(metrics.changed)
    house.market.listen(tell_quotes(house.market.quote, hub.publish))
    dispatch = _dispatch(house, hub, life, metrics, offered)
    limits = boundary()
    health = Health(
        version=__version__,
        ready=lambda: life.ready,
        mcp=lambda: {"tools": len(offered), "sse": house.settings.server.sse},
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
    console = console_app(
        desk=house.line.desk,
        sign_in=house.sign_in,
        gateway=house.line.gateway,
        origins=frozenset(life.origins),
        audit=_exported(house.settings.directories.data / GATE_FILE),
        api=behind,
    )
    return Doors(
        rest=HostGuard(rest, limits),
        mcp=_mcp(house, hub, dispatch, offered),
        console=console,
        dispatch=dispatch,
    )


def _dispatch(
    house: House, hub: Hub, life: Life, metrics: Metrics, offered: Sequence[Operation]
) -> Dispatch:
    settings, clock = house.settings, house.clock

    def status() -> GateStatus:
        problem, pace = settings.limits.problem, house.pace
        return GateStatus(
            version=__version__,
            ready=life.ready,
            started_at=life.started_at,
            console_url=life.console_url,
            problems=() if problem is None else (problem.message,),
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
    )
    rate = Rate(per_second=float(settings.server.calls_per_second), burst=settings.server.burst)
    return Dispatch(
        services,
        offered,
        throttle=Throttle(rate, clock.monotonic),
        observers=(metrics.called, called),
    )


def _mcp(house: House, hub: Hub, dispatch: Dispatch, offered: Sequence[Operation]) -> ASGIApp:
    subscriptions = Subscriptions(listen=hub.listen, touched=touched, known=is_known)
    server = mcp_server(
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=CatalogueTools(offered, dispatch, principal_of=principal_of_request),
        resources=CatalogueResources(dispatch, principal_of=principal_of_request),
        prompts=SessionPrompts(),
        subscriptions=subscriptions,
    )
    access = Access(
        bearer=house.sign_in.bearer,
        limits=boundary(),
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


def _exported(database: Path) -> Callable[[], AsyncIterator[str]]:
    """Return what streams the sealed log as JSON lines, read in a thread of its own."""

    async def lines() -> AsyncIterator[str]:
        text = await asyncio.to_thread(_export_text, database)
        for line in text:
            yield line

    return lines


def _export_text(database: Path) -> list[str]:
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
