from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.market.bars.resampling import Unordered, bars_of, resample
from ordergate.model.market import Bar, Timeframe, tick
from ordergate.model.values import Symbol

EURUSD = Symbol("EURUSD")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def bar(
    at: str,
    prices: str,
    *,
    timeframe: Timeframe = Timeframe.M1,
    volume: str | None = "1",
    complete: bool = True,
) -> Bar:
    first, high, low, last = (Decimal(price) for price in prices.split())
    traded = None if volume is None else Decimal(volume)
    return Bar(EURUSD, timeframe, utc(at), first, high, low, last, traded, complete)


def test_a_higher_bar_is_first_open_extremes_last_close_and_summed_volume() -> None:
    given = [
        bar("2026-01-07T15:00", "5 7 4 6", volume="2"),
        bar("2026-01-07T15:01", "6 9 6 8", volume="3"),
        bar("2026-01-07T15:04", "8 8 2 3", volume="4"),
    ]
    assert resample(given, Timeframe.M5) == (
        bar("2026-01-07T15:00", "5 9 2 3", timeframe=Timeframe.M5, volume="9"),
    )


def test_the_last_bar_is_complete_only_when_its_end_was_given() -> None:
    early = [bar("2026-01-07T15:00", "5 7 4 6"), bar("2026-01-07T15:03", "6 9 6 8")]
    assert [made.complete for made in resample(early, Timeframe.M5)] == [False]
    later = [*early, bar("2026-01-07T15:05", "8 8 8 8", complete=False)]
    assert [made.complete for made in resample(later, Timeframe.M5)] == [True, False]


def test_a_volume_that_is_not_known_stays_unknown() -> None:
    given = [bar("2026-01-07T15:00", "5 7 4 6"), bar("2026-01-07T15:01", "6 9 6 8", volume=None)]
    assert resample(given, Timeframe.M5)[0].volume is None


def test_gaps_stay_gaps() -> None:
    given = [bar("2026-01-09T21:59", "5 7 4 6"), bar("2026-01-11T22:00", "6 9 6 8")]
    assert [made.time for made in resample(given, Timeframe.H1)] == [
        utc("2026-01-09T21:00"),
        utc("2026-01-11T22:00"),
    ]


@pytest.mark.parametrize(
    ("last_of_day", "first_of_next"),
    [("2026-03-06T21:00", "2026-03-08T21:00"), ("2026-10-30T20:00", "2026-11-01T22:00")],
)
def test_days_begin_at_17_00_new_york_on_both_sides_of_a_clock_change(
    last_of_day: str, first_of_next: str
) -> None:
    given = [
        bar(last_of_day, "5 7 4 6", timeframe=Timeframe.H1),
        bar(first_of_next, "6 9 6 8", timeframe=Timeframe.H1),
    ]
    first, second = resample(given, Timeframe.D1)
    assert first.time + timedelta(days=1) == utc(last_of_day) + timedelta(hours=1)
    assert second.time == utc(first_of_next)
    assert (first.complete, second.complete) == (True, False)


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(Unordered, match="cannot be made of"):
        resample([bar("2026-01-07T15:00", "5 7 4 6", timeframe=Timeframe.H1)], Timeframe.M5)
    backwards = [bar("2026-01-07T15:01", "5 7 4 6"), bar("2026-01-07T15:00", "5 7 4 6")]
    with pytest.raises(Unordered, match="after"):
        resample(backwards, Timeframe.M5)


def test_ticks_become_bid_bars() -> None:
    prices = [("15:00:01", "5"), ("15:00:30", "9"), ("15:00:59", "7"), ("15:02:00", "6")]
    ticks = [
        tick(EURUSD, utc(f"2026-01-07T{at}"), Decimal(bid), Decimal(bid) + 1) for at, bid in prices
    ]
    made = bars_of(ticks, Timeframe.M1, now=utc("2026-01-07T15:02:30"))
    assert made == (
        bar("2026-01-07T15:00", "5 9 5 7", volume=None),
        bar("2026-01-07T15:02", "6 6 6 6", volume=None, complete=False),
    )
    with pytest.raises(Unordered, match="too late"):
        bars_of(reversed(ticks), Timeframe.M1, now=utc("2026-01-07T15:02:30"))
