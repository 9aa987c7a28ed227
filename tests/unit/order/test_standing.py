"""The public code of an order comes from the closed list; the venue's word stands apart."""

from __future__ import annotations

import pytest

from ordergate.adapters.venues.paper.mapping import REFUSALS
from ordergate.model.errors import Code
from ordergate.model.orders import AttemptState, OrderState
from ordergate.order.standing import public_code, status_word, venue_code
from support.order_records import an_attempt, an_order, buy

WORDS = {word: known.code for word, known in REFUSALS.items()}


@pytest.mark.parametrize(
    ("state", "word", "code", "venue_word"),
    [
        (AttemptState.UNKNOWN, "TimeoutError", Code.ORDER_UNKNOWN, None),
        (AttemptState.UNKNOWN, "DUPLICATE_TAG", Code.ORDER_UNKNOWN, None),
        (AttemptState.PARKED, "not_found", Code.ORDER_UNKNOWN, None),
        (AttemptState.REJECTED, "OVER_CLOSE", Code.EXCEEDS_POSITION, "OVER_CLOSE"),
        (AttemptState.REJECTED, "INVALID_STOPS", Code.INVALID_STOPS, "INVALID_STOPS"),
        (AttemptState.REJECTED, "10006", Code.REJECTED_BY_SERVER, "10006"),
        (AttemptState.REJECTED, None, Code.REJECTED_BY_SERVER, None),
        (AttemptState.NOT_APPLIED, "not_applied", Code.REJECTED_BY_SERVER, "not_applied"),
        (AttemptState.NOT_SENT, "NeverSent", Code.NOT_READY, None),
        (AttemptState.RESOLVED_NOT_PLACED, "not_found", Code.NOT_READY, None),
        (AttemptState.FILLED, "not_found", None, None),
        (AttemptState.WORKING, None, None, None),
    ],
)
@pytest.mark.parametrize("order_state", [OrderState.ACTIVE, OrderState.DONE])
def test_what_became_of_an_attempt_is_said_in_codes_of_ours(
    order_state: OrderState,
    state: AttemptState,
    word: str | None,
    code: Code | None,
    venue_word: str | None,
) -> None:
    order = an_order(buy(), state=order_state, code=word)
    attempt = an_attempt(state=state, code=word)
    assert public_code(order, attempt, WORDS) is code
    assert venue_code(order, attempt) == venue_word


def test_a_requote_is_said_as_one() -> None:
    order = an_order(buy(), state=OrderState.REQUOTED, code="REQUOTE")
    attempt = an_attempt(state=AttemptState.REJECTED, code="REQUOTE")
    assert public_code(order, attempt, WORDS) is Code.REQUOTE
    assert status_word(order, attempt) == "requoted"


@pytest.mark.parametrize(
    ("state", "word", "code"),
    [
        (OrderState.POLICY_REJECTED, "STOP_REQUIRED", Code.STOP_REQUIRED),
        (OrderState.BLOCKED, "HALTED", Code.HALTED),
        (OrderState.EXPIRED, "APPROVAL_EXPIRED", Code.APPROVAL_EXPIRED),
        (OrderState.AWAITING_APPROVAL, "NEEDS_REAPPROVAL", Code.NEEDS_REAPPROVAL),
        (OrderState.WITHDRAWN, None, None),
        (OrderState.WITHDRAWN, "by hand", None),
    ],
)
def test_an_order_that_was_not_tried_says_the_gates_own_code(
    state: OrderState, word: str | None, code: Code | None
) -> None:
    order = an_order(buy(), state=state, code=word)
    assert public_code(order, None, WORDS) is code
    before = an_attempt(state=AttemptState.REJECTED, code="REQUOTE")
    assert public_code(order, before, WORDS) is code, "an earlier try says nothing of this one"
    assert venue_code(order, before) is None
