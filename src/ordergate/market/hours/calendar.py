"""Is a market open at a moment of the venue's clock, and when does that change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ordergate.model.hours import (
    ALL_TIME,
    Window,
    day_end,
    trading_day,
    window_before,
    window_from,
)
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Session, SessionState

__all__ = ["day_end", "session", "session_window", "trading_day"]

BREAK_MAX: Final = timedelta(hours=4)
NIGHT_MAX: Final = timedelta(hours=24)


def session(calendar: CalendarName, at: datetime) -> Session:
    """Return the session by the weekly rules of New York's zone.

    FX: Sunday 17:00 to Friday 17:00. METAL: the same week with a break 17:00-18:00. XNYS: Monday to
    Friday 09:30-16:00. Holidays and half days are not modelled: every weekday is a trading day.
    """
    window = window_from(calendar, at)
    if window == ALL_TIME:
        return Session(SessionState.OPEN, "open", None)
    if window.opens <= at:
        return Session(SessionState.OPEN, "open", window.closes)
    return Session(SessionState.CLOSED, _pause(calendar, window), window.opens)


def session_window(calendar: CalendarName, at: datetime) -> Window | None:
    """Return the trading window that is open at `at`; None while closed."""
    window = window_from(calendar, at)
    return window if window.opens <= at else None


def _pause(calendar: CalendarName, coming: Window) -> str:
    closed_for = coming.opens - window_before(calendar, coming.opens).closes
    if closed_for <= BREAK_MAX:
        return "daily break"
    return "overnight" if closed_for <= NIGHT_MAX else "weekend"
