from __future__ import annotations

from ordergate.model.orders import Side
from ordergate.model.values import PrincipalId
from ordergate.order.policy.budget import Budget, budget_of
from support.judging import AGENT, D, position, reservation

OTHER = PrincipalId("other")
LOT = D(100_000)


def test_positions_and_what_is_on_its_way_add_up() -> None:
    held = position(quantity=D("0.10"), current_price=D("1.1"), open_pnl=D(-40))
    short = position(position_id="p2", side=Side.SELL, current_price=D(1), open_pnl=D(15))
    found = budget_of(
        AGENT.id,
        positions=[(held, [(AGENT.id, D("0.10"))], LOT), (short, [(AGENT.id, D("0.10"))], LOT)],
        pending=[reservation(notional=D(500))],
    )
    assert found == Budget(exposure=D(21_500), open_result=D(-25))


def test_what_others_opened_and_what_was_made_elsewhere_is_not_its_own() -> None:
    found = budget_of(
        AGENT.id,
        positions=[(position(), [(OTHER, D("0.10"))], LOT), (position(), [], LOT)],
        pending=[],
    )
    assert found == Budget(exposure=D(0), open_result=D(0))


def test_of_a_shared_position_each_has_all_it_filled_and_at_most_what_is_left() -> None:
    held = position(quantity=D("0.30"), current_price=D(1), open_pnl=D(30))
    shared = [(AGENT.id, D("0.10")), (OTHER, D("0.40"))]
    mine = budget_of(AGENT.id, positions=[(held, shared, LOT)], pending=[])
    theirs = budget_of(OTHER, positions=[(held, shared, LOT)], pending=[])
    assert (mine.exposure, mine.open_result) == (D(10_000), D(10))
    assert (theirs.exposure, theirs.open_result) == (D(30_000), D(30))


def test_without_a_price_nothing_is_known() -> None:
    held = position(current_price=None, open_pnl=None)
    found = budget_of(AGENT.id, positions=[(held, [(AGENT.id, D(1))], LOT)], pending=[])
    assert found == Budget(exposure=None, open_result=None)


def test_what_is_not_its_own_may_be_unknown() -> None:
    theirs = position(current_price=None, open_pnl=None)
    found = budget_of(AGENT.id, positions=[(theirs, [(OTHER, D(1))], LOT)], pending=[])
    assert found == Budget(exposure=D(0), open_result=D(0))


def test_what_is_left_of_an_ended_position_is_nothing() -> None:
    ended = position(quantity=D(0), open_pnl=D(0))
    found = budget_of(AGENT.id, positions=[(ended, [(AGENT.id, D(1))], LOT)], pending=[])
    assert found == Budget(exposure=D(0), open_result=D(0))


def test_one_unknown_position_leaves_the_sum_unknown_whatever_follows() -> None:
    unknown, known = position(current_price=None, open_pnl=None), position(position_id="p2")
    mine = [(AGENT.id, D("0.10"))]
    found = budget_of(AGENT.id, positions=[(unknown, mine, LOT), (known, mine, LOT)], pending=[])
    assert found == Budget(exposure=None, open_result=None)
