"""The shipped tables of exchange hours against what others say."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path

import holidays
import pytest

from ordergate.model.exchange_days import Exchange, exchange
from ordergate.model.instruments import CalendarName
from support.recordings import real

ROOT = Path(__file__).resolve().parents[2]
YEARS = range(2000, 2028)


@pytest.fixture
def nyse() -> Exchange:
    found = exchange(CalendarName.XNYS)
    assert found is not None
    return found


def day_of(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day))


def weekdays(years: range) -> list[date]:
    first, last = date(years.start, 1, 1), date(years.stop - 1, 12, 31)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


def test_the_tables_are_what_the_script_makes() -> None:
    script = [sys.executable, str(ROOT / "tools" / "exchange_hours.py"), "--check"]
    assert subprocess.run(script, timeout=50, check=False).returncode == 0


def test_nyse_holidays_are_those_of_another_calendar(nyse: Exchange) -> None:
    theirs = holidays.financial_holidays("XNYS", years=YEARS)
    ours = {day for day in weekdays(YEARS) if nyse.close_of(day) is None}
    assert ours == {day for day in theirs if day.weekday() < 5}


def test_nyse_half_days_are_those_of_another_calendar(nyse: Exchange) -> None:
    """`holidays` names the half days of 13:00; we compare those years it has them for."""
    years = range(2015, 2028)
    theirs = holidays.financial_holidays("XNYS", years=years, categories=("half_day",))
    ours = {day for day in nyse.half_days if day.year in years}
    assert ours == set(theirs)


def test_nyse_is_as_in_the_lean_table(nyse: Exchange) -> None:
    entries = json.loads(gzip.decompress(real("lean_market_hours.json.gz").read_bytes()))["entries"]
    usa = entries["Equity-usa-[*]"]
    closed = {day_of(text) for text in usa["holidays"]}
    early = {day_of(text): time.fromisoformat(at) for text, at in usa["earlyCloses"].items()}
    years = range(2010, 2028)
    days = weekdays(years)
    assert {d for d in days if nyse.close_of(d) is None} == {d for d in closed if d in set(days)}
    # It has a half day on a Sunday of 2017, and none yet of 2027.
    known = {d: at for d, at in early.items() if d in set(days) and d.year < 2027}
    assert {d: at for d, at in nyse.half_days.items() if 2010 <= d.year < 2027} == known


def test_nse_holidays_are_those_of_another_calendar_and_the_exchange_s_own_notices() -> None:
    """Closed by notice: elections of 2019, 2024 and 2026, a consecration; a feast moved a day."""
    ours = exchange(CalendarName.XNSE)
    assert ours is not None
    years = range(2018, 2027)
    theirs = {day for day in holidays.financial_holidays("XNSE", years=years) if day.weekday() < 5}
    closed = {day for day in weekdays(years) if ours.close_of(day) is None}
    assert {str(day) for day in theirs - closed} == {"2023-06-28"}
    assert {str(day) for day in closed - theirs} == {
        *("2019-04-29", "2019-10-21", "2023-06-29"),
        *("2024-01-22", "2024-05-20", "2024-11-20", "2026-01-15"),
    }
