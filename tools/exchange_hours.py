"""Make src/ordergate/model/exchange_tables.py: when NYSE and NSE trade, year by year.

    python tools/exchange_hours.py            writes the file
    python tools/exchange_hours.py --check    says whether it is what exchange_calendars says now

The NSE's cash market keeps the hours and holidays of XBOM. Sessions that no calendar has (the
NSE's Muhurat hour) are not in the tables. Needs the `dev` dependencies; the product needs none.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import exchange_calendars

TARGET: Final = Path(__file__).parents[1] / "src" / "ordergate" / "model" / "exchange_tables.py"
EXCHANGES: Final = {"XNYS": "XNYS", "XNSE": "XBOM"}
FIRST: Final = date(2000, 1, 1)
LAST_YEAR: Final = 2027  # the newest whole year that exchange_calendars may know
SATURDAY: Final = 5
LINE_MAX: Final = 100
HEAD: Final = '''"""When exchanges do not trade, or not all day. Made by tools/exchange_hours.py.

From exchange_calendars {version}; do not edit. `holidays` are weekdays without a session,
`extra` are Saturdays and Sundays with one, `half_days` have another close. Dates are MMDD.
"""

from __future__ import annotations

from typing import Final
'''


def main(arguments: list[str]) -> int:
    text = HEAD.format(version=exchange_calendars.__version__)
    text += "".join(_table(name, code) for name, code in EXCHANGES.items())
    if arguments == ["--check"]:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def _table(name: str, code: str) -> str:
    calendar, last = _calendar(code)
    sessions = {day.date() for day in calendar.sessions}
    usual = calendar.close_times[-1][1]
    halves = {
        day.date(): close.tz_convert(calendar.tz).time()
        for day, close in calendar.closes.items()
        if close.tz_convert(calendar.tz).time() != usual
    }
    days = [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]
    holidays = [day for day in days if day.weekday() < SATURDAY and day not in sessions]
    extra = [day for day in days if day.weekday() >= SATURDAY and day in sessions]
    lines = [
        f'\n{name}_VALID: Final = ("{FIRST}", "{last}")\n',
        f"{name}_HOLIDAYS: Final = {{\n{_years(holidays, {})}}}\n",
        f"{name}_EXTRA: Final[dict[int, str]] = {{\n{_years(extra, {})}}}\n",
        f"{name}_HALF_DAYS: Final[dict[int, str]] = {{\n{_years(list(halves), halves)}}}\n",
    ]
    return "".join(lines).replace("{\n}", "{}")


def _calendar(code: str) -> tuple[Any, date]:
    """Return the calendar up to the end of the last year it knows."""
    for year in range(LAST_YEAR, FIRST.year, -1):
        try:
            found = exchange_calendars.get_calendar(code, start=FIRST, end=date(year, 12, 31))
        except ValueError:
            continue
        return found, date(year, 12, 31)
    raise SystemExit(f"{code} knows no year")


def _years(days: list[date], closes: dict[date, Any]) -> str:
    lines: dict[int, list[str]] = {}
    for day in days:
        close = f"/{closes[day]:%H%M}" if day in closes else ""
        lines.setdefault(day.year, []).append(f"{day:%m%d}{close}")
    return "".join(_line(f'    {year}: "{" ".join(found)}",') for year, found in lines.items())


def _line(text: str) -> str:
    return f"{text}  # noqa: E501\n" if len(text) > LINE_MAX else f"{text}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
