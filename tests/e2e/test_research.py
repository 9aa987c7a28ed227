"""Analysis through a real gateway: by REST and from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.gateway_process import GatewayProcess, gateway


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway(tmp_path_factory.mktemp("research")) as one:
        yield one


def test_the_names_others_know_answer_over_rest(running: GatewayProcess) -> None:
    asked: dict[str, dict[str, Any]] = {
        "/features/build": {"symbol": "EURUSD", "indicators": ["ema(20)", "rsi(14)"]},
        "/signal/generate": {"symbol": "EURUSD", "long_when": "ema(20) > ema(50)"},
        "/opportunity/scan": {"timeframes": ["M15", "H1"], "limit": 3},
        "/api/v1/analysis/packet": {"symbol": "EURUSD"},
    }
    headers = {"Authorization": f"Bearer {running.token}"}
    for path, body in asked.items():
        reply = httpx.post(f"{running.rest}{path}", json=body, headers=headers, timeout=30)
        assert reply.status_code == 200, reply.text
        data = reply.json()["data"]
        assert data["source"] == "simulated"
        assert data["synthetic"] is True
        assert data["as_of"]


def test_a_rule_that_cannot_be_read_says_where_over_rest(running: GatewayProcess) -> None:
    reply = httpx.post(
        f"{running.rest}/signal/generate",
        json={"symbol": "EURUSD", "long_when": "emma(20) > 1"},
        headers={"Authorization": f"Bearer {running.token}"},
        timeout=30,
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["fix"] == "Did you mean ema?"
    assert reply.json()["error"]["details"]["position"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("signal", "EURUSD", "--long-when", "close > 0"), "custom: long"),
        (("indicators", "EURUSD", "ema(20)", "--limit", "3"), "ema(20)"),
        (("scan", "--timeframe", "H1", "--limit", "2"), "ensemble"),
        (("packet", "EURUSD"), "smallest order"),
    ],
)
def test_commands_show_it(running: GatewayProcess, words: tuple[str, ...], shown: str) -> None:
    done = running.command("research", *words)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert "SYNTHETIC" in done.stdout
    answer = json.loads(running.command("research", *words, "--json").stdout)
    assert answer["ok"] is True
