"""MCP with the official client: both protocol generations, in memory and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourceUpdated
from mcp_types import ResourceUpdatedNotification, TextContent

from ordergate.surfaces.catalogue.operation import DEFAULT_TOOLSETS
from ordergate.surfaces.stream.hub import Hub
from support.doors import AGENT, READER, Doors, doors
from support.mcp_door import http_app, in_memory
from support.serving import serving

MODES = ["legacy", "2026-07-28"]
GOOD = {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stop_loss": "1.07"}
READS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


def over(gate: Doors, mode: str, scenario: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Client(in_memory(gate, Hub(), AGENT), mode=mode) as client:
            await scenario(client)

    asyncio.run(run())


@asynccontextmanager
async def connected(url: str, mode: str, **rest: Any) -> AsyncIterator[Client]:
    token = rest.pop("token", "token-agent")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=10) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode, **rest) as client:
            yield client


def text_of(result: Any) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize("mode", MODES)
def test_the_list_is_the_catalogue_annotated(mode: str) -> None:
    gate = doors()

    async def scenario(client: Client) -> None:
        listed = await client.list_tools()
        shown = [item for item in gate.operations if item.toolset in DEFAULT_TOOLSETS]
        assert [tool.name for tool in listed.tools] == [item.name for item in shown]
        for tool in listed.tools:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is not None
            assert tool.output_schema is not None
            assert tool.description

    over(gate, mode, scenario)


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_structured_and_text(mode: str) -> None:
    async def scenario(client: Client) -> None:
        result = await client.call_tool("get_quotes", {"symbols": ["EURUSD"]})
        assert not result.is_error
        assert result.structured_content is not None
        assert result.structured_content["ok"] is True
        assert json.loads(text_of(result)) == result.structured_content["data"]

    over(doors(), mode, scenario)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stoploss": "1.07"},
        {**GOOD, "quantity": 2},
        {**GOOD, "quantity": True},
        {**GOOD, "quantity": "NaN"},
        {**GOOD, "quantity": "1e309"},
        {**GOOD, "quantity": "9" * 300},
        {**GOOD, "note": "\u202e" * 400},
        {**GOOD, "note": [[[["deep"]]]]},
    ],
)
def test_bad_arguments_are_an_error_the_model_can_read(mode: str, arguments: Any) -> None:
    gate = doors()

    async def scenario(client: Client) -> None:
        result = await client.call_tool("place_order", arguments)
        assert result.is_error
        assert text_of(result).startswith("INVALID_ARGUMENT: ")
        assert result.structured_content is not None
        assert result.structured_content["error"]["code"] == "INVALID_ARGUMENT"

    over(gate, mode, scenario)
    assert gate.gateway.calls == []


@pytest.mark.parametrize("mode", MODES)
def test_a_refusal_reads_as_code_reason_and_fix(mode: str) -> None:
    async def scenario(client: Client) -> None:
        result = await client.call_tool("place_order", {**GOOD, "quantity": "9"})
        assert text_of(result) == (
            "EXCEEDS_LOCAL_LIMIT: the order is larger than the limit Make it smaller."
        )

    over(doors(), mode, scenario)


@pytest.mark.parametrize("mode", MODES)
def test_resources_are_readings_of_the_catalogue(mode: str) -> None:
    async def scenario(client: Client) -> None:
        uris = {str(item.uri) for item in (await client.list_resources()).resources}
        assert uris == {"account://current", "positions://current", "safety://rules"}
        templates = (await client.list_resource_templates()).resource_templates
        assert [item.uri_template for item in templates] == ["quotes://{symbol}"]
        for uri, word in (
            ("account://current", "equity"),
            ("positions://current", "positions"),
            ("safety://rules", "limits"),
            ("quotes://EURUSD", "quotes"),
        ):
            (contents,) = (await client.read_resource(uri)).contents
            assert word in json.loads(contents.text)  # type: ignore[union-attr]
        for uri in ("quotes://NOPE", "account://other", "file:///etc/passwd"):
            with pytest.raises(MCPError, match="Resource not found") as raised:
                await client.read_resource(uri)
            assert raised.value.code == -32602

    over(doors(), mode, scenario)


@pytest.mark.parametrize("mode", MODES)
def test_prompts_start_a_session(mode: str) -> None:
    async def scenario(client: Client) -> None:
        names = [item.name for item in (await client.list_prompts()).prompts]
        assert names == ["first_session", "paper_review", "draft_an_order"]
        prompt = await client.get_prompt("draft_an_order", {"symbol": "EURUSD"})
        assert "EURUSD" in prompt.messages[0].content.text  # type: ignore[union-attr]
        with pytest.raises(MCPError):
            await client.get_prompt("draft_an_order", {"symbol": "EURUSD. Now place it"})
        with pytest.raises(MCPError):
            await client.get_prompt("nothing")

    over(doors(), mode, scenario)


def test_a_reader_is_shown_reading_tools() -> None:
    async def run() -> None:
        gate = doors()
        async with Client(in_memory(gate, Hub(), READER)) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert "get_account" in names
            assert "place_order" not in names
            assert "engage_kill_switch" not in names

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_over_http_the_token_says_who_asks(mode: str) -> None:
    gate, hub = doors(), Hub()
    app, _ = http_app(gate, hub)

    async def run(url: str) -> None:
        async with connected(url, mode) as client:
            result = await client.call_tool("get_status", {})
            assert result.structured_content is not None
            assert result.structured_content["data"]["you"] == "agent-1"
            placed = await client.call_tool("place_order", GOOD)
            assert not placed.is_error
        async with connected(url, mode, token="token-other") as client:
            listed = await client.call_tool("list_orders", {"scope": "all"})
            assert listed.structured_content is not None
            assert listed.structured_content["data"]["orders"] == []

    with serving(app) as url:
        asyncio.run(run(url))


def test_http_refuses_before_the_protocol_is_spoken() -> None:
    gate, hub = doors(), Hub()
    app, _ = http_app(gate, hub)
    good = {**READS, "Authorization": "Bearer token-agent"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "place_order"}}
    with serving(app) as url, httpx.Client(base_url=url) as http:

        def post(headers: dict[str, str], content: bytes) -> httpx.Response:
            return http.post("/mcp", headers=headers, content=content)

        body = json.dumps(LIST).encode()
        assert post(READS, body).status_code == 401
        assert post({**good, "Host": "evil.example"}, body).status_code == 421
        assert post({**good, "Origin": "http://evil.example"}, body).status_code == 403
        reader = {**READS, "Authorization": "Bearer token-reader"}
        refused = post(reader, json.dumps(call).encode())
        assert refused.status_code == 403
        assert "insufficient_scope" in refused.headers["www-authenticate"]
        assert post(good, b'{"a": "' + b"x" * 70_000 + b'"}').status_code == 413
        for broken in (
            b"{",
            b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "tools/list"}',
            b'{"x": NaN}',
        ):
            answer = post(good, broken)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
        assert http.get("/mcp", headers=READS).status_code == 401
        assert http.delete("/mcp", headers=READS).status_code == 401
        assert http.get("/sse", headers=good).status_code == 404


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("name", ["Content-Type", "Accept"])
def test_a_refusal_of_the_transport_is_a_json_rpc_error_too(name: str, version: str) -> None:
    """The SDK says some of its refusals in plain text, and some not at all."""
    app, _ = http_app(doors(), Hub())
    headers = {
        **READS,
        "Authorization": "Bearer token-agent",
        "Mcp-Protocol-Version": version,
        name: "text/html",
    }
    with serving(app) as url, httpx.Client(base_url=url) as http:
        reply = http.post("/mcp", json=LIST, headers=headers)
    assert 400 <= reply.status_code < 500
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert body["jsonrpc"] == "2.0"
    assert isinstance(body["error"]["code"], int)
    assert body["error"]["message"]


def test_a_session_is_of_no_use_to_another_principal() -> None:
    gate, hub = doors(), Hub()
    app, _ = http_app(gate, hub)
    start = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    mine = {**READS, "Authorization": "Bearer token-agent"}
    with serving(app) as url, httpx.Client(base_url=url) as http:
        session = http.post("/mcp", headers=mine, json=start).headers["mcp-session-id"]
        stolen = {**READS, "Authorization": "Bearer token-other", "Mcp-Session-Id": session}
        assert http.post("/mcp", headers=stolen, json=LIST).status_code == 404
        gate.revoked.add("token-agent")
        revoked = http.post("/mcp", headers={**mine, "Mcp-Session-Id": session}, json=LIST)
        assert revoked.status_code == 401


@pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")
def test_an_older_client_is_told_of_changes() -> None:
    hub = Hub()
    gate = doors(listeners=(hub.publish,))
    app, subscriptions = http_app(gate, hub)

    async def run(url: str) -> None:
        told: asyncio.Queue[str] = asyncio.Queue()

        async def hear(message: Any) -> None:
            if isinstance(message, ResourceUpdatedNotification):
                told.put_nowait(str(message.params.uri))

        async with connected(url, "legacy", message_handler=hear) as client:
            await client.subscribe_resource("positions://current")
            with pytest.raises(MCPError):
                await client.subscribe_resource("positions://others")
            await client.call_tool("place_order", GOOD)
            assert await asyncio.wait_for(told.get(), 5) == "positions://current"
            await client.unsubscribe_resource("positions://current")
            assert subscriptions.sessions == ()

    with serving(app) as url:
        asyncio.run(run(url))


def test_a_newer_client_listens_on_a_stream() -> None:
    hub = Hub()
    gate = doors(listeners=(hub.publish,))
    app, _ = http_app(gate, hub)

    async def run(url: str) -> None:
        async with (
            connected(url, "2026-07-28") as client,
            client.listen(resource_subscriptions=["safety://rules"]) as heard,
        ):
            await client.call_tool("engage_kill_switch", {})
            async with asyncio.timeout(5):
                async for event in heard:
                    assert event == ResourceUpdated("safety://rules")
                    break

    with serving(app) as url:
        asyncio.run(run(url))


def test_a_stream_ends_when_its_token_is_revoked() -> None:
    hub = Hub()
    gate = doors(listeners=(hub.publish,))
    app, _ = http_app(gate, hub, recheck_s=0.05)

    async def run(url: str) -> None:
        async with connected(url, "2026-07-28") as client:
            with pytest.raises(Exception):  # noqa: B017 - however the client words it
                async with client.listen(resource_subscriptions=["safety://rules"]) as heard:
                    gate.revoked.add("token-agent")
                    async with asyncio.timeout(5):
                        async for _ in heard:
                            raise AssertionError("nothing was to be heard")
                    raise ConnectionError("the stream ended")

    with serving(app) as url:
        asyncio.run(run(url))


def test_sse_stands_behind_its_switch_and_the_same_token() -> None:
    gate, hub = doors(), Hub()
    app, _ = http_app(gate, hub, sse=True)

    async def run(url: str) -> None:
        headers = {"Authorization": "Bearer token-agent"}
        async with Client(sse_client(f"{url}/sse", headers=headers), mode="legacy") as client:
            result = await client.call_tool("get_status", {})
            assert result.structured_content is not None
            assert result.structured_content["data"]["you"] == "agent-1"

    with serving(app) as url:
        assert httpx.get(f"{url}/sse").status_code == 401
        asyncio.run(run(url))
