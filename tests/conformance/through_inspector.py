"""An independent client: the MCP Inspector's command line, over both doors and both generations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node_tools import inspector

from support.gateway_process import GatewayProcess

ERAS = ("legacy", "modern")
COMMAND_S = 60.0
IS_ERROR = 5  # the Inspector's exit code for isError: true
MISTYPED = '{"symbol": "EURUSD", "side": "buy", "quantity": "0.01", "stoploss": "1.0"}'


@dataclass(frozen=True)
class Case:
    name: str
    words: tuple[str, ...]
    holds: Callable[[dict[str, Any]], object]
    exit_code: int = 0


def _call(tool: str, arguments: str) -> tuple[str, ...]:
    return ("tools/call", "--tool-name", tool, "--tool-args-json", arguments)


def _data(result: dict[str, Any]) -> dict[str, Any]:
    envelope = result["structuredContent"]
    assert envelope["ok"], envelope
    data: dict[str, Any] = envelope["data"]
    return data


def _refused_by_name(result: dict[str, Any]) -> bool:
    error = result["structuredContent"]["error"]
    (text,) = result["content"]
    return error["code"] == "INVALID_ARGUMENT" and text["text"].startswith("INVALID_ARGUMENT: stop")


CASES = (
    Case("tools/list --strict", ("tools/list", "--strict"), lambda r: len(r["tools"]) > 20),
    Case(
        "get_quotes",
        _call("get_quotes", '{"symbols": ["EURUSD", "GBPUSD"]}'),
        lambda r: len(_data(r)["quotes"]) == 2,
    ),
    Case("get_status", _call("get_status", "{}"), lambda r: _data(r)["mode"] == "paper"),
    Case("stoploss= is refused", _call("place_order", MISTYPED), _refused_by_name, IS_ERROR),
    Case(
        "a number for a string is refused",
        _call("get_bars", '{"symbol": 1}'),
        lambda r: r["structuredContent"]["error"]["code"] == "INVALID_ARGUMENT",
        IS_ERROR,
    ),
    Case("resources/list", ("resources/list",), lambda r: len(r["resources"]) == 3),
    Case(
        "resources/read",
        ("resources/read", "--uri", "safety://rules"),
        lambda r: json.loads(r["contents"][0]["text"])["limits"],
    ),
    Case("prompts/list", ("prompts/list",), lambda r: len(r["prompts"]) == 3),
    Case(
        "prompts/get",
        ("prompts/get", "--prompt-name", "first_session"),
        lambda r: "get_status" in r["messages"][0]["content"]["text"],
    ),
)


def inspected(running: GatewayProcess, door: str) -> tuple[list[str], list[str]]:
    """Run every case over one door; return the names of those that passed and that failed."""
    passed, failed = [], []
    for era in ERAS:
        for case in CASES:
            wrong = _wrong(running, door, era, case)
            (failed if wrong else passed).append(f"{era} {case.name}{wrong}")
    return passed, failed


def _wrong(running: GatewayProcess, door: str, era: str, case: Case) -> str:
    """Return what is wrong with a case; nothing when all is as it must be."""
    command = inspector(*_where(running, door), "--protocol-era", era, "--format", "json")
    done = subprocess.run(
        [*command, "--method", *case.words],
        env=running.environment | {"HOME": str(running.root)},
        cwd=running.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    if done.returncode != case.exit_code:
        return f": exit code {done.returncode}: {done.stderr[-300:]}"
    try:
        good = case.holds(json.loads(done.stdout)["result"])
    except (AssertionError, KeyError, IndexError, ValueError) as error:
        return f": {error!r} in {done.stdout[:300]}"
    return "" if good else f": not as it must be: {done.stdout[:300]}"


def _where(running: GatewayProcess, door: str) -> list[str]:
    if door == "http":
        token = f"Authorization: Bearer {running.token}"
        return ["--server-url", running.mcp, "--transport", "http", "--header", token]
    places = ("ORDERGATE_CONFIG_DIR", "ORDERGATE_DATA_DIR")
    passed_on = [f"{name}={running.environment[name]}" for name in places]
    options = [word for one in passed_on for word in ("-e", one)]
    return [*options, sys.executable, "-P", "-m", "ordergate", "mcp"]
