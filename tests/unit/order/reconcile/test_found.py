from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import Lane, OrderType, PlaceIntent, Side, TimeInForce
from ordergate.model.outcomes import VenueStatus
from ordergate.model.values import AccountId, AttemptId, OrderId, Symbol, VenueName, VenueOrderId
from ordergate.order.intent.idempotency import magic, tag
from ordergate.order.journal.lifecycle import PLACE_TABLE
from ordergate.order.reconcile.found import attempt_found, events_of, order_found
from support.order_records import AT

TAG = tag("lost", 1)


def at_venue(*, status: VenueStatus, reduce_only: bool = False) -> VenueOrderState:
    return VenueOrderState(
        venue_order_id=VenueOrderId("v1"),
        tag=TAG,
        symbol=Symbol("EURUSD"),
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.10"),
        filled_quantity=Decimal("0.04"),
        average_price=Decimal("1.1"),
        status=status,
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal("1.1"),
        reduce_only=reduce_only,
    )


@pytest.mark.parametrize("status", list(VenueStatus))
def test_every_status_has_a_way_through_the_table(status: VenueStatus) -> None:
    found, ended = events_of(at_venue(status=status))
    state = PLACE_TABLE[None, found]
    if ended is not None:
        assert (state, ended) in PLACE_TABLE
    open_ones = (VenueStatus.WORKING, VenueStatus.PARTIAL, VenueStatus.FILLED)
    assert (ended is None) is (status in open_ones)


@pytest.mark.parametrize(("reduce_only", "lane"), [(False, Lane.OPEN), (True, Lane.CLOSE)])
def test_the_rows_say_what_the_venue_shows_and_no_more(reduce_only: bool, lane: Lane) -> None:
    seen = at_venue(status=VenueStatus.PARTIAL, reduce_only=reduce_only)
    order = order_found(
        seen,
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        order_id=OrderId("o1"),
        now=AT,
    )
    attempt = attempt_found(seen, order, attempt_id=AttemptId("a1"), day=date(2026, 1, 7))
    assert isinstance(order.intent, PlaceIntent)
    assert (order.lane, order.principal) == (lane, "gateway")
    assert (order.intent.side, order.intent.quantity) == (Side.SELL, Decimal("0.10"))
    assert (attempt.tag, attempt.magic) == (TAG, magic(TAG))
    assert attempt.filled_quantity == Decimal("0.04")
    assert attempt.opening is (not reduce_only)
    assert attempt.incident == "found"
