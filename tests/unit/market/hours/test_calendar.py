from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ordergate.market.hours.calendar import ends_soon, session, session_window
from ordergate.model.instruments import CalendarName
from ordergate.model.market import SessionState


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "at", "reason", "change"),
    [
        (CalendarName.FX, "2026-01-07T12:00", "open", "2026-01-09T22:00"),
        (CalendarName.FX, "2026-01-09T22:00", "weekend", "2026-01-11T22:00"),
        (CalendarName.FX, "2026-01-11T21:59:59", "weekend", "2026-01-11T22:00"),
        (CalendarName.FX, "2026-01-11T22:00", "open", "2026-01-16T22:00"),
        # New York's clock changes on 2026-03-08 and 2026-11-01: the week opens an hour off in UTC
        (CalendarName.FX, "2026-03-07T12:00", "weekend", "2026-03-08T21:00"),
        (CalendarName.FX, "2026-10-31T12:00", "weekend", "2026-11-01T22:00"),
        (CalendarName.METAL, "2026-01-07T21:59", "open", "2026-01-07T22:00"),
        (CalendarName.METAL, "2026-01-07T22:30", "daily break", "2026-01-07T23:00"),
        (CalendarName.METAL, "2026-01-09T22:30", "weekend", "2026-01-11T23:00"),
        (CalendarName.METAL, "2026-07-07T21:30", "daily break", "2026-07-07T22:00"),
        (CalendarName.XNYS, "2026-01-07T14:29", "overnight", "2026-01-07T14:30"),
        (CalendarName.XNYS, "2026-01-07T14:30", "open", "2026-01-07T21:00"),
        (CalendarName.XNYS, "2026-07-07T13:30", "open", "2026-07-07T20:00"),
        (CalendarName.XNYS, "2026-01-09T21:00", "weekend", "2026-01-12T14:30"),
    ],
)
def test_sessions_follow_new_yorks_clock(
    calendar: CalendarName, at: str, reason: str, change: str
) -> None:
    verdict = session(calendar, utc(at))
    assert (verdict.reason, verdict.next_change) == (reason, utc(change))
    assert (verdict.state is SessionState.OPEN) == (reason == "open")
    assert (session_window(calendar, utc(at)) is not None) == (reason == "open")


def test_crypto_never_closes() -> None:
    verdict = session(CalendarName.ALWAYS, utc("2026-01-10T12:00"))
    assert (verdict.state, verdict.next_change) == (SessionState.OPEN, None)


@pytest.mark.parametrize(
    ("calendar", "at", "reason", "change"),
    [
        (CalendarName.XNYS, "2026-11-26T16:00", "holiday", "2026-11-27T14:30"),
        (CalendarName.XNYS, "2026-11-27T17:59", "open", "2026-11-27T18:00"),  # closes at 13:00
        (CalendarName.XNYS, "2026-11-27T18:00", "weekend", "2026-11-30T14:30"),
        (CalendarName.XNSE, "2026-01-23T09:59", "open", "2026-01-23T10:00"),
        (CalendarName.XNSE, "2026-01-23T10:00", "weekend", "2026-01-27T03:45"),
        (CalendarName.XNSE, "2026-11-19T03:44", "overnight", "2026-11-19T03:45"),
    ],
)
def test_exchanges_keep_their_holidays_and_half_days(
    calendar: CalendarName, at: str, reason: str, change: str
) -> None:
    verdict = session(calendar, utc(at))
    assert (verdict.reason, verdict.next_change) == (reason, utc(change))


@pytest.mark.parametrize("at", ["2027-01-04T05:00", "1999-12-30T05:00"])
def test_beyond_its_table_nobody_knows_whether_an_exchange_is_open(at: str) -> None:
    verdict = session(CalendarName.XNSE, utc(at))
    assert verdict.state is SessionState.UNKNOWN
    assert verdict.next_change is None
    assert "2026-12-31" in verdict.reason


def test_on_the_last_day_of_a_table_no_next_session_is_named() -> None:
    verdict = session(CalendarName.XNSE, utc("2026-12-31T12:00"))
    assert (verdict.state, verdict.next_change) == (SessionState.CLOSED, None)


def test_the_end_of_a_table_is_told_sixty_days_before() -> None:
    assert ends_soon(CalendarName.XNSE, utc("2026-11-01T00:00")) is None
    assert ends_soon(CalendarName.XNSE, utc("2026-11-03T00:00")) == date(2026, 12, 31)
    assert ends_soon(CalendarName.FX, utc("2099-11-03T00:00")) is None


def test_an_unknown_session_opens_nothing() -> None:
    beyond = session(CalendarName.XNYS, utc("2028-01-04T16:00"))
    assert beyond.state is not SessionState.OPEN  # which alone lets the rule `session` pass
