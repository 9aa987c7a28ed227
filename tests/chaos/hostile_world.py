"""Where hostile agents live: a real gateway process, its operator, and what an agent holds."""

from __future__ import annotations

import json
import random
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from chaos import escapes
from chaos.escapes import POSITIONS_MAX, Said
from support.gateway_process import OPERATOR, ROOMY, GatewayProcess
from support.operator_client import OperatorClient

SETTINGS = {
    **ROOMY,
    "server": {**ROOMY["server"], "sse": True},
    "limits": {
        **ROOMY["limits"],
        "auto_approve_notional": 5_000,
        "open_positions_max": POSITIONS_MAX,
    },
}
ANSWER_S = 10.0
LAUNCHER = Path(__file__).parents[1] / "support" / "broken_launcher.py"


class NotNow(Exception):
    """What an attack begins with is refused now: everything is stopped, or no place is left."""


@dataclass
class Launched(GatewayProcess):
    """A gateway whose safeguards may be broken on purpose, by name."""

    broken: str = field(default="", kw_only=True)

    def _program(self, *words: str) -> list[str]:
        if not self.broken:
            return super()._program(*words)
        return [sys.executable, "-P", str(LAUNCHER), self.broken, *words]


@dataclass
class World:
    """One episode's stage. What attacks see go wrong at a door is noted in `let_in`."""

    gate: GatewayProcess
    desk: OperatorClient
    chance: random.Random
    agents: dict[str, str] = field(default_factory=dict)  # name: token
    said: Said = field(default_factory=Said)
    let_in: list[str] = field(default_factory=list)
    sent: int = 0

    # what an agent does

    def place(self, lots: str = "0.01", **more: Any) -> dict[str, Any]:
        return self.call("place_order", **{**self.order(lots), **more})

    def asks(self, lots: str = "", *, token: str | None = None, **terms: Any) -> dict[str, Any]:
        """Place what waits for the operator; return the order with its approval_id."""
        terms = {**(self.order(lots) if lots else {}), **terms}
        found: dict[str, Any] = self.call("place_order", token=token, **terms)["data"] or {}
        if not found.get("approval_id"):
            raise NotNow
        return found

    def order(self, lots: str = "0.01") -> dict[str, Any]:
        return self.gate.order(lots)

    def call(self, tool: str, *, token: str | None = None, **arguments: Any) -> dict[str, Any]:
        headers = None if token is None else {"Authorization": f"Bearer {token}"}
        reply = self.post(f"/api/v1/call/{tool}", json=arguments, headers=headers)
        found: dict[str, Any] = reply.json()
        return found

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to the agents' door; an undeclared 5xx is noted."""
        self.sent += 1
        reply = self.gate.http.request(method, path, **more)
        return self.seen(reply)

    def seen(self, reply: httpx.Response) -> httpx.Response:
        if reply.status_code >= 500 and reply.status_code != 503:
            self.let_in.append(f"{reply.request.url}: {reply.status_code} {reply.text[:200]}")
        return reply

    def refused(self, reply: httpx.Response, what: str, *codes: int) -> None:
        """Note a request that should have been turned away and was not."""
        if reply.status_code not in (codes or (400, 401, 403, 404, 405, 413, 421, 422)):
            self.let_in.append(f"{what}: {reply.status_code} {reply.text[:200]}")

    def raw(self, door: str, request: bytes, *, within_s: float = ANSWER_S) -> bytes:
        """Write bytes to a listener; return what it answers until it closes or falls silent."""
        self.sent += 1
        with closing(socket.create_connection(("127.0.0.1", self.port(door)), ANSWER_S)) as link:
            link.settimeout(within_s)
            with suppress(OSError):
                link.sendall(request)
            answer = b""
            with suppress(OSError):
                while chunk := link.recv(65_536):
                    answer += chunk
                    if b"\r\n\r\n" in answer:
                        break
            return answer

    def port(self, door: str) -> int:
        place = {"rest": self.gate.rest, "mcp": self.gate.mcp, "console": self.gate.console}[door]
        port = urlsplit(place).port
        assert port is not None
        return port

    # what the operator does

    def console(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the operator's door as an agent that knows its address."""
        self.sent += 1
        place = urlsplit(self.gate.console)
        headers = {"Host": place.netloc, "Origin": self.gate.console, **more.pop("headers", {})}
        with httpx.Client(trust_env=False, verify=False, timeout=20) as http:
            url = f"http://127.0.0.1:{place.port}{path}"
            return self.seen(http.request(method, url, headers=headers, **more))

    def shown(self, ticket: str) -> dict[str, Any]:
        found: dict[str, Any] = self.desk.get(f"/operator/approvals/{ticket}").json()["data"]
        return found

    def yes(self, ticket: str) -> httpx.Response:
        """Have the operator read an ask and say yes to what it shows."""
        mark = self.shown(ticket)["ticket"]["fingerprint"]
        self.says_yes(ticket, mark)
        body = {"fingerprint": mark}
        return self.desk.post(f"/operator/approvals/{ticket}/approve", json=body)

    def says_yes(self, ticket: str, mark: str) -> None:
        self.said.yes.add(ticket)
        self.said.shown[ticket] = mark
        self.said.kinds |= {"ticket.approved", "order.yes", "operator.factor_shown"}

    def release(self) -> None:
        """Have the operator release every stop."""
        for halt in self.desk.get("/operator/halts").json()["data"]:
            self.said.released.add(halt["halt_id"])
            self.said.kinds |= {"halt.released", "operator.factor_shown"}
            path = f"/operator/halts/{halt['halt_id']}/release"
            done = self.desk.post(path, json={"reason": "the episode is over"})
            if done.status_code == 429:  # an attack has tried many factors: the operator waits
                time.sleep(done.json()["error"]["details"]["retry_after_s"])
                done = self.desk.post(path, json={"reason": "the episode is over"})
            if done.status_code != 200:
                self.let_in.append(f"the operator could not release: {done.text[:200]}")

    def token(self, kind: str, name: str) -> tuple[str, str]:
        """Have the operator make a token; return its id and its text."""
        self.said.kinds |= {"token.created", "operator.factor_shown"}
        made = self.desk.post("/operator/tokens", json={"kind": kind, "name": name, "days": 1})
        found = made.json()["data"]
        self.said.tokens.add(found["token_id"])
        return found["token_id"], found["token"]

    def revoke(self, token_id: str) -> None:
        self.said.kinds |= {"token.revoked", "operator.factor_shown"}
        self.desk.delete(f"/operator/tokens/{token_id}")

    # between episodes

    def leave(self) -> list[str]:
        """Get out of everything with an agent's means alone; return what was trapped."""
        trapped = []
        for order in self.call("list_orders", scope="waiting", limit=100)["data"]["orders"]:
            self.call("withdraw_order", order_id=order["order_id"])
        for order in self.call("list_orders", scope="draft", limit=100)["data"]["orders"]:
            self.call("withdraw_order", order_id=order["order_id"])
        section = self.call("get_account", section="orders")["data"]
        for order in section["open_orders"]:
            self.call("cancel_order", venue_order_id=order["venue_order_id"])
        for _ in range(3):
            held = self.call("get_positions", limit=100)["data"]["positions"]
            if not held:
                break
            for one in held:
                out = self.call("close_position", position_id=one["position_id"])
                trapped += [] if out["ok"] else [json.dumps(out["error"])[:300]]
        return trapped if self.call("get_positions")["data"]["positions"] else []


@contextmanager
def worlds(root: Path, broken: str = "") -> Iterator[World]:
    """Run a gateway with its operator signed in, and two agents."""
    gate = Launched(root, SETTINGS, broken=broken)
    gate.settle_in()
    gate.make_operator()
    try:
        gate.start()
        with OperatorClient(gate.console) as desk:
            desk.sign_in(OPERATOR, gate.password, gate.codes.pop())
            desk.enrol(gate.codes.pop())
            world = World(gate, desk, random.Random(0))
            world.agents = {name: world.token("agent", name)[1] for name in ("mallory", "trent")}
            yield world
    finally:
        gate.close()


def state(world: World) -> escapes.State:
    return escapes.read(world.gate.config, world.gate.data)


def alive(world: World) -> list[str]:
    """Return what of the doors does not answer soon."""
    late = []
    for name, base in (("rest", world.gate.rest), ("console", world.gate.console)):
        began = time.monotonic()
        try:
            headers = {"Host": urlsplit(base).netloc}
            url = f"http://127.0.0.1:{world.port(name)}/readyz"
            status = httpx.get(url, headers=headers, timeout=20, trust_env=False).status_code
        except httpx.HTTPError as error:
            status = -1
            late.append(f"{name}: {error!r}")
        took = time.monotonic() - began
        if status != 200 or took > ANSWER_S:
            late.append(f"{name}: {status} after {took:.1f} s")
    return late


def words_of(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, sort_keys=True)
