"""From process start to the first tools/list answer over stdio, against a bare SDK server.

Goal: at most 1.6 times the peer's, and nothing heavy among the modules of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratios import Line, ratio, table

HERE = Path(__file__).parent
OURS = [sys.executable, "-P", "-m", "ordergate", "mcp"]
PEER = [sys.executable, "-P", str(HERE / "peers" / "bare_server.py")]
HEAVY = frozenset({"numpy", "numba", "polars", "ccxt"})
GOAL = 1.6
STOP_S = 20
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    },
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


def first_list(command: list[str], environment: Mapping[str, str]) -> tuple[float, str]:
    """Return the seconds to the first list of tools, and what the process wrote to stderr."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(json.dumps(message) + "\n" for message in (HELLO, READY, LIST)))
    process.stdin.flush()
    answers: list[dict[str, Any]] = [json.loads(process.stdout.readline()) for _ in range(2)]
    took = time.perf_counter() - began
    assert answers[1]["result"]["tools"]
    _, errors = process.communicate(timeout=STOP_S)
    return took, errors


def heavy_imports(environment: Mapping[str, str]) -> list[str]:
    """Return the heavy packages that the process has imported when it has answered."""
    _, errors = first_list([OURS[0], "-X", "importtime", *OURS[1:]], environment)
    lines = [line for line in errors.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "ordergate" in imported
    return sorted(HEAVY & imported)


def measure(runs: int) -> list[Line]:
    ours: list[float] = []
    peers: list[float] = []
    with tempfile.TemporaryDirectory() as root:
        environment = {
            **os.environ,
            "ORDERGATE_CONFIG_DIR": f"{root}/config",
            "ORDERGATE_DATA_DIR": f"{root}/data",
        }
        for command in (OURS, PEER):  # bytecode is written, files are in memory
            first_list(command, environment)
        for _ in range(runs):
            peers.append(first_list(PEER, environment)[0])
            ours.append(first_list(OURS, environment)[0])
        heavy = heavy_imports(environment)
    return [
        ratio("stdio: start to first tools/list / bare server", ours, peers, goal=GOAL),
        Line("stdio: heavy packages imported", len(heavy), 0, ", ".join(heavy) or "none"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    print(table(measure(parser.parse_args().runs)))
