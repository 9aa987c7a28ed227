"""A6: one key, many callers at once through different doors: one send.

Threads and processes on one door: tests/e2e/test_concurrency.py.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from support.gateway_process import GatewayProcess

EACH = 12
ROUTES = ("/api/v1/orders", "/api/v1/call/place_order", "/orders/paper", "/api/v1/orders/paper")


def test_every_door_gets_the_one_order(running: GatewayProcess) -> None:
    order = running.order("0.01", idempotency_key="a6-doors")
    before = len(running.venue("select tag from orders"))
    token = {"Authorization": f"Bearer {running.token}"}

    async def over_rest(http: httpx.AsyncClient, route: str) -> dict[str, Any]:
        envelope: dict[str, Any] = (await http.post(route, json=order)).json()
        return envelope

    async def over_mcp(client: Client) -> dict[str, Any]:
        result = await client.call_tool("place_order", order)
        assert result.structured_content is not None
        return result.structured_content

    async def scene() -> list[dict[str, Any]]:
        async with (
            httpx.AsyncClient(base_url=running.rest, headers=token, timeout=30) as rest,
            httpx2.AsyncClient(headers=token, timeout=30) as http,
            Client(streamable_http_client(running.mcp, http_client=http)) as client,
        ):
            calls = [over_rest(rest, route) for route in ROUTES for _ in range(EACH)]
            calls += [over_mcp(client) for _ in range(EACH)]
            return list(await asyncio.gather(*calls))

    answers = asyncio.run(scene())
    assert [answer["error"] for answer in answers] == [None] * len(answers)
    assert len({answer["data"]["order_id"] for answer in answers}) == 1
    assert len(running.venue("select tag from orders")) == before + 1
