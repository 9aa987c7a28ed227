"""Bad input for every operation through REST and MCP: a coded no, soon, and nothing changed.

`make fuzz` runs more of it (ORDERGATE_FUZZ_N bodies an operation); ORDERGATE_FUZZ_SEED repeats one.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway
from support.hostile import NUMBERS, TEXTS, as_json, mutated, raw_bodies

pytestmark = pytest.mark.slow

BODIES = int(os.environ.get("ORDERGATE_FUZZ_N", "60"))
WITHIN_S = 2.0
UNAVAILABLE = {"DATA_UNAVAILABLE", "NOT_READY"}
DONE = {"policy_rejected"}  # a refusal that is on record changes nothing
MODERN = "2026-07-28"


@pytest.fixture(scope="module")
def seed() -> int:
    given = os.environ.get("ORDERGATE_FUZZ_SEED")
    chosen = int(given) if given else random.SystemRandom().randrange(2**32)
    print(f"ORDERGATE_FUZZ_SEED={chosen}")
    return chosen


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    tables = ROOMY | {"mcp": {"toolsets": ["all"]}}
    with gateway(tmp_path_factory.mktemp("gateway"), tables) as one:
        one.good("place_order", **one.order())
        yield one


class Operation:
    """One operation as the OpenAPI document tells a stranger."""

    def __init__(self, path: str, method: str, document: dict[str, Any]) -> None:
        self.name = str(document["operationId"])
        self.path = path
        self.method = method.upper()
        body = document.get("requestBody", {}).get("content", {}).get("application/json", {})
        self.arguments: dict[str, Any] = dict(body.get("schema", {}).get("properties", {}))
        self.in_path = []
        for parameter in document["parameters"]:
            self.arguments[parameter["name"]] = parameter["schema"]
            if parameter["in"] == "path":
                self.in_path.append(parameter["name"])
        examples = [one["value"] for one in body.get("examples", {}).values()]
        self.good: dict[str, Any] = examples[0] if examples else {}


def operations(one: GatewayProcess) -> list[Operation]:
    paths = one.http.get("/api/v1/openapi.json").json()["paths"]
    found = [Operation(p, m, d) for p, methods in paths.items() for m, d in methods.items()]
    assert len(found) > 20
    return found


def unchanged(one: GatewayProcess) -> dict[str, Any]:
    """Return the state and the limits in force, without refusals on record."""
    state = one.state()
    state["orders"] = [row for row in state["orders"] if not DONE & set(row)]
    return state | {"limits": one.good("get_limits")}


@pytest.fixture
def watched(running: GatewayProcess) -> Iterator[GatewayProcess]:
    """Let a test send what it likes, and see that nothing has changed at its end."""
    before = unchanged(running)
    yield running
    assert unchanged(running) == before
    assert "tool.failed" not in running.errors


def coded(reply: httpx.Response, what: object) -> str:
    """Return a REST answer's code; fail unless it is declared and came in time."""
    shown = (reply.request.method, str(reply.request.url)[:300], str(what)[:300], reply.text[:300])
    assert reply.elapsed.total_seconds() < WITHIN_S, shown
    body = reply.json()
    if reply.status_code == 200:
        return "OK"
    assert reply.headers["content-type"] == "application/problem+json", shown
    code = body["error"]["code"]
    assert (body["ok"], body["code"], body["status"]) == (False, code, reply.status_code), shown
    assert reply.status_code < 500 or code in UNAVAILABLE, shown
    return str(code)


def test_every_operation_refuses_spoiled_arguments_over_rest(
    watched: GatewayProcess, seed: int
) -> None:
    chance = random.Random(seed)
    for operation in operations(watched):
        for _ in range(BODIES):
            body = mutated(operation.good, operation.arguments, chance)
            code = coded(_post(watched, operation.name, as_json(body)), body)
            assert code != "OK" or operation.method == "GET", (operation.name, body)


def test_every_operation_refuses_bodies_that_are_none(watched: GatewayProcess) -> None:
    for operation in operations(watched):
        for raw in raw_bodies(operation.good):
            code = coded(_post(watched, operation.name, raw), raw[:80])
            assert code in ("INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE"), (operation.name, raw[:80])


def test_paths_and_queries_take_no_nonsense(watched: GatewayProcess, seed: int) -> None:
    chance = random.Random(seed + 1)
    texts = [text for text in TEXTS if len(text) < 1_000]
    for operation in operations(watched):
        for _ in range(BODIES):
            path = operation.path
            for name in operation.in_path:
                path = path.replace(f"{{{name}}}", _quoted(chance.choice(texts)))
            names = [*operation.arguments, "a_stranger"]
            pairs = [(chance.choice(names), chance.choice(texts)) for _ in range(2)]
            if operation.method != "GET":  # what acts must be refused, whatever the rest is
                pairs.append(("stoploss", "1"))
            query = "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in pairs)
            coded(watched.http.request(operation.method, f"{path}?{query}"), pairs)


def test_sizes_and_prices_beyond_all_reason_are_refused(watched: GatewayProcess) -> None:
    good = watched.order()
    for tool in ("place_order", "draft_order", "check_risk"):
        for name in ("quantity", "stop_loss", "limit_price", "take_profit", "trail_percent"):
            for number in NUMBERS:
                order = good | ({"order_type": "limit"} if name == "limit_price" else {})
                reply = _post(watched, tool, as_json(order | {name: number}))
                code = coded(reply, (tool, name, number))
                if code == "OK":  # check_risk answers with its judgement
                    code = reply.json()["data"]["code"]
                assert code in ("INVALID_VOLUME", "INVALID_PRICE"), (tool, name, number)


def _post(one: GatewayProcess, tool: str, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return one.http.post(f"/api/v1/call/{tool}", content=content, headers=headers)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


Ask = Callable[[str, bytes], httpx.Response]


@pytest.fixture(params=["legacy", MODERN])
def ask(running: GatewayProcess, request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Return a way to call a tool over MCP with arguments that are any text at all."""
    headers = {
        "Authorization": f"Bearer {running.token}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    about = {"name": "fuzz", "version": "1"}
    meta = b""
    with httpx.Client(base_url=running.note["mcp_url"], timeout=20, trust_env=False) as http:
        http.headers.update(headers)
        if request.param == "legacy":
            hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}
            started = http.post("/mcp", content=_rpc("initialize", as_json(hello)))
            http.headers["Mcp-Session-Id"] = started.headers["mcp-session-id"]
            http.headers["Mcp-Protocol-Version"] = "2025-11-25"
            note = as_json({"jsonrpc": "2.0", "method": "notifications/initialized"})
            assert http.post("/mcp", content=note).status_code == 202
        else:
            words = "io.modelcontextprotocol/"
            said = {"protocolVersion": MODERN, "clientInfo": about, "clientCapabilities": {}}
            meta = b', "_meta": ' + as_json({words + name: value for name, value in said.items()})
            http.headers["Mcp-Protocol-Version"] = MODERN
            http.headers["Mcp-Method"] = "tools/call"

        def post(tool: str, arguments: bytes) -> httpx.Response:
            params = b'{"name": ' + as_json(tool) + b', "arguments": ' + arguments + meta + b"}"
            http.headers["Mcp-Name"] = tool
            return http.post("/mcp", content=_rpc("tools/call", params))

        yield post


def _rpc(method: str, params: bytes) -> bytes:
    head = b'{"jsonrpc": "2.0", "id": 1, "method": ' + as_json(method)
    return head + b', "params": ' + params + b"}"


def answer_of(reply: httpx.Response, what: object) -> str:
    """Return what MCP answered: OK, a code of ours, or `rpc` for a protocol error."""
    shown = (reply.status_code, str(what)[:300], reply.text[:300])
    assert reply.elapsed.total_seconds() < WITHIN_S, shown
    assert reply.status_code < 500, shown
    text = reply.text
    if reply.headers["content-type"].startswith("text/event-stream"):
        text = [line[6:] for line in text.splitlines() if line.startswith("data: {")][-1]
    body = json.loads(text)
    if "result" not in body:
        assert isinstance(body["error"].get("code"), int | str), shown
        return str(body["error"]["code"]) if body.get("ok") is False else "rpc"
    envelope = body["result"]["structuredContent"]
    assert body["result"].get("isError", False) is not envelope["ok"], shown
    if envelope["ok"]:
        return "OK"
    code = envelope["error"]["code"]
    assert body["result"]["content"][0]["text"].startswith(f"{code}: "), shown
    assert code != "INTERNAL_ERROR", shown
    return str(code)


def test_every_tool_refuses_spoiled_arguments_over_mcp(
    watched: GatewayProcess, ask: Ask, seed: int
) -> None:
    chance = random.Random(seed + 2)
    for operation in operations(watched):
        for _ in range(BODIES):
            body = mutated(operation.good, operation.arguments, chance)
            said = answer_of(ask(operation.name, as_json(body)), body)
            assert said != "OK" or operation.method == "GET", (operation.name, body)


def test_every_tool_refuses_arguments_that_are_none_over_mcp(
    watched: GatewayProcess, ask: Ask
) -> None:
    for operation in operations(watched):
        for raw in raw_bodies(operation.good):
            if raw == b"null":  # MCP's way to say that there are none
                continue
            said = answer_of(ask(operation.name, raw), raw[:80])
            assert said in ("rpc", "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE"), (operation.name, raw)


def test_words_of_any_kind_are_kept_harmless_or_refused(running: GatewayProcess) -> None:
    for number, text in enumerate(TEXTS):
        body = running.order("0.01", note=text, idempotency_key=f"words-{number}")
        code = coded(_post(running, "draft_order", as_json(body)), text)
        assert code in ("OK", "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE"), text
    for order in running.good("list_orders", scope="draft", limit=100)["orders"]:
        kept = running.good("get_order", order_id=order["order_id"])["note"]
        shown = json.dumps(kept, ensure_ascii=False)
        assert not set(shown) & set("\x00\u202e\u200b\u2066\ufeff\r")
        running.good("withdraw_order", order_id=order["order_id"])
    assert "tool.failed" not in running.errors


def test_it_still_serves_after_all_of_that(running: GatewayProcess) -> None:
    began = time.monotonic()
    assert running.good("get_status")["ready"]
    assert time.monotonic() - began < WITHIN_S
    assert running.verified() == 0
