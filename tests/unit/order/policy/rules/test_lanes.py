from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordergate.model.orders import Lane, OrderType, Side
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.model.verdicts import Verb
from ordergate.order.exits.steps import principal_of
from ordergate.order.policy.facts import Facts
from ordergate.order.policy.recall import recall
from ordergate.order.policy.rules.lanes import lane_of, widening
from support.exit_scenes import a_guard
from support.judging import (
    Court,
    D,
    attempt,
    cancel,
    close,
    halt,
    modify,
    place,
    position,
    protective_stop,
    resting,
)

OPEN, TIGHTEN, CLOSE, CANCEL = Lane.OPEN, Lane.TIGHTEN, Lane.CLOSE, Lane.CANCEL
SHORT = position(side=Side.SELL, stop_loss=D("1.09000"))


def of_position(**terms: Any) -> Any:
    return modify(position_id=PositionId("p1"), **terms)


def of_order(**terms: Any) -> Any:
    return modify(venue_order_id=VenueOrderId("v1"), **terms)


def lane(court: Court, intent: Any) -> Lane:
    return court.judge(intent).decision.lane


@pytest.mark.parametrize(
    ("held", "intent", "expected"),
    [
        ((), place(), OPEN),
        ((), place(side=Side.SELL, stop_loss=None), OPEN),
        ((position(),), place(side=Side.SELL, stop_loss=None), OPEN),  # claimed nowhere
        ((position(),), place(side=Side.SELL, stop_loss=None, reduce_only=True), CLOSE),
        ((position(),), close(), CLOSE),
        ((), close(), CLOSE),
        ((position(),), of_position(stop_loss=D("1.08001")), TIGHTEN),
        ((position(),), of_position(stop_loss=D("1.08000")), TIGHTEN),
        ((position(),), of_position(stop_loss=D("1.07999")), OPEN),
        ((position(),), of_position(stop_loss=None), OPEN),
        ((position(stop_loss=None),), of_position(stop_loss=D("1.01")), TIGHTEN),
        ((position(),), of_position(take_profit=D("1.1")), TIGHTEN),
        ((position(take_profit=D("1.1")),), of_position(take_profit=None), TIGHTEN),
        ((position(),), of_position(stop_loss=D("1.07"), take_profit=D("1.1")), OPEN),
        ((SHORT,), of_position(stop_loss=D("1.08999")), TIGHTEN),
        ((SHORT,), of_position(stop_loss=D("1.09001")), OPEN),
        ((SHORT,), of_position(stop_loss=None), OPEN),
        ((), of_position(stop_loss=D("1.08001")), OPEN),
    ],
)
def test_lanes_of_positions(held: Any, intent: Any, expected: Lane) -> None:
    assert lane(Court(positions=held), intent) is expected


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (cancel(), CANCEL),
        (of_order(stop_loss=D("1.07501")), TIGHTEN),
        (of_order(stop_loss=D("1.07499")), OPEN),
        (of_order(stop_loss=None), OPEN),
        (of_order(take_profit=D("1.1")), TIGHTEN),
        (of_order(quantity=D("0.09")), TIGHTEN),
        (of_order(quantity=D("0.10")), TIGHTEN),
        (of_order(quantity=D("0.11")), OPEN),
        (of_order(limit_price=D("1.08001")), OPEN),
        (of_order(limit_price=D("1.07999")), OPEN),
        (of_order(limit_price=D("1.08")), TIGHTEN),
        (of_order(quantity=D("0.09"), limit_price=D("1.07")), OPEN),
    ],
)
def test_lanes_of_resting_openings(intent: Any, expected: Lane) -> None:
    assert lane(Court(open_orders=(resting(),)), intent) is expected


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (cancel(), OPEN),
        (of_order(stop_price=D("1.08001")), TIGHTEN),
        (of_order(stop_price=D("1.07999")), OPEN),
        (of_order(quantity=D("0.09")), OPEN),
        (of_order(quantity=D("0.10")), TIGHTEN),
    ],
)
def test_lanes_of_resting_exits(intent: Any, expected: Lane) -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(),))
    assert lane(court, intent) is expected


def test_the_stop_of_a_short_position_tightens_downwards() -> None:
    stop = protective_stop(side=Side.BUY, stop_price=D("1.09"))
    court = Court(positions=(SHORT,), open_orders=(stop,))
    assert lane(court, of_order(stop_price=D("1.08999"))) is TIGHTEN
    assert lane(court, of_order(stop_price=D("1.09001"))) is OPEN


def test_another_limit_on_a_protective_stop_limit_is_widening() -> None:
    stop = protective_stop(order_type=OrderType.STOP_LIMIT, limit_price=D("1.079"))
    court = Court(positions=(position(),), open_orders=(stop,))
    assert lane(court, of_order(limit_price=D("1.0795"))) is OPEN


def test_an_exit_left_over_after_its_position_is_gone_is_cancelled_freely() -> None:
    assert lane(Court(open_orders=(protective_stop(),)), cancel()) is CANCEL


def test_what_nobody_knows_is_no_opening_order() -> None:
    assert lane(Court(), cancel("v9")) is OPEN
    assert lane(Court(snapshot_known=False), cancel("v9")) is OPEN


def test_our_own_books_prove_an_opening_order_where_the_venue_is_not_read() -> None:
    unread = Court(snapshot_known=False).attempted(attempt(1))
    assert lane(unread, cancel("v1")) is CANCEL
    exit_order = Court(snapshot_known=False).attempted(attempt(1, opening=False))
    assert lane(exit_order, cancel("v1")) is OPEN


def test_the_gate_takes_away_its_own_exit_under_a_stop_where_the_venue_is_not_read() -> None:
    exit_ = attempt(1, opening=False, side=Side.SELL, position_id="P1")
    court = Court(snapshot_known=False).attempted(exit_).halted(halt())
    court.tx.add_guard(a_guard())
    judged = court.judge(cancel("v1"), asker=principal_of(a_guard())).decision
    assert (judged.lane, judged.verb) == (CLOSE, Verb.ALLOW)
    assert court.judge(cancel("v1")).decision.verb is Verb.DENY


def test_a_reducing_order_is_not_proven_without_the_positions() -> None:
    order = place(side=Side.SELL, stop_loss=None, reduce_only=True)
    assert lane(Court(snapshot_known=False), order) is OPEN
    assert lane(Court(positions=(position(),), snapshot_age=6.0), order) is Lane.CLOSE


def test_a_plain_stop_made_by_hand_under_shares_is_their_protection() -> None:
    apple = Symbol("AAPL")
    stop = protective_stop(symbol=apple, reduce_only=False, stop_price=D(180), quantity=D(10))
    shares = position(symbol=apple, quantity=D(10), current_price=D(190), stop_loss=None)
    court = Court(positions=(shares,), open_orders=(stop,))
    assert lane(court, cancel(symbol=apple)) is OPEN
    alone = Court(open_orders=(stop,))
    assert lane(alone, cancel(symbol=apple)) is CANCEL


def test_a_malformed_change_proves_nothing() -> None:
    assert lane(Court(positions=(position(),)), of_position(stop_loss=D("NaN"))) is OPEN


def facts_of(court: Court, intent: Any) -> Facts:
    return recall(intent, court.judge(intent).facts_json)


def test_another_trigger_of_an_opening_stop_is_another_order() -> None:
    entry = resting(order_type=OrderType.STOP, limit_price=None, stop_price=D("1.09"))
    court = Court(open_orders=(entry,))
    assert lane(court, of_order(stop_price=D("1.09"))) is TIGHTEN
    assert lane(court, of_order(stop_price=D("1.08999"))) is OPEN
    assert lane(court, of_order(stop_price=D("1.09001"))) is OPEN


def test_what_takes_protection_away_says_how() -> None:
    smaller = of_order(quantity=D("0.09"))
    exit_ = Court(positions=(position(),), open_orders=(protective_stop(),))
    assert "smaller resting exit" in (widening(smaller, facts_of(exit_, smaller)) or "")
    opening = Court(open_orders=(resting(),))
    assert widening(smaller, facts_of(opening, smaller)) is None


def test_without_the_book_an_exit_is_not_known_to_be_left_over() -> None:
    facts = facts_of(Court(open_orders=(protective_stop(),)), cancel())
    assert lane_of(cancel(), facts) is CANCEL
    assert lane_of(cancel(), replace(facts, book=None)) is OPEN


def test_an_order_that_our_books_alone_know_is_not_shown_to_tighten() -> None:
    change = of_order(stop_loss=D("1.07501"))
    facts = facts_of(Court(open_orders=(resting(),)), change)
    assert lane_of(change, facts) is TIGHTEN
    assert lane_of(change, replace(facts, resting=None)) is OPEN


def test_the_gate_plans_for_its_own_symbol_alone() -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(),))
    planned = replace(facts_of(court, cancel()), managed=True)
    assert lane_of(cancel(), planned) is CLOSE
    elsewhere = protective_stop(symbol=Symbol("XAUUSD"))
    assert lane_of(cancel(), replace(planned, resting=elsewhere)) is OPEN
