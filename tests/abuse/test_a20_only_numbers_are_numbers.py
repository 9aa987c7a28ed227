"""A20: NaN, infinities, negatives, exponents and decorated numbers are refused at every edge."""

from __future__ import annotations

import json

import pytest

from support.gateway_process import GatewayProcess

NUMERIC = ("quantity", "limit_price", "stop_price", "trail_amount", "stop_loss", "take_profit")
TEXTS = (
    *("NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "-1", "-0.1", "+1", "1e309", "1E2"),
    *(" 1", "1 ", "1\n", "1\u00a0", "1,5", "1_0", "0x1", "١", "", ".", "1.", ".1", "00.1", "--1"),
)
RAW = ("NaN", "Infinity", "-Infinity", "1e309", "-1e309", "1", "0.1", "true", "null", "[]", "{}")


@pytest.mark.parametrize("name", NUMERIC)
def test_as_text_and_as_json_numbers_over_rest(running: GatewayProcess, name: str) -> None:
    before = running.state()
    good = running.order()
    headers = {"Content-Type": "application/json"}
    for tool in ("place_order", "draft_order", "check_risk"):
        bodies = [json.dumps(good | {name: text}) for text in TEXTS]
        marked = json.dumps(good | {name: "@"})
        bodies += [marked.replace('"@"', raw) for raw in RAW]
        for body in bodies:
            reply = running.http.post(f"/api/v1/call/{tool}", content=body, headers=headers)
            assert reply.status_code == 400, body
            assert reply.json()["error"]["code"] == "INVALID_ARGUMENT"
    assert running.state() == before


@pytest.mark.parametrize("text", ["NaN", "1e309", "-1", " 1"])
def test_on_the_command_line(running: GatewayProcess, text: str) -> None:
    before = running.state()
    words = ("order", "place", "--json", "--sl", "1.1", "--", "EURUSD", "buy", text)
    done = running.command(*words)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert running.state() == before
