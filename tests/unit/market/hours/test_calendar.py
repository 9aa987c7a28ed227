from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordergate.market.hours.calendar import session, session_window
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
