"""The stdio door: lists by itself, with no gateway; the first call attaches to one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mcp.server.stdio import stdio_server

from ordergate.model.errors import GateError
from ordergate.model.principals import Kind, Principal
from ordergate.model.values import PrincipalId
from ordergate.model.views import Change
from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS, Operation, Toolset
from ordergate.surfaces.mcp.forwarding import Attach, Forwarder
from ordergate.surfaces.mcp.prompts import INSTRUCTIONS, SessionPrompts
from ordergate.surfaces.mcp.resources import CatalogueResources, is_known, touched
from ordergate.surfaces.mcp.server import mcp_server
from ordergate.surfaces.mcp.subscriptions import Subscriptions
from ordergate.surfaces.mcp.tools import CatalogueTools

# Shown to nobody: the gateway knows the caller by its token. It only says which list is shown.
CLIENT: Final = Principal(PrincipalId("stdio"), Kind.AGENT, "stdio client")


async def serve_stdio(
    operations: tuple[Operation, ...],
    *,
    attach: Attach,
    version: str,
    new_id: Callable[[], str],
    toolsets: frozenset[Toolset] = DEFAULT_TOOLSETS,
) -> None:
    """Speak MCP on stdin and stdout until the client leaves. Nothing else goes to stdout."""
    forwarder = Forwarder(operations, attach, new_id)
    subscriptions = Subscriptions(listen=_following(forwarder), touched=touched, known=is_known)
    server = mcp_server(
        version=version,
        instructions=INSTRUCTIONS,
        tools=CatalogueTools(
            operations, forwarder, principal_of=lambda _: CLIENT, toolsets=toolsets
        ),
        resources=CatalogueResources(forwarder, principal_of=lambda _: CLIENT),
        prompts=SessionPrompts(),
        subscriptions=subscriptions,
    )
    try:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        await forwarder.close()


def _following(
    forwarder: Forwarder,
) -> Callable[[Callable[[Change], None]], Callable[[], None]]:
    """Return a way to listen that opens the gateway's stream when somebody subscribes."""

    def listen(tell: Callable[[Change], None]) -> Callable[[], None]:
        async def follow() -> None:
            with suppress(GateError):  # no gateway can be had: the next call says so, with its fix
                await forwarder.watch(tell)

        task = asyncio.get_running_loop().create_task(follow(), name="gateway-stream")

        def stop() -> None:
            task.cancel()

        return stop

    return listen
