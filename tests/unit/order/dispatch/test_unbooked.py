"""An exit's records say all that the books will need, and nothing that was not proven."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from ordergate.model.orders import (
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    OrderState,
)
from ordergate.model.outcomes import Acked, NotSent, Outcome, Rejected, Unknown, VenueStatus
from ordergate.model.values import AccountId, PositionId, Symbol, VenueName, VenueOrderId
from ordergate.order.dispatch.unbooked import (
    Unbooked,
    exit_record,
    outcome_record,
    read_records,
)
from support.order_records import AT, an_attempt, an_order

WHERE = {"account": AccountId("paper-1"), "venue": VenueName("paper"), "symbol": Symbol("EURUSD")}
CLOSE = CloseIntent(**WHERE, position_id=PositionId("p1"), quantity=Decimal("0.10"))
INTENTS = (
    CLOSE,
    CancelIntent(**WHERE, venue_order_id=VenueOrderId("7")),
    ModifyIntent(**WHERE, position_id=PositionId("p1"), stop_loss=Decimal("1.08")),
)
FILLED = Acked(
    venue_order_id=VenueOrderId("8"),
    status=VenueStatus.FILLED,
    filled_quantity=Decimal("0.10"),
    average_price=Decimal("1.0850"),
)


def an_exit(intent: Intent = CLOSE) -> Unbooked:
    order = an_order(intent, lane=Lane.CLOSE, ver=0)
    attempt = an_attempt(action=intent.action, opening=False, ver=0, updated_at=None)
    return Unbooked(order, attempt)


@pytest.mark.parametrize("intent", INTENTS, ids=lambda intent: intent.action.value)
def test_an_exit_comes_back_from_its_record_as_it_was(intent: Intent) -> None:
    (found,) = read_records([exit_record(an_exit(intent))])
    assert found == an_exit(intent)


@pytest.mark.parametrize(
    ("outcome", "state", "done"),
    [
        (FILLED, AttemptState.FILLED, True),
        (Rejected("MARKET_CLOSED", "no"), AttemptState.REJECTED, True),
        (NotSent("refused connection"), AttemptState.NOT_SENT, True),
        (Unknown("TimeoutError"), AttemptState.UNKNOWN, False),
    ],
)
def test_an_outcome_comes_back_with_its_exit(
    outcome: Outcome, state: AttemptState, done: bool
) -> None:
    ended = an_exit().ended(outcome, AT)
    (found,) = read_records([exit_record(an_exit()), outcome_record(ended)])
    assert found == ended
    assert found.attempt.state is state
    assert (found.order.state is OrderState.DONE) is done


def test_without_an_outcome_nothing_is_believed() -> None:
    (found,) = read_records([exit_record(an_exit())])
    assert found.event is None
    assert found.lost().attempt.state is AttemptState.UNKNOWN
    ended = an_exit().ended(FILLED, AT)
    assert ended.lost() == ended


def test_an_outcome_of_no_exit_on_record_is_left_out() -> None:
    stray = an_exit().ended(FILLED, AT)
    other = dataclasses.replace(stray, attempt=dataclasses.replace(stray.attempt, attempt_id="x"))
    assert read_records([outcome_record(other)]) == ()
