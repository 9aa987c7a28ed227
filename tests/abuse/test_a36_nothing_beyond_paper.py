"""A36, live: its own `operator init`, files where it works, its client's settings arm nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.test_stdio_door import _door, _environment
from ordergate.surfaces.cli.running import read_note
from support.gateway_process import OPERATOR
from support.live_process import BOTH, LiveProcess, live_process
from support.operator_client import OperatorClient


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProcess]:
    with live_process(tmp_path_factory.mktemp("a36")) as one:
        yield one


def test_a_password_and_codes_of_its_own_arm_nothing_and_approve_nothing(live: LiveProcess) -> None:
    """It ran `operator init` first: password and codes are its, a passkey is not."""
    with OperatorClient(live.console) as desk:
        desk.sign_in(OPERATOR, live.password, live.codes.pop())
        body = {"account": "paper-1", "hours": "1"}
        digest = desk.post("/operator/arming/offer", json=body).json()["data"]["digest"]
        for more in ({"offer": digest}, {"offer": digest, "over": digest}, {"offer": "0" * 64}):
            signed = {"account": "paper-1", **more, "code": live.codes.pop()}
            no = desk.post("/operator/arming/arm", json=signed)
            assert no.json()["error"]["code"] in ("INVALID_APPROVAL", "INVALID_ARGUMENT")
    assert live.standing()["armed"] is False
    assert live.refusal("place_order", **live.order()) == "LIVE_NOT_ARMED"


def test_an_assertion_over_anything_else_arms_nothing(live: LiveProcess) -> None:
    with live.operator() as desk:
        for over in ("0" * 64, "paper-1"):
            no = desk.post("/operator/arming/arm", json={"account": "paper-1", "offer": over})
            assert no.json()["error"]["code"] == "INVALID_APPROVAL"


def test_no_tool_and_no_token_arms(live: LiveProcess) -> None:
    for tool in ("arm", "arm_live", "set_trading_mode", "enable_live_trading"):
        assert not live.call(tool)["ok"]
    reply = live.http.post(
        f"{live.console.replace('ordergate.localhost', '127.0.0.1')}/operator/arming/arm",
        json={"account": "paper-1"},
        headers={"Host": live.console.removeprefix("http://"), "Origin": live.console},
    )
    assert reply.status_code == 403, "no bearer opens the operator's listener"


@pytest.mark.slow
def test_files_in_the_working_directory_switch_nothing_on(tmp_path: Path) -> None:
    words = "".join(f"{name}={text}\n" for name, text in BOTH.items())
    (tmp_path / ".env").write_text(words)  # where the gateway is started from
    (tmp_path / "ordergate.toml").write_text("[limits]\nlive_symbols_allow = ['EURUSD']\n")
    with live_process(tmp_path, {}) as one:
        standing = one.standing()
        assert (standing["mode"], standing["switched_on"]) == ("live", False)
        assert one.arm().json()["error"]["code"] == "LIVE_NOT_ARMED"
        assert one.refusal("place_order", **one.order()) == "LIVE_NOT_ARMED"


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--paper-only",)])
def test_an_alias_or_a_paper_only_start_keeps_live_off(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    switches = BOTH if words else BOTH | {"ENABLE_LIVE_ORDER": "false"}
    with live_process(tmp_path, switches) as one:
        one.stop()
        one.start(*words)
        assert one.standing()["switched_on"] is False
        assert one.arm().json()["error"]["code"] == "LIVE_NOT_ARMED"


def test_a_gateway_that_an_ai_client_starts_is_never_switched_to_live(tmp_path: Path) -> None:
    """Even where the operator's own .env has both switches on."""
    environment = _environment(tmp_path)
    env = tmp_path / "config" / ".env"
    env.write_text("".join(f"{name}={text}\n" for name, text in BOTH.items()))
    env.chmod(0o600)
    data = tmp_path / "data"
    try:
        with _door(tmp_path, environment) as client:
            client.hello()
            client.ask("tools/call", name="get_status", arguments={})
        said = (data / "gateway.log").read_text()
        assert "live trading stays off: this gateway was started paper-only" in said
    finally:
        left = read_note(data)
        if left is not None:
            os.kill(left.pid, signal.SIGTERM)
