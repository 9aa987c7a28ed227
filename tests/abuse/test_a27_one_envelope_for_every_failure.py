"""A27: every tool's failure, list tools included, is the same envelope through a real client."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from support.gateway_process import GatewayProcess

ERROR = {"code", "message", "retryable", "requires_human", "details", "fix"}
LISTS = {
    "list_orders": {"cursor": "nonsense"},
    "list_fills": {"cursor": "nonsense"},
    "get_positions": {"cursor": "non sense"},
    "list_instruments": {"cursor": "non sense"},
    "get_audit": {"after": -1},
}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_the_envelope(running: GatewayProcess, mode: str) -> None:
    async def scene() -> None:
        headers = {"Authorization": f"Bearer {running.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(running.mcp, http_client=http), mode=mode) as client,
        ):
            tools = [tool.name for tool in (await client.list_tools()).tools]
            assert set(LISTS) <= set(tools)
            failing: list[tuple[str, dict[str, Any]]] = [(tool, {"no": 1}) for tool in tools]
            for tool, arguments in (*failing, *LISTS.items(), ("no_such_tool", {})):
                result = await client.call_tool(tool, arguments)
                assert result.is_error, (tool, arguments)
                body = result.structured_content
                assert body is not None
                assert set(body) == {"ok", "data", "error"}
                assert (body["ok"], body["data"]) == (False, None)
                assert set(body["error"]) == ERROR
                (text,) = result.content
                line = f"{body['error']['code']}: {body['error']['message']}"
                assert text.text.startswith(line)  # type: ignore[union-attr]

    asyncio.run(scene())
