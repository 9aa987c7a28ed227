"""The stdio door: a real process, the official client, and a gateway it may or may not find."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.subscriptions import ResourceUpdated
from mcp_types import ResourceUpdatedNotification

from ordergate.surfaces.catalogue.operations import listed, operations
from ordergate.surfaces.edge import HostGuard, boundary, by_bearer
from ordergate.surfaces.mcp.forwarding import Forwarder
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from ordergate.surfaces.stream.hub import Hub
from ordergate.surfaces.stream.socket import Stream, stream_routes
from ordergate.surfaces.stream.tickets import Tickets
from support.doors import AGENT, Doors, Ids, doors
from support.serving import serving
from support.stdio_door import Where

SCRIPT = Path(__file__).parents[2] / "support" / "stdio_door.py"
MODES = ["legacy", "2026-07-28"]
GOOD = {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stop_loss": "1.07"}


def gateway() -> tuple[Doors, Any]:
    hub = Hub()
    gate = doors(listeners=(hub.publish,))
    stream = Stream(
        hub=hub,
        ask=gate.dispatch,
        authenticate=by_bearer(gate.bearer),
        tickets=Tickets(monotonic=gate.clock.monotonic, new_id=Ids().new_id),
    )
    app = rest_app(
        gate.dispatch,
        gate.operations,
        authenticate=by_bearer(gate.bearer),
        health=Health(version="0", ready=lambda: True, mcp=dict),
        metrics=Metrics(),
        routes=stream_routes(stream),
    )
    return gate, HostGuard(app, boundary())


def through(
    mode: str, scenario: Callable[[Client], Awaitable[None]], *where: str, **rest: Any
) -> None:
    async def run() -> None:
        command = StdioServerParameters(command=sys.executable, args=[str(SCRIPT), *where])
        async with Client(command, mode=mode, **rest) as client:
            await scenario(client)

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_the_lists_need_no_gateway_and_a_call_says_that_there_is_none(mode: str) -> None:
    async def scenario(client: Client) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == [item.name for item in listed(operations(data_only=False))]
        assert (await client.list_prompts()).prompts
        assert (await client.list_resources()).resources
        result = await client.call_tool("get_status", {})
        assert result.is_error
        assert result.structured_content is not None
        error = result.structured_content["error"]
        assert (error["code"], error["fix"]) == ("NOT_READY", "Start one: ordergate up.")

    through(mode, scenario)


def test_a_list_imports_nothing_heavy_and_stdout_is_protocol_alone() -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    said = [
        hello,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    answers = []
    for message in said:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        if "id" in message:
            answers.append(json.loads(process.stdout.readline()))
    rest, errors = process.communicate(timeout=20)
    assert [answer["id"] for answer in answers] == [1, 2]
    assert rest == ""
    assert errors.splitlines()[-1] == "loaded: "


@pytest.mark.parametrize("mode", MODES)
def test_calls_and_resources_are_the_gateways_own(mode: str) -> None:
    gate, app = gateway()

    async def scenario(client: Client) -> None:
        status = await client.call_tool("get_status", {})
        assert status.structured_content is not None
        assert status.structured_content["data"]["you"] == "agent-1"
        refused = await client.call_tool("place_order", {**GOOD, "stoploss": "1"})
        assert refused.is_error
        placed = await client.call_tool("place_order", GOOD)
        assert placed.structured_content is not None
        assert placed.structured_content["data"]["idempotency_key"] == "door-1"
        (contents,) = (await client.read_resource("positions://current")).contents
        assert len(json.loads(contents.text)["positions"]) == 1  # type: ignore[union-attr]

    with serving(app) as url:
        through(mode, scenario, url, "token-agent")
    assert gate.gateway.calls == ["place"]


def test_a_refused_token_is_the_gateways_word() -> None:
    _, app = gateway()

    async def scenario(client: Client) -> None:
        result = await client.call_tool("get_status", {})
        assert result.structured_content is not None
        assert result.structured_content["error"]["code"] == "UNAUTHENTICATED"

    with serving(app) as url:
        through("legacy", scenario, url, "nobody")


@pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")
def test_an_older_client_hears_of_changes_at_the_gateway() -> None:
    _, app = gateway()
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.put_nowait(str(message.params.uri))

    async def scenario(client: Client) -> None:
        await client.call_tool("get_status", {})
        await client.subscribe_resource("positions://current")
        async with asyncio.timeout(10):
            while told.empty():  # the door may still be opening its stream
                await client.call_tool("place_order", GOOD)
        assert told.get_nowait() == "positions://current"

    with serving(app) as url:
        through("legacy", scenario, url, "token-agent", message_handler=hear)


def test_a_newer_client_hears_of_changes_at_the_gateway() -> None:
    _, app = gateway()

    async def scenario(client: Client) -> None:
        async with client.listen(resource_subscriptions=["safety://rules"]) as heard:

            async def first() -> Any:
                async for event in heard:
                    return event
                return None

            hearing = asyncio.create_task(first())
            async with asyncio.timeout(10):
                while not hearing.done():
                    await client.call_tool("engage_kill_switch", {})
            assert hearing.result() == ResourceUpdated("safety://rules")

    with serving(app) as url:
        through("2026-07-28", scenario, url, "token-agent")


def test_a_gateway_that_moved_is_found_again() -> None:
    async def scenario() -> None:
        gate, app = gateway()
        places: list[str] = []

        async def attach() -> Where:
            return Where(places[-1], "token-agent")

        forwarder = Forwarder(gate.operations, attach, Ids().new_id)
        for _ in range(2):
            with serving(gateway()[1]) as url:
                places.append(url)
                assert (await forwarder(AGENT, "get_status", {})).ok
        del app
        await forwarder.close()

    asyncio.run(scenario())


def test_a_reply_lost_on_the_way_of_an_order_is_not_a_rejection() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def attach() -> Where:
            return Where(f"http://127.0.0.1:{port}", "token-agent")

        forwarder = Forwarder(operations(data_only=False), attach, Ids().new_id)
        async with server:
            order = await forwarder(AGENT, "place_order", GOOD)
            read = await forwarder(AGENT, "get_status", {})
        await forwarder.close()
        assert (order.code, read.code) == ("ORDER_UNKNOWN", "DATA_UNAVAILABLE")
        assert order.error is not None
        assert not order.error.retryable
        assert order.error.details["idempotency_key"] == "0" * 31 + "1"

    asyncio.run(scenario())


def test_one_connection_serves_every_call() -> None:
    gate, app = gateway()
    connections: set[Any] = set()

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            connections.add(tuple(scope["client"]))
        await app(scope, receive, send)

    async def scenario(url: str) -> None:
        async def attach() -> Where:
            return Where(url, "token-agent")

        forwarder = Forwarder(gate.operations, attach, Ids().new_id)
        for _ in range(5):
            assert (await forwarder(AGENT, "get_status", {})).ok
        await forwarder.close()

    with serving(counting) as url:
        asyncio.run(scenario(url))
    assert len(connections) == 1
