"""Where days, weeks and drawdowns are measured from: kept through restarts, shifted by payments.

Everything is kept less what was paid in, so that a deposit is no gain and a withdrawal no loss
from the very reading that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ordergate.model.accounts import AccountState, Baselines
from ordergate.model.records import BaselineRecord
from ordergate.model.values import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTerms:
    """How the whole book is counted: in which currency, and in whose days."""

    currency: str | None = None  # None = the account's own
    zone: str = "UTC"

    def day(self, at: datetime) -> date:
        """Return the book's day of a moment: a date on the operator's own calendar."""
        return at.astimezone(ZoneInfo(self.zone)).date()


def week_of(day: date) -> str:
    """Return the ISO week of a venue's day; an FX week begins on Sunday 17:00 New York with it."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def kept(
    before: BaselineRecord | None,
    state: AccountState,
    *,
    account: AccountId,
    paid_in: Decimal,
    day: date,
) -> BaselineRecord:
    """Return the baselines after one more reading of the account.

    A day or a week that has begun since the last reading starts at the higher of that reading and
    this one: what was lost while nobody looked is lost in the new day. A clock that went back
    begins nothing anew. Another currency begins everything anew.
    """
    own, week = state.equity - paid_in, week_of(state.day)
    if before is None or before.currency != state.currency:
        return BaselineRecord(
            account=account,
            currency=state.currency,
            week=week,
            week_start=own,
            peak=own,
            day=day,
            day_start=own,
            last=own,
            seen_at=state.time,
        )
    start = max(before.last, own)
    return BaselineRecord(
        account=account,
        currency=state.currency,
        week=max(week, before.week),
        week_start=start if week > before.week else before.week_start,
        peak=max(before.peak, own),
        day=max(day, before.day),
        day_start=start if day > before.day else before.day_start,
        last=own,
        seen_at=state.time,
    )


def worth_keeping(
    before: BaselineRecord | None, after: BaselineRecord, *, every: timedelta
) -> bool:
    """Say whether a reading must be written: something began, the peak rose, or time has passed."""
    if before is None or before.currency != after.currency or began(before, after):
        return True
    return after.peak > before.peak or abs(after.seen_at - before.seen_at) >= every


def began(before: BaselineRecord | None, after: BaselineRecord) -> bool:
    """Say whether a day or a week of the account has begun with this reading."""
    return before is None or (before.day, before.week) != (after.day, after.week)


def paid(state: AccountState, booked: Decimal) -> Decimal:
    """Return what was paid in so far: the venue's own word in the reading, else what was booked."""
    return booked if state.paid_in is None else state.paid_in


def measured_from(row: BaselineRecord, paid_in: Decimal) -> Baselines:
    """Return the equities that losses are measured from now."""
    return Baselines(
        week_start_equity=row.week_start + paid_in,
        peak_equity=row.peak + paid_in,
        book_day_start_equity=row.day_start + paid_in,
    )
