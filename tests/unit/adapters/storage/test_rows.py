"""Rows keep every field of a record, to the last digit and microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.adapters.storage.rows import Rows
from ordergate.model.records import AttemptRecord, OrderRecord, Reservation
from support.journal_rows import a_reservation, an_attempt, an_order, every_intent

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**15))
TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]),
)


def test_every_kind_of_intent_survives() -> None:
    rows = Rows(OrderRecord)
    for intent in every_intent():
        order = an_order(1, intent=intent)
        assert rows.from_row(list(rows.to_row(order).values())) == order


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, st.none() | NUMBERS)
def test_numbers_are_exact_plain_text(quantity: Decimal, notional: Decimal, risk: object) -> None:
    rows = Rows(Reservation)
    record = a_reservation(1, quantity=quantity, notional=notional, risk=risk)
    row = rows.to_row(record)
    assert rows.from_row(list(row.values())) == record
    assert isinstance(row["quantity"], str)
    assert "E" not in row["quantity"]


@settings(max_examples=200, deadline=None)
@given(TIMES, st.booleans())
def test_times_and_flags_are_exact_and_text_order_is_time_order(
    claimed_at: datetime, cancel_pending: bool
) -> None:
    rows = Rows(AttemptRecord)
    record = an_attempt(1, claimed_at=claimed_at, cancel_pending=cancel_pending)
    row = rows.to_row(record)
    back = rows.from_row(list(row.values()))
    assert back == record
    assert back.claimed_at.utcoffset() == timedelta(0)
    assert back.cancel_pending is cancel_pending
    later = rows.to_row(an_attempt(1, claimed_at=claimed_at + timedelta(microseconds=1)))
    assert str(row["claimed_at"]) < str(later["claimed_at"])


def test_a_field_may_be_left_out() -> None:
    assert "intent" not in Rows(OrderRecord).to_row(an_order(1), but="intent")
