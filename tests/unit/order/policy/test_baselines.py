"""Baselines: begun with the day and the week, kept through restarts, shifted by payments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.model.accounts import AccountState
from ordergate.model.records import BaselineRecord
from ordergate.order.policy.baselines import (
    BookTerms,
    began,
    kept,
    measured_from,
    paid,
    week_of,
    worth_keeping,
)
from support.judging import ACCOUNT, D, baseline, state

ZERO = Decimal(0)
MINUTE = timedelta(minutes=1)
BERLIN = BookTerms(zone="Europe/Berlin")


def read(
    before: BaselineRecord | None, account: AccountState, *, day: date, paid_in: str = "0"
) -> BaselineRecord:
    return kept(before, account, account=ACCOUNT, paid_in=D(paid_in), day=day)


def at(equity: str, day: date = date(2026, 1, 7), **terms: object) -> AccountState:
    return state(equity=D(equity), day=day, **terms)


def test_a_first_reading_begins_everything() -> None:
    row = read(None, at("99000"), day=date(2026, 1, 7))
    assert (row.week, row.week_start, row.peak, row.day_start) == (
        "2026-W02",
        D(99_000),
        D(99_000),
        D(99_000),
    )


def test_within_a_day_the_starts_stay_and_the_peak_only_rises() -> None:
    row = read(baseline(), at("101000"), day=date(2026, 1, 7))
    row = read(row, at("99000"), day=date(2026, 1, 7))
    assert (row.day_start, row.week_start, row.peak, row.last) == (
        D(100_000),
        D(100_000),
        D(101_000),
        D(99_000),
    )


def test_a_new_day_begins_where_the_last_reading_left_it() -> None:
    row = read(baseline(last=D(98_000)), at("98000"), day=date(2026, 1, 8))
    assert (row.day, row.day_start, row.week_start) == (date(2026, 1, 8), D(98_000), D(100_000))


def test_what_was_lost_while_nobody_looked_is_lost_in_the_new_day() -> None:
    row = read(baseline(last=D(100_000)), at("97000"), day=date(2026, 1, 8))
    assert row.day_start == D(100_000)


def test_a_new_week_begins_with_the_venues_monday() -> None:
    row = read(baseline(last=D(98_000)), at("98000", date(2026, 1, 12)), day=date(2026, 1, 11))
    assert (row.week, row.week_start) == ("2026-W03", D(98_000))


def test_a_clock_that_went_back_begins_nothing_anew() -> None:
    row = read(baseline(), at("97000", date(2026, 1, 2)), day=date(2026, 1, 6))
    assert (row.day_start, row.week_start) == (D(100_000), D(100_000))
    assert not began(baseline(), row)


def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss() -> None:
    row = read(baseline(), at("110000"), day=date(2026, 1, 7), paid_in="10000")
    assert row.peak == D(100_000)
    shifted = measured_from(row, D(10_000))
    assert shifted.peak_equity == shifted.week_start_equity == D(110_000)
    assert shifted.book_day_start_equity == D(110_000)
    row = read(row, at("70000"), day=date(2026, 1, 7), paid_in="-30000")
    assert measured_from(row, D(-30_000)).book_day_start_equity == D(70_000)


def test_another_currency_begins_everything_anew() -> None:
    row = read(baseline(), at("90000", currency="EUR"), day=date(2026, 1, 7))
    assert (row.currency, row.day_start, row.peak) == ("EUR", D(90_000), D(90_000))


def test_the_venues_own_word_on_payments_comes_before_what_was_booked() -> None:
    assert paid(state(paid_in=D(5)), D(7)) == 5
    assert paid(state(), D(7)) == 7


def test_a_reading_is_written_when_it_says_something_or_a_minute_has_passed() -> None:
    same = baseline(seen_at=baseline().seen_at + timedelta(seconds=59))
    assert not worth_keeping(baseline(), same, every=MINUTE)
    assert worth_keeping(baseline(), baseline(peak=D(100_001)), every=MINUTE)
    assert worth_keeping(baseline(), baseline(day=date(2026, 1, 8)), every=MINUTE)
    later = baseline(seen_at=baseline().seen_at + MINUTE)
    assert worth_keeping(baseline(), later, every=MINUTE)
    assert worth_keeping(None, baseline(), every=MINUTE)
    assert worth_keeping(baseline(), baseline(currency="EUR"), every=MINUTE)
    set_back = baseline(seen_at=baseline().seen_at - MINUTE)
    assert worth_keeping(baseline(), set_back, every=MINUTE)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # Europe's clocks go forward on 2026-03-29 and back on 2026-10-25, at 01:00 UTC.
        ("2026-03-28T22:59:59", date(2026, 3, 28)),
        ("2026-03-28T23:00:00", date(2026, 3, 29)),
        ("2026-03-29T21:59:59", date(2026, 3, 29)),
        ("2026-03-29T22:00:00", date(2026, 3, 30)),
        ("2026-10-24T22:00:00", date(2026, 10, 25)),
        ("2026-10-25T22:59:59", date(2026, 10, 25)),
        ("2026-10-25T23:00:00", date(2026, 10, 26)),
    ],
)
def test_the_books_day_is_the_operators_calendar_across_a_change_of_clocks(
    moment: str, day: date
) -> None:
    assert BERLIN.day(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == day


def test_a_week_is_iso_also_at_the_turn_of_the_year() -> None:
    assert week_of(date(2026, 12, 31)) == week_of(date(2027, 1, 1)) == "2026-W53"
    assert week_of(date(2027, 1, 4)) == "2027-W01"
