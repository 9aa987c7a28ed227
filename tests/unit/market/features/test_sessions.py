"""Sessions are the venue's days: they end at 17:00 New York, by its own clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy

from ordergate.market.features.sessions import (
    moment,
    nanoseconds,
    session_ends_after,
    session_starts,
)


def test_times_come_back_as_they_were() -> None:
    at = datetime(2026, 3, 8, 21, 0, 0, 123456, tzinfo=UTC)
    assert moment(nanoseconds(at)) == at


def test_a_session_begins_at_17_in_new_york_in_winter_and_in_summer() -> None:
    winter = datetime(2026, 1, 7, 12, tzinfo=UTC)
    summer = datetime(2026, 7, 7, 12, tzinfo=UTC)
    assert moment(session_ends_after(nanoseconds(winter))).hour == 22
    assert moment(session_ends_after(nanoseconds(summer))).hour == 21


def test_the_first_bar_of_each_session_is_found_over_gaps_and_clock_changes() -> None:
    begin = datetime(2026, 3, 6, 20, tzinfo=UTC)  # a Friday; the clocks change on Sunday
    hours = [begin + timedelta(hours=n) for n in range(80)]
    hours = [at for at in hours if not (at.weekday() == 5 or at.day == 7)]
    starts = session_starts(numpy.array([nanoseconds(at) for at in hours], dtype=numpy.int64))
    assert [hours[start].strftime("%d %H") for start in starts] == [
        "06 20",
        "06 22",
        "08 00",
        "08 21",
        "09 21",
    ]


def test_no_bars_have_no_sessions() -> None:
    assert session_starts(numpy.array([], dtype=numpy.int64)) == []
