"""A21: one agent's key on another's path, a key's hash, an empty key: nothing opens."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import Any

import httpx
import pytest

from support.gateway_process import GatewayProcess


@pytest.fixture(scope="module")
def others(running: GatewayProcess) -> dict[str, str]:
    with running.operator() as desk:
        made = desk.post("/operator/tokens", json={"kind": "agent", "name": "other", "days": 1})
    token: dict[str, Any] = made.json()["data"]
    return {"Authorization": f"Bearer {token['token']}"}


def test_another_agents_order_is_not_there(running: GatewayProcess, others: dict[str, str]) -> None:
    mine = running.good("draft_order", **running.order())["order_id"]
    for tool, more in (
        ("get_order", {}),
        ("wait_order", {"timeout_s": 1}),
        ("get_approval", {}),
        ("withdraw_order", {}),
        ("modify_order", {"stop_loss": "1.0"}),
        ("cancel_order", {}),
    ):
        body = {"order_id": mine, **more}
        reply = running.http.post(f"/api/v1/call/{tool}", json=body, headers=others)
        assert reply.status_code in (403, 404), (tool, reply.text)
    for path in (f"/api/v1/orders/{mine}", f"/orders/{mine}"):
        assert running.http.get(path, headers=others).status_code in (403, 404, 405)
    listed = running.http.post("/api/v1/call/list_orders", json={"scope": "all"}, headers=others)
    assert mine not in listed.text
    sealed = running.http.post("/api/v1/call/get_audit", json={"order_id": mine}, headers=others)
    assert sealed.json()["data"]["records"] == []
    assert running.good("withdraw_order", order_id=mine)["status"] == "withdrawn"


def test_a_hash_an_empty_and_a_foreign_key_open_nothing(running: GatewayProcess) -> None:
    with closing(sqlite3.connect(f"file:{running.data / 'gate.db'}?mode=ro", uri=True)) as db:
        digests = [digest for (digest,) in db.execute("select digest from tokens")]
    good = running.token
    stem = good.rpartition("_")[0]
    keys = [
        *("", " ", "null", "undefined", "Bearer", stem, f"{stem}_"),
        *digests,
        *(f"{stem}_{digest}" for digest in digests),
        hashlib.sha256(good.encode()).hexdigest(),
        good[:-1],
        f"{good}A",
        good.swapcase(),
    ]
    said = {f"{scheme} {key}".strip() for key in keys for scheme in ("Bearer", "Basic", "")}
    with httpx.Client(trust_env=False, timeout=20) as http:
        for words in sorted(said):
            for door in (f"{running.rest}/api/v1/call/get_status", running.mcp):
                reply = http.post(door, json={}, headers={"Authorization": words})
                assert reply.status_code == 401, (door, words, reply.text)


def test_anothers_session_is_not_found(running: GatewayProcess, others: dict[str, str]) -> None:
    """A session id of MCP is no credential: it belongs to the token that began it."""
    headers = {
        "Authorization": f"Bearer {running.token}",
        "Accept": "application/json, text/event-stream",
    }
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "a21", "version": "1"},
    }

    def rpc(method: str, **params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

    with httpx.Client(trust_env=False, timeout=20, headers=headers) as http:
        session = http.post(running.mcp, json=rpc("initialize", **hello))
        theirs = {**others, "Mcp-Session-Id": session.headers["mcp-session-id"]}
        stolen = http.post(running.mcp, json=rpc("tools/list"), headers=theirs)
        assert stolen.status_code in (403, 404), stolen.text
        ended = http.delete(running.mcp, headers=theirs)
        assert ended.status_code in (403, 404), ended.text
