"""Each intent names its own action; a side knows the other one."""

from __future__ import annotations

from decimal import Decimal

from ordergate.model.orders import (
    KEEP,
    Action,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName, VenueOrderId

WHERE = {
    "account": AccountId("paper-1"),
    "venue": VenueName("paper"),
    "symbol": Symbol("EURUSD"),
}


def test_each_intent_names_its_action() -> None:
    place = PlaceIntent(
        **WHERE, side=Side.BUY, order_type=OrderType.MARKET, quantity=Decimal("0.1")
    )
    assert place.action is Action.PLACE
    assert ModifyIntent(**WHERE).action is Action.MODIFY
    assert CancelIntent(**WHERE, venue_order_id=VenueOrderId("O1")).action is Action.CANCEL
    assert CloseIntent(**WHERE, position_id=PositionId("P1")).action is Action.CLOSE


def test_a_modification_keeps_what_it_does_not_name() -> None:
    change = ModifyIntent(**WHERE)
    kept = (change.stop_loss, change.take_profit, change.limit_price, change.stop_price)
    assert kept == (KEEP,) * 4
    assert change.quantity is KEEP


def test_the_other_side_of_the_other_side_is_the_side() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert all(side.opposite.opposite is side for side in Side)
