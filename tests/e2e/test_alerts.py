"""A real gateway, a messenger of this machine, and a human who is told in time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fake_channels import Services, services
from support.gateway_process import ROOMY, GatewayProcess, gateway, program

TOLD_WITHIN_S = 5.0
DEATH_WITHIN_S = 60.0
KEY = "a webhook key of more than sixteen"


def told_through(there: Services, **more: Any) -> dict[str, Any]:
    return {**ROOMY, "notify": {"allow_loopback": True, **more}}


@contextmanager
def a_gateway(root: Path, there: Services, **more: Any) -> Iterator[GatewayProcess]:
    channel(root, there)
    with gateway(root, told_through(there, **more), operator=True) as running:
        yield running


def channel(root: Path, there: Services) -> None:
    config = root / "config"
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = config / "notify.urls"
    path.write_text(f"# the phone\nntfy://127.0.0.1:{there.port}/topic\n")
    path.chmod(0o600)


@pytest.fixture
def there() -> Iterator[Services]:
    with services() as state:
        yield state


@pytest.mark.slow
def test_a_halt_is_told_within_five_seconds_and_again_until_acknowledged(
    tmp_path: Path, there: Services
) -> None:
    with a_gateway(tmp_path, there, repeat_s=1, repeat_later_s=1) as running:
        began = time.monotonic()
        running.good("engage_kill_switch", reason="go to evil.example/x and <b>approve</b>")
        first = there.wait_for("KILL: global", within_s=TOLD_WITHIN_S)
        assert first.at - began < TOLD_WITHIN_S
        assert f"{running.console}/halts" in first.body["message"]
        assert "evil.example" not in first.body["message"]  # no link of another's making
        again = there.wait_for("nobody acknowledged it", within_s=5, after=1)
        assert again.body["title"] == first.body["title"]
        with running.operator() as operator:
            listed = operator.get("/operator/alerts").json()["data"]
            (loud,) = [one for one in listed["alerts"] if one["repeats"]]
            reply = operator.post(f"/operator/alerts/{loud['alert_id']}/acknowledge", json={})
            assert reply.status_code == 200, reply.text
            heard = len(there.taken)
            time.sleep(2.5)
            assert len(there.taken) == heard  # silence, and the halt stands
            assert len(running.good("get_limits")["halts"]) == 1
            halt = operator.get("/operator/halts").json()["data"][0]["halt_id"]
            operator.post(f"/operator/halts/{halt}/release", json={"reason": "seen"})
        there.wait_for("Released", within_s=TOLD_WITHIN_S)
        kinds = {kind for (kind,) in running.book("select distinct kind from audit")}
        assert "alert.acknowledged" in kinds
        assert running.verified() == 0


@pytest.mark.slow
def test_an_ask_is_told_with_its_link_and_number_and_then_its_outcome(
    tmp_path: Path, there: Services
) -> None:
    with a_gateway(tmp_path, there) as running:
        began = time.monotonic()
        asked = running.good("place_order", **running.order("0.5"))
        ticket = asked["approval"]
        link = ticket["approve_url"]
        told = there.wait_for(link, within_s=TOLD_WITHIN_S)
        assert told.at - began < TOLD_WITHIN_S
        for words in (
            "PAPER",
            "BUY 0.5 EURUSD",
            "Notional",
            "Risk to the stop",
            "Price as drafted",
        ):
            assert words in told.words, words
        assert f"Number to match: {ticket['number']:02d}" in told.body["message"]
        assert "The ask ends 20" in told.body["message"]
        assert "record " in told.body["message"] or not running.book("select 1 from checkpoints")
        secret = [running.token, running.password]
        assert not [one for one in secret if one in json.dumps(told.body)]
        with running.operator() as operator:
            operator.post(
                f"/operator/approvals/{ticket['approval_id']}/deny", json={"reason": "no"}
            )
        outcome = there.wait_for("was denied", within_s=TOLD_WITHIN_S)
        assert f"{running.console}/orders/{asked['order_id']}" in outcome.body["message"]


@pytest.mark.slow
def test_a_dead_channel_is_tried_again_and_shown_and_blocks_no_order(tmp_path: Path) -> None:
    with services() as there:
        port = there.port
        there.always = "500"
        with a_gateway(tmp_path, there) as running:
            running.good("engage_kill_switch", reason="test")
            deadline = time.monotonic() + 10
            while not running.good("get_status")["problems"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            (problem,) = running.good("get_status")["problems"]
            assert "ntfy #1" in problem
            assert str(port) not in problem
            assert running.refusal("place_order", **running.order()) == "KILL_SWITCH_ACTIVE"
            there.always = ""
            there.wait_for("KILL: global", within_s=15)


@pytest.mark.slow
def test_what_was_not_told_before_a_death_is_told_after_the_start(
    tmp_path: Path, there: Services
) -> None:
    there.always = "500"
    with a_gateway(tmp_path, there) as running:
        running.good("engage_kill_switch", reason="before the end")
        running.kill()
        there.always = ""
        running.start()
        there.wait_for("before the end", within_s=TOLD_WITHIN_S)
        there.wait_for("not stopped in good order", within_s=TOLD_WITHIN_S)
        assert running.stop()[0] == 0
        heard = len(there.taken)
        running.start()
        running.good("get_status")
        time.sleep(1.5)
        assert not [one for one in there.taken[heard:] if "good order" in one.words]


@pytest.mark.slow
def test_a_dead_gateway_is_noticed_from_outside_and_so_is_its_return(
    tmp_path: Path, there: Services
) -> None:
    outside = GatewayProcess(tmp_path / "outside", {"notify": {"allow_loopback": True}})
    outside.settle_in()
    channel(tmp_path / "outside", there)
    with gateway(tmp_path / "gate", ROOMY) as running:
        watcher = subprocess.Popen(
            program("watch", "--url", running.rest, "--every", "1s"),
            env=outside.environment,
            cwd=outside.root,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert watcher.stdout is not None
            assert "watching" in watcher.stdout.readline()
            time.sleep(1.5)
            assert there.taken == []  # a living gateway is no news
            died = time.monotonic()
            running.kill()
            told = there.wait_for("does not answer", within_s=15)
            assert told.at - died < DEATH_WITHIN_S
            port = int(running.rest.rpartition(":")[2])
            running.settle_in({**ROOMY, "server": {**ROOMY["server"], "rest_port": port}})
            running.start()
            there.wait_for("answers again", within_s=10)
        finally:
            watcher.kill()
            watcher.wait(10)
            assert watcher.stdout is not None
            watcher.stdout.close()


@pytest.mark.slow
def test_the_heartbeat_stops_with_the_gateway(tmp_path: Path, there: Services) -> None:
    beat = f"http://127.0.0.1:{there.port}/ping/uuid"
    with a_gateway(tmp_path, there, heartbeat_url=beat, heartbeat_s=1) as running:
        deadline = time.monotonic() + 10
        while len(there.beats) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.kill()
        time.sleep(0.2)
        beats = len(there.beats)
        time.sleep(2.5)
        assert len(there.beats) == beats
        shown = json.loads(running.command("config", "show", "--json").stdout)["data"]
        values = {row["key"]: row["value"] for row in shown}
        assert values["notify.heartbeat_url"] == "***"
        assert values["notify.urls"] == "[***]"


@pytest.mark.slow
def test_the_commands_list_note_and_test(tmp_path: Path, there: Services) -> None:
    with a_gateway(tmp_path, there) as running:
        running.good("engage_kill_switch", reason="test")
        there.wait_for("KILL", within_s=TOLD_WITHIN_S)

        def operate(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                program("alerts", *words, "--password-stdin", "--json"),
                input=f"{running.password}\n{running.codes.pop()}\n",
                env=running.environment,
                cwd=running.root,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )

        tested = operate("test")
        assert tested.returncode == 0, tested.stdout + tested.stderr
        there.wait_for("this channel works", within_s=1)
        listed = json.loads(operate("list").stdout)["data"]
        assert listed["channels"] == ["ntfy #1"]
        assert [one["repeats"] for one in listed["alerts"]] == [True]
        assert operate("ack").returncode == 0
        assert operate("ack").returncode == 2  # nothing repeats any more
        there.always = "500"
        assert operate("test").returncode == 1
