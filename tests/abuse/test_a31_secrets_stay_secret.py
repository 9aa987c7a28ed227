"""A31: canaries planted where secrets lie never come out: no answer, log, record or traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

pytestmark = pytest.mark.slow

CANARY = "canary-9f31c2"
CHANNEL = f"ntfy://{CANARY}-user:{CANARY}-pass@127.0.0.1:9/{CANARY}-topic"
HEARTBEAT = f"https://watch.example/ping/{CANARY}-beat"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    root = tmp_path_factory.mktemp("planted")
    config = root / "config"
    config.mkdir(mode=0o700)
    for name, words in {
        "notify.urls": CHANNEL,
        ".env": f"ORDERGATE_NOTIFY__HEARTBEAT_URL={HEARTBEAT}\n"
        f"ORDERGATE_NOTIFY__WEBHOOK_KEY={CANARY}-webhook-key\n",
    }.items():
        (config / name).write_text(words)
        (config / name).chmod(0o600)
    tables = {**ROOMY, "notify": {"allow_loopback": True}, "log": {"level": "DEBUG"}}
    with gateway(root, tables, operator=True) as one:
        yield one


def secrets_of(one: GatewayProcess) -> list[str]:
    """Return everything that nobody may ever read back."""
    keys = [path.read_text("utf-8", errors="ignore").strip() for path in _key_files(one)]
    made = [one.password, *one.codes, one.made.get("totp_secret", ""), one.token]
    return [CANARY, *(word for word in [*keys, *made] if len(word) >= 8)]


def _key_files(one: GatewayProcess) -> list[Path]:
    return [
        path
        for path in one.config.rglob("*")
        if path.is_file() and path.suffix in (".key", ".pepper", ".seed", ".secret")
    ]


def a_bad_day(one: GatewayProcess) -> list[str]:
    """Do what goes well and what goes wrong, at every door; return all that was said."""
    said = []
    for tool in ("get_status", "get_account", "get_limits", "get_audit", "list_orders"):
        said.append(json.dumps(one.call(tool)))
    said.append(json.dumps(one.call("place_order", **one.order("0.02"))))
    said.append(json.dumps(one.call("engage_kill_switch", scope="symbol", target="GBPUSD")))
    for body in (b"{", b'{"symbol": 1}', b"[" * 9_999, CANARY[:3].encode()):
        said.append(one.http.post("/api/v1/call/place_order", content=body).text)
    for path in ("/metrics", "/health", "/readyz", "/nowhere", "/api/v1/openapi.json"):
        reply = one.http.get(path)
        said.append(reply.text + str(reply.headers))
    wrong = {"Authorization": f"Bearer {one.token}x"}
    said.append(httpx.post(one.mcp, json={}, headers=wrong, trust_env=False).text)
    who: dict[str, Any] = {"name": "operator", "password": one.password + "x", "code": "000000"}
    with one.operator() as desk:
        said.append(desk.post("/operator/sign-in", json=who).text)
        for page in ("/", "/alerts", "/security", "/arming", "/operator/tokens"):
            said.append(desk.get(page).text)
        said.append(desk.post("/operator/alerts/test", json={}).text)
        said.append(desk.post("/operator/audit/export", json={}).text)
    for words in (("config", "show"), ("doctor",), ("status",), ("audit", "verify")):
        done = one.command(*words)
        said.append(done.stdout + done.stderr)
    return said


@pytest.mark.timeout(150)
def test_no_secret_comes_out(planted: GatewayProcess) -> None:
    told = a_bad_day(planted)
    for path in [*planted.root.glob("std*"), *planted.data.rglob("*")]:
        if path.is_file() and path.name != "agent.token":  # the agent's own, handed to it
            told.append(path.read_bytes().decode("utf-8", errors="replace"))
    found = {
        secret[:12]: [
            words[max(0, words.find(secret) - 80) :][:200] for words in told if secret in words
        ]
        for secret in secrets_of(planted)
    }
    assert {name: places for name, places in found.items() if places} == {}


def test_a_broken_setting_is_named_and_not_shown(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path, {**ROOMY})
    one.settle_in()
    env = one.config / ".env"
    env.write_text(f"ORDERGATE_NOTIFY__WEBHOOK_KEY={CANARY}\nORDERGATE_FEED__SEED={CANARY}\n")
    env.chmod(0o600)
    for words in (("config", "check"), ("config", "check", "--json"), ("up",)):
        done = one.command(*words)
        assert done.returncode != 0
        assert CANARY not in done.stdout + done.stderr
