"""The whole order line on MetaTrader 5, over real MCP, against the simulated terminal."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from support.gateway_process import ROOMY, GatewayProcess, gateway

SIMULATED = {**ROOMY, "mt5": {"terminal": "simulated"}}
SOON_S = 20.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("mt5"), SIMULATED) as one:
        yield one


@asynccontextmanager
async def client_of(one: GatewayProcess) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {one.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        transport = streamable_http_client(one.mcp, http_client=http)
        async with Client(transport, mode="2026-07-28") as client:
            yield client


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return a tool's envelope."""
    result = await client.call_tool(tool, arguments)
    assert result.structured_content is not None
    found: dict[str, Any] = result.structured_content
    return found


async def done(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    found = await call(client, tool, **arguments)
    assert found["ok"], found
    data: dict[str, Any] = found["data"]
    return data


def test_an_order_from_the_quote_to_the_close(running: GatewayProcess) -> None:
    async def scene() -> None:
        async with client_of(running) as client:
            status = await done(client, "get_status")
            assert (status["venue"], status["mode"], status["synthetic"]) == ("mt5", "demo", True)
            quote = (await done(client, "get_quotes", symbols=["EURUSD"]))["quotes"][0]
            bid = float(quote["bid"])
            placed = await done(
                client,
                "place_order",
                symbol="EURUSD",
                side="buy",
                order_type="market",
                quantity="0.05",
                stop_loss=f"{bid - 0.005:.5f}",
                take_profit=f"{bid + 0.005:.5f}",
                venue="mt5",
            )
            assert (placed["status"], placed["mode"]) == ("filled", "demo")
            (held,) = (await done(client, "get_positions"))["positions"]
            assert (held["quantity"], held["stop_loss"]) == ("0.05", _plain(bid - 0.005))
            moved = await done(
                client,
                "modify_order",
                position_id=held["position_id"],
                stop_loss=f"{bid - 0.004:.5f}",
            )
            assert moved["status"] == "applied"
            (held,) = (await done(client, "get_positions"))["positions"]
            assert (held["stop_loss"], held["take_profit"]) == (
                _plain(bid - 0.004),
                _plain(bid + 0.005),
            )
            resting = await done(
                client,
                "place_order",
                symbol="EURUSD",
                side="buy",
                order_type="limit",
                quantity="0.02",
                limit_price=f"{bid - 0.01:.5f}",
                stop_loss=f"{bid - 0.015:.5f}",
            )
            assert resting["status"] == "working"
            await done(client, "cancel_order", order_id=resting["order_id"])
            part = await done(
                client, "close_position", position_id=held["position_id"], quantity="0.02"
            )
            assert part["status"] == "filled"
            await done(client, "close_position", position_id=held["position_id"])
            assert (await done(client, "get_positions"))["positions"] == []

    asyncio.run(scene())


def _plain(price: float) -> str:
    return f"{price:.5f}".rstrip("0")


def test_a_request_for_another_venue_is_refused(running: GatewayProcess) -> None:
    async def scene() -> None:
        async with client_of(running) as client:
            answer = await call(
                client,
                "place_order",
                symbol="EURUSD",
                side="buy",
                order_type="market",
                quantity="0.05",
                venue="paper",
            )
            assert answer["error"]["code"] == "INVALID_ARGUMENT"
            assert "mt5" in answer["error"]["message"]

    asyncio.run(scene())


@pytest.mark.slow
def test_positions_and_orders_outlive_a_crash_of_the_gateway(tmp_path: Path) -> None:
    async def trade(one: GatewayProcess) -> dict[str, Any]:
        async with client_of(one) as client:
            quote = (await done(client, "get_quotes", symbols=["EURUSD"]))["quotes"][0]
            bid = float(quote["bid"])
            return await done(
                client,
                "place_order",
                symbol="EURUSD",
                side="buy",
                order_type="market",
                quantity="0.05",
                stop_loss=f"{bid - 0.01:.5f}",
            )

    async def close(one: GatewayProcess) -> None:
        async with client_of(one) as client:
            (held,) = (await done(client, "get_positions"))["positions"]
            assert held["external"] is False
            await done(client, "close_position", position_id=held["position_id"])
            status = await done(client, "get_status")
            assert (status["halts"], status["killed"]) == (0, False)

    with gateway(tmp_path, SIMULATED) as one:
        asyncio.run(trade(one))
        one.kill()
        one.start()
        asyncio.run(close(one))


@pytest.mark.slow
def test_a_real_account_needs_arming(tmp_path: Path) -> None:
    tables = {**ROOMY, "mt5": {"terminal": "simulated", "simulated_account": "real"}}

    async def scene(one: GatewayProcess) -> None:
        async with client_of(one) as client:
            status = await done(client, "get_status")
            assert status["mode"] == "live"
            answer = await call(
                client,
                "place_order",
                symbol="EURUSD",
                side="buy",
                order_type="market",
                quantity="0.01",
                stop_loss="1.05",
            )
            assert not answer["ok"]
            assert answer["error"]["code"] in ("LIVE_NOT_ARMED", "FORBIDDEN")
            assert (await done(client, "get_positions"))["positions"] == []

    with gateway(tmp_path, tables) as one:
        asyncio.run(scene(one))


UNDER_THE_WHEELS_NAME = """
import asyncio, json, sys
from datetime import UTC, datetime
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.terminal import SimulatedTerminal
server = Server()
sys.modules["MetaTrader5"] = SimulatedTerminal(server)
at = datetime(2026, 1, 7, 14, tzinfo=UTC)
server.tick("EURUSD", 1.085, 1.0851, int(at.timestamp() * 1000))
from ordergate.adapters.venues.mt5.client import Client, package
from ordergate.adapters.venues.mt5.link import Link, proof
async def main():
    link = Link(Client(package), now=lambda: at, symbols=("EURUSD",))
    who = await proof(link)
    print(json.dumps({"mode": who.mode.value, "quotes": sorted(await link.ticks())}))
asyncio.run(main())
"""


def test_the_package_is_found_under_the_wheel_s_own_name() -> None:
    """What Windows does with the extra installed, as far as it can be tried elsewhere."""
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-P", "-c", UNDER_THE_WHEELS_NAME],
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"mode": "demo", "quotes": ["EURUSD"]}
    assert time.monotonic() - began < SOON_S  # no thread keeps the process


@pytest.mark.slow
def test_without_the_package_a_start_says_what_to_do(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path)
    one.settle_in({"mt5": {"terminal": "local"}})
    ran = one.command("up", "--json")
    if "not installed" not in ran.stdout + ran.stderr:
        pytest.skip("the package is installed here")
    assert ran.returncode != 0
    assert "simulated" in ran.stdout + ran.stderr
