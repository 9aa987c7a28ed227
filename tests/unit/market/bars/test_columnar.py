from __future__ import annotations

from datetime import UTC, datetime

import numpy
import pytest

from ordergate.market.bars.columnar import (
    length_ns,
    moment,
    nanoseconds,
    resample_columns,
    summed,
    ticks_to_bars,
    windows,
)
from ordergate.market.bars.resampling import Unordered
from ordergate.model.hours import VENUE_DAY, day_boundary
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from support.bar_series import HOUR, MINUTE, iso, ns, series


def test_minutes_make_an_hour() -> None:
    made = resample_columns(series("2026-01-07T10:00", [1, 5, 2, 3] * 15, ask=True), Timeframe.H1)
    assert [iso(at) for at in made.time] == ["2026-01-07T10:00"]
    assert (made.open[0], made.high[0], made.low[0], made.close[0]) == (1, 5.5, 0.5, 3)
    assert made.volume[0] == 60
    assert made.complete
    assert made.ask is not None
    assert made.ask.high[0] == pytest.approx(5.6)


def test_an_hour_whose_last_minute_is_not_there_is_running() -> None:
    assert not resample_columns(series("2026-01-07T10:00", [1] * 59), Timeframe.H1).complete


def test_a_volume_nobody_knows_stays_unknown() -> None:
    part = series("2026-01-07T10:00", [1] * 5, volume=float("nan"))
    assert numpy.isnan(resample_columns(part, Timeframe.M5).volume[0])


@pytest.mark.parametrize(
    ("calendar", "at", "begins", "ends"),
    [
        (CalendarName.FX, "2026-01-07T21:59", "2026-01-06T22:00", "2026-01-07T22:00"),
        (CalendarName.FX, "2026-03-08T12:00", "2026-03-07T22:00", "2026-03-08T21:00"),  # 23 hours
        (CalendarName.XNYS, "2026-01-07T14:30", "2026-01-07T05:00", "2026-01-08T05:00"),
        (CalendarName.XNSE, "2026-01-07T03:45", "2026-01-06T18:30", "2026-01-07T18:30"),
        (CalendarName.ALWAYS, "2026-01-07T23:59", "2026-01-07T22:00", "2026-01-08T22:00"),
    ],
)
def test_days_begin_where_their_market_s_do(
    calendar: CalendarName, at: str, begins: str, ends: str
) -> None:
    opens, closes = windows(numpy.array([ns(at)]), Timeframe.D1, day_boundary(calendar))
    assert (iso(opens[0]), iso(closes[0])) == (begins, ends)


def test_hours_of_an_indian_day_are_indian_hours() -> None:
    opens, _ = windows(
        numpy.array([ns("2026-01-07T03:45")]), Timeframe.H1, day_boundary(CalendarName.XNSE)
    )
    assert iso(opens[0]) == "2026-01-07T03:30"  # 09:00 there


def test_nothing_lower_is_made() -> None:
    with pytest.raises(Unordered):
        resample_columns(series("2026-01-07T10:00", [1], timeframe=Timeframe.H1), Timeframe.M1)


def test_an_empty_series_stays_empty() -> None:
    assert len(resample_columns(series([], []), Timeframe.H1)) == 0


def test_ticks_make_bars_of_whole_minutes() -> None:
    time = ns("2026-01-07T10:00") + numpy.array([5, 20, 59, 130]) * (MINUTE // 60)
    starts, bar = ticks_to_bars(time, numpy.array([2.0, 3.0, 1.0, 4.0]), Timeframe.M1)
    assert [iso(at) for at in starts] == ["2026-01-07T10:00", "2026-01-07T10:02"]
    assert [bar.open[0], bar.high[0], bar.low[0], bar.close[0]] == [2, 3, 1, 1]
    assert summed(time, numpy.ones(4), Timeframe.M1).tolist() == [3, 1]


def test_times_go_both_ways() -> None:
    at = datetime(2026, 1, 7, 10, 0, 0, 123456, UTC)
    assert moment(nanoseconds(at)) == at
    assert length_ns(Timeframe.H1) == HOUR
    assert day_boundary(None) == VENUE_DAY
