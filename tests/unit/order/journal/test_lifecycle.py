"""The two tables of reliability.md 2.4, read from the outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ordergate.model.orders import AttemptState, OrderState
from ordergate.order.journal.lifecycle import (
    ATTEMPT_ENDED,
    ATTEMPT_OPEN,
    CHANGE_TABLE,
    OPENING_ONLY,
    ORDER_ENDED,
    ORDER_TABLE,
    PLACE_TABLE,
    IllegalTransition,
    advance_attempt,
    advance_order,
)

DESIGN = Path(__file__).parents[5] / "shared" / "design" / "reliability.md"


def test_every_order_state_can_be_reached_and_every_ended_state_only_adopts() -> None:
    assert set(ORDER_TABLE.values()) == set(OrderState)
    for state, event in ORDER_TABLE:
        if state in ORDER_ENDED:
            assert event == "adopted"


def test_nothing_leads_back_to_sending() -> None:
    """At most one wire write per attempt row: SENDING is entered by its claim alone."""
    into = [
        pair
        for table in (PLACE_TABLE, CHANGE_TABLE)
        for pair, to in table.items()
        if to is AttemptState.SENDING
    ]
    assert set(into) == {(None, "claimed")}


def test_only_a_claim_makes_an_order_active_without_the_venues_word() -> None:
    into = {
        (state, event)
        for (state, event), to in ORDER_TABLE.items()
        if to is OrderState.ACTIVE and event not in ("adopted", "found")
    }
    assert into == {(OrderState.APPROVED, "claimed")}


def test_unknown_ends_by_evidence_or_by_a_human_alone() -> None:
    ends = {event for (state, event) in PLACE_TABLE if state is AttemptState.PARKED}
    assert ends == {
        "accepted",
        "partly_filled",
        "filled",
        "refused",
        "canceled",
        "expired",
        "unsent",
        "resolved_not_placed",
        "resolved_gone",
    }
    assert PLACE_TABLE[AttemptState.UNKNOWN, "not_found"] is AttemptState.PARKED


def test_open_and_ended_attempts_share_nothing_and_leave_nothing_out() -> None:
    assert ATTEMPT_OPEN.isdisjoint(ATTEMPT_ENDED)
    assert frozenset(AttemptState) == ATTEMPT_OPEN | ATTEMPT_ENDED


@pytest.mark.parametrize("state", [None, *OrderState])
def test_an_unlisted_event_is_an_error(state: OrderState | None) -> None:
    with pytest.raises(IllegalTransition):
        advance_order(state, "wished_for")
    with pytest.raises(IllegalTransition):
        advance_attempt(None, "filled", placing=True)


def test_the_ended_orders_are_the_designs() -> None:
    if not DESIGN.exists():
        pytest.skip("the design documents are not beside this checkout")
    line = next(
        line
        for line in DESIGN.read_text().splitlines()
        if line.startswith("Ended: POLICY_REJECTED")
    )
    named = set(re.findall(r"[A-Z_]{4,}", line.split("Ended:")[1]))
    assert named == {state.name for state in ORDER_ENDED}


def test_every_row_of_the_designs_order_table_is_a_row_of_ours() -> None:
    if not DESIGN.exists():
        pytest.skip("the design documents are not beside this checkout")
    text = DESIGN.read_text()
    table = text[text.index("**Orders** (one intent)") : text.index("Ended: POLICY_REJECTED")]
    rows = [line.split("|")[1:4] for line in table.splitlines() if line.startswith("| ")][2:]
    states = {state.name: state for state in OrderState}
    for froms, _, to in rows:
        next_name = re.match(r"\s*([A-Z_]+)", to)
        assert next_name is not None, to
        for name in re.findall(r"[A-Z_]{4,}|-", froms.split(";")[0]):
            before = None if name == "-" else states[name]
            ours = {target for (state, _), target in ORDER_TABLE.items() if state is before}
            assert states[next_name[1]] in ours, (froms, to)


def test_an_exit_is_never_asked_about_killed_or_made_to_wait_again() -> None:
    """What may befall an opening order alone; an exit that met one of these would be trapped."""
    stops = {"judged_ask", "killed", "price_left_band", "restarted_live", "restarted_paper"}
    assert stops == OPENING_ONLY
    assert {event for _, event in ORDER_TABLE} >= OPENING_ONLY
