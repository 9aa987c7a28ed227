"""What is not ours: told by the tag, and by who opened a position; a fired stop is the venue's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordergate.model.accounts import Position, VenueHistory, VenueOrderState
from ordergate.model.outcomes import Fill, VenueStatus
from ordergate.model.records import ExternalKind
from ordergate.model.values import PositionId, Tag, VenueOrderId
from ordergate.order.reconcile.outside import origin, outside
from support.judging import ACCOUNT, position
from unit.order.reconcile.test_difference import AT, TAG, a_fill, at_venue

THEIRS = Tag("by-hand")


def seen(
    *orders: VenueOrderState, fills: tuple[Fill, ...] = (), positions: tuple[Position, ...] = ()
) -> list[tuple[ExternalKind, str]]:
    history = VenueHistory(orders=orders, fills=fills, applied=frozenset(), venue_time=AT)
    found = outside(
        history,
        positions,
        account=ACCOUNT,
        since=AT,
        ours=frozenset({PositionId("p-ours")}),
        found_at=AT,
    )
    return [(row.kind, row.venue_id) for row in found]


def order(**changes: Any) -> VenueOrderState:
    return replace(at_venue(VenueStatus.WORKING, tag=THEIRS), **changes)


def test_an_order_without_our_tag_is_external() -> None:
    assert seen(order()) == [(ExternalKind.ORDER, "v1")]
    assert seen(order(tag=None)) == [(ExternalKind.ORDER, "v1")]
    assert seen(order(tag=TAG)) == []


def test_what_ended_before_the_gate_first_looked_is_not_its_business() -> None:
    old = AT - timedelta(days=1)
    assert seen(order(status=VenueStatus.FILLED, done_at=old)) == []
    assert seen(order(placed_at=old)) == [(ExternalKind.ORDER, "v1")]
    assert seen(fills=(a_fill(tag=None, time=old),)) == []


def test_an_execution_of_no_order_of_ours_is_external_and_a_fired_stop_is_not() -> None:
    assert seen(fills=(a_fill(tag=None),)) == [(ExternalKind.FILL, "t1")]
    assert seen(fills=(a_fill(tag=None, reason="stop_loss"),)) == []
    assert seen(order(tag=TAG), fills=(a_fill(tag=None),)) == []


def test_a_position_that_no_order_of_ours_opened_is_external() -> None:
    assert seen(positions=(position(),)) == [(ExternalKind.POSITION, "p1")]
    assert seen(positions=(position(tag=TAG),)) == []
    assert seen(positions=(position(position_id=PositionId("p-ours")),)) == []


def test_an_order_the_venue_refused_changed_nothing() -> None:
    assert seen(order(status=VenueStatus.REJECTED, done_at=AT)) == []


@pytest.mark.parametrize(
    ("fill", "ours", "whose"),
    [
        (a_fill(), True, "gate"),
        (a_fill(), False, "gate"),
        (a_fill(tag=None), False, "external"),
        (a_fill(tag=THEIRS, venue_order_id=VenueOrderId("v9")), False, "external"),
        (a_fill(tag=None, reason="stop_out"), False, "venue"),
        (a_fill(reason="stop_loss"), False, "venue"),
    ],
)
def test_whose_execution_it_is(fill: Fill, ours: bool, whose: str) -> None:
    assert origin(fill, booked_to_us=ours) == whose
