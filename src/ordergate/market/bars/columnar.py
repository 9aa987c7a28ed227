"""Bars of a higher timeframe as columns; the same answers as resampling.py, a million at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy

from ordergate.market.bars.resampling import Unordered
from ordergate.model.hours import VENUE_DAY, DayBoundary
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Numbers, Times

SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND


def length_ns(timeframe: Timeframe) -> int:
    """Return a timeframe's length in nanoseconds."""
    return int(timeframe.length.total_seconds()) * SECOND


def resample_columns(
    series: Series, timeframe: Timeframe, *, day: DayBoundary = VENUE_DAY
) -> Series:
    """Return bars of `timeframe`: first open, highest high, lowest low, last close, summed volume.

    Days begin at `day`, and shorter bars count from there; across a clock change the day's last H4
    bar is shorter or longer. The last bar is complete when the last part is and ends it. Gaps stay
    gaps. Raises Unordered for a lower timeframe.
    """
    if series.timeframe.length > timeframe.length:
        raise Unordered(f"{timeframe} cannot be made of {series.timeframe}")
    if not len(series) or series.timeframe is timeframe:
        return replace(series, timeframe=timeframe)
    opens, closes = windows(series.time, timeframe, day)
    _, ends = windows(series.time[-1:], series.timeframe, day)
    first = _groups(opens)
    bid = _grouped(Prices(series.open, series.high, series.low, series.close), first)
    return Series(
        series.symbol,
        timeframe,
        opens[first],
        bid.open,
        bid.high,
        bid.low,
        bid.close,
        numpy.add.reduceat(series.volume, first),
        complete=series.complete and bool(ends[-1] >= closes[-1]),
        source=series.source,
        ask=None if series.ask is None else _grouped(series.ask, first),
    )


def windows(time: Times, timeframe: Timeframe, day: DayBoundary) -> tuple[Times, Times]:
    """Return start and end of the bar that each of the rising times falls into."""
    begins = day_begins(int(time[0]), int(time[-1]), day)
    index = numpy.searchsorted(begins, time, side="right") - 1
    begin, end = begins[index], begins[index + 1]
    if timeframe is Timeframe.D1:
        return begin, end
    length = length_ns(timeframe)
    opens = begin + (time - begin) // length * length
    return opens, numpy.minimum(opens + length, end)


def ticks_to_bars(time: Times, price: Numbers, timeframe: Timeframe) -> tuple[Times, Prices]:
    """Return bars of the prices of rising times, on whole multiples of the timeframe since 1970."""
    length = length_ns(timeframe)
    opens = time // length * length
    first = _groups(opens)
    return opens[first], _grouped(Prices(price, price, price, price), first)


def summed(time: Times, volume: Numbers, timeframe: Timeframe) -> Numbers:
    """Return the volume of the bars that ticks_to_bars makes."""
    made: Numbers = numpy.add.reduceat(volume, _groups(time // length_ns(timeframe)))
    return made


def nanoseconds(at: datetime) -> int:
    """Return a time as nanoseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def moment(at: int) -> datetime:
    """Return nanoseconds since 1970 as a time, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at // 1000)


def day_begins(first: int, last: int, day: DayBoundary) -> Times:
    """Return where days begin, from before `first` to after `last`."""
    begin = moment(first).date() - timedelta(days=2)
    count = (last - first) // DAY + 6
    found = [nanoseconds(day.begin(begin + timedelta(days=n))) for n in range(count)]
    return numpy.array(found, numpy.int64)


def _groups(opens: Times) -> NDArray[numpy.intp]:
    """Return where each run of equal starts begins."""
    changes = numpy.flatnonzero(numpy.diff(opens)) + 1
    return numpy.concatenate([numpy.zeros(1, numpy.intp), changes])


def _grouped(prices: Prices, first: NDArray[numpy.intp]) -> Prices:
    last = numpy.append(first[1:], len(prices.close)) - 1
    return Prices(
        prices.open[first],
        numpy.maximum.reduceat(prices.high, first),
        numpy.minimum.reduceat(prices.low, first),
        prices.close[last],
    )
