"""`ordergate up` as a person runs it: first files, one holder a directory, takeover, clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ordergate.surfaces.cli.running import is_held


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ports = {f"ORDERGATE_SERVER__{name}_PORT": "0" for name in ("REST", "MCP", "CONSOLE")}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        **ports,
        "ORDERGATE_CONFIG_DIR": str(tmp_path / "config"),
        "ORDERGATE_DATA_DIR": str(tmp_path / "data"),
    }


@contextmanager
def _up(
    environment: dict[str, str], *words: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "ordergate", "up", "--json", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def _run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "ordergate", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.slow
def test_one_gateway_owns_a_directory_until_it_is_replaced_or_stopped(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with _up(environment) as (first, said):
        assert said["ok"] is True
        second = _run(environment, "up", "--json")
        assert second.returncode == 1
        assert f"pid {first.pid}" in json.loads(second.stdout)["error"]["message"]
        rotated = _run(environment, "audit", "rotate-key", "--json")
        assert json.loads(rotated.stdout)["error"]["code"] == "ILLEGAL_STATE"
        with _up(environment, "--takeover") as (taker, told):
            assert first.wait(timeout=15) == 0
            assert told["data"]["pid"] == taker.pid
            seen = _run(environment, "status", "--json")
            assert seen.returncode == 0
            assert json.loads(seen.stdout)["data"]["mode"] == "paper"
            taker.send_signal(signal.SIGINT)
            assert taker.wait(timeout=15) == 0
    data, config = tmp_path / "data", tmp_path / "config"
    assert not is_held(data)
    assert not (data / "gateway.json").exists()
    assert (data / "agent.token").stat().st_mode & 0o777 == 0o600
    assert (config / "ordergate.toml").stat().st_mode & 0o777 == 0o600
    assert _run(environment, "status").returncode == 3
    assert _run(environment, "audit", "verify").returncode == 0


def test_a_misspelt_key_stops_the_start_with_a_suggestion(environment: dict[str, str]) -> None:
    refused = _run({**environment, "ORDERGATE_FEED__SEDE": "1"}, "up")
    assert refused.returncode == 7
    assert "did you mean ORDERGATE_FEED__SEED?" in refused.stderr


def test_a_word_that_is_no_switch_stops_the_start(environment: dict[str, str]) -> None:
    refused = _run({**environment, "TRADING_MODE": "lve"}, "up")
    assert refused.returncode == 7
    assert "TRADING_MODE is neither live nor paper" in refused.stderr


@pytest.mark.parametrize(
    ("switches", "words", "said"),
    [
        ({"TRADING_MODE": "live"}, (), "ALLOW_LIVE_TRADING is not set"),
        ({"TRADING_MODE": "live", "ALLOW_LIVE_TRADING": "true"}, (), "SWITCHED ON"),
        ({"TRADING_MODE": "live", "ALLOW_LIVE_TRADING": "true"}, ("--paper-only",), "paper-only"),
    ],
)
def test_the_live_switches_are_spoken_of_at_the_start(
    environment: dict[str, str], switches: dict[str, str], words: tuple[str, ...], said: str
) -> None:
    with _up(environment | switches, *words) as (_, told):
        assert told["data"]["mode"] == "paper"
        assert said in told["data"]["cautions"][0]
        if "SWITCHED ON" in said:
            assert "daily value cap" in told["data"]["cautions"][1]
