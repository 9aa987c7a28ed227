"""A gateway on live public prices: a real order, an outage, a restart in the middle of it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from support.fake_exchange import exchange
from support.gateway_process import ROOMY, GatewayProcess, gateway, program


def until_prices(running: GatewayProcess, *, within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not running.call("get_quotes", symbols=["BTCUSD"])["ok"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
def test_an_outage_opens_nothing_makes_nothing_up_and_ends_by_itself(tmp_path: Path) -> None:
    with exchange() as there:
        feed = {"feed": {"kind": "ccxt"}, "feed.ccxt": {"url": there.url}}
        with gateway(tmp_path, {**ROOMY, **feed}) as running:
            (quote,) = running.good("get_quotes", symbols=["BTCUSD"])["quotes"]
            assert (quote["source"], quote["synthetic"]) == ("ccxt:kraken", False)
            order = running.order("0.01", symbol="BTCUSD")
            filled = running.good("place_order", **order)
            assert filled["status"] == "filled"
            there.fault = "hang_up"
            deadline = time.monotonic() + 30
            while running.call("get_quotes", symbols=["BTCUSD"])["ok"]:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            error = running.call("get_quotes", symbols=["BTCUSD"])["error"]
            assert error["code"] == "DATA_UNAVAILABLE"
            assert "cannot be reached" in error["message"]
            assert running.refusal("place_order", **order) == "DATA_UNAVAILABLE"
            assert running.good("get_status")["problems"] != []
            running.stop()
            running.start()  # it starts without the exchange, and still knows what it holds
            assert running.refusal("get_quotes", symbols=["BTCUSD"]) == "DATA_UNAVAILABLE"
            (held,) = running.good("get_positions")["positions"]
            assert (held["position_id"], held["current_price"]) == (filled["position_id"], None)
            there.fault = ""
            until_prices(running)
            closed = running.good("close_position", position_id=held["position_id"])
            assert closed["status"] == "filled"
            assert running.verified() == 0


@pytest.mark.slow
def test_an_exchange_that_there_is_not_is_refused_by_its_name(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        running.stop()
        refused = subprocess.run(
            program("up", "--prices", "ccxt:nosuchexchange"),
            env=running.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert refused.returncode != 0
    assert "ccxt knows no exchange" in refused.stderr
