"""`ordergate mcp` as an AI client starts it: lists at once, attaches at the first call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ordergate.surfaces.cli.running import read_note, running

HEAVY = frozenset(
    {
        *("typer", "rich", "fastapi", "sqlalchemy", "alembic", "httpx", "structlog"),
        *("numpy", "numba", "polars", "ccxt", "websockets"),
    }
)
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class Client:
    """Speaks JSON-RPC over a process's standard input and output."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._last = 0

    def ask(self, method: str, **params: Any) -> Any:
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if said.get("id") == self._last:
                return said["result"]
        raise AssertionError("the door closed")

    def hello(self) -> None:
        self.ask("initialize", **HELLO)
        self._send({"method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()


def _environment(root: Path) -> dict[str, str]:
    config = root / "config"
    config.mkdir(mode=0o700)
    (config / "ordergate.toml").write_text(
        "[server]\nrest_port = 0\nmcp_port = 0\nconsole_port = 0\n"
    )
    (config / "ordergate.toml").chmod(0o600)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "ORDERGATE_CONFIG_DIR": str(config),
        "ORDERGATE_DATA_DIR": str(root / "data"),
        "TRADING_MODE": "live",
        "ALLOW_LIVE_TRADING": "true",
        "ORDERGATE_LIMITS__AUTO_APPROVE_NOTIONAL": "1000000",
    }


@contextmanager
def _door(root: Path, environment: dict[str, str], *options: str) -> Iterator[Client]:
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ordergate.py").write_text("raise SystemExit('imported from the project')\n")
    with (
        open(root / "stderr", "wb") as stderr,
        subprocess.Popen(
            [sys.executable, *options, "-P", "-m", "ordergate", "mcp"],
            env=environment,
            cwd=elsewhere,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as process,
    ):
        yield Client(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=15)


def test_the_list_comes_without_a_gateway_and_without_heavy_imports(tmp_path: Path) -> None:
    with _door(tmp_path, _environment(tmp_path), "-X", "importtime") as client:
        client.hello()
        names = [tool["name"] for tool in client.ask("tools/list")["tools"]]
    assert "place_order" in names
    assert not (tmp_path / "data").exists()
    lines = (tmp_path / "stderr").read_text().splitlines()
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in lines if "|" in line}
    assert "mcp" in imported
    assert imported & HEAVY == set()


def test_the_first_call_starts_a_paper_gateway_that_no_client_can_arm(tmp_path: Path) -> None:
    data = tmp_path / "data"
    try:
        with _door(tmp_path, _environment(tmp_path)) as client:
            client.hello()
            status = client.ask("tools/call", name="get_status", arguments={})
            limits = client.ask("tools/call", name="get_limits", arguments={})
        assert status["structuredContent"]["data"]["mode"] == "paper"
        held = {row["name"]: row["value"] for row in limits["structuredContent"]["data"]["limits"]}
        assert held["limits.auto_approve_notional"] == "20000"
        note = running(data)
        assert note is not None
        assert note.paper_only is True
    finally:
        left = read_note(data)
        if left is not None:
            os.kill(left.pid, signal.SIGTERM)
