"""The operator's window around releases, at a real gateway: openings wait, exits never do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import GatewayProcess, gateway

pytestmark = pytest.mark.slow

START = "2026-01-07T14:00:00Z"
ORDER = {"symbol": "EURUSD", "side": "buy", "quantity": "0.01", "stop_loss": "0.9"}


def verdict(running: GatewayProcess) -> dict[str, Any]:
    told = running.call("check_risk", **ORDER)
    checklist = (told.get("data") or told["error"]["details"])["checklist"]
    (found,) = [one for one in checklist if one["rule"] == "news_window"]
    return dict(found)


def settings(calendar: Path, window: str = "900") -> dict[str, Any]:
    return {
        "feed": {"start": START},
        "limits": {"news_blackout_s": window},
        "news": {"calendar_path": str(calendar)},
    }


def test_near_a_release_nothing_opens_and_what_is_open_closes(tmp_path: Path) -> None:
    calendar = tmp_path / "releases.csv"
    far = "2026-01-08T14:00:00Z,NZD,low,end of what is known"
    calendar.write_text(f"time,currency,impact,title\n2026-01-07T14:10:00Z,USD,high,CPI\n{far}\n")
    with gateway(tmp_path / "one", settings(calendar)) as running:
        said = verdict(running)
        assert (said["finding"], said["code"], said["limit"]) == ("refuse", "MARKET_CLOSED", "900")
        assert 0 < float(said["value"]) <= 600
    with gateway(tmp_path / "two", settings(calendar, "0")) as running:
        assert verdict(running)["finding"] == "not_asked"
    with gateway(tmp_path / "three", settings(tmp_path / "none.csv")) as running:
        said = verdict(running)
        assert (said["finding"], said["code"]) == ("refuse", "DATA_UNAVAILABLE")
