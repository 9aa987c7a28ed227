"""Steps become requests of the position they reduce, made for the parent's principal."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from ordergate.model.orders import KEEP, CancelIntent, OrderType, PlaceIntent, Side
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.principals import Kind
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.order.exits.plan import Drop, Put
from ordergate.order.exits.steps import (
    close_of,
    enlarged,
    guard_for,
    intent_of,
    principal_of,
    stop_at,
    to_watch,
    trails,
)
from support.exit_scenes import AT, a_guard
from support.order_records import AGENT, an_attempt, an_order, buy

D = Decimal
FILL = Fill(
    trade_id="T1",
    venue_order_id=VenueOrderId("O1"),
    tag=None,
    symbol=Symbol("EURUSD"),
    side=Side.BUY,
    quantity=D("0.1"),
    price=D("1.085"),
    commission=D(0),
    realised=D(0),
    time=AT,
    position_id=PositionId("P1"),
    effect=FillEffect.OPENING,
)


def test_a_stop_and_a_target_name_the_position_and_only_reduce() -> None:
    stop = intent_of(Put(True, D("0.1"), D("1.08")), a_guard())
    assert isinstance(stop, PlaceIntent)
    assert (stop.side, stop.order_type, stop.stop_price) == (Side.SELL, OrderType.STOP, D("1.08"))
    assert (stop.reduce_only, stop.position_id) == (True, "P1")
    target = intent_of(Put(False, D("0.1"), D("1.09")), a_guard(side=Side.SELL))
    assert isinstance(target, PlaceIntent)
    assert (target.side, target.limit_price, target.stop_price) == (Side.BUY, D("1.09"), None)
    dropped = intent_of(Drop(VenueOrderId("O7")), a_guard())
    assert isinstance(dropped, CancelIntent)
    assert dropped.venue_order_id == "O7"


def test_a_step_is_the_gate_s_own_for_the_parent_s_principal() -> None:
    made_for = principal_of(a_guard())
    assert (made_for.id, made_for.kind) == (AGENT.id, Kind.GATEWAY)


def test_all_of_a_position_is_closed_residue_included() -> None:
    assert close_of(a_guard(keep=D(0)), D("0.1"), None).quantity is None
    assert close_of(a_guard(keep=D("0.05")), D("0.1"), D("1.07")).quantity == D("0.1")


def test_a_stop_is_moved_with_its_position_and_nothing_else_changes() -> None:
    moved = stop_at(a_guard(), Decimal("1.09"))
    assert (moved.position_id, moved.stop_loss) == (a_guard().position_id, Decimal("1.09"))
    assert (moved.take_profit, moved.venue_order_id) == (KEEP, None)


def test_a_guard_trails_by_an_amount_or_a_share() -> None:
    assert not trails(a_guard())
    assert trails(dataclasses.replace(a_guard(), trail_amount=Decimal("0.002")))
    assert trails(dataclasses.replace(a_guard(), trail_percent=Decimal(1)))


def test_an_opening_fill_with_a_stop_is_watched_and_nothing_else() -> None:
    order, attempt = an_order(buy()), an_attempt()
    assert to_watch(FILL, attempt, order) == ("P1", order.intent)
    closing = dataclasses.replace(FILL, effect=FillEffect.CLOSING)
    assert to_watch(closing, attempt, order) is None
    assert to_watch(dataclasses.replace(FILL, position_id=None), attempt, order) is None
    assert to_watch(FILL, an_attempt(opening=False), order) is None
    assert to_watch(FILL, attempt, an_order(buy(stop_loss=None))) is None


def test_another_fill_into_the_position_keeps_the_nearer_stop() -> None:
    guard = guard_for(PositionId("P1"), Side.BUY, an_order(buy()), guard_id="g", at=AT)
    first = enlarged(guard, buy(take_profit=D("1.09")))
    assert (first.stop, first.target) == (D("1.0800"), D("1.09"))
    assert enlarged(first, buy(stop_loss=D("1.0700"))).stop == D("1.0800")
    nearer = enlarged(first, buy(stop_loss=D("1.0820")))
    assert (nearer.stop, nearer.target) == (D("1.0820"), D("1.09"))
