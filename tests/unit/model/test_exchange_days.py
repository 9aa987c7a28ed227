from __future__ import annotations

from datetime import date, time

import pytest

from ordergate.model.exchange_days import exchange
from ordergate.model.instruments import CalendarName


@pytest.mark.parametrize(
    ("calendar", "day", "closes"),
    [
        (CalendarName.XNYS, date(2026, 11, 20), time(16)),
        (CalendarName.XNYS, date(2026, 11, 21), None),  # Saturday
        (CalendarName.XNYS, date(2026, 11, 26), None),  # Thanksgiving
        (CalendarName.XNYS, date(2026, 11, 27), time(13)),  # the Friday after it
        (CalendarName.XNYS, date(2025, 1, 9), None),  # a president's funeral
        (CalendarName.XNYS, date(2001, 9, 12), None),
        (CalendarName.XNSE, date(2026, 1, 26), None),  # Republic Day
        (CalendarName.XNSE, date(2026, 11, 20), time(15, 30)),
    ],
)
def test_a_table_knows_holidays_and_half_days(
    calendar: CalendarName, day: date, closes: time | None
) -> None:
    house = exchange(calendar)
    assert house is not None
    assert house.knows(day)
    assert house.close_of(day) == closes


def test_a_table_ends() -> None:
    house = exchange(CalendarName.XNSE)
    assert house is not None
    assert house.knows(date(2026, 12, 31))
    assert not house.knows(date(2027, 1, 1))
    assert not house.knows(date(1999, 12, 31))


def test_what_goes_by_the_week_has_no_table() -> None:
    assert exchange(CalendarName.FX) is None
    assert exchange(CalendarName.ALWAYS) is None
