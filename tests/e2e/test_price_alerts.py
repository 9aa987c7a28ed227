"""Price alerts and watchlists of a real gateway, and a kill -9 between the firing and the word."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from support.fake_channels import services
from support.gateway_process import ROOMY, GatewayProcess, gateway

FIRES_AT_ONCE = {"symbol": "BTCUSD", "condition": "price_above", "level": "0.01"}


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as there:
        return int(there.getsockname()[1])


def channel(root: Path, port: int) -> dict[str, Any]:
    config = root / "config"
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = config / "notify.urls"
    path.write_text(f"ntfy://127.0.0.1:{port}/topic\n")
    path.chmod(0o600)
    return {**ROOMY, "notify": {"allow_loopback": True}}


def state_of(running: GatewayProcess, alert_id: str) -> str:
    found = running.good("price_alerts")["alerts"]
    (state,) = [one["state"] for one in found if one["alert_id"] == alert_id]
    return str(state)


@pytest.mark.slow
def test_an_alert_is_told_to_stream_and_channel_and_is_its_owners_own(tmp_path: Path) -> None:
    with services() as there, gateway(tmp_path, channel(tmp_path, there.port)) as running:
        url = running.rest.replace("http", "ws") + "/ws?topics=alerts"
        headers = {"Authorization": f"Bearer {running.token}"}
        with connect(url, additional_headers=headers) as stream:
            snapshot = json.loads(stream.recv(timeout=5))
            assert (snapshot["topic"], snapshot["data"]["alerts"]) == ("alerts", [])
            began = time.monotonic()
            running.good("price_alerts", action="create", note="buy?", **FIRES_AT_ONCE)
            told = json.loads(stream.recv(timeout=5))
            assert time.monotonic() - began < 2
            assert told["data"]["symbol"] == "BTCUSD"
            assert (told["data"]["source"], told["data"]["synthetic"]) == ("simulated", "true")
        message = there.wait_for("BTCUSD at or above 0.01", within_s=5)
        assert "SYNTHETIC" in message.body["message"]
        running.good("watchlists", action="save", name="two", symbols=["EURUSD", "BTCUSD"])
        quotes = running.good("watchlists", action="quotes", name="two")["quotes"]
        assert [one["symbol"] for one in quotes] == ["EURUSD", "BTCUSD"]
        assert running.refusal("price_alerts", action="create", symbol="NOSUCH") == (
            "INVALID_ARGUMENT"
        )
        shown = running.command("price-alert", "list").stdout
        assert "BTCUSD" in shown
        assert "done" in shown
        running.command("price-alert", "add", "EURUSD", "price_above", "9")
        (_, added) = running.good("price_alerts")["alerts"]
        running.command("price-alert", "delete", added["alert_id"])
        assert len(running.good("price_alerts")["alerts"]) == 1
        running.command("watchlist", "save", "coins", "BTCUSD", "ETHUSD")
        assert "BTCUSD ETHUSD" in running.command("watchlist", "list").stdout
        assert "DATA_UNAVAILABLE" in running.command("news").stderr


@pytest.mark.slow
def test_a_rule_is_told_of_a_closed_bar_once_over_a_restart(tmp_path: Path) -> None:
    rule = {"symbol": "BTCUSD", "condition": "rule", "timeframe": "M1"}
    with gateway(tmp_path) as running:
        asked = running.good(
            "price_alerts", action="create", rule="close > 0 and sma(5) > 0", **rule, repeat=True
        )
        made = asked["alerts"][0]
        deadline = time.monotonic() + 10
        while state_of(running, made["alert_id"]) != "fired" and time.monotonic() < deadline:
            time.sleep(0.1)
        never = ("price-alert", "add", "BTCUSD", "rule", "--rule", "close < 0", "--timeframe", "H1")
        assert "Armed" in running.command(*never).stdout
        assert "close < 0" in running.command("price-alert", "list").stdout
    with gateway(tmp_path) as running:
        time.sleep(1.5)
        kept = {one["rule"]: one for one in running.good("price_alerts")["alerts"]}
        assert kept["close > 0 and sma(5) > 0"]["fired"] == 1
        assert [one["problem"] for one in kept.values()] == [None, None]


@pytest.mark.slow
def test_killed_between_firing_and_telling_it_is_told_exactly_once(tmp_path: Path) -> None:
    port = a_free_port()
    with gateway(tmp_path, channel(tmp_path, port)) as running:
        made = running.good("price_alerts", action="create", **FIRES_AT_ONCE)["alerts"][0]
        later = {**FIRES_AT_ONCE, "level": "999999999"}
        waits = running.good("price_alerts", action="create", **later)["alerts"][1]
        deadline = time.monotonic() + 5
        while state_of(running, made["alert_id"]) != "done":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.kill()  # the channel is down: nobody was told
        with services(port) as there:
            running.start()
            there.wait_for("BTCUSD at or above 0.01", within_s=10)
            time.sleep(2)  # it is on record that the messenger took it
            running.kill()
            running.start()
            time.sleep(4)
            fired = [one for one in there.taken if "BTCUSD at or above" in one.words]
            assert len(fired) == 1
            assert state_of(running, made["alert_id"]) == "done"
            assert state_of(running, waits["alert_id"]) == "armed"
        assert running.verified() == 0
