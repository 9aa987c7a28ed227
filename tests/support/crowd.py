"""Many callers at one moment, as threads and as processes of their own: `crowd.py`.

As a program it reads one JSON line {url, token, tool, bodies}, says "ready", waits for a line, then
sends every body at once from as many threads, and prints the envelopes as one JSON line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

TIMEOUT_S = 40.0


def at_once(url: str, token: str, tool: str, bodies: Sequence[Any]) -> list[dict[str, Any]]:
    """Send every body at the same moment, over a connection each; return the envelopes."""
    gun = threading.Barrier(len(bodies))

    def call(body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False
        ) as http:
            http.get("/health")  # the connection stands before the start
            gun.wait(TIMEOUT_S)
            reply = http.post(f"/api/v1/call/{tool}", json=body)
            answer: dict[str, Any] = reply.json()
            return answer

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(call, bodies))


def from_processes(
    url: str, token: str, tool: str, bodies: Sequence[Any], *, processes: int
) -> list[dict[str, Any]]:
    """Do the same from several processes, each with its share of the bodies."""
    shares = [bodies[number::processes] for number in range(processes)]
    children = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in shares
    ]
    try:
        for child, share in zip(children, shares, strict=True):
            _say(child, json.dumps({"url": url, "token": token, "tool": tool, "bodies": share}))
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            _say(child, "go")
        return [one for child in children for one in json.loads(child.communicate()[0])]
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.communicate()


def _say(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()


if __name__ == "__main__":
    wanted = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(at_once(**wanted)))
