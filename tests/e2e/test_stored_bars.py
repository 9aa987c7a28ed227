"""Beside a running gateway: bars imported are there at once, and its tables of hours may end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import gateway
from support.recordings import write_rows

pytestmark = pytest.mark.slow


def test_what_is_imported_is_there_for_the_agent(tmp_path: Path) -> None:
    rows = [f"2026-01-07T10:{n:02d}:00Z,1.1,1.3,1.0,1.2,{n}" for n in range(60)]
    path = write_rows(tmp_path / "acme_m1.csv", "time,open,high,low,close,volume", rows)
    with gateway(tmp_path / "gate", {}) as one:
        asked = {"symbol": "ACME", "timeframe": "H1", "source": "store"}
        assert one.call("get_bars", **asked)["error"]["code"] == "RESOURCE_NOT_FOUND"
        done = one.command("data", "import", str(path), "--json")
        assert json.loads(done.stdout)["ok"], done.stderr
        found = one.good("get_bars", **asked)
        assert (found["close"], found["source"]) == (["1.2"], "store:file:acme_m1.csv")
        ask = {"symbol": "ACME", "timeframe": "M1", "indicators": ["sma(3)"]}
        said = one.good("compute_indicators", **ask, source="store:file", limit=1)
        assert said["columns"][0]["values"] == ["1.2"]
        lost = one.call("compute_indicators", **ask)["error"]
        assert (lost["code"], "store:file" in lost["fix"]) == ("SYMBOL_NOT_FOUND", True)
        drawn = one.command("bars", "ACME", "--source", "store").stdout
        assert "prices from store:file:acme_m1.csv" in drawn


def test_the_end_of_the_exchange_hours_is_told_and_then_nothing_opens(tmp_path: Path) -> None:
    share = {"symbol": "AAPL", "side": "buy", "quantity": "1"}
    with gateway(tmp_path / "soon", {"feed": {"start": "2027-12-01T16:00:00Z"}}) as one:
        assert any("2027-12-31" in problem for problem in one.good("get_status")["problems"])
        assert _session(one.good("get_quotes", symbols=["AAPL"])) == "open"
    with gateway(tmp_path / "past", {"feed": {"start": "2028-01-05T16:00:00Z"}}) as one:
        assert _session(one.good("get_quotes", symbols=["AAPL"])) == "unknown"
        told = one.call("check_risk", **share, stop_loss="1")
        checklist = (told.get("data") or told["error"]["details"])["checklist"]
        (verdict,) = [item for item in checklist if item["rule"] == "market_open"]
        assert verdict["finding"] == "refuse"


def test_on_a_holiday_the_exchange_is_closed(tmp_path: Path) -> None:
    with gateway(tmp_path, {"feed": {"start": "2026-11-26T16:00:00Z"}}) as one:  # Thanksgiving
        (quote,) = one.good("get_quotes", symbols=["AAPL"])["quotes"]
        assert (quote["session"], quote["session_reason"]) == ("closed", "holiday")


def _session(found: dict[str, Any]) -> str:
    (quote,) = found["quotes"]
    return str(quote["session"])
