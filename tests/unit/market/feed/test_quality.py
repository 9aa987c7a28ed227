from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.market.feed.quality import Course, judge_quote
from ordergate.model.market import PriceBasis, Quality, Quote
from ordergate.model.values import Symbol

NOW = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
MONDAY_OPEN = datetime(2026, 1, 4, 22, 0, tzinfo=UTC)
NO_TIME = timedelta(0)


def quote(
    bid: str = "1.1000",
    ask: str = "1.1001",
    *,
    at: datetime = NOW,
    basis: PriceBasis = PriceBasis.BID_ASK,
) -> Quote:
    return Quote(Symbol("EURUSD"), Decimal(bid), Decimal(ask), at, "simulated", True, basis)


def verdict(
    given: Quote | None,
    *,
    link_alive: bool = True,
    opened: datetime | None = MONDAY_OPEN,
    cadence: timedelta = NO_TIME,
) -> Quality:
    return judge_quote(
        given, now=NOW, link_alive=link_alive, opened=opened, course=Course(cadence=cadence)
    ).verdict


def test_a_fresh_quote_is_good_and_has_an_age() -> None:
    judged = judge_quote(
        quote(at=NOW - timedelta(milliseconds=1250)),
        now=NOW,
        link_alive=True,
        opened=MONDAY_OPEN,
        course=Course(),
    )
    assert (judged.verdict, judged.age_s) == (Quality.OK, Decimal("1.25"))


def test_no_quote_is_missing_and_has_no_age() -> None:
    judged = judge_quote(None, now=NOW, link_alive=True, opened=MONDAY_OPEN, course=Course())
    assert (judged.verdict, judged.age_s) == (Quality.MISSING, None)


def test_a_quiet_symbol_is_not_stale_while_the_link_lives() -> None:
    assert verdict(quote(at=NOW - timedelta(minutes=5))) is Quality.OK
    assert verdict(quote(at=NOW - timedelta(minutes=5)), link_alive=False) is Quality.STALE


def test_a_dead_link_makes_even_the_newest_quote_stale() -> None:
    assert verdict(quote(), link_alive=False) is Quality.STALE


def test_a_hole_in_the_data_is_stale_by_the_venues_clock() -> None:
    assert verdict(quote(at=NOW - timedelta(minutes=61))) is Quality.STALE
    hourly = timedelta(hours=1)
    assert verdict(quote(at=NOW - timedelta(hours=2)), cadence=hourly) is Quality.OK
    assert verdict(quote(at=NOW - timedelta(hours=4)), cadence=hourly) is Quality.STALE


def test_fridays_price_is_stale_on_sundays_open_and_good_over_the_weekend() -> None:
    friday = quote(at=MONDAY_OPEN - timedelta(hours=48))
    assert verdict(friday, opened=None) is Quality.OK
    assert verdict(friday, opened=NOW - timedelta(seconds=1)) is Quality.STALE


def test_daily_data_is_always_from_before_the_session() -> None:
    yesterday = quote(at=NOW - timedelta(hours=15))
    opened = NOW - timedelta(minutes=30)
    assert verdict(yesterday, opened=opened, cadence=timedelta(days=1)) is Quality.OK


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (quote("1.1002", "1.1001"), Quality.CROSSED),
        (quote("1.1001", "1.1001"), Quality.ZERO_SPREAD),
        (quote("1.1001", "1.1001", basis=PriceBasis.TRADE), Quality.OK),
    ],
)
def test_crossed_and_spreadless_quotes_are_told(given: Quote, expected: Quality) -> None:
    assert verdict(given) is expected


LIVE = Course(heartbeat=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (LIVE, Quality.OK),
        (LIVE.disordered(NOW), Quality.OUT_OF_ORDER),
        (LIVE.disordered(NOW - timedelta(seconds=4.9)), Quality.OUT_OF_ORDER),
        (LIVE.disordered(NOW - timedelta(seconds=5)), Quality.OK),
        (LIVE.after_hole(NOW), Quality.GAP),
        (LIVE.after_hole(NOW - timedelta(seconds=5)), Quality.OK),
        (LIVE.after_hole(NOW).disordered(NOW), Quality.OUT_OF_ORDER),
        (replace(LIVE, unchanged_since=NOW - timedelta(minutes=5)), Quality.OK),
        (replace(LIVE, unchanged_since=NOW - timedelta(minutes=5, seconds=1)), Quality.FROZEN),
        (replace(LIVE, unchanged_since=None), Quality.OK),
    ],
)
def test_how_the_quotes_came_is_judged(course: Course, expected: Quality) -> None:
    judged = judge_quote(quote(), now=NOW, link_alive=True, opened=MONDAY_OPEN, course=course)
    assert judged.verdict is expected


@pytest.mark.parametrize(
    ("age_s", "expected"), [(9, Quality.OK), (10, Quality.OK), (11, Quality.STALE)]
)
def test_a_feed_with_a_heartbeat_is_stale_after_ten_beats(age_s: int, expected: Quality) -> None:
    given = quote(at=NOW - timedelta(seconds=age_s))
    judged = judge_quote(given, now=NOW, link_alive=True, opened=MONDAY_OPEN, course=LIVE)
    assert judged.verdict is expected


def test_a_stale_price_is_called_stale_whatever_else_it_is() -> None:
    course = LIVE.after_hole(NOW).disordered(NOW)
    judged = judge_quote(quote(), now=NOW, link_alive=False, opened=MONDAY_OPEN, course=course)
    assert judged.verdict is Quality.STALE
