"""When markets trade and where days and bars begin. Times: aware, UTC.

FX and metals go by New York's zone rules, exchanges by their tables (exchange_tables.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from ordergate.model.exchange_days import Exchange, exchange
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Session, SessionState, Timeframe

NEW_YORK: Final = ZoneInfo("America/New_York")
DAY_CLOSE: Final = time(17)
METAL_OPEN: Final = time(18)
MIDNIGHT: Final = time(0)
MONDAY: Final = 0
SATURDAY: Final = 5
ONE_DAY: Final = timedelta(days=1)
BREAK_MAX: Final = timedelta(hours=4)
NIGHT_MAX: Final = timedelta(hours=24)
SEARCH_DAYS: Final = 9  # any calendar opens at least once within this many days
WARN_BEFORE: Final = timedelta(days=60)  # the end of a table


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of uninterrupted trading: open from `opens` up to, not including, `closes`."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class DayBoundary:
    """Where a day of bars begins: at this time of day in this zone."""

    zone: ZoneInfo
    at: time

    def begin(self, day: date) -> datetime:
        """Return the moment of `day` at which a day of bars begins."""
        return _utc(day, self.at, self.zone)


VENUE_DAY: Final = DayBoundary(NEW_YORK, DAY_CLOSE)
ALL_TIME: Final = Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def session(calendar: CalendarName, at: datetime) -> Session:
    """Return the session that a calendar says there is at `at`.

    FX: Sunday 17:00 to Friday 17:00 New York. METAL: the same week with a break 17:00-18:00. Both
    without holidays. XNYS, XNSE: by their tables, with holidays and half days; beyond a table the
    state is UNKNOWN, which opens nothing.
    """
    house = exchange(calendar)
    if house is not None and not house.knows(at.astimezone(house.zone).date()):
        span = f"{house.valid_from} to {house.valid_until}"
        return Session(SessionState.UNKNOWN, f"the table of its hours holds {span} alone", None)
    window = window_from(calendar, at)
    if window == ALL_TIME:
        return Session(SessionState.OPEN, "open", None)
    if window.opens <= at:
        return Session(SessionState.OPEN, "open", window.closes)
    told = house is None or house.knows(window.opens.astimezone(house.zone).date())
    reason = _pause(calendar, window)
    return Session(SessionState.CLOSED, reason, window.opens if told else None)


def ends_soon(calendar: CalendarName, at: datetime) -> date | None:
    """Return the last day of a calendar's table when fewer than 60 days are left; else None."""
    house = exchange(calendar)
    if house is None or at.astimezone(house.zone).date() + WARN_BEFORE <= house.valid_until:
        return None
    return house.valid_until


def windows_between(calendar: CalendarName, begin: datetime, end: datetime) -> Iterator[Window]:
    """Yield the windows that overlap [begin, end), in order. Beyond a table: by the week."""
    if calendar is CalendarName.ALWAYS:
        yield Window(begin, end)
        return
    day = begin.astimezone(NEW_YORK).date() - SEARCH_DAYS * ONE_DAY
    last = end.astimezone(NEW_YORK).date() + SEARCH_DAYS * ONE_DAY
    while day <= last:
        window = _window(calendar, day)
        if window is not None and window.closes > begin and window.opens < end:
            yield window
        day += ONE_DAY


def day_boundary(calendar: CalendarName | None) -> DayBoundary:
    """Return where the D1 bars of a calendar begin: an exchange's midnight, else 17:00 New York."""
    house = None if calendar is None else exchange(calendar)
    return VENUE_DAY if house is None else DayBoundary(house.zone, MIDNIGHT)


def is_trading_day(calendar: CalendarName, day: date) -> bool:
    """Say whether a bar of a day is to be expected for this date."""
    house = exchange(calendar)
    if house is not None:
        return house.close_of(day) is not None
    return calendar is CalendarName.ALWAYS or day.weekday() < SATURDAY


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
    before = window_before(calendar, coming.opens)
    closed_for = coming.opens - before.closes
    if closed_for <= BREAK_MAX:
        return "daily break"
    if closed_for <= NIGHT_MAX:
        return "overnight"
    between = (coming.opens - before.closes) // ONE_DAY + 1
    days = {(before.closes + n * ONE_DAY).astimezone(NEW_YORK).weekday() for n in range(between)}
    return "weekend" if SATURDAY in days else "holiday"


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
        case CalendarName.XNYS | CalendarName.XNSE:
            house = exchange(calendar)
            return None if house is None else _exchange_window(house, day)
        case CalendarName.ALWAYS:
            return ALL_TIME
        case _:
            assert_never(calendar)


def _exchange_window(house: Exchange, day: date) -> Window | None:
    closes = house.close_of(day)
    if closes is None:
        return None
    return Window(*(_utc(day, at, house.zone) for at in (house.opens, closes)))


def _hour(at: datetime) -> datetime:
    """Return the whole UTC hour around `at`: no venue day begins within one."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _new_york(day: date, at: time) -> datetime:
    return _utc(day, at, NEW_YORK)


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
