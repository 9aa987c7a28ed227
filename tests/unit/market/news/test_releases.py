from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.market.news.releases import FAR, Schedule, coming, inside
from ordergate.model.news import Release

NOW = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def release(minutes: int, *, currency: str = "USD", impact: str = "high") -> Release:
    at = NOW + timedelta(minutes=minutes)
    return Release(at=at, currency=currency, impact=impact, title="CPI")


@pytest.mark.parametrize(
    ("minutes", "impact", "expected"),
    [
        (15, "high", True),
        (16, "high", False),
        (-15, "high", True),
        (-16, "high", False),
        (0, "medium", False),
    ],
)
def test_a_window_is_around_what_weighs(minutes: int, impact: str, expected: bool) -> None:
    given = release(minutes, impact=impact)
    assert inside(given, now=NOW, before=QUARTER, after=QUARTER) is expected


def test_the_nearest_of_the_currencies_are_kept_in_time_order() -> None:
    every = [release(m) for m in (600, -5, 30, -60 * 25)] + [release(1, currency="JPY")]
    kept = coming(every, now=NOW, currencies=frozenset({"USD"}), most=2)
    assert [one.at for one in kept] == [NOW - timedelta(minutes=5), NOW + timedelta(minutes=30)]
    assert len(coming(every, now=NOW, currencies=frozenset(), most=9)) == 4


@pytest.mark.parametrize(
    ("moments", "currencies", "expected"),
    [
        ((10, 60), {"EUR", "USD"}, Decimal(600)),
        ((-5, 60), {"EUR", "USD"}, Decimal(300)),
        ((-5, 4), {"USD"}, Decimal(240)),
        ((10,), {"JPY"}, Decimal(FAR.total_seconds())),
    ],
)
def test_the_nearest_release_of_the_currencies_counts(
    moments: tuple[int, ...], currencies: set[str], expected: Decimal
) -> None:
    known = [release(minutes) for minutes in moments]
    end = release(60 * 24, currency="NZD", impact="low")
    assert Schedule([end, *known]).away_s(currencies, now=NOW) == expected


def test_what_weighs_little_is_no_release() -> None:
    schedule = Schedule([release(5, impact="medium"), release(120)])
    assert schedule.away_s({"USD"}, now=NOW) == 7200


def test_beyond_the_calendars_end_nothing_is_known() -> None:
    schedule = Schedule([release(-30), release(20, currency="EUR", impact="low")])
    assert schedule.away_s({"USD"}, now=NOW) == 1800
    assert schedule.away_s({"USD"}, now=NOW + timedelta(minutes=21)) is None
    assert Schedule([]).away_s({"USD"}, now=NOW) is None
