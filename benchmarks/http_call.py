"""A read over HTTP from a running gateway, against an echo of a bare SDK server over HTTP.

Over MCP the official client calls both; over REST one plain HTTP client posts to both. Connections
are kept alive, and the calls take turns. Goal: at most 1.5 times the peer's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from ratios import Line, ratio, table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.gateway_process import ROOMY, GatewayProcess, gateway  # noqa: E402 - found above

GOAL = 1.5
WARM_UP = 30
TEXT = {"text": "EURUSD"}
READS: Mapping[str, Mapping[str, Any]] = {
    "get_quotes": {"symbols": ["EURUSD"]},
    "get_account": {},
}
REVISIONS = ("2025-11-25", "2026-07-28")
Call = Callable[[], Awaitable[None]]


@contextlib.contextmanager
def bare_server() -> Iterator[str]:
    command = [sys.executable, "-P", str(HERE / "peers" / "bare_server.py"), "http"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


@contextlib.asynccontextmanager
async def mcp_client(url: str, revision: str, token: str = "") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    mode = "legacy" if revision == REVISIONS[0] else revision
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def tool_call(client: Client, tool: str, arguments: Mapping[str, Any]) -> Call:
    async def call() -> None:
        result = await client.call_tool(tool, dict(arguments))
        assert not result.is_error, result

    return call


def rest_call(http: httpx2.AsyncClient, tool: str, arguments: Mapping[str, Any]) -> Call:
    async def call() -> None:
        reply = await http.post(f"/api/v1/call/{tool}", json=arguments)
        assert reply.json()["ok"], reply.text

    return call


async def plain_echo(http: httpx2.AsyncClient, url: str) -> Call:
    """Return the peer's call as a plain POST, in a session that is open already."""
    http.headers["Accept"] = "application/json, text/event-stream"
    client = {"protocolVersion": REVISIONS[0], "capabilities": {}}
    client["clientInfo"] = {"name": "benchmark", "version": "1"}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    reply = await http.post(url, json=hello)
    http.headers["Mcp-Session-Id"] = reply.headers["mcp-session-id"]
    http.headers["Mcp-Protocol-Version"] = REVISIONS[0]
    await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    params = {"name": "echo", "arguments": TEXT}
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}

    async def call() -> None:
        reply = await http.post(url, json=body)
        lines = [line for line in reply.text.splitlines() if line.startswith("data: {")]
        assert json.loads(lines[-1].removeprefix("data: "))["result"]["content"]

    return call


async def in_turns(peer: Call, reads: Mapping[str, Call], *, calls: int, door: str) -> list[Line]:
    seconds: dict[str, list[float]] = {name: [] for name in ("", *reads)}
    for n in range(WARM_UP + calls):
        for name, call in {"": peer, **reads}.items():
            began = time.perf_counter()
            await call()
            if n >= WARM_UP:
                seconds[name].append(time.perf_counter() - began)
    return [
        ratio(f"{door}: {name} / bare echo", seconds[name], seconds[""], goal=GOAL)
        for name in reads
    ]


async def over_mcp(gate: GatewayProcess, peer: str, *, revision: str, calls: int) -> list[Line]:
    async with (
        mcp_client(peer, revision) as theirs,
        mcp_client(gate.mcp, revision, gate.token) as ours,
    ):
        reads = {tool: tool_call(ours, tool, READS[tool]) for tool in READS}
        echo = tool_call(theirs, "echo", TEXT)
        return await in_turns(echo, reads, calls=calls, door=f"MCP {revision}")


async def over_rest(gate: GatewayProcess, peer: str, *, calls: int) -> list[Line]:
    headers = {"Authorization": f"Bearer {gate.token}"}
    async with (
        httpx2.AsyncClient(timeout=20) as theirs,
        httpx2.AsyncClient(base_url=gate.rest, headers=headers, timeout=20) as ours,
    ):
        reads = {tool: rest_call(ours, tool, READS[tool]) for tool in READS}
        return await in_turns(await plain_echo(theirs, peer), reads, calls=calls, door="REST")


def measure(calls: int) -> list[Line]:
    lines: list[Line] = []
    with (
        tempfile.TemporaryDirectory() as root,
        gateway(Path(root), ROOMY) as gate,
        bare_server() as peer,
    ):
        for revision in REVISIONS:
            lines += asyncio.run(over_mcp(gate, peer, revision=revision, calls=calls))
        return lines + asyncio.run(over_rest(gate, peer, calls=calls))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    print(table(measure(parser.parse_args().calls)))
