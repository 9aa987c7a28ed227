"""The operator's commands against a real gateway that runs meanwhile."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import COMMAND_S, GatewayProcess, gateway, program
from support.recordings import write_rows

LOOKS = {"list", "external"}


def operate(running: GatewayProcess, *words: str) -> dict[str, Any]:
    """Run an operator's command with password and recovery codes piped in; return its answer."""
    codes = [running.codes.pop()]
    if not LOOKS & set(words):  # an act asks for the next one
        codes.append(running.codes.pop())
    done = subprocess.run(
        program(*words, "--password-stdin", "--json"),
        env=running.environment,
        cwd=running.root,
        input="\n".join([running.password, *codes, ""]),
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    envelope: dict[str, Any] = json.loads(done.stdout)
    return envelope


def verified(running: GatewayProcess, *words: str) -> tuple[int, dict[str, Any]]:
    done = running.command("audit", "verify", *words, "--json")
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said


def rewritten(export: Path, name: str, lines: list[str]) -> str:
    path = export.with_name(name)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.slow
def test_an_export_proves_itself_beside_the_running_gateway_and_shows_what_was_done_to_it(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, operator=True) as running:
        assert running.good("place_order", **running.order())["status"] == "filled"
        export = tmp_path / "record.jsonl"
        told = operate(running, "audit", "export", "--out", str(export))["data"]
        lines = export.read_text("utf-8").splitlines()
        assert told == {"file": str(export), "lines": len(lines)}
        records = [at for at, line in enumerate(lines) if line.startswith('{"record"')]
        code, said = verified(running, str(export))
        assert (code, said["data"]["records"]) == (0, len(records))
        assert verified(running)[0] == 0, "its own database, too"

        fifth = json.loads(lines[records[4]])["record"]
        touched = fifth["body"].replace('"seq":5', '"seq":5,"x":1')
        changed = json.dumps({"record": {**fifth, "body": touched}})
        forged = [*lines[: records[4]], changed, *lines[records[4] + 1 :]]
        code, said = verified(running, rewritten(export, "forged.jsonl", forged))
        assert (code, said["error"]["details"]["seq"]) == (1, 5)

        cut = [line for at, line in enumerate(lines) if at != records[-1]]
        code, said = verified(running, rewritten(export, "cut.jsonl", cut))
        assert (code, said["error"]["details"]["seq"]) == (2, len(records))

        assert verified(running, rewritten(export, "none.jsonl", ["no log at all"]))[0] == 3
        assert verified(running, str(tmp_path / "absent.jsonl"))[0] == 3


@pytest.mark.slow
def test_a_choked_limit_is_taken_back_on_the_command_line(tmp_path: Path) -> None:
    with gateway(tmp_path, {"limits": {"loosening_delay_s": 1}}, operator=True) as running:
        name = "limits.order_notional_fraction"
        running.good("tighten_limit", limit_name=name, value="0.000001", reason="mine")
        assert running.refusal("place_order", **running.order()) == "EXCEEDS_LOCAL_LIMIT"
        loosened = operate(running, "risk", "loosen", name, "--reason", "it was choked")
        assert [one["limit_name"] for one in loosened["data"]["loosenings"]] == [name]
        deadline = time.monotonic() + 20
        while running.good("get_limits")["loosenings"]:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        (row,) = [one for one in running.good("get_limits")["limits"] if one["name"] == name]
        assert row["source"] == "profile paper-default"
        assert running.good("place_order", **running.order())["status"] == "filled"


@pytest.mark.slow
def test_a_password_that_was_seen_is_replaced_on_the_command_line(tmp_path: Path) -> None:
    with gateway(tmp_path, operator=True) as running:
        made = operate(running, "operator", "password")["data"]["password"]
        assert made != running.password
        assert not operate(running, "operator", "sessions", "list")["ok"]
        running.password = made
        assert operate(running, "operator", "sessions", "list")["ok"]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    rows = (f"2026-01-07T14:{minute:02}:00Z,1.085,1.0851" for minute in range(60))
    return write_rows(tmp_path / "EURUSD.csv", "time,bid,ask", rows)


@pytest.mark.slow
def test_a_recording_stands_still_and_goes_on_faster(tmp_path: Path, recorded: Path) -> None:
    tables = {"feed": {"kind": "replay"}, "feed.replay": {"files": [str(recorded)]}}
    with gateway(tmp_path, tables, operator=True) as running:
        assert operate(running, "replay", "pause")["data"] == {"paused": True, "speed": "1"}
        held = running.good("get_status")
        assert (held["replay_paused"], held["replay_speed"]) == (True, "1")
        assert operate(running, "replay", "speed", "600")["data"]["speed"] == "600"
        assert running.good("get_status")["venue_time"] == held["venue_time"]
        assert operate(running, "replay", "resume")["data"] == {"paused": False, "speed": "600"}
        deadline = time.monotonic() + 10  # the clock moves with the market's next step
        while running.good("get_status")["venue_time"] <= held["venue_time"]:
            assert time.monotonic() < deadline
        refused = operate(running, "replay", "speed", "0")
        assert refused["error"]["code"] == "INVALID_ARGUMENT"


@pytest.mark.slow
def test_simulated_prices_cannot_be_held(tmp_path: Path) -> None:
    with gateway(tmp_path, operator=True) as running:
        assert operate(running, "replay", "pause")["error"]["code"] == "NOT_SUPPORTED"
        assert running.good("get_status")["replay_speed"] is None


def test_the_banner_comes_before_the_log(tmp_path: Path) -> None:
    with gateway(tmp_path, operator=True) as running:
        said = json.loads((running.root / "stdout.1").read_text("utf-8"))["data"]
        assert (said["source"], said["synthetic"]) == ("simulated", True)
        assert said["operator_exists"] is True
        running.good("get_status")
        events = [json.loads(line)["event"] for line in running.errors.splitlines()]
        assert events == ["gateway.ready"], "one line a call would bury what matters"


@pytest.mark.slow
def test_only_the_operator_says_what_shares_its_risk_and_sees_what_came_from_outside(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, operator=True) as running:
        words = ("risk", "underlyings")
        row = operate(running, *words, "confirm", "GOLD=XAUUSD", "--reason", "one metal")["data"]
        assert (row["name"], row["underlying"], row["reason"]) == ("GOLD", "XAUUSD", "one metal")
        again = operate(running, *words, "confirm", "GOLD=XAGUSD")
        assert again["error"]["code"] == "INVALID_ARGUMENT"
        listed = operate(running, *words, "list")["data"]
        assert [one["name"] for one in listed] == ["GOLD"]
        assert operate(running, *words, "remove", "GOLD")["ok"]
        assert operate(running, *words, "list")["data"] == []
        assert operate(running, "risk", "external")["data"] == []
        kinds = [kind for (kind,) in running.book("select kind from audit order by seq")]
        assert [kind for kind in kinds if kind.startswith("underlying.")] == [
            "underlying.confirmed",
            "underlying.removed",
        ]
        assert running.verified() == 0
