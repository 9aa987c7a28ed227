from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from ordergate.model.orders import (
    KEEP,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName, VenueOrderId
from ordergate.order.dispatch.wire import to_wire
from support.order_records import an_attempt, buy

WHERE = {"account": AccountId("paper-1"), "venue": VenueName("paper"), "symbol": Symbol("EURUSD")}


def test_an_order_goes_out_with_every_term_that_was_judged() -> None:
    intent = buy(
        order_type=OrderType.STOP_LIMIT,
        limit_price=Decimal("1.1"),
        stop_price=Decimal("1.09"),
        take_profit=Decimal("1.2"),
        time_in_force=TimeInForce.DAY,
        oco_group="g",
    )
    wire = to_wire(intent, an_attempt())
    assert isinstance(wire, VenueOrder)
    carried = {field.name for field in dataclasses.fields(VenueOrder)}
    for field in dataclasses.fields(PlaceIntent):
        if field.name in carried:
            assert getattr(wire, field.name) == getattr(intent, field.name), field.name
    left_out = {field.name for field in dataclasses.fields(PlaceIntent)} - carried
    assert left_out == {"venue", "strategy", "note"}
    assert (wire.tag, wire.magic) == (an_attempt().tag, an_attempt().magic)


def test_a_close_names_its_position_and_can_only_reduce() -> None:
    intent = CloseIntent(**WHERE, position_id=PositionId("p1"))
    wire = to_wire(intent, an_attempt(side=Side.SELL, quantity=Decimal("0.10")))
    assert isinstance(wire, VenueOrder)
    assert wire.reduce_only
    assert (wire.position_id, wire.side, wire.quantity) == ("p1", Side.SELL, Decimal("0.10"))
    assert wire.order_type is OrderType.MARKET


def test_a_close_of_a_position_nobody_saw_is_never_written() -> None:
    intent = CloseIntent(**WHERE, position_id=PositionId("p1"))
    with pytest.raises(ValueError, match="nobody saw"):
        to_wire(intent, an_attempt(side=None, quantity=None))


def test_a_modification_keeps_what_was_not_named() -> None:
    intent = ModifyIntent(**WHERE, venue_order_id=VenueOrderId("7"), limit_price=Decimal("1.07"))
    wire = to_wire(intent, an_attempt(side=None, quantity=None))
    assert isinstance(wire, VenueModify)
    assert (wire.limit_price, wire.stop_loss, wire.take_profit) == (Decimal("1.07"), KEEP, KEEP)


def test_a_cancel_names_the_venues_id() -> None:
    wire = to_wire(CancelIntent(**WHERE, venue_order_id=VenueOrderId("7")), an_attempt())
    assert isinstance(wire, VenueCancel)
    assert wire.venue_order_id == "7"
