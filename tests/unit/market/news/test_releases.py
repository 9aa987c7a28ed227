from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ordergate.market.news.releases import coming, inside
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
