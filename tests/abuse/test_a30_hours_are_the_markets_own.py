"""A30: whatever zone the server runs in, a market's hours are judged in the market's own.

Through a real gateway's door, its process in another zone than the market. Holidays, half days and
NSE come with their venues: see docs/reference/proofs-attacks.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.gateway_process import ROOMY, GatewayProcess


@dataclass
class InAZone(GatewayProcess):
    zone: str = field(default="UTC", kw_only=True)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TZ": self.zone}


@contextmanager
def started(root: Path, zone: str, at: str) -> Iterator[GatewayProcess]:
    one = InAZone(root, {**ROOMY, "feed": {"start": at}}, zone=zone)
    one.settle_in()
    try:
        yield one.start()
    finally:
        one.close()


def states(one: GatewayProcess) -> dict[str, str]:
    rows = one.good("list_instruments", limit=100)["instruments"]
    return {row["symbol"]: row["session"] for row in rows}


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("zone", "at", "fx", "shares"),
    [
        ("UTC", "2026-01-09T21:00:00Z", "open", "closed"),  # Friday 16:00 New York, winter
        ("UTC", "2026-01-09T22:05:00Z", "closed", "closed"),  # after 17:00 New York
        ("Asia/Kolkata", "2026-01-11T22:05:00Z", "open", "closed"),  # Sunday 17:05 New York
        ("America/Los_Angeles", "2026-07-08T13:40:00Z", "open", "open"),  # 09:40, summer
        ("Pacific/Auckland", "2026-01-07T13:40:00Z", "open", "closed"),  # 08:40, winter
        ("UTC", "2026-03-09T13:40:00Z", "open", "open"),  # a day after New York's clocks changed
        ("Europe/London", "2026-03-06T13:40:00Z", "open", "closed"),  # three days before
    ],
)
def test_the_session_is_judged_in_the_markets_zone(
    tmp_path: Path, zone: str, at: str, fx: str, shares: str
) -> None:
    with started(tmp_path, zone, at) as one:
        shown = states(one)
        assert (shown["EURUSD"], shown["AAPL"]) == (fx, shares), shown
        for symbol, state in (("EURUSD", fx), ("AAPL", shares)):
            (quote,) = one.good("get_quotes", symbols=[symbol])["quotes"]
            terms = {"symbol": symbol, "side": "buy", "quantity": "1", "stop_loss": "0.01"}
            said = one.good("check_risk", **terms)
            verdicts = {row["rule"]: row["finding"] for row in said["checklist"]}
            assert (verdicts["market_open"] == "pass") is (state == "open"), (
                symbol,
                verdicts,
                quote,
            )
