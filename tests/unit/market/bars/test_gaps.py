from __future__ import annotations

import numpy
import pytest

from ordergate.market.bars.gaps import presence
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from support.bar_series import DAY, HOUR, MINUTE, iso, ns


def span(begin: str, end: str, step: int) -> list[int]:
    return list(range(ns(begin), ns(end), step))


def test_a_weekend_is_no_gap_in_fx_and_one_where_trading_never_stops() -> None:
    hours = span("2026-01-05T00:00", "2026-01-09T22:00", HOUR)
    hours += span("2026-01-11T22:00", "2026-01-13T00:00", HOUR)
    time = numpy.array(hours)
    assert presence(time, Timeframe.H1, CalendarName.FX).gaps == 0
    always = presence(time, Timeframe.H1, CalendarName.ALWAYS)
    assert (always.gaps, always.missing) == (1, 48)


def test_missing_bars_are_counted_in_open_hours_alone() -> None:
    hours = span("2026-01-09T10:00", "2026-01-09T20:00", HOUR)
    hours += span("2026-01-12T00:00", "2026-01-12T05:00", HOUR)
    found = presence(numpy.array(hours), Timeframe.H1, CalendarName.FX)
    # Friday 20:00 and 21:00, Sunday 22:00 and 23:00
    assert (found.gaps, found.missing) == (1, 4)
    assert iso(found.longest[0].after) == "2026-01-09T19:00"


@pytest.mark.parametrize("change", ["2026-03-08", "2026-11-01"])
def test_a_clock_change_is_no_gap(change: str) -> None:
    first = ns(change) - 5 * DAY
    week = [
        (start, closes)
        for start, closes in (
            (first, ns(f"{change}T00:00") - 26 * HOUR - (HOUR if change > "2026-06" else 0)),
            (ns(f"{change}T22:00") - (HOUR if change < "2026-06" else 0), ns(change) + 3 * DAY),
        )
    ]
    for timeframe, step in ((Timeframe.H1, HOUR), (Timeframe.M1, MINUTE)):
        time = numpy.array([at for start, stop in week for at in range(start, stop, step)])
        found = presence(time, timeframe, CalendarName.FX)
        assert (found.missing, found.closed) == (0, 0)


def test_h4_bars_of_the_venue_s_day_have_no_gap_at_a_clock_change() -> None:
    winter = span("2026-03-04T22:00", "2026-03-06T22:00", 4 * HOUR)
    summer = span("2026-03-08T21:00", "2026-03-10T21:00", 4 * HOUR)
    found = presence(numpy.array(winter + summer), Timeframe.H4, CalendarName.FX)
    assert (found.missing, found.closed) == (0, 0)


def test_hour_bars_that_begin_before_the_bell_belong_to_the_session() -> None:
    days = ("2026-11-24", "2026-11-25", "2026-11-27", "2026-11-30")
    hours = []
    for day in days:
        last = 18 if day == "2026-11-27" else 21  # a half day
        hours += [ns(f"{day}T{hour}:00") for hour in range(14, last)]
    found = presence(numpy.array(hours), Timeframe.H1, CalendarName.XNYS)
    assert (found.gaps, found.closed) == (0, 0)


def test_days_are_expected_on_trading_days_alone() -> None:
    dates = ("2026-11-24", "2026-11-25", "2026-11-27", "2026-12-01")  # Thanksgiving; a Monday lacks
    time = numpy.array([ns(f"{date}T05:00") for date in dates])
    found = presence(time, Timeframe.D1, CalendarName.XNYS)
    assert (found.gaps, found.missing) == (1, 1)


def test_a_wrong_zone_shows_in_the_weekend() -> None:
    right = span("2026-01-04T22:00", "2026-01-09T22:00", MINUTE)
    right += span("2026-01-11T22:00", "2026-01-16T22:00", MINUTE)
    as_utc = numpy.array(right) - 5 * HOUR  # New York's clock taken for UTC
    found = presence(as_utc, Timeframe.M1, CalendarName.FX)
    assert (found.shift_h, found.closed, found.closed_then) == (5, 600, 0)
    assert presence(numpy.array(right), Timeframe.M1, CalendarName.FX).shift_h is None


def test_bars_out_of_hours_that_no_other_zone_explains_are_only_counted() -> None:
    day = span("2026-01-07T09:00", "2026-01-08T01:00", HOUR)  # pre-market to post-market
    found = presence(numpy.array(day), Timeframe.H1, CalendarName.XNYS)
    assert found.shift_h is None
    assert found.closed == 9


def test_nothing_has_no_gaps() -> None:
    assert presence(numpy.zeros(0, numpy.int64), Timeframe.H1, CalendarName.FX).bars == 0


def test_a_zone_with_another_summer_time_shows_in_half_the_year() -> None:
    """UTC taken for London's clock: an hour early from spring to autumn, right in winter."""
    time = []
    for week in range(52):
        sunday = ns("2025-01-05T22:00") + week * 7 * DAY
        dst = ns("2025-03-09") <= sunday < ns("2025-11-02")
        time += list(range(sunday - dst * HOUR, sunday - dst * HOUR + 5 * DAY, HOUR))
    right = numpy.array(time)
    assert presence(right, Timeframe.H1, CalendarName.FX).closed == 0
    london = (right >= ns("2025-03-30")) & (right < ns("2025-10-26"))
    found = presence(right - london * HOUR, Timeframe.H1, CalendarName.FX)
    assert found.shift_h == 1
