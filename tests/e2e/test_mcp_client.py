"""The official client against real processes: both doors, both protocol generations."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ResourceUpdatedNotification

from support.gateway_process import (
    ROOMY,
    GatewayProcess,
    gateway,
    is_ready,
    program,
    read_note,
    stop_below,
)

MODES = ("legacy", "2026-07-28")
DOORS = ("stdio", "http")
TOLD_WITHIN_S = 10.0
IDLE_S = 2
IDLE_CHECK_S = 4.0
Scene = Callable[[Client], Awaitable[None]]
deprecated = pytest.mark.filterwarnings(
    "ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning"
)
every_way = pytest.mark.parametrize(("door", "mode"), [(d, m) for d in DOORS for m in MODES])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("gateway"), ROOMY) as one:
        yield one


@asynccontextmanager
async def client_of(
    one: GatewayProcess, door: str, mode: str, **more: Any
) -> AsyncIterator[Client]:
    if door == "stdio":
        command, *words = program("mcp")
        process = StdioServerParameters(command=command, args=words, env=one.environment)
        async with Client(process, mode=mode, **more) as client:
            yield client
        return
    headers = {"Authorization": f"Bearer {one.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        transport = streamable_http_client(one.mcp, http_client=http)
        async with Client(transport, mode=mode, **more) as client:
            yield client


def play(one: GatewayProcess, door: str, mode: str, scene: Scene, **more: Any) -> None:
    async def run() -> None:
        async with asyncio.timeout(50), client_of(one, door, mode, **more) as client:
            await scene(client)

    asyncio.run(run())


def data_of(result: CallToolResult) -> dict[str, Any]:
    assert result.structured_content is not None
    assert not result.is_error, result.structured_content
    data: dict[str, Any] = result.structured_content["data"]
    return data


@every_way
def test_a_session_from_the_list_to_a_closed_position(
    running: GatewayProcess, door: str, mode: str
) -> None:
    async def scene(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert len(tools) <= 25
        assert all(tool.annotations is not None for tool in tools.values())
        assert not any("approve" in name or "confirm" in name for name in tools)
        quotes = data_of(await client.call_tool("get_quotes", {"symbols": ["EURUSD"]}))
        (quote,) = quotes["quotes"]
        assert (quote["source"], quote["synthetic"]) == ("simulated", True)
        order = {"symbol": "EURUSD", "side": "buy", "quantity": "0.01"}
        placed = data_of(
            await client.call_tool("place_order", order | {"stop_loss": stop_below(quote["bid"])})
        )
        assert (placed["status"], placed["mode"]) == ("filled", "paper")
        assert placed["idempotency_key"]
        closed = await client.call_tool("close_position", {"position_id": placed["position_id"]})
        assert data_of(closed)["status"] == "filled"

    play(running, door, mode, scene)


@every_way
def test_a_no_is_an_envelope_and_a_line(running: GatewayProcess, door: str, mode: str) -> None:
    order = {"symbol": "EURUSD", "side": "buy", "quantity": "0.01"}
    wrong = {
        "STOP_REQUIRED": ("place_order", order),
        "INVALID_ARGUMENT": ("place_order", order | {"stoploss": "1.0"}),
        "SYMBOL_NOT_FOUND": ("get_bars", {"symbol": "NOSUCH"}),
        "RESOURCE_NOT_FOUND": ("get_order", {"order_id": "0" * 32}),
        "NOT_SUPPORTED": ("approve_order", {}),
    }

    async def scene(client: Client) -> None:
        for code, (tool, arguments) in wrong.items():
            result = await client.call_tool(tool, arguments)
            assert result.is_error, tool
            body = result.structured_content
            assert body is not None
            assert (body["ok"], body["data"], body["error"]["code"]) == (False, None, code)
            (text,) = result.content
            assert text.text.startswith(f"{code}: {body['error']['message']}")  # type: ignore[union-attr]
            assert text.text.endswith(body["error"]["fix"])  # type: ignore[union-attr]

    play(running, door, mode, scene)
    assert running.venue("select count(*) from positions where steps > 0") == [(0,)]


@every_way
def test_resources_and_prompts(running: GatewayProcess, door: str, mode: str) -> None:
    async def scene(client: Client) -> None:
        uris = {str(item.uri) for item in (await client.list_resources()).resources}
        assert uris == {"account://current", "positions://current", "safety://rules"}
        for uri in (*uris, "quotes://EURUSD"):
            (contents,) = (await client.read_resource(uri)).contents
            assert json.loads(contents.text)  # type: ignore[union-attr]
        with pytest.raises(MCPError):
            await client.read_resource("quotes://NOSUCH")
        names = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert "first_session" in names
        prompt = await client.get_prompt("draft_an_order", {"symbol": "EURUSD"})
        assert "EURUSD" in prompt.messages[0].content.text  # type: ignore[union-attr]

    play(running, door, mode, scene)


@deprecated
@pytest.mark.parametrize("door", DOORS)
def test_an_older_client_that_subscribed_is_told(running: GatewayProcess, door: str) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.put_nowait(str(message.params.uri))

    async def scene(client: Client) -> None:
        await client.subscribe_resource("quotes://EURUSD")
        async with asyncio.timeout(TOLD_WITHIN_S):
            assert await told.get() == "quotes://EURUSD"

    play(running, door, "legacy", scene, message_handler=hear)


@pytest.mark.parametrize("door", DOORS)
def test_a_newer_client_that_listens_is_told(running: GatewayProcess, door: str) -> None:
    async def scene(client: Client) -> None:
        async with (
            asyncio.timeout(TOLD_WITHIN_S),
            client.listen(resource_subscriptions=["quotes://EURUSD"]) as heard,
        ):
            async for event in heard:
                assert event == ResourceUpdated("quotes://EURUSD")
                return

    play(running, door, "2026-07-28", scene)


@pytest.mark.slow
def test_doors_that_call_at_once_start_one_gateway_and_lists_start_none(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path)
    one.settle_in()

    async def list_then_call(mode: str) -> str:
        async with client_of(one, "stdio", mode) as client:
            assert (await client.list_tools()).tools
            await all_listed.wait()
            return str(data_of(await client.call_tool("get_status", {}))["started_at"])

    async def scene() -> set[str]:
        async with asyncio.timeout(50):
            return set(await asyncio.gather(*map(list_then_call, [*MODES, *MODES])))

    all_listed = asyncio.Barrier(2 * len(MODES))
    try:
        assert len(asyncio.run(scene())) == 1
        one.note = read_note(one.data)
        assert one.note["paper_only"] is True
        assert is_ready(one.rest)  # it outlives the doors that started it
        assert (one.data / "gateway.log").read_text().count("gateway.ready") == 1
    finally:
        os.kill(read_note(one.data)["pid"], signal.SIGTERM)
    deadline = time.monotonic() + TOLD_WITHIN_S
    while (one.data / "gateway.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert one.verified() == 0


def test_no_gateway_runs_after_lists_alone(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path)
    one.settle_in()

    async def scene(client: Client) -> None:
        assert (await client.list_tools()).tools
        assert (await client.list_prompts()).prompts
        assert (await client.list_resources()).resources

    play(one, "stdio", "legacy", scene)
    assert list(one.data.iterdir()) == []


@pytest.mark.slow
def test_an_idle_gateway_ends_but_never_while_an_order_is_open(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path, ROOMY)
    one.settle_in()
    try:
        one.start("--paper-only", "--idle-exit", f"{IDLE_S}s")
        assert one.child is not None
        market = one.order()
        limit = {"order_type": "limit", "limit_price": market["stop_loss"]}
        below = {"stop_loss": stop_below(market["stop_loss"])}
        resting = one.good("place_order", **market | limit | below)
        assert resting["status"] == "working"
        time.sleep(IDLE_CHECK_S)  # what must not happen in this time cannot be awaited
        assert one.child.poll() is None
        one.good("cancel_order", order_id=resting["order_id"])
        assert one.child.wait(timeout=IDLE_S + TOLD_WITHIN_S) == 0
        assert "gateway.idle" in one.errors
    finally:
        one.close()
