"""A25: without data there is no empty list for an answer, and no old price that passes for new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.gateway_process import ROOMY, GatewayProcess, gateway

SATURDAY = {"start": "2026-01-10T12:00:00Z"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Return a gateway whose newest price is of yesterday: the market is closed."""
    with gateway(tmp_path_factory.mktemp("closed"), {**ROOMY, "feed": SATURDAY}) as one:
        yield one


def test_an_old_price_says_its_age_and_opens_nothing(closed: GatewayProcess) -> None:
    (quote,) = closed.good("get_quotes", symbols=["EURUSD"])["quotes"]
    assert quote["as_of"].startswith("2026-01-09T21:59"), quote
    assert float(quote["age_s"]) > 3600, quote
    terms = {"symbol": "EURUSD", "side": "buy", "quantity": "0.01", "stop_loss": "1.00000"}
    said = closed.call("place_order", **terms)
    code = said["error"]["code"] if not said["ok"] else said["data"]["code"]
    assert code in ("MARKET_CLOSED", "STALE_MARKET_DATA", "DATA_UNAVAILABLE", "SESSION_CLOSED"), (
        said
    )
    assert closed.venue("select * from orders") == []


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_quotes", {"symbols": ["NOSUCH"]}),
        ("get_quotes", {"symbols": ["EURUSD", "NOSUCH"]}),
        ("get_bars", {"symbol": "NOSUCH"}),
        ("get_ticks", {"symbol": "NOSUCH"}),
        ("market_research", {"symbol": "EURUSD"}),
        ("price_alerts", {"action": "create", "symbol": "NOSUCH", "condition": "quote_stale"}),
    ],
)
def test_what_cannot_be_told_is_an_error_and_no_empty_list(
    running: GatewayProcess, tool: str, arguments: dict[str, object]
) -> None:
    said = running.call(tool, **arguments)
    assert not said["ok"], said["data"]
    assert said["error"]["code"] not in ("INTERNAL_ERROR",)
