"""The days of an exchange out of its table: whether it trades on a date, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from functools import cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from ordergate.model import exchange_tables as tables
from ordergate.model.instruments import CalendarName

SATURDAY: Final = 5
_ByYear: TypeAlias = dict[int, str]


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange's usual hours in its own zone, and the days that differ."""

    zone: ZoneInfo
    opens: time
    closes: time
    valid_from: date
    valid_until: date  # the last day the table speaks of
    holidays: frozenset[date]
    extra: frozenset[date]
    half_days: dict[date, time]

    def knows(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_until

    def close_of(self, day: date) -> time | None:
        """Return when a day's session ends; None = no session. Unknown days go by the week."""
        if day in self.holidays or (day.weekday() >= SATURDAY and day not in self.extra):
            return None
        return self.half_days.get(day, self.closes)


@cache
def exchange(calendar: CalendarName) -> Exchange | None:
    """Return the exchange behind a calendar; None where hours go by the week alone."""
    if calendar is CalendarName.XNYS:
        return _exchange(
            ZoneInfo("America/New_York"),
            (time(9, 30), time(16)),
            tables.XNYS_VALID,
            (tables.XNYS_HOLIDAYS, tables.XNYS_EXTRA, tables.XNYS_HALF_DAYS),
        )
    if calendar is CalendarName.XNSE:
        return _exchange(
            ZoneInfo("Asia/Kolkata"),
            (time(9, 15), time(15, 30)),
            tables.XNSE_VALID,
            (tables.XNSE_HOLIDAYS, tables.XNSE_EXTRA, tables.XNSE_HALF_DAYS),
        )
    return None


def _exchange(
    zone: ZoneInfo,
    hours: tuple[time, time],
    valid: tuple[str, str],
    days: tuple[_ByYear, _ByYear, _ByYear],
) -> Exchange:
    holidays, extra, halves = (_dates(part) for part in days)
    return Exchange(
        zone=zone,
        opens=hours[0],
        closes=hours[1],
        valid_from=date.fromisoformat(valid[0]),
        valid_until=date.fromisoformat(valid[1]),
        holidays=frozenset(holidays),
        extra=frozenset(extra),
        half_days={day: close for day, close in halves.items() if close is not None},
    )


def _dates(by_year: _ByYear) -> dict[date, time | None]:
    """Read "0703/1300": the third of July, closing at 13:00."""
    found: dict[date, time | None] = {}
    for year, words in by_year.items():
        for word in words.split():
            day, _, close = word.partition("/")
            until = time(int(close[:2]), int(close[2:])) if close else None
            found[date(year, int(day[:2]), int(day[2:]))] = until
    return found
