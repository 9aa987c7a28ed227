from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ordergate.model.hours import (
    ALL_TIME,
    bar_window,
    day_end,
    day_start,
    is_trading_day,
    trading_day,
    window_before,
    window_from,
    windows_between,
)
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "day", "end"),
    [
        ("2026-01-07T21:59:59", date(2026, 1, 7), "2026-01-07T22:00"),  # winter: 22:00 UTC
        ("2026-01-07T22:00", date(2026, 1, 8), "2026-01-08T22:00"),
        ("2026-07-07T20:59:59", date(2026, 7, 7), "2026-07-07T21:00"),  # summer: 21:00 UTC
        ("2026-07-07T21:00", date(2026, 7, 8), "2026-07-08T21:00"),
        ("2026-01-04T22:00", date(2026, 1, 5), "2026-01-05T22:00"),  # Sunday evening is Monday
    ],
)
def test_the_venues_day_ends_at_17_00_new_york(at: str, day: date, end: str) -> None:
    assert trading_day(utc(at)) == day
    assert day_end(utc(at)) == utc(end)
    assert day_start(utc(at)) <= utc(at) < day_end(utc(at))


@pytest.mark.parametrize(
    ("inside", "hours"), [("2026-03-08T12:00", 23), ("2026-11-01T12:00", 25), ("2026-06-01", 24)]
)
def test_a_day_with_a_clock_change_is_an_hour_shorter_or_longer(inside: str, hours: int) -> None:
    assert day_end(utc(inside)) - day_start(utc(inside)) == timedelta(hours=hours)


def test_h4_bars_fill_the_venues_day_exactly_across_a_clock_change() -> None:
    for day in ("2026-03-08T12:00", "2026-11-01T12:00", "2026-06-03T12:00"):
        at, end = day_start(utc(day)), day_end(utc(day))
        while at < end:
            window = bar_window(Timeframe.H4, at)
            assert window.opens == at
            at = window.closes
        assert at == end


@pytest.mark.parametrize(
    "timeframe", [Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.M30, Timeframe.H1]
)
def test_short_bars_are_whole_parts_of_the_utc_hour_in_any_zone(timeframe: Timeframe) -> None:
    at = utc("2026-01-07T14:59:59.5").astimezone(timezone(timedelta(hours=5, minutes=30)))
    window = bar_window(timeframe, at)
    assert window.closes == utc("2026-01-07T15:00")
    assert window.closes - window.opens == timeframe.length


def test_the_fx_week_is_one_window() -> None:
    week = window_from(CalendarName.FX, utc("2026-01-07T12:00"))
    assert (week.opens, week.closes) == (utc("2026-01-04T22:00"), utc("2026-01-09T22:00"))
    assert window_from(CalendarName.FX, utc("2026-01-10T12:00")).opens == utc("2026-01-11T22:00")
    assert window_before(CalendarName.FX, utc("2026-01-10T12:00")) == week
    assert window_before(CalendarName.FX, week.opens).closes == utc("2026-01-02T22:00")


def test_a_week_over_a_clock_change_keeps_new_york_time() -> None:
    week = window_from(CalendarName.FX, utc("2026-03-05T12:00"))
    following = window_from(CalendarName.FX, week.closes)
    assert week.closes == utc("2026-03-06T22:00")
    assert following.opens == utc("2026-03-08T21:00")


def test_a_market_without_hours_is_one_endless_window() -> None:
    assert window_from(CalendarName.ALWAYS, utc("2026-01-10T12:00")) == ALL_TIME
    assert window_before(CalendarName.ALWAYS, utc("2026-01-10T12:00")) == ALL_TIME


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 1, 7, 21, 59, 59, tzinfo=UTC), date(2026, 1, 7)),  # 16:59:59 in winter
        (datetime(2026, 1, 7, 22, tzinfo=UTC), date(2026, 1, 8)),
        (datetime(2026, 7, 7, 20, 59, tzinfo=UTC), date(2026, 7, 7)),  # 16:59 in summer
        (datetime(2026, 7, 7, 21, tzinfo=UTC), date(2026, 7, 8)),
    ],
)
def test_the_venue_s_day_ends_at_five_in_new_york(at: datetime, day: date) -> None:
    assert trading_day(at) == day
    assert trading_day(day_end(at)) > day


def test_windows_between_are_those_that_overlap() -> None:
    begin, end = utc("2026-11-25T20:00"), utc("2026-11-30T15:00")
    found = [
        (f"{w.opens:%d %H:%M}", f"{w.closes:%d %H:%M}")
        for w in windows_between(CalendarName.XNYS, begin, end)
    ]
    assert found == [("25 14:30", "25 21:00"), ("27 14:30", "27 18:00"), ("30 14:30", "30 21:00")]
    assert len(list(windows_between(CalendarName.FX, begin, end))) == 2
    assert next(windows_between(CalendarName.ALWAYS, begin, end)).opens == begin


def test_trading_days_leave_out_weekends_and_an_exchanges_holidays() -> None:
    thanksgiving, saturday = date(2026, 11, 26), date(2026, 11, 28)
    assert not is_trading_day(CalendarName.XNYS, thanksgiving)
    assert is_trading_day(CalendarName.FX, thanksgiving)
    assert not is_trading_day(CalendarName.FX, saturday)
    assert is_trading_day(CalendarName.ALWAYS, saturday)
