"""What the broker's clock is ahead of UTC: measured or inferred, shown, never assumed.

A terminal writes broker time as if it were UTC and tells nobody the difference. A quote that has
just come bears the broker's now; over a weekend the last quote of the FX week bears its close.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ordergate.model.hours import session_window, window_before
from ordergate.model.instruments import CalendarName

GRID: Final = timedelta(minutes=15)  # all time zones lie on it
FRESH: Final = timedelta(seconds=10)  # between two looks, for a quote to be a new one
AWAY_MAX: Final = timedelta(seconds=60)  # our clock and the broker's may disagree by so much
CLOSE_MAX: Final = timedelta(minutes=6)  # brokers stop so long before the week's close
ZONES: Final = timedelta(hours=14)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Source(enum.StrEnum):
    MEASURED = "measured"  # on a quote that came while we looked
    WEEK_CLOSE = "week_close"  # on the last quote before a weekend
    CONFIGURED = "configured"


@dataclass(frozen=True, slots=True)
class Offset:
    """The broker's clock less UTC, and how that is known."""

    ahead: timedelta
    source: Source


class BrokerClock:
    def __init__(self, configured: timedelta | None = None) -> None:
        self._known = None if configured is None else Offset(configured, Source.CONFIGURED)
        self._newest_msc = 0
        self._looked_at: datetime | None = None

    @property
    def known(self) -> Offset | None:
        """Return the offset; None = unknown."""
        return self._known

    @property
    def newest_msc(self) -> int:
        """Return the broker time of the newest quote so far; 0 = none was seen."""
        return self._newest_msc

    def see(self, quotes_msc: Mapping[str, int], at: datetime) -> None:
        """Take the times of the newest quotes, as read at `at` (UTC)."""
        newest = max(quotes_msc.values(), default=0)
        looked_at, self._looked_at = self._looked_at, at
        came = newest > self._newest_msc > 0
        just_now = looked_at is not None and at - looked_at <= FRESH
        self._newest_msc = max(newest, self._newest_msc)
        if came and just_now:
            found = _on_grid(_moment(newest) - at, late=AWAY_MAX + FRESH, early=AWAY_MAX)
            if found is not None:
                self._known = Offset(found, Source.MEASURED)
        elif self._known is None and newest:
            self._known = _by_week_close(_moment(newest), at)


def _moment(msc: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=msc)


def _on_grid(difference: timedelta, *, late: timedelta, early: timedelta) -> timedelta | None:
    """Return the multiple of 15 minutes that a quote's time lies at, or a little before."""
    nearest = round(difference / GRID) * GRID
    rest = difference - nearest
    fits = -late <= rest <= early and abs(nearest) <= ZONES
    return nearest if fits else None


def _by_week_close(newest: datetime, at: datetime) -> Offset | None:
    """Return the offset that puts the last quote at the FX week's close, while that is past."""
    if session_window(CalendarName.FX, at) is not None:
        return None
    closed = window_before(CalendarName.FX, at).closes
    found = _on_grid(newest - closed, late=CLOSE_MAX, early=timedelta())
    return None if found is None else Offset(found, Source.WEEK_CLOSE)
