"""Economic releases and the windows around them: a fact to see, no control of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ordergate.model.news import Release


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
    return release.impact == "high" and release.at - before <= now <= release.at + after
