"""What a quote is worth: missing, stale, out of order, after a gap, frozen, crossed, or good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.market import PriceBasis, Quality, Quote, QuoteQuality

QUIET_MAX: Final = timedelta(hours=1)  # an open symbol silent for longer has a hole in its data
QUIET_SLICES: Final = 3  # the same for slow data, in its own slices
QUIET_BEATS: Final = 10  # the same for a feed that confirms every price, in its own beats
FROZEN_AFTER: Final = timedelta(minutes=5)  # not a digit of all that is told of it has moved
DOUBT_FOR: Final = timedelta(seconds=5)  # after a gap, or after a price from the past
ONE_DAY: Final = timedelta(days=1)
NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the quotes of a symbol came, up to the newest; times are the venue's clock."""

    cadence: timedelta = NO_TIME  # length of its slices
    heartbeat: timedelta | None = None  # how often its feed confirms it; None = quiet is no news
    unchanged_since: datetime | None = None  # as the feed tells; None = it cannot tell
    resumed_at: datetime | None = None  # the first quote after a hole
    disordered_at: datetime | None = None  # when one came that was older than the newest

    @property
    def quiet_max(self) -> timedelta:
        """Return how long an open symbol may be silent."""
        if self.heartbeat is not None:
            return QUIET_BEATS * self.heartbeat
        return max(QUIET_MAX, QUIET_SLICES * self.cadence)

    def disordered(self, now: datetime) -> Course:
        """Return the course after a quote from before the newest one, which is not taken."""
        return replace(self, disordered_at=now)

    def after_hole(self, at: datetime) -> Course:
        """Return the course after a silence that was too long, in one session."""
        return replace(self, resumed_at=at)


def judge_quote(
    quote: Quote | None,
    *,
    now: datetime,
    link_alive: bool,
    opened: datetime | None,
    course: Course,
) -> QuoteQuality:
    """Say what a quote is worth at `now`; times are the venue's clock.

    A quiet symbol is not stale while the link lives, with two exceptions in an open session: a
    price from before the session `opened` (None = closed now), and silence of more than an hour,
    three slices where the data comes in slices, or ten beats where the feed has a heartbeat. Daily
    data is always from before. A gap, or a price from the past, is in doubt for five seconds.
    """
    if quote is None:
        return QuoteQuality(Quality.MISSING, None)
    age = max(now - quote.time, NO_TIME)
    return QuoteQuality(_verdict(quote, now, link_alive, opened, course), _seconds(age))


def _verdict(
    quote: Quote, now: datetime, link_alive: bool, opened: datetime | None, course: Course
) -> Quality:
    if not link_alive or (opened is not None and _fell_silent(quote, now, opened, course)):
        return Quality.STALE
    if _recent(course.disordered_at, now):
        return Quality.OUT_OF_ORDER
    if _recent(course.resumed_at, now):
        return Quality.GAP
    if course.unchanged_since is not None and now - course.unchanged_since > FROZEN_AFTER:
        return Quality.FROZEN
    if quote.bid > quote.ask:
        return Quality.CROSSED
    if quote.bid == quote.ask and quote.basis is PriceBasis.BID_ASK:
        return Quality.ZERO_SPREAD
    return Quality.OK


def _fell_silent(quote: Quote, now: datetime, opened: datetime, course: Course) -> bool:
    if quote.time < opened and course.cadence < ONE_DAY:
        return True
    return now - max(quote.time, opened) > course.quiet_max


def _recent(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < DOUBT_FOR


def _seconds(age: timedelta) -> Decimal:
    return Decimal(age // timedelta(milliseconds=1)) / 1000
