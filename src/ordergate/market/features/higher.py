"""A higher timeframe seen from a lower one: only bars that had closed by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.sessions import moment, nanoseconds
from ordergate.model.errors import InvalidArgument
from ordergate.model.hours import bar_window
from ordergate.model.market import Timeframe

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series, Times

BY_THE_DAY: Final = (Timeframe.H4, Timeframe.D1)  # their length changes with New York's clock


def close_times(series: Series) -> Times:
    """Return when each bar ends, in nanoseconds since 1970."""
    timeframe = series.timeframe
    if timeframe in BY_THE_DAY:
        ends = [
            nanoseconds(bar_window(timeframe, moment(int(start))).closes) for start in series.time
        ]
        return numpy.array(ends, dtype=numpy.int64)
    return series.time + int(timeframe.length.total_seconds()) * 1_000_000_000


def last_closed(lower: Series, higher: Series) -> Times:
    """Return for each lower bar the index of the newest higher bar closed by its end; -1 for none.

    Raises InvalidArgument unless `higher` has the longer bars, of the same symbol.
    """
    if higher.timeframe.length <= lower.timeframe.length or higher.symbol != lower.symbol:
        raise InvalidArgument(
            f"{higher.symbol} {higher.timeframe} is no higher timeframe of"
            f" {lower.symbol} {lower.timeframe}"
        )
    ends = close_times(higher)
    if len(higher) and not higher.complete:
        ends = ends[:-1]
    found: Times = numpy.searchsorted(ends, close_times(lower), side="right") - 1
    return found


def aligned(values: Numbers, lower: Series, higher: Series) -> Numbers:
    """Return for each lower bar the value of the newest higher bar closed by then, or NaN."""
    places = last_closed(lower, higher)
    made = numpy.full(len(lower), numpy.nan)
    known = places >= 0
    made[known] = values[places[known]]
    return made
