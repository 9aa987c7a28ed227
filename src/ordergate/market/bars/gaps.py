"""Bars against the hours of their market: what is missing, and what should not be there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.bars.columnar import (
    DAY,
    day_begins,
    length_ns,
    moment,
    nanoseconds,
    windows,
)
from ordergate.model.hours import VENUE_DAY, is_trading_day, windows_between
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Times

LONGEST: Final = 5
SHIFT_HOURS_MAX: Final = 14
CLOSED_MIN: Final = 3
CLOSED_PER_MILLE: Final = 2
BETTER: Final = 4  # times fewer closed bars make another zone the likely one
APRIL: Final = 3  # months counted from 0
OCTOBER: Final = 9
HOUR: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Gap:
    after: int  # start of the last bar before it
    before: int  # start of the first bar after it
    missing: int  # bars of open market in between


@dataclass(frozen=True, slots=True)
class Presence:
    """How a series fills the hours of its market; `shift_h` is set where another zone fits."""

    bars: int
    missing: int
    gaps: int
    longest: tuple[Gap, ...]
    closed: int  # bars that lie wholly where the market is closed
    shift_h: int | None = None
    closed_then: int = 0


def presence(time: Times, timeframe: Timeframe, calendar: CalendarName) -> Presence:
    """Compare rising starts of bars with a calendar's hours; weekly rules beyond its table."""
    if not len(time):
        return Presence(0, 0, 0, (), 0)
    begin, end = moment(int(time[0])), moment(int(time[-1])) + timedelta(days=1)
    length = length_ns(timeframe)
    hours = _Hours(calendar, (begin - timedelta(days=2), end + timedelta(days=2)), length)
    if timeframe is Timeframe.D1:
        missing = _days_between(time, calendar)
    elif timeframe is Timeframe.H4 and (windows(time, timeframe, VENUE_DAY)[0] == time).all():
        missing = _between(hours.open_starts(_h4_starts(time)), time)
    else:
        missing = hours.starts_before(time[1:], time) - hours.starts_before(time[:-1] + 1, time)
    missing = numpy.maximum(missing, 0)
    where = numpy.flatnonzero(missing)
    longest = where[numpy.argsort(-missing[where], kind="stable")[:LONGEST]]
    closed = hours.closed(time)
    found = Presence(
        bars=len(time),
        missing=int(missing.sum()),
        gaps=len(where),
        longest=tuple(Gap(int(time[i]), int(time[i + 1]), int(missing[i])) for i in longest),
        closed=closed,
    )
    months = time.view("datetime64[ns]").astype("datetime64[M]").astype(numpy.int64) % 12
    summer = (months >= APRIL) & (months <= OCTOBER)
    # A zone that keeps another summer time is wrong in one half of the year alone.
    for part in (time, time[summer], time[~summer]):
        shift = _likely_shift(part, hours)
        if shift is not None:
            return replace(found, shift_h=shift, closed_then=hours.closed(part + shift * HOUR))
    return found


def _likely_shift(time: Times, hours: _Hours) -> int | None:
    """Return by how many hours times must move to lie in open hours; None = they do, or never."""
    closed = hours.closed(time) if len(time) else 0
    if closed < CLOSED_MIN or closed * 1000 < len(time) * CLOSED_PER_MILLE:
        return None
    shifts = [shift for shift in range(-SHIFT_HOURS_MAX, SHIFT_HOURS_MAX + 1) if shift]
    left = {shift: hours.closed(time + shift * HOUR) for shift in shifts}
    best = min(shifts, key=lambda shift: (left[shift], abs(shift)))
    return best if left[best] * BETTER <= closed else None


class _Hours:
    """The open windows of a stretch of time as arrays, and the bar starts that lie in them."""

    def __init__(
        self, calendar: CalendarName, span: tuple[datetime, datetime], length: int
    ) -> None:
        found = list(windows_between(calendar, *span))
        self._length = length
        self._opens = numpy.array([nanoseconds(window.opens) for window in found], numpy.int64)
        self._closes = numpy.array([nanoseconds(window.closes) for window in found], numpy.int64)

    def closed(self, time: Times) -> int:
        """Count the bars that overlap no window."""
        return len(time) - int(self._overlap(time, time + self._length).sum())

    def open_starts(self, starts: Times) -> Times:
        """Return those of these bars, one after the other without a gap, that overlap a window."""
        return starts[:-1][self._overlap(starts[:-1], starts[1:])]

    def starts_before(self, time: Times, bars: Times) -> Times:
        """Return, for each time, how many bars of open market start before it, on the bars' grid.

        A window's grid is that of its own first bar: a file's days may begin at another hour of UTC
        after a clock change.
        """
        length = self._length
        near = numpy.searchsorted(bars, self._opens - length, side="right")
        sample = bars[numpy.minimum(near, len(bars) - 1)]
        phase = numpy.where(sample < self._closes, sample, bars[0]) % length
        first = (self._opens - phase) // length * length + phase
        counts = -((first - self._closes) // length)
        shared = numpy.zeros(len(first), numpy.bool_)
        shared[1:] = first[1:] < (first + counts * length)[:-1]
        first, counts = first + shared * length, counts - shared
        total = numpy.concatenate([numpy.zeros(1, numpy.int64), numpy.cumsum(counts)])
        index = numpy.searchsorted(first, time, side="right") - 1
        within = -((first[index] - time) // length)
        made: Times = total[index] + numpy.clip(within, 0, counts[index])
        return made

    def _overlap(self, begin: Times, end: Times) -> NDArray[numpy.bool_]:
        index = numpy.searchsorted(self._closes, begin, side="right")
        inside = index < len(self._opens)
        opens = self._opens[numpy.minimum(index, len(self._opens) - 1)]
        made: NDArray[numpy.bool_] = inside & (opens < end)
        return made


def _h4_starts(time: Times) -> Times:
    """Return where each H4 bar of the venue's days begins, beyond both ends."""
    begins = day_begins(int(time[0]), int(time[-1]), VENUE_DAY)
    starts = begins[:-1, None] + numpy.arange(7) * length_ns(Timeframe.H4)
    made: Times = starts[starts < begins[1:, None]]
    return made


def _between(expected: Times, time: Times) -> Times:
    """Return how many of the expected starts lie between neighbouring bars."""
    upto = numpy.searchsorted(expected, time[1:], side="left")
    made: Times = upto - numpy.searchsorted(expected, time[:-1], side="right")
    return made


def _days_between(time: Times, calendar: CalendarName) -> Times:
    """Return how many trading days lie between the dates of neighbouring bars."""
    dates = (time + DAY // 2) // DAY
    first, last = int(dates[0]), int(dates[-1])
    trades = [is_trading_day(calendar, moment(day * DAY).date()) for day in range(first, last + 1)]
    before = numpy.concatenate([numpy.zeros(1, numpy.int64), numpy.cumsum(trades)])
    made: Times = before[dates[1:] - first] - before[dates[:-1] - first + 1]
    return made
