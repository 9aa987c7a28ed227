"""Where sessions begin among bars: the venue's day, which ends at 17:00 New York."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.hours.calendar import day_end

if TYPE_CHECKING:
    from ordergate.model.series import Times

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND_NS: Final = 1_000_000_000


def moment(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as a time, to the microsecond."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1_000)


def nanoseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND * 1_000


def session_ends_after(time_ns: int) -> int:
    """Return when the session around a time ends, in nanoseconds since 1970."""
    return nanoseconds(day_end(moment(time_ns)))


def session_starts(times: Times) -> list[int]:
    """Return the index of the first bar of each session; the first may be cut at its beginning."""
    starts: list[int] = []
    at = 0
    while at < len(times):
        starts.append(at)
        at = int(numpy.searchsorted(times, session_ends_after(int(times[at])), side="left"))
    return starts
