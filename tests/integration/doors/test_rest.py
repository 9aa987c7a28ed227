"""REST over the catalogue: credentials, strict bodies, problem details, aliases, health."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from ordergate.surfaces.catalogue.throttle import Rate
from ordergate.surfaces.edge import HostGuard, boundary, by_bearer
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from support.doors import OPERATOR, Doors, doors

AGENT = {"Authorization": "Bearer token-agent"}
READER = {"Authorization": "Bearer token-reader"}
GOOD = {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stop_loss": "1.07"}


def built(gate: Doors, *, ready: bool = True, metrics: Metrics | None = None) -> ASGIApp:
    health = Health(version="0.1.0", ready=lambda: ready, mcp=lambda: {"url": "http://x/mcp"})
    app = rest_app(
        gate.dispatch,
        gate.operations,
        authenticate=by_bearer(gate.bearer),
        health=health,
        metrics=metrics or Metrics(),
    )
    return HostGuard(app, boundary())


def send(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] = AGENT,
    **rest: Any,
) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8010") as it:
            return await it.request(method, path, headers=dict(headers), **rest)

    return asyncio.run(go())


def code_of(reply: httpx.Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["status"] == reply.status_code
    assert body["ok"] is False
    assert body["code"] == body["error"]["code"]
    return str(body["code"])


def test_an_answer_is_the_envelope() -> None:
    reply = send(built(doors()), "GET", "/api/v1/market/quotes?symbols=EURUSD,GBPUSD")
    body = reply.json()
    assert (reply.status_code, body["ok"], body["error"]) == (200, True, None)
    assert [item["symbol"] for item in body["data"]["quotes"]] == ["EURUSD", "GBPUSD"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic token-agent"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer " + "x" * 10_000},
        {"X-Api-Key": "token-agent"},
    ],
)
def test_without_a_good_token_nothing_is_answered(headers: dict[str, str]) -> None:
    reply = send(built(doors()), "GET", "/api/v1/account", headers=headers)
    assert (reply.status_code, code_of(reply)) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_url_is_no_credential() -> None:
    reply = send(built(doors()), "GET", "/api/v1/account?token=token-agent", headers={})
    assert reply.status_code == 401


def test_a_reader_is_forbidden_to_trade() -> None:
    reply = send(built(doors()), "POST", "/api/v1/orders", headers=READER, json=GOOD)
    assert (reply.status_code, code_of(reply)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:8010"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 200),
        ({"Host": "localhost:8010"}, 200),
        ({"Host": "[::1]:8010"}, 200),
    ],
)
def test_foreign_hosts_and_origins_are_turned_away(headers: dict[str, str], status: int) -> None:
    reply = send(built(doors()), "GET", "/api/v1/status", headers={**AGENT, **headers})
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"{", "INVALID_ARGUMENT", 400),
        (b"[1]", "INVALID_ARGUMENT", 400),
        (b'"x"', "INVALID_ARGUMENT", 400),
        (b'{"symbol": "A", "symbol": "B"}', "INVALID_ARGUMENT", 400),
        (b'{"quantity": NaN}', "INVALID_ARGUMENT", 400),
        (b'{"quantity": 1e309}', "INVALID_ARGUMENT", 400),
        (b'{"quantity": ' + b"9" * 5_000 + b"}", "INVALID_ARGUMENT", 400),
        (b'{"symbol": "\\ud800"}', "INVALID_ARGUMENT", 400),
        (b"\xff\xfe", "INVALID_ARGUMENT", 400),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "PAYLOAD_TOO_LARGE", 413),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "PAYLOAD_TOO_LARGE", 413),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "PAYLOAD_TOO_LARGE", 413),
    ],
)
def test_a_bad_body_is_a_coded_error_and_changes_nothing(
    body: bytes, code: str, status: int
) -> None:
    gate = doors()
    reply = send(
        built(gate),
        "POST",
        "/api/v1/orders",
        headers={**AGENT, "Content-Type": "application/json"},
        content=body,
    )
    # Twenty thousand brackets overflow the reader before they can be counted.
    assert (reply.status_code, code_of(reply)) in {(status, code), (400, "INVALID_ARGUMENT")}
    assert gate.gateway.calls == []


def test_a_misspelt_stop_does_not_place_an_order_without_one() -> None:
    gate = doors()
    order = {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stoploss": "1.07"}
    reply = send(built(gate), "POST", "/api/v1/orders", json=order)
    assert (reply.status_code, code_of(reply)) == (400, "INVALID_ARGUMENT")
    assert reply.json()["error"]["fix"] == "Did you mean stop_loss?"
    assert gate.gateway.calls == []


def test_a_form_is_not_json() -> None:
    reply = send(built(doors()), "POST", "/api/v1/orders", data={"symbol": "EURUSD"})
    assert (reply.status_code, code_of(reply)) == (400, "INVALID_ARGUMENT")


def test_query_text_is_read_by_the_schema_and_not_beyond() -> None:
    app = built(doors())
    path = "/api/v1/market/bars?symbol=EURUSD&limit="
    assert len(send(app, "GET", f"{path}3").json()["data"]["time"]) == 3
    for wrong in ("3.0", "three", "", "1e1", "-1", "999999"):
        assert code_of(send(app, "GET", f"{path}{wrong}")) == "INVALID_ARGUMENT"
    twice = send(app, "GET", f"{path}3&symbol=GBPUSD")
    assert code_of(twice) == "INVALID_ARGUMENT"


def test_path_and_body_may_not_disagree() -> None:
    reply = send(built(doors()), "GET", "/api/v1/orders/abc?order_id=other")
    assert code_of(reply) == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/market/bars", {"symbol": "EURUSD"}),
        ("POST", "/risk/check", GOOD),
        ("POST", "/orders/paper", GOOD),
        ("POST", "/killswitch/trigger", None),
        ("GET", "/audit/logs", None),
    ],
)
def test_the_names_others_know_answer_at_the_root_and_below_the_prefix(
    method: str, path: str, body: Any
) -> None:
    app = built(doors())
    for place in ("", "/api/v1"):
        reply = (
            send(app, method, place + path, json=body) if body else send(app, method, place + path)
        )
        assert (reply.status_code, reply.json()["ok"]) == (200, True), place + path


def test_triggering_the_kill_switch_twice_leaves_it_set() -> None:
    gate = doors()
    app = built(gate)
    for _ in range(2):
        assert send(app, "POST", "/killswitch/trigger").status_code == 200
    assert send(app, "GET", "/api/v1/limits").json()["data"]["killed"] is True


def test_asking_to_create_an_approval_only_reads_the_one_there_is() -> None:
    gate = doors()
    app = built(gate)
    order = send(app, "POST", "/api/v1/orders", json={**GOOD, "quantity": "2"}).json()["data"]
    reply = send(app, "POST", "/approval/create", json={"order_id": order["order_id"]})
    assert reply.json()["data"]["status"] == "open"
    assert reply.json()["data"]["approval_id"] == order["approval_id"]


def test_any_tool_is_called_by_its_name() -> None:
    app = built(doors())
    assert send(app, "POST", "/api/v1/call/get_status", json={}).json()["data"]["you"] == "agent-1"
    assert code_of(send(app, "POST", "/api/v1/call/approve_order", json={})) == "NOT_SUPPORTED"


def test_a_refused_order_is_a_problem_with_its_checklist() -> None:
    reply = send(built(doors()), "POST", "/api/v1/orders", json={**GOOD, "quantity": "9"})
    assert (reply.status_code, code_of(reply)) == (422, "EXCEEDS_LOCAL_LIMIT")
    assert reply.json()["error"]["details"]["headroom"] == "500000"


def test_an_unknown_route_and_a_wrong_method_speak_the_same_language() -> None:
    app = built(doors())
    assert code_of(send(app, "GET", "/api/v1/nothing")) == "RESOURCE_NOT_FOUND"
    reply = send(app, "DELETE", "/api/v1/orders")
    assert reply.status_code == 405
    assert reply.json()["code"] == "NOT_SUPPORTED"


def test_health_needs_no_token_and_says_nothing_private() -> None:
    app = built(doors())
    assert send(app, "GET", "/health", headers={}).json()["data"]["status"] == "ok"
    assert send(app, "GET", "/readyz", headers={}).status_code == 200
    assert send(app, "GET", "/mcp-health", headers={}).json()["data"]["url"] == "http://x/mcp"
    waiting = send(built(doors(), ready=False), "GET", "/readyz", headers={})
    assert (waiting.status_code, code_of(waiting)) == (503, "NOT_READY")


def test_metrics_count_calls_by_tool_and_code_behind_the_token() -> None:
    metrics = Metrics()
    gate = doors(observers=(metrics.called,), listeners=(metrics.changed,))
    app = built(gate, metrics=metrics)
    send(app, "POST", "/api/v1/orders", json=GOOD)
    send(app, "POST", "/api/v1/call/" + "x" * 50, json={})
    assert send(app, "GET", "/metrics", headers={}).status_code == 401
    text = send(app, "GET", "/metrics").text
    assert 'ordergate_calls_total{code="OK",tool="place_order"} 1.0' in text
    assert 'ordergate_calls_total{code="NOT_SUPPORTED",tool="unknown"} 1.0' in text
    assert 'ordergate_order_changes_total{status="filled"} 1.0' in text
    assert "ordergate_ready 1.0" in text


def test_too_many_calls_are_told_when_to_come_back() -> None:
    gate = doors(rate=Rate(per_second=1, burst=2, reserved=1))
    app = built(gate)
    replies = [send(app, "GET", "/api/v1/limits") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert code_of(replies[2]) == "RATE_LIMIT_EXCEEDED"
    assert replies[2].headers["retry-after"] == "1"


def test_the_same_app_stands_behind_another_credential() -> None:
    async def cookie(_: Any) -> Any:
        return OPERATOR

    gate = doors()
    health = Health(version="0.1.0", ready=lambda: True, mcp=dict)
    app = rest_app(
        gate.dispatch, gate.operations, authenticate=cookie, health=health, metrics=Metrics()
    )
    assert send(app, "GET", "/api/v1/status", headers={}).json()["data"]["your_kind"] == "operator"


def test_the_openapi_text_names_every_operation_and_no_validation_of_its_own() -> None:
    reply = send(built(doors()), "GET", "/api/v1/openapi.json", headers={})
    document = reply.json()
    named = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert named == {operation.name for operation in doors().operations}
    assert "HTTPValidationError" not in json.dumps(document)
