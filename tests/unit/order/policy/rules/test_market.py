from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordergate.model.errors import Code
from ordergate.model.market import PriceBasis, Quality
from ordergate.model.orders import OrderType, Side
from ordergate.model.values import Symbol
from ordergate.model.verdicts import Finding
from support.judging import Court, D, claims, close, place, position

PASS, REFUSE = Finding.PASS, Finding.REFUSE


def test_nothing_opens_on_a_closed_or_unknown_market() -> None:
    court = Court()
    court.market.close_session("EURUSD", "weekend")
    verdict = court.verdict("market_open", place())
    assert (verdict.finding, verdict.code) == (REFUSE, Code.MARKET_CLOSED)
    assert "weekend" in verdict.message
    court.market.close_session("EURUSD", "past the table", unknown=True)
    assert court.verdict("market_open", place()).finding is REFUSE
    court.market.open_session("EURUSD")
    assert court.verdict("market_open", place()).finding is PASS


@pytest.mark.parametrize(
    ("quality", "finding"),
    [
        (Quality.OK, PASS),
        (Quality.STALE, REFUSE),
        (Quality.CROSSED, REFUSE),
        (Quality.ZERO_SPREAD, REFUSE),
        (Quality.MISSING, REFUSE),
    ],
)
def test_a_quote_that_is_not_good_denies(quality: Quality, finding: Finding) -> None:
    court = Court()
    court.market.judge("EURUSD", quality)
    verdict = court.verdict("quote_fresh", place())
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.code is Code.DATA_UNAVAILABLE


def test_a_quiet_symbol_is_not_stale_while_its_link_lives() -> None:
    court = Court()
    court.market.advance(minutes=3)
    verdict = court.verdict("quote_fresh", place())
    assert (verdict.finding, verdict.value) == (PASS, D(180))


@pytest.mark.parametrize(("age_ms", "finding"), [(4999, PASS), (5000, PASS), (5001, REFUSE)])
def test_an_older_quote_than_wanted_denies_though_its_link_lives(
    age_ms: int, finding: Finding
) -> None:
    court = Court().limit(quote_age_max_s=D(5))
    court.market.advance(milliseconds=age_ms)
    assert court.verdict("quote_fresh", place()).finding is finding


def test_last_prices_have_no_spread_to_miss() -> None:
    court = Court()
    court.market.set("EURUSD", "1.08500", "1.08500", basis=PriceBasis.TRADE)
    court.market.judge("EURUSD", Quality.ZERO_SPREAD)
    assert court.verdict("quote_fresh", place()).finding is PASS


def test_without_a_quote_everything_that_needs_one_denies() -> None:
    court = Court()
    court.market.forget("EURUSD")
    verdicts = {row.rule: row for row in court.judge(place()).decision.verdicts}
    for rule in ("quote_fresh", "spread", "price_collar", "order_notional", "risk_per_trade"):
        assert verdicts[rule].code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize(("rule", "bid", "ask"), [("spread", "0", "0"), ("price_collar", "0", "1")])
def test_a_price_of_nothing_measures_nothing(rule: str, bid: str, ask: str) -> None:
    court = Court()
    court.market.set("EURUSD", bid, ask)
    sale = place(
        side=Side.SELL, order_type=OrderType.LIMIT, limit_price=D("1.09"), stop_loss=D("1.10")
    )
    assert court.verdict(rule, sale).code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "finding"),
    [
        ("EURUSD", "0.99950", "1.00050", PASS),  # 0.1 % of 1
        ("EURUSD", "0.99950", "1.00051", REFUSE),
        ("AAPL", "199.50", "200.50", PASS),  # 0.5 % of 200
        ("AAPL", "199.50", "200.51", REFUSE),
    ],
)
def test_the_widest_spread(symbol: str, bid: str, ask: str, finding: Finding) -> None:
    court = Court()
    court.market.set(symbol, bid, ask)
    order = place(symbol=Symbol(symbol), quantity=D(1), stop_loss=D("0.9"))
    verdict = court.verdict("spread", order)
    assert verdict.finding is finding
    assert ("fx" in (verdict.limit_name or "")) is (symbol == "EURUSD")


def limit(side: Side, price: str) -> dict[str, Any]:
    return {"side": side, "order_type": OrderType.LIMIT, "limit_price": D(price)}


def stop(side: Side, price: str) -> dict[str, Any]:
    return {"side": side, "order_type": OrderType.STOP, "stop_price": D(price)}


@pytest.mark.parametrize(
    ("terms", "finding"),
    [
        ({}, PASS),
        (limit(Side.BUY, "1.09050"), PASS),  # 1.0851 + 0.5 % = 1.0905255
        (limit(Side.BUY, "1.09052"), PASS),
        (limit(Side.BUY, "1.09053"), REFUSE),
        (limit(Side.BUY, "0.50000"), PASS),  # waiting far below hurts nobody
        (limit(Side.SELL, "1.07958"), PASS),  # 1.085 - 0.5 % = 1.079575
        (limit(Side.SELL, "1.07957"), REFUSE),
        (limit(Side.SELL, "2.00000"), PASS),
        (stop(Side.BUY, "1.09052"), PASS),
        (stop(Side.BUY, "1.09053"), REFUSE),
        (stop(Side.SELL, "1.07958"), PASS),
        (stop(Side.SELL, "1.07957"), REFUSE),
        (
            {
                "order_type": OrderType.STOP_LIMIT,
                "stop_price": D("1.09053"),
                "limit_price": D("1.08"),
            },
            REFUSE,
        ),
        ({"order_type": OrderType.TRAILING_STOP, "trail_amount": D("0.00542")}, PASS),
        ({"order_type": OrderType.TRAILING_STOP, "trail_amount": D("0.00543")}, REFUSE),
    ],
)
def test_the_collar_holds_the_side_that_hurts(terms: dict[str, Any], finding: Finding) -> None:
    verdict = Court().verdict("price_collar", place(**terms))
    assert verdict.finding is finding
    if finding is REFUSE:
        bound = "1.07958" if terms.get("side") is Side.SELL else "1.09052"
        assert bound in verdict.fix


@pytest.mark.parametrize(("price", "finding"), [("193.82", PASS), ("193.83", REFUSE)])
def test_the_collar_of_shares_is_wider(price: str, finding: Finding) -> None:
    order = place(symbol=Symbol("AAPL"), quantity=D(1), **limit(Side.BUY, price))
    assert Court().verdict("price_collar", order).finding is finding


def test_an_exit_beyond_the_collar_is_warned_about() -> None:
    order = place(reduce_only=True, stop_loss=None, **limit(Side.SELL, "1.07000"))
    court = Court(positions=(position(),))
    assert court.verdict("price_collar", order).finding is Finding.WARN


@pytest.mark.parametrize(
    ("price", "finding"),
    [("1.07958", PASS), ("1.07415", Finding.WARN), (None, Finding.NOT_ASKED)],
)
def test_a_step_of_a_close_s_ladder_beyond_the_collar_is_told_and_never_refused(
    price: str | None, finding: Finding
) -> None:
    court = Court(positions=(position(),))
    limit = None if price is None else D(price)
    verdict = court.verdict("price_collar", close(limit_price=limit))
    assert verdict.finding is finding
    assert court.judge(close(limit_price=limit)).decision.failed is None


@pytest.mark.parametrize(("price", "finding"), [("0", Finding.NOT_ASKED), ("1.00000", REFUSE)])
def test_a_price_is_followed_from_an_own_price_alone(price: str, finding: Finding) -> None:
    court = Court()
    rows = claims(place(), 10, now=court.clock.now())
    court.claimed(*(replace(row, price=D(price)) for row in rows))
    assert court.verdict("price_drift", place()).finding is finding
