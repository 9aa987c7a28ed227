"""Malformed MCP messages, by the thousand: each is answered soon, and the process stays as it was.

Three doors take turns: HTTP in both eras of the protocol, and stdio. An answer is a JSON-RPC error,
a result (some strange messages are good ones), a refusal of the HTTP door with a code, or, to what
asks nothing, silence. None takes longer than two seconds, none is a 5xx but the declared 503, and
the memory of gateway and door grows by less than 20 MB.

    python tests/chaos/malformed_mcp.py --messages 5000 [--seed S]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.gateway_process import ROOMY, GatewayProcess, gateway, program
from support.hostile import TEXTS, WRONG_TYPES

WITHIN_S = 2.0
GROWTH_MAX = 20 * 2**20
WARM_UP = 300  # messages before memory is measured: caches and pools fill once
ERA = {"legacy": "2025-11-25", "modern": "2026-07-28"}
METHODS = (
    *("initialize", "tools/list", "tools/call", "resources/list", "resources/read", "ping"),
    *("prompts/get", "prompts/list", "subscriptions/listen", "completion/complete", "logging/set"),
    *("notifications/initialized", "notifications/cancelled", "notifications/progress", "rpc.x"),
    *("sampling/createMessage", "elicitation/create", "tools/call\n", "TOOLS/LIST", "server/info"),
)
ABOUT = {"name": "malformed", "version": "1"}


def message(chance: random.Random) -> bytes:
    """Return one message that no sound client sends: wrong in kind, in shape or in its bytes."""
    wrong: list[Any] = [one for one in WRONG_TYPES if not isinstance(one, float)]
    wrong += [text for text in TEXTS if len(text) < 5_000]
    body: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": chance.randrange(10**6),
        "method": chance.choice(METHODS),
        "params": {"name": chance.choice(["get_status", "place_order", "x"]), "arguments": {}},
    }
    for _ in range(chance.randint(1, 3)):
        place = chance.choice(["jsonrpc", "id", "method", "params", "name", "arguments", "_meta"])
        inner = body.get("params") if place in ("name", "arguments", "_meta") else body
        if isinstance(inner, dict):
            if chance.random() < 0.25:
                inner.pop(place, None)
            else:
                inner[place] = chance.choice(wrong)
    shape: Any = body
    kind = chance.random()
    if kind < 0.05:
        shape = [body] * chance.randint(0, 40)
    elif kind < 0.1:
        shape = {"jsonrpc": "2.0", "id": body.get("id", 1), "result": chance.choice(wrong)}
    elif kind < 0.15:
        shape = chance.choice(wrong)
    elif kind < 0.2:
        shape = {**body, **{f"k{n}": n for n in range(chance.choice([3, 900, 3_000]))}}
    return _spoiled(json.dumps(shape).encode(), chance)


def _spoiled(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw)) if raw else 0
    match chance.randrange(12):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case 2:
            return raw + raw
        case 3:
            return raw.replace(b'"2.0"', b"NaN", 1)
        case 4:
            return b'{"a":' + b"[" * chance.choice([20, 200, 20_000]) + raw
        case 5:
            return raw.replace(b'"id"', b'"id": 1, "id"', 1)
        case 6:
            return raw.decode().encode("utf-16")
        case 7:
            return raw[:-1] + b', "pad": "' + b"x" * chance.choice([9, 70_000]) + b'"}'
        case _:
            return raw


@dataclass
class Seen:
    """What came back, by kind; what should not have."""

    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def took(self, seconds: float, what: bytes) -> None:
        self.slowest = max(self.slowest, seconds)
        if seconds > WITHIN_S:
            self.faults.append(f"{seconds:.2f} s for {what[:120]!r}")


class Http:
    """One era of the HTTP door, its session kept."""

    def __init__(self, one: GatewayProcess, era: str) -> None:
        self.era = era
        self.http = httpx.Client(base_url=one.note["mcp_url"], timeout=20, trust_env=False)
        self.http.headers.update(
            {
                "Authorization": f"Bearer {one.token}",
                "Accept": "application/json, text/event-stream",
                "Content-Type": "application/json",
                "Mcp-Protocol-Version": ERA[era],
            }
        )
        if era == "legacy":
            self.begin()

    def begin(self) -> None:
        self.http.headers.pop("Mcp-Session-Id", None)
        hello = {"protocolVersion": ERA["legacy"], "capabilities": {}, "clientInfo": ABOUT}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        reply = self.http.post("/mcp", json=body)
        self.http.headers["Mcp-Session-Id"] = reply.headers["mcp-session-id"]
        self.http.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, raw: bytes, chance: random.Random, seen: Seen) -> None:
        headers = self._headers(chance)
        began = time.monotonic()
        if b"subscriptions/listen" in raw:  # a good one is a stream without end: its head is all
            with self.http.stream("POST", "/mcp", content=raw, headers=headers) as reply:
                seen.kinds[f"{self.era}: stream {reply.status_code}"] += 1
                status, text, kind = reply.status_code, "", ""
        else:
            reply = self.http.post("/mcp", content=raw, headers=headers)
            status, text = reply.status_code, reply.text
            kind = reply.headers.get("content-type", "")
        seen.took(time.monotonic() - began, raw)
        if b"listen" in raw and not text:
            return
        told = _told(status, text, kind)
        seen.kinds[f"{self.era}: {told.partition('!')[0]}"] += 1
        if "!" in told:
            seen.faults.append(f"{self.era} {told} to {raw[:200]!r}: {text[:200]}")

    def _headers(self, chance: random.Random) -> dict[str, str]:
        if chance.random() < 0.8:
            return {"Mcp-Method": "tools/call"} if self.era == "modern" else {}
        name = chance.choice(["Mcp-Protocol-Version", "Accept", "Content-Type", "Mcp-Name"])
        said = chance.choice(["1999-01-01", "text/html", "x" * 200, "*/*", "", "tools/call"])
        return {name: said, "Mcp-Method": chance.choice(["x", "tools/list", "ping"])}


def _told(status: int, text: str, kind: str) -> str:
    """Return what an answer is; with a `!` where it is none that may come."""
    if status >= 500 and status != 503:
        return f"{status}!"
    if not text.strip():
        return f"silence {status}" + ("" if status in (200, 202, 204) else "!")
    if kind.startswith("text/event-stream"):
        data = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
        text = data[-1] if data else "null"
    try:
        body = json.loads(text)
    except ValueError:
        return f"no JSON {status}!"
    if isinstance(body, dict) and body.get("ok") is False and body["error"].get("code"):
        return f"refused {status}"
    return rpc(body)


def rpc(body: Any) -> str:
    """Return what a JSON-RPC answer is."""
    for one in body if isinstance(body, list) else [body]:
        if not isinstance(one, dict) or one.get("jsonrpc") != "2.0":
            return "no JSON-RPC!"
        if "result" in one:
            return "result"
        error = one.get("error", {})
        if not isinstance(error.get("code"), int) or not isinstance(error.get("message"), str):
            return "no JSON-RPC error!" if "method" not in one else "notice"
    return "error"


class Stdio:
    """The stdio door: after each message a ping must come back."""

    def __init__(self, one: GatewayProcess) -> None:
        self.door = subprocess.Popen(
            program("mcp"),
            env=one.environment,
            cwd=one.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.number = 0
        self.read = b""
        hello = {"protocolVersion": ERA["legacy"], "capabilities": {}, "clientInfo": ABOUT}
        self._write({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello})
        self._until("hello", 60, Seen())
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        call = {"name": "get_status", "arguments": {}}  # the first call attaches to the gateway
        self._write({"jsonrpc": "2.0", "id": "first", "method": "tools/call", "params": call})
        self._until("first", 60, Seen())

    def send(self, raw: bytes, _: random.Random, seen: Seen) -> None:
        assert self.door.stdin is not None
        line = raw.replace(b"\n", b" ").replace(b"\r", b" ")
        began = time.monotonic()
        self.door.stdin.write(line + b"\n")
        self.number += 1
        name = f"ping-{self.number}"
        self._write({"jsonrpc": "2.0", "id": name, "method": "ping"})
        if not self._until(name, 20, seen):
            seen.faults.append(f"stdio: no answer to a ping after {raw[:200]!r}")
        seen.took(time.monotonic() - began, raw)

    def _write(self, body: dict[str, Any]) -> None:
        assert self.door.stdin is not None
        self.door.stdin.write(json.dumps(body).encode() + b"\n")
        self.door.stdin.flush()

    def _until(self, name: str, within_s: float, seen: Seen) -> bool:
        deadline = time.monotonic() + within_s
        while (line := self._line(deadline)) is not None:
            body = json.loads(line)
            if isinstance(body, dict) and body.get("id") == name:
                return True
            told = rpc(body)
            seen.kinds[f"stdio: {told.partition('!')[0]}"] += 1
            if "!" in told:
                seen.faults.append(f"stdio {told}: {line[:200]!r}")
        return False

    def _line(self, deadline: float) -> bytes | None:
        """Return the next line that the door writes; None at the deadline or its end."""
        assert self.door.stdout is not None
        while b"\n" not in self.read:
            left = deadline - time.monotonic()
            if left <= 0 or not select([self.door.stdout], [], [], left)[0]:
                return None
            chunk = os.read(self.door.stdout.fileno(), 65_536)
            if not chunk:
                return None
            self.read += chunk
        line, _, self.read = self.read.partition(b"\n")
        return line

    def close(self) -> None:
        self.door.kill()
        self.door.communicate()


def memory(pid: int) -> int:
    """Return the resident bytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(pid)


def play(messages: int, seed: int, root: Path) -> tuple[Seen, dict[str, int]]:
    """Send that many messages, a third by each door; return what came, and each growth in bytes."""
    seen, grown = Seen(), {}
    with ExitStack() as held, gateway(root, ROOMY) as one:
        assert one.child is not None
        stdio = Stdio(one)
        held.callback(stdio.close)
        doors: list[Callable[[bytes, random.Random, Seen], None]] = [
            *(Http(one, "legacy").send, Http(one, "modern").send, stdio.send),
        ]
        pids = {"gateway": one.child.pid, "stdio door": stdio.door.pid}
        before = {name: memory(pid) for name, pid in pids.items()}
        for number in range(messages + WARM_UP):
            if number == WARM_UP:
                before = {name: memory(pid) for name, pid in pids.items()}
            chance = random.Random(f"{seed}:{number}")
            doors[number % len(doors)](message(chance), chance, seen)
        grown = {name: memory(pid) - before[name] for name, pid in pids.items()}
        for name, growth in grown.items():
            if growth > GROWTH_MAX:
                seen.faults.append(f"{name} grew by {growth / 2**20:.1f} MB")
        seen.faults += [word for word in ("tool.failed", "Traceback") if word in one.errors]
        if not one.good("get_status")["ready"] or stdio.door.poll() is not None:
            seen.faults.append("it does not serve after that")
    return seen, grown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--seed", type=int, help="printed when not given")
    given = parser.parse_args()
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    print(f"{given.messages} malformed MCP messages, seed {seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="malformed-") as folder:
        seen, grown = play(given.messages, seed, Path(folder))
    for kind, times in sorted(seen.kinds.items()):
        print(f"  {kind:<28} {times:>6}")
    for fault in seen.faults[:30]:
        print(fault)
    growth = ", ".join(f"{name} {count / 2**20:+.1f} MB" for name, count in grown.items())
    print(
        f"{given.messages} messages, {len(seen.faults)} faults, slowest {seen.slowest:.2f} s,"
        f" growth: {growth}, {time.monotonic() - began:.0f} s, seed {seed}"
    )
    return 1 if seen.faults else 0


if __name__ == "__main__":
    sys.exit(main())
