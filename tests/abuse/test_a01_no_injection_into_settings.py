"""A1: newlines, quotes and look-alikes cannot flip a switch that only a human may flip."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.gateway_process import GatewayProcess, NotStarted, program

INJECTED = '"\n[limits]\nauto_approve_notional = 1000000\n[approval]\nttl_s = 86400\n#'


def test_words_of_an_agent_never_reach_the_settings(running: GatewayProcess) -> None:
    toml = running.config / "ordergate.toml"
    before = toml.read_bytes(), running.good("get_limits")["policy_hash"]
    for words in (INJECTED, "\r\nALLOW_LIVE_TRADING=true\r\n", "'''\nTRADING_MODE='live'"):
        running.call("draft_order", **running.order(note=words))
        running.call("tighten_limit", limit_name=words, value="1", reason=words)
        running.call("place_order", **running.order(idempotency_key=words))
        with running.operator() as desk:
            made = desk.post("/operator/tokens", json={"kind": "agent", "name": words, "days": 1})
        assert made.status_code == 400
    assert (toml.read_bytes(), running.good("get_limits")["policy_hash"]) == before
    assert not (running.config / ".env").exists()
    with running.operator() as desk:
        assert desk.get("/operator/arming").json()["data"]["switched_on"] is False


@pytest.mark.parametrize(
    "environment",
    [
        {"TRADING_MODE": " LIVE\n"},
        {"TRADING_MODE": " live"},
        {"TRADING_MODE": "paper\nlive"},
        {"TRADING_MODE": "ｌｉｖｅ"},
        {"ALLOW_LIVE_TRADING": "'true'"},
        {"ALLOW_LIVE_TRADING": "true\u200b"},
        {"ENABLE_LIVE_ORDER": "false\ntrue"},
        {"ALLOW_LIVE_TRADING": "false\ntrue"},
        {"ORDERGATE_LOG__LEVEL": "INFO\nTRADING_MODE=live"},
        {"ORDERGATE_LIMITS__AUTO_APPROVE_NOTIONAL": "1\n[limits]\nstop_required = false"},
        {"ORDERGATE_LIMITS__SYMBOLS_ALLOW": '["EURUSD"]\nstop_required = false'},
    ],
)
def test_a_variable_that_says_more_than_one_thing_stops_the_start(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    one = GatewayProcess(tmp_path)
    one.settle_in()
    done = subprocess.run(
        program("config", "check", "--json"),
        env=one.environment | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 7
    assert json.loads(done.stdout)["ok"] is False


def test_a_line_inside_a_quoted_value_of_the_env_file_is_no_second_setting(tmp_path: Path) -> None:
    one = GatewayProcess(tmp_path)
    one.settle_in()
    env = one.config / ".env"
    env.write_text('ORDERGATE_LOG__LEVEL="INFO\nALLOW_LIVE_TRADING=true\nTRADING_MODE=live"\n')
    env.chmod(0o600)
    with pytest.raises(NotStarted):
        one.start()
    assert one.child is not None
    assert one.child.returncode == 7
