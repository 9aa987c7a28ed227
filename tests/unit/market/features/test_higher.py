"""A higher timeframe shows a lower bar only what had closed by that bar's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy
import pytest

from ordergate.market.features.frame import Frame
from ordergate.market.features.higher import aligned, close_times, last_closed
from ordergate.market.features.indicators import call
from ordergate.market.features.sessions import moment
from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.research.validation.leakage import check
from support.series import of_closes, walk

BEGIN = int(datetime(2026, 1, 6, 22, tzinfo=UTC).timestamp()) * 10**9  # a venue day begins


def test_a_higher_bar_is_seen_from_the_bar_that_ends_with_it() -> None:
    lower = of_closes([1.0] * 12, timeframe=Timeframe.M15, begin_ns=BEGIN)
    higher = of_closes([10.0, 20.0, 30.0], timeframe=Timeframe.H1, begin_ns=BEGIN)
    found = aligned(higher.close, lower, higher)
    assert numpy.isnan(found[:3]).all()
    assert found[3:].tolist() == [10] * 4 + [20] * 4 + [30]


def test_a_running_higher_bar_is_never_seen() -> None:
    lower = of_closes([1.0] * 12, timeframe=Timeframe.M15, begin_ns=BEGIN)
    higher = of_closes([10.0, 20.0, 30.0], timeframe=Timeframe.H1, begin_ns=BEGIN)
    found = aligned(higher.close, lower, replace(higher, complete=False))
    assert found[-1] == 20


def test_a_day_ends_by_new_yorks_clock() -> None:
    summer = int(datetime(2026, 7, 6, 21, tzinfo=UTC).timestamp()) * 10**9
    for begin, hour in ((BEGIN, 22), (summer, 21)):
        day = of_closes([1.0], timeframe=Timeframe.D1, begin_ns=begin)
        assert moment(int(close_times(day)[0])).hour == hour
        four = of_closes([1.0], timeframe=Timeframe.H4, begin_ns=begin)
        assert moment(int(close_times(four)[0])).hour == (hour + 4) % 24


def test_before_any_higher_bar_has_closed_there_is_none() -> None:
    lower = of_closes([1.0] * 3, timeframe=Timeframe.M15, begin_ns=BEGIN)
    higher = of_closes([10.0], timeframe=Timeframe.D1, begin_ns=BEGIN)
    assert last_closed(lower, higher).tolist() == [-1, -1, -1]


def test_only_a_higher_timeframe_of_the_same_symbol_fits() -> None:
    hours = of_closes([1.0] * 3, timeframe=Timeframe.H1)
    with pytest.raises(InvalidArgument):
        last_closed(hours, of_closes([1.0], timeframe=Timeframe.M15))
    with pytest.raises(InvalidArgument):
        last_closed(hours, hours)


def hours_of(quarters: Series) -> Series:
    """Return whole hours of four quarters each; a last, cut hour is marked as running."""
    count = (len(quarters) + 3) // 4
    firsts = numpy.arange(count) * 4
    lasts = numpy.minimum(firsts + 3, len(quarters) - 1)
    spans = [slice(a, b + 1) for a, b in zip(firsts, lasts, strict=True)]
    return replace(
        quarters,
        timeframe=Timeframe.H1,
        time=quarters.time[firsts],
        open=quarters.open[firsts],
        high=numpy.array([quarters.high[span].max() for span in spans]),
        low=numpy.array([quarters.low[span].min() for span in spans]),
        close=quarters.close[lasts],
        volume=numpy.array([quarters.volume[span].sum() for span in spans]),
        complete=len(quarters) % 4 == 0,
    )


def context(quarters: Series) -> dict[str, numpy.ndarray]:
    """An hourly average seen from quarters, as a strategy would use it."""
    hours = hours_of(quarters)
    average = Frame(hours).value(call("sma", 3))
    return {
        "average": aligned(average, quarters, hours),
        "close": aligned(hours.close, quarters, hours),
    }


def labelled_left(quarters: Series) -> dict[str, numpy.ndarray]:
    """The same by the usual mistake: each hour shown from its first quarter on."""
    hours = hours_of(quarters)
    return {"close": hours.close[numpy.arange(len(quarters)) // 4]}


def test_context_passes_the_leakage_checks_and_the_usual_mistake_does_not() -> None:
    quarters = walk(400, timeframe=Timeframe.M15)
    assert check("context", context, quarters).passed
    report = check("labelled left", labelled_left, quarters)
    assert [verdict.passed for verdict in report.verdicts] == [False, False]
