"""A22, A23, A24, A26: terminals, webhooks and experts are not there yet: every door says so.

No queue, no job, no webhook and no expert: nothing pretends to have been done, nothing answers with
a 5xx, and no token of a terminal's kind can be made. Their own cases come with them: see
docs/reference/proofs-attacks.md.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.gateway_process import GatewayProcess

JOBS = (  # A22, A24: the endpoints of a remote terminal's agent
    *(("GET", "/jobs/next"), ("POST", "/jobs/claim"), ("POST", "/jobs/1/result")),
    *(("GET", "/api/v1/agent/jobs"), ("POST", "/agent/heartbeat"), ("POST", "/api/v1/mt5/prices")),
)
WEBHOOKS = (  # A23
    *(("POST", "/webhook"), ("POST", "/webhooks/tradingview"), ("POST", "/api/v1/webhook")),
    *(("POST", "/tradingview"), ("POST", "/api/v1/signals")),
)
EXPERTS = (  # A26
    *("compile_expert", "deploy_expert", "run_expert", "stop_expert", "compile_mql5"),
    *("start_bot", "run_backtest", "deploy_strategy", "get_job", "claim_job", "web_search"),
)


@pytest.mark.parametrize(("method", "path"), [*JOBS, *WEBHOOKS])
def test_a_route_that_is_not_there_is_404_with_a_code(
    running: GatewayProcess, method: str, path: str
) -> None:
    before = running.state()
    body: dict[str, Any] = {"symbol": "EURUSD", "side": "buy", "quantity": "0.01", "secret": "x"}
    for _ in range(2):  # repeated, too: no effect is still no effect
        reply = running.http.request(method, path, json=body if method == "POST" else None)
        assert reply.status_code in (404, 405), reply.text
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["ok"] is False
    assert running.state() == before


@pytest.mark.parametrize("tool", EXPERTS)
def test_a_tool_that_is_not_there_never_says_success(running: GatewayProcess, tool: str) -> None:
    said = running.call(tool, name="x", source="OnTick(){}")
    assert said["ok"] is False
    assert said["error"]["code"] in ("NOT_SUPPORTED", "RESOURCE_NOT_FOUND", "INVALID_ARGUMENT")


@pytest.mark.parametrize("kind", ["mt5_agent", "mt5-agent", "terminal", "operator", "gateway", ""])
def test_no_token_of_another_kind_is_made(running: GatewayProcess, kind: str) -> None:
    before = running.book("select token_id from tokens")
    with running.operator() as desk:
        made = desk.post("/operator/tokens", json={"kind": kind, "name": "t", "days": 1})
    assert made.status_code == 400, made.text
    assert running.book("select token_id from tokens") == before
