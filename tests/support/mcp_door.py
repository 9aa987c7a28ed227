"""The MCP door over the fake gate, in memory or as an ASGI app."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server
from starlette.types import ASGIApp

from ordergate.model.principals import Principal
from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS, Toolset
from ordergate.surfaces.edge import boundary
from ordergate.surfaces.mcp.http import Access, mcp_app
from ordergate.surfaces.mcp.prompts import INSTRUCTIONS, SessionPrompts
from ordergate.surfaces.mcp.resources import CatalogueResources, is_known, touched
from ordergate.surfaces.mcp.server import mcp_server
from ordergate.surfaces.mcp.subscriptions import Subscriptions
from ordergate.surfaces.mcp.tools import (
    CatalogueTools,
    PrincipalOf,
    permits,
    principal_of_request,
)
from ordergate.surfaces.stream.hub import Hub
from support.doors import Doors


def server_of(
    gate: Doors,
    hub: Hub,
    principal_of: PrincipalOf = principal_of_request,
    toolsets: frozenset[Toolset] = DEFAULT_TOOLSETS,
) -> tuple[Server[Any], Subscriptions]:
    subscriptions = Subscriptions(listen=hub.listen, touched=touched, known=is_known)
    server = mcp_server(
        version="0.1.0",
        instructions=INSTRUCTIONS,
        tools=CatalogueTools(
            gate.operations, gate.dispatch, principal_of=principal_of, toolsets=toolsets
        ),
        resources=CatalogueResources(gate.dispatch, principal_of=principal_of),
        prompts=SessionPrompts(),
        subscriptions=subscriptions,
    )
    return server, subscriptions


def in_memory(
    gate: Doors,
    hub: Hub,
    principal: Principal,
    toolsets: frozenset[Toolset] = DEFAULT_TOOLSETS,
) -> Server[Any]:
    """Return a server that takes everyone who reaches it for `principal`."""
    return server_of(gate, hub, lambda _: principal, toolsets)[0]


def http_app(
    gate: Doors, hub: Hub, *, sse: bool = False, recheck_s: float = 10.0
) -> tuple[ASGIApp, Subscriptions]:
    server, subscriptions = server_of(gate, hub)
    access = Access(
        bearer=gate.bearer,
        limits=boundary(),
        permits=permits(gate.operations),
        monotonic=gate.clock.monotonic,
        recheck_s=recheck_s,
    )
    return mcp_app(server, subscriptions, access, sse=sse), subscriptions
