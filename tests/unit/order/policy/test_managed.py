"""A step of a managed exit is known by its guard: same position, side, symbol and account."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import CancelIntent, OrderType, Side, TimeInForce
from ordergate.model.outcomes import VenueStatus
from ordergate.model.records import AttemptRecord
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.order.exits.plan import Put
from ordergate.order.exits.steps import principal_of, put_of
from ordergate.order.policy.managed import managed
from ordergate.order.policy.target import Target
from support.exit_scenes import a_guard
from support.order_records import AGENT, OPERATOR, an_attempt, buy

D = Decimal
GUARD = a_guard()
GATE = principal_of(GUARD)
STOP = put_of(Put(True, D("0.1"), D("1.08")), GUARD)
RESTING = VenueOrderState(
    venue_order_id=VenueOrderId("O7"),
    tag=None,
    symbol=Symbol("EURUSD"),
    side=Side.SELL,
    order_type=OrderType.STOP,
    quantity=D("0.1"),
    filled_quantity=D(0),
    average_price=None,
    status=VenueStatus.WORKING,
    time_in_force=TimeInForce.GTC,
    stop_price=D("1.08"),
    reduce_only=True,
    position_id=PositionId("P1"),
)
CANCEL = CancelIntent(
    account=STOP.account, venue=STOP.venue, symbol=STOP.symbol, venue_order_id=VenueOrderId("O7")
)
NOTHING = Target(position=None, resting=None, attempt=None)


def seen(resting: VenueOrderState) -> Target:
    return Target(position=None, resting=resting, attempt=None)


def unseen(attempt: AttemptRecord) -> Target:
    """The account cannot be read; our own attempt is behind the order."""
    return Target(position=None, resting=None, attempt=attempt)


def test_an_exit_of_the_guarded_position_is_managed() -> None:
    assert managed(GATE, STOP, NOTHING, [GUARD])
    assert managed(GATE, CANCEL, seen(RESTING), [GUARD])
    assert managed(GATE, CANCEL, seen(dataclasses.replace(RESTING, position_id=None)), [GUARD])


def test_our_own_books_know_an_exit_where_the_account_cannot_be_read() -> None:
    exit_ = an_attempt(side=Side.SELL, opening=False, position_id="P1")
    assert managed(GATE, CANCEL, unseen(exit_), [GUARD])
    assert not managed(AGENT, CANCEL, unseen(exit_), [GUARD])
    assert not managed(GATE, CANCEL, unseen(an_attempt(side=Side.SELL)), [GUARD])  # opens
    assert not managed(GATE, CANCEL, unseen(dataclasses.replace(exit_, side=Side.BUY)), [GUARD])
    assert not managed(GATE, CANCEL, unseen(dataclasses.replace(exit_, side=None)), [GUARD])
    assert not managed(GATE, CANCEL, unseen(dataclasses.replace(exit_, position_id="P2")), [GUARD])


@pytest.mark.parametrize(
    "guard",
    [
        a_guard(position_id="P2"),
        a_guard(side=Side.SELL),
        a_guard(symbol="XAUUSD"),
        a_guard(account="paper-2"),
    ],
)
def test_another_guard_vouches_for_nothing(guard: object) -> None:
    assert not managed(GATE, STOP, NOTHING, [guard])  # type: ignore[list-item]  # a guard
    assert not managed(GATE, CANCEL, seen(RESTING), [guard])  # type: ignore[list-item]  # a guard


def test_without_a_guard_or_a_position_nothing_is_managed() -> None:
    assert not managed(GATE, STOP, NOTHING, [])
    assert not managed(GATE, dataclasses.replace(STOP, position_id=None), NOTHING, [GUARD])
    assert not managed(GATE, dataclasses.replace(STOP, reduce_only=False), NOTHING, [GUARD])
    assert not managed(GATE, CANCEL, NOTHING, [GUARD])
    assert not managed(GATE, CANCEL, seen(dataclasses.replace(RESTING, reduce_only=False)), [GUARD])
    assert not managed(GATE, buy(), NOTHING, [GUARD])


def test_what_anybody_else_asks_for_is_not_managed() -> None:
    assert not managed(AGENT, STOP, NOTHING, [GUARD])
    assert not managed(OPERATOR, CANCEL, seen(RESTING), [GUARD])


def test_a_guard_on_no_file_counts_as_one_that_is() -> None:
    assert managed(GATE, STOP, NOTHING, [], [GUARD])
