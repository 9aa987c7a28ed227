"""Secrets planted in every setting and file turn up nowhere: no log, error, record or export."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.gateway_process import ROOMY, GatewayProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MARK = "CANARY"
# Nothing listens there: each of these fails, and its failure is told.
CHANNELS = (
    f"ntfy://user{MARK}1:pass{MARK}2@127.0.0.1:9/topic{MARK}3",
    f"https://127.0.0.1:9/hook/{MARK}4?token={MARK}5",
    f"tgram://123456789:{MARK}6abcdefghijklmnopqrstuvwxyzabcd/{MARK}7",
)
SETTINGS = {
    "webhook_key": f"key-{MARK}8-of-the-webhook",
    "heartbeat_url": f"https://127.0.0.1:9/beat/{MARK}9",
}
TELLING = Path(__file__).parents[1] / "support" / "telling_launcher.py"


def planted(root: Path, *, launcher: Path | None = None) -> GatewayProcess:
    """Return a gateway whose every secret is known to the test."""
    one = GatewayProcess(root, ROOMY, launcher=launcher)
    tables = {
        **ROOMY,
        "notify": {"allow_loopback": True, "heartbeat_s": 10},
        "news": {
            "allow_loopback": True,
            "tavily_url": "http://127.0.0.1:9",
            "newsapi_url": "http://127.0.0.1:9",
        },
    }
    one.settle_in(tables)
    private(one.config / "notify.urls", "\n".join(CHANNELS) + "\n")
    private(
        one.config / ".env",
        "".join(f"ORDERGATE_NOTIFY__{name.upper()}={value}\n" for name, value in SETTINGS.items())
        + f"ORDERGATE_NEWS__TAVILY_KEY=tvly-{MARK}10\nORDERGATE_NEWS__NEWSAPI_KEY=key-{MARK}11\n",
    )
    for name, letter in (("audit.key", b"K"), ("token.pepper", b"P")):
        private(one.config / name, (f"{MARK}-{name}".encode() + letter * 32)[:32])
    return one


def private(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)


def secrets_of(one: GatewayProcess) -> dict[str, str]:
    """Return every secret by a name, in each form in which it could be told."""
    seeds = json.loads((one.config / "operator.totp").read_text())
    texts = {
        "password": one.password,
        "agent token": one.token.rsplit("_", 1)[-1],
        **{f"seed {n}": seed for n, seed in enumerate(seeds.values())},
        **{f"recovery code {n}": code for n, code in enumerate(one.made["recovery_codes"])},
        **{f"setting {n}": f"{MARK}{n}" for n in range(1, 12)},
    }
    found = dict(texts)
    for name in ("audit.key", "token.pepper"):
        raw = (one.config / name).read_bytes()
        found[f"{name} raw"] = raw.decode("latin-1")
        found[f"{name} hex"] = raw.hex()
        found[f"{name} base64"] = base64.b64encode(raw).decode().rstrip("=")
    return found


def lively(one: GatewayProcess) -> Iterator[tuple[str, str]]:
    """Use every public door, well and badly; yield where, and what it said."""
    told: list[tuple[str, str]] = []

    def heard(reply: httpx.Response) -> None:
        reply.read()
        told.append((f"{reply.request.method} {reply.request.url.path}", whole(reply)))

    one.http.event_hooks = {"response": [heard]}
    one.good("place_order", **one.order())
    one.call("place_order", **one.order("500"))
    one.call("place_order", symbol="EURUSD", side="up", quantity="nan", note=one.password)
    one.call("close_position", position_id="none", token=one.token)
    one.call("get_audit", limit=50)
    one.call("market_research", topic="anything")
    one.http.post("/api/v1/call/get_quotes", content=b"{", headers={"X-Token": one.token})
    one.http.get("/api/v1/nowhere", params={"token": one.token})
    for name in ("metrics", "openapi.json", "healthz", "readyz"):
        one.http.get(f"/{name}")
    for bad in ("og_ag_00000000_" + "A" * 40, one.token[:-4] + "AAAA", "", "\x7f"):
        with contextlib.suppress(httpx.HTTPError):
            one.http.get("/api/v1/call/get_status", headers={"Authorization": f"Bearer {bad}"})
    one.http.post(one.mcp, json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": []})
    one.http.post(one.mcp, content=b"[[[")
    with one.operator() as desk:
        desk.post("/operator/halts/none/release", json={"reason": "x", "password": "wrong"})
        told.append(("export", desk.post("/operator/audit/export").text))
        for page in ("/", "/halts", "/security", "/drafts", "/nowhere"):
            told.append((page, desk.get(page).text))
    one.call("engage_kill_switch", reason="a lively run")
    for words in (
        ("config", "show", "--redacted", "--json"),
        ("doctor", "--json"),
        ("audit", "tail", "--json"),
    ):
        done = one.command(*words)
        told.append((" ".join(words), done.stdout + done.stderr))
    time.sleep(1.5)  # the channels fail meanwhile
    assert one.stop()[0] == 0
    for path in sorted(one.root.glob("std*.*")):
        told.append((path.name, path.read_text("utf-8", errors="replace")))
    for path in sorted(one.data.rglob("*")):
        if path.is_file() and path.name != "agent.token":
            told.append((path.name, path.read_bytes().decode("latin-1")))
    yield from told


def whole(reply: httpx.Response) -> str:
    return f"{reply.status_code} {dict(reply.headers)} {reply.text}"


def leaks(one: GatewayProcess) -> dict[str, list[str]]:
    """Return the secrets that were told, and where."""
    one.make_operator()
    one.start()
    try:
        secrets = secrets_of(one)
        places = list(lively(one))
    finally:
        one.close()
    assert len(places) > 30
    assert any("heartbeat.failed" in text for _, text in places), "failures are told, too"
    found: dict[str, list[str]] = {}
    for name, secret in secrets.items():
        where = [place for place, text in places if secret in text]
        if where:
            found[name] = where
    return found


def test_no_secret_is_told_in_a_lively_run(tmp_path: Path) -> None:
    assert leaks(planted(tmp_path / "gate")) == {}


def test_a_gate_that_tells_one_address_is_found_out(tmp_path: Path) -> None:
    found = leaks(planted(tmp_path / "gate", launcher=TELLING))
    assert found.keys() == {"setting 9"}
    assert any(place.startswith("stderr") for place in found["setting 9"])


def test_settings_that_are_wrong_name_the_key_and_not_the_value(tmp_path: Path) -> None:
    one = planted(tmp_path / "gate")
    for line in (f"ORDERGATE_NOTIFY__WEBHOOK_KEY={MARK}", "ORDERGATE_TOKEN=\n"):
        private(one.config / ".env", line)
        private(one.config / "notify.urls", f"nonsense://x{MARK}@h/{MARK}\n")
        done: Any = one.command("up")
        assert done.returncode != 0
        assert MARK not in done.stdout + done.stderr
