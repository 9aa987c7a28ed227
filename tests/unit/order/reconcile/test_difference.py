"""What a full scan proves of our attempts: a table of (what we believed, what the venue says)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.accounts import VenueHistory, VenueOrderState
from ordergate.model.orders import Action, AttemptState, OrderType, Side, TimeInForce
from ordergate.model.outcomes import Fill, FillEffect, VenueStatus
from ordergate.model.values import PositionId, Symbol, Tag, VenueOrderId
from ordergate.order.intent.idempotency import tag
from ordergate.order.reconcile.difference import Difference, difference
from support.order_records import AT, an_attempt

TAG = tag("h1", 1)
S = AttemptState


def at_venue(status: VenueStatus, **changes: Any) -> VenueOrderState:
    fields: dict[str, Any] = {
        "venue_order_id": VenueOrderId("v1"),
        "tag": TAG,
        "symbol": Symbol("EURUSD"),
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "quantity": Decimal("0.10"),
        "filled_quantity": Decimal("0.10") if status is VenueStatus.FILLED else Decimal(0),
        "average_price": None,
        "status": status,
        "time_in_force": TimeInForce.GTC,
    }
    return VenueOrderState(**{**fields, **changes})


def a_fill(**changes: Any) -> Fill:
    fields: dict[str, Any] = {
        "trade_id": "t1",
        "venue_order_id": VenueOrderId("v1"),
        "tag": TAG,
        "symbol": Symbol("EURUSD"),
        "side": Side.BUY,
        "quantity": Decimal("0.10"),
        "price": Decimal("1.1"),
        "commission": Decimal(0),
        "realised": Decimal(0),
        "time": AT,
        "position_id": PositionId("p1"),
        "effect": FillEffect.OPENING,
    }
    return Fill(**{**fields, **changes})


def compare(attempt: Any, *orders: VenueOrderState, fills: tuple[Fill, ...] = ()) -> Difference:
    history = VenueHistory(orders=orders, fills=fills, applied=frozenset(), venue_time=AT)
    tags = frozenset(order.tag for order in orders if order.tag)
    return difference([attempt], history, known_tags=frozenset({TAG}), is_ours=tags)


@pytest.mark.parametrize("believed", [S.UNKNOWN, S.PARKED, S.SENDING])
@pytest.mark.parametrize(
    ("status", "event"),
    [
        (VenueStatus.WORKING, "accepted"),
        (VenueStatus.PARTIAL, "partly_filled"),
        (VenueStatus.FILLED, "filled"),
        (VenueStatus.CANCELED, "canceled"),
        (VenueStatus.EXPIRED, "expired"),
        (VenueStatus.REJECTED, "refused"),
    ],
)
def test_what_was_lost_from_sight_is_what_the_venue_says(
    believed: S, status: VenueStatus, event: str
) -> None:
    found = compare(an_attempt(state=believed), at_venue(status))
    assert [step.event for step in found.steps] == [event]
    assert found.not_found == ()


@pytest.mark.parametrize("believed", [S.UNKNOWN, S.PARKED])
def test_not_found_is_not_rejected(believed: S) -> None:
    found = compare(an_attempt(state=believed))
    assert found.steps == ()
    assert [one.attempt_id for one in found.not_found] == ["a1"]


@pytest.mark.parametrize("believed", [S.WORKING, S.PARTIAL])
def test_a_resting_order_that_vanished_is_unknown_not_canceled(believed: S) -> None:
    found = compare(an_attempt(state=believed))
    assert [step.event for step in found.steps] == ["vanished"]


@pytest.mark.parametrize("believed", [S.REJECTED, S.NOT_SENT, S.RESOLVED_NOT_PLACED])
@pytest.mark.parametrize(
    ("status", "event"),
    [
        (VenueStatus.WORKING, "adopted_working"),
        (VenueStatus.PARTIAL, "adopted_partial"),
        (VenueStatus.FILLED, "adopted_filled"),
    ],
)
def test_late_evidence_is_adopted_whatever_we_believed(
    believed: S, status: VenueStatus, event: str
) -> None:
    found = compare(an_attempt(state=believed), at_venue(status))
    assert [step.event for step in found.steps] == [event]


def test_the_same_report_a_second_time_changes_nothing() -> None:
    filled = an_attempt(state=S.FILLED, filled_quantity=Decimal("0.10"))
    assert compare(filled, at_venue(VenueStatus.FILLED)).steps == ()
    working = an_attempt(state=S.WORKING)
    assert compare(working, at_venue(VenueStatus.WORKING)).steps == ()


def test_a_cancel_that_raced_a_fill_becomes_the_fill() -> None:
    gone = an_attempt(state=S.CANCELED)
    whole = compare(gone, at_venue(VenueStatus.FILLED))
    assert [step.event for step in whole.steps] == ["late_fill_complete"]
    part = compare(gone, at_venue(VenueStatus.CANCELED, filled_quantity=Decimal("0.04")))
    assert [step.event for step in part.steps] == ["late_fill"]


def test_a_stop_that_closed_the_position_is_not_a_fill_of_the_opening_order() -> None:
    stop = a_fill(trade_id="t2", venue_order_id=VenueOrderId("v2"), effect=FillEffect.CLOSING)
    found = compare(
        an_attempt(state=S.UNKNOWN), at_venue(VenueStatus.FILLED), fills=(a_fill(), stop)
    )
    assert [fill.trade_id for fill in found.steps[0].fills] == ["t1"]
    assert found.steps[0].fields["position_id"] == "p1"


def test_an_order_with_our_tag_that_we_do_not_know_is_a_stranger() -> None:
    lost = at_venue(VenueStatus.WORKING, tag=tag("lost", 1))
    foreign = at_venue(VenueStatus.WORKING, tag=Tag("by-hand"))
    history = VenueHistory(orders=(lost, foreign), fills=(), applied=frozenset(), venue_time=AT)
    found = difference(
        [], history, known_tags=frozenset(), is_ours=frozenset({lost.tag or Tag("")})
    )
    assert found.strangers == (lost,)


def test_a_change_is_applied_where_the_venue_kept_its_tag() -> None:
    change = an_attempt(state=S.UNKNOWN, action=Action.MODIFY)
    kept = VenueHistory(orders=(), fills=(), applied=frozenset({TAG}), venue_time=AT)
    found = difference([change], kept, known_tags=frozenset(), is_ours=frozenset())
    assert [step.event for step in found.steps] == ["applied"]
    lost = VenueHistory(orders=(), fills=(), applied=frozenset(), venue_time=AT)
    found = difference([change], lost, known_tags=frozenset(), is_ours=frozenset())
    assert [one.attempt_id for one in found.not_found] == ["a1"]


def test_an_order_believed_unsent_that_filled_in_part_and_ended_is_adopted_then_ended() -> None:
    unsent = an_attempt(state=AttemptState.RESOLVED_NOT_PLACED)
    filled = at_venue(VenueStatus.CANCELED, filled_quantity=Decimal("0.04"))
    (step,) = compare(unsent, filled).steps
    assert step.event == "adopted_partial"
    partial = an_attempt(state=AttemptState.PARTIAL, filled_quantity=Decimal("0.04"))
    (step,) = compare(partial, filled).steps
    assert step.event == "canceled"
