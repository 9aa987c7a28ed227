"""When markets trade and where days and bars begin, by New York's zone rules. Times: aware, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from ordergate.model.instruments import CalendarName
from ordergate.model.market import Session, SessionState, Timeframe

NEW_YORK: Final = ZoneInfo("America/New_York")
DAY_CLOSE: Final = time(17)
METAL_OPEN: Final = time(18)
SHARES_OPEN: Final = time(9, 30)
SHARES_CLOSE: Final = time(16)
MONDAY: Final = 0
SATURDAY: Final = 5
ONE_DAY: Final = timedelta(days=1)
BREAK_MAX: Final = timedelta(hours=4)
NIGHT_MAX: Final = timedelta(hours=24)
SEARCH_DAYS: Final = 9  # any calendar opens at least once within this many days


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of uninterrupted trading: open from `opens` up to, not including, `closes`."""

    opens: datetime
    closes: datetime


ALL_TIME: Final = Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


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


def window_from(calendar: CalendarName, at: datetime) -> Window:
    """Return the window that is open at `at`, or else the next one."""
    if calendar is CalendarName.ALWAYS:
        return ALL_TIME
    today = at.astimezone(NEW_YORK).date()
    for days in range(-SEARCH_DAYS, SEARCH_DAYS + 1):
        window = _window(calendar, today + timedelta(days=days))
        if window is not None and window.closes > at:
            return window
    raise AssertionError(f"{calendar} never opens")


def window_before(calendar: CalendarName, at: datetime) -> Window:
    """Return the latest window that opened before `at`; it may still be open."""
    if calendar is CalendarName.ALWAYS:
        return ALL_TIME
    today = at.astimezone(NEW_YORK).date()
    for days in range(SEARCH_DAYS, -SEARCH_DAYS - 1, -1):
        window = _window(calendar, today + timedelta(days=days))
        if window is not None and window.opens < at:
            return window
    raise AssertionError(f"{calendar} never opened")


def trading_day(at: datetime) -> date:
    """Return the venue's day: it ends at 17:00 New York and has the date it ends on."""
    local = at.astimezone(NEW_YORK)
    return local.date() + ONE_DAY if local.time() >= DAY_CLOSE else local.date()


def day_start(at: datetime) -> datetime:
    """Return when the venue's day around `at` began."""
    return _day_bounds(_hour(at))[0]


def day_end(at: datetime) -> datetime:
    """Return when the venue's day around `at` ends: the first 17:00 New York after `at`."""
    return _day_bounds(_hour(at))[1]


def bar_window(timeframe: Timeframe, at: datetime) -> Window:
    """Return the start and end of the bar that `at` falls into.

    D1 is the venue's day; H4 counts from its start, so that a day is whole H4 bars (on the day a
    clock changes the last one is longer or shorter); the rest are whole UTC minutes and hours.
    """
    match timeframe:
        case Timeframe.D1:
            return Window(day_start(at), day_end(at))
        case Timeframe.H4:
            begin, end = day_start(at), day_end(at)
            opens = begin + (at - begin) // timeframe.length * timeframe.length
            return Window(opens, min(opens + timeframe.length, end))
        case Timeframe.H1 | Timeframe.M30 | Timeframe.M15 | Timeframe.M5 | Timeframe.M1:
            hour = _hour(at)
            opens = hour + (at - hour) // timeframe.length * timeframe.length
            return Window(opens, opens + timeframe.length)
        case _:
            assert_never(timeframe)


def _pause(calendar: CalendarName, coming: Window) -> str:
    closed_for = coming.opens - window_before(calendar, coming.opens).closes
    if closed_for <= BREAK_MAX:
        return "daily break"
    return "overnight" if closed_for <= NIGHT_MAX else "weekend"


@lru_cache(maxsize=4096)
def _day_bounds(hour: datetime) -> tuple[datetime, datetime]:
    day = trading_day(hour)
    return _new_york(day - ONE_DAY, DAY_CLOSE), _new_york(day, DAY_CLOSE)


@lru_cache(maxsize=4096)
def _window(calendar: CalendarName, day: date) -> Window | None:
    """Return the window that belongs to a date: for FX the whole week, to its Monday."""
    match calendar:
        case CalendarName.FX:
            if day.weekday() != MONDAY:
                return None
            friday = day + timedelta(days=4)
            return Window(_new_york(day - ONE_DAY, DAY_CLOSE), _new_york(friday, DAY_CLOSE))
        case CalendarName.METAL:
            if day.weekday() >= SATURDAY:
                return None
            return Window(_new_york(day - ONE_DAY, METAL_OPEN), _new_york(day, DAY_CLOSE))
        case CalendarName.XNYS:
            if day.weekday() >= SATURDAY:
                return None
            return Window(_new_york(day, SHARES_OPEN), _new_york(day, SHARES_CLOSE))
        case CalendarName.ALWAYS:
            return ALL_TIME
        case _:
            assert_never(calendar)


def _hour(at: datetime) -> datetime:
    """Return the whole UTC hour around `at`: no venue day begins within one."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)
