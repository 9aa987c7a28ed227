"""What a quote is worth: missing, stale, crossed, without a spread, or good."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.market import PriceBasis, Quality, Quote, QuoteQuality

QUIET_MAX: Final = timedelta(hours=1)  # an open symbol silent for longer has a hole in its data
QUIET_SLICES: Final = 3  # the same for slow data, in its own slices
ONE_DAY: Final = timedelta(days=1)


def judge_quote(
    quote: Quote | None,
    *,
    now: datetime,
    link_alive: bool,
    opened: datetime | None,
    cadence: timedelta,
) -> QuoteQuality:
    """Say what a quote is worth at `now`; times are the venue's clock.

    A quiet symbol is not stale while the link lives, with two exceptions in an open session: a
    price from before the session `opened` (None = closed now), and silence of more than an hour,
    or three slices where the data comes in slices of `cadence`. Daily data is always from before.
    """
    if quote is None:
        return QuoteQuality(Quality.MISSING, None)
    age = max(now - quote.time, timedelta(0))
    return QuoteQuality(_verdict(quote, now, link_alive, opened, cadence), _seconds(age))


def _verdict(
    quote: Quote, now: datetime, link_alive: bool, opened: datetime | None, cadence: timedelta
) -> Quality:
    if not link_alive or (opened is not None and _fell_silent(quote, now, opened, cadence)):
        return Quality.STALE
    if quote.bid > quote.ask:
        return Quality.CROSSED
    if quote.bid == quote.ask and quote.basis is PriceBasis.BID_ASK:
        return Quality.ZERO_SPREAD
    return Quality.OK


def _fell_silent(quote: Quote, now: datetime, opened: datetime, cadence: timedelta) -> bool:
    if quote.time < opened and cadence < ONE_DAY:
        return True
    return now - max(quote.time, opened) > max(QUIET_MAX, QUIET_SLICES * cadence)


def _seconds(age: timedelta) -> Decimal:
    return Decimal(age // timedelta(milliseconds=1)) / 1000
