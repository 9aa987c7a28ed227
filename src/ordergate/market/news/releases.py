"""Economic releases: which are near, how far the nearest is, and until when that is known."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.news import Release

FAR: Final = timedelta(days=7)  # told of releases that are farther, or of none
HIGH: Final = "high"


def coming(
    releases: Sequence[Release], *, now: datetime, currencies: frozenset[str], most: int
) -> list[Release]:
    """Return the newest past day's and the coming releases of some currencies, in time order.

    No currencies = all of them. The nearest to now are kept where there are more than `most`.
    """
    wanted = [
        one
        for one in releases
        if one.at >= now - timedelta(days=1) and (not currencies or one.currency in currencies)
    ]
    nearest = sorted(wanted, key=lambda one: (abs(one.at - now), one.at, one.title))[:most]
    return sorted(nearest, key=lambda one: (one.at, one.currency, one.title))


def inside(release: Release, *, now: datetime, before: timedelta, after: timedelta) -> bool:
    """Say whether now is in the window around a release of high impact."""
    return release.impact == HIGH and release.at - before <= now <= release.at + after


class Schedule:
    """The moments of high impact by currency, to be asked again and again."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self._ends = max((one.at for one in releases), default=None)
        self._moments: dict[str, list[datetime]] = {}
        for one in sorted(releases, key=lambda release: release.at):
            if one.impact == HIGH:
                self._moments.setdefault(one.currency, []).append(one.at)

    def away_s(self, currencies: Iterable[str], *, now: datetime) -> Decimal | None:
        """Return the seconds to the nearest moment, past or coming, at most those of FAR.

        None beyond the schedule's last release, whatever its impact: what follows is not known.
        """
        if self._ends is None or now > self._ends:
            return None
        nearest = FAR
        for currency in currencies:
            moments = self._moments.get(currency, [])
            place = bisect_left(moments, now)
            for at in moments[max(place - 1, 0) : place + 1]:
                nearest = min(nearest, abs(at - now))
        return Decimal(nearest // timedelta(milliseconds=1)).scaleb(-3)
