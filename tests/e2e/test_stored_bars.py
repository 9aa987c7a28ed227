"""Bars imported beside a running gateway are read through its doors at once."""

from __future__ import annotations

import json
from pathlib import Path

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
        drawn = one.command("bars", "ACME", "--source", "store").stdout
        assert "prices from store:file:acme_m1.csv" in drawn
