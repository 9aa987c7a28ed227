"""What every venue adapter must pass, whatever its wire: numbered cases, ambiguous ones included.

A venue joins with one line of VENUES: a bench with its market, its requests and its faults. What it
refuses is compared by the gate's code, since each venue has words of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import PRACTICE, VenueOrderState
from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import FillEffect, NeverSent, VenueRefusal, VenueStatus
from ordergate.model.values import Tag
from support.mt5 import NETTING, Mt5Bench
from support.paper import PaperBench, run

D = Decimal
LOST = {
    "reply": FaultKind.LOST_REPLY,
    "request": FaultKind.LOST_REQUEST,
    "late": FaultKind.LATE_EXECUTION,
}


class Paper(PaperBench):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, terms=PaperTerms(commission=False, swap=False))

    def lose(self, what: str, operation: str) -> None:
        operation = "modify" if operation == "protect" else operation
        self.venue.inject(Fault(LOST[what], operation))

    def arrive(self) -> None:
        self.history()


Bench = Any
VENUES: dict[str, Callable[[Path], Bench]] = {
    "paper": Paper,
    "mt5, hedging": Mt5Bench,
    "mt5, netting": lambda folder: Mt5Bench(folder, terms=NETTING),
}


@pytest.fixture(params=sorted(VENUES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    made = VENUES[request.param](tmp_path)
    made.quote()
    return made


def found(bench: Bench, tag: Tag) -> VenueOrderState | None:
    return next((order for order in bench.history().orders if order.tag == tag), None)


def code_of(bench: Bench, order: Any) -> Code:
    code: Code = bench.venue.capabilities().refusals[bench.refused(order)]
    return code


# V-01 to V-09: who we are, and what can be done


def test_v01_the_venue_proves_the_account_and_its_kind(bench: Bench) -> None:
    identity = bench.snapshot().identity
    assert (identity.account, identity.venue) == (bench.venue.account, bench.venue.venue)
    assert identity.mode in PRACTICE
    assert identity.proof
    assert identity.trade_allowed


def test_v02_a_new_account_holds_its_balance_and_nothing_else(bench: Bench) -> None:
    snapshot = bench.snapshot()
    account = snapshot.account
    assert account.balance == account.equity == account.day_start_equity == D(100_000)
    assert (account.margin_used, account.open_pnl, account.realised_today) == (0, 0, 0)
    assert (snapshot.positions, snapshot.open_orders) == ((), ())


def test_v03_every_kind_it_claims_is_taken_and_no_other(bench: Bench) -> None:
    terms: dict[str, dict[str, str]] = {
        "market": {},
        "limit": {"limit_price": "1.09000"},
        "stop": {"stop_price": "1.12000"},
        "stop_limit": {"stop_price": "1.12000", "limit_price": "1.11990"},
        "trailing_stop": {"trail_amount": "0.00100"},
    }
    offered = bench.venue.capabilities().order_types
    for kind in OrderType:
        if kind in offered:
            answer = bench.buy("0.10", kind=kind.value, **terms[kind])
            assert answer.status in (VenueStatus.FILLED, VenueStatus.WORKING)
        else:
            order = bench.orders.place("buy", "0.10", kind=kind.value, **terms[kind])
            assert code_of(bench, order) is Code.NOT_SUPPORTED
    kinds = {order.order_type for order in bench.snapshot().open_orders}
    assert kinds == offered - {OrderType.MARKET}


def test_v04_times_are_utc_and_the_venue_s(bench: Bench) -> None:
    answer = bench.buy("0.10")
    now = bench.market.venue_now()
    assert answer.venue_time == bench.snapshot().venue_time == bench.history().venue_time == now
    assert [fill.time for fill in bench.history().fills] == [now]
    assert [position.opened_at for position in bench.snapshot().positions] == [now]


def test_v05_every_word_of_refusal_has_a_code(bench: Bench) -> None:
    assert bench.venue.capabilities().refusals
    assert set(bench.venue.capabilities().refusals.values()) <= set(Code)


# V-10 to V-19: tags


def test_v10_an_order_is_found_by_its_tag_open_and_ended(bench: Bench) -> None:
    resting = bench.orders.place("buy", "0.10", kind="limit", limit_price="1.09000")
    answer = bench.submit(resting)
    state = found(bench, resting.tag)
    assert state is not None
    assert (state.venue_order_id, state.status) == (answer.venue_order_id, VenueStatus.WORKING)
    bench.cancel(answer.venue_order_id)
    ended = found(bench, resting.tag)
    assert ended is not None
    assert (ended.status, ended.filled_quantity) == (VenueStatus.CANCELED, 0)


def test_v11_fills_and_positions_carry_the_tag(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")
    bench.submit(order)
    assert [fill.tag for fill in bench.history().fills] == [order.tag]
    assert [position.tag for position in bench.snapshot().positions] == [order.tag]


def test_v12_a_tag_is_sent_once(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")
    bench.submit(order)
    assert bench.refused(order) == "DUPLICATE_TAG"
    assert bench.refused(replace(order, quantity=D("0.20"))) == "DUPLICATE_TAG"
    assert len(bench.history().fills) == 1


def test_v13_an_order_outlives_a_restart_under_its_tag(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10", kind="limit", limit_price="1.09000")
    answer = bench.submit(order)
    bench.crash()
    state = found(bench, order.tag)
    assert state is not None
    assert state.venue_order_id == answer.venue_order_id


def test_v14_history_since_a_moment_leaves_out_what_ended_before(bench: Bench) -> None:
    bench.buy("0.10")
    later = bench.market.advance(minutes=10)
    bench.quote()
    order = bench.orders.place("buy", "0.20")
    bench.submit(order)
    history = run(bench.venue.history(later))
    assert [state.tag for state in history.orders] == [order.tag]
    assert [fill.tag for fill in history.fills] == [order.tag]


def test_v15_changes_that_were_made_are_told_by_their_tags(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    change = bench.orders.modify(venue_order_id=order.venue_order_id, limit_price="1.08000")
    cancel = bench.orders.cancel(order.venue_order_id)
    run(bench.venue.modify(change))
    run(bench.venue.cancel(cancel))
    assert bench.history().applied == {change.tag, cancel.tag}


# V-20 to V-29: ambiguous outcomes. The wire lies; the books do not


@pytest.mark.parametrize(("lost", "executed"), [("reply", 1), ("request", 0)])
def test_v20_after_a_lost_message_only_the_history_tells(
    bench: Bench, lost: str, executed: int
) -> None:
    bench.lose(lost, "submit")
    order = bench.orders.place("buy", "0.10")
    with pytest.raises(Exception) as error:
        bench.submit(order)
    assert not isinstance(error.value, VenueRefusal | NeverSent)
    assert (found(bench, order.tag) is not None) == executed
    assert len(bench.snapshot().positions) == executed


def test_v21_an_order_may_execute_right_after_a_scan_did_not_find_it(bench: Bench) -> None:
    bench.lose("late", "submit")
    order = bench.orders.place("buy", "0.10")
    with pytest.raises(Exception) as error:
        bench.submit(order)
    assert not isinstance(error.value, VenueRefusal | NeverSent)
    assert found(bench, order.tag) is None
    bench.arrive()
    late = found(bench, order.tag)
    assert late is not None
    assert (late.status, late.filled_quantity) == (VenueStatus.FILLED, D("0.1"))


def test_v22_a_change_whose_answer_was_lost_is_found_by_its_tag(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    bench.lose("reply", "modify")
    bench.lose("request", "cancel")
    change = bench.orders.modify(venue_order_id=order.venue_order_id, limit_price="1.08000")
    cancel = bench.orders.cancel(order.venue_order_id)
    for request, send in ((change, bench.venue.modify), (cancel, bench.venue.cancel)):
        with pytest.raises(Exception) as error:
            run(send(request))
        assert not isinstance(error.value, VenueRefusal | NeverSent)
    assert bench.history().applied == {change.tag}
    assert [o.limit_price for o in bench.snapshot().open_orders] == [D("1.08")]


def test_v23_a_stop_that_was_moved_unseen_is_found_by_its_tag(bench: Bench) -> None:
    position = bench.buy("0.10", stop_loss="1.09000", take_profit="1.12000").position_id
    bench.lose("reply", "protect")
    change = bench.orders.modify(position_id=position, stop_loss="1.09500")
    with pytest.raises(Exception) as error:
        run(bench.venue.modify(change))
    assert not isinstance(error.value, VenueRefusal | NeverSent)
    assert change.tag in bench.history().applied


def test_v24_a_cancel_that_was_carried_out_unseen_is_found_by_its_tag(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    bench.lose("reply", "cancel")
    cancel = bench.orders.cancel(order.venue_order_id)
    with pytest.raises(Exception) as error:
        run(bench.venue.cancel(cancel))
    assert not isinstance(error.value, VenueRefusal | NeverSent)
    assert cancel.tag in bench.history().applied


def test_v25_a_close_whose_answer_was_lost_is_found_too(bench: Bench) -> None:
    position = bench.buy("0.10").position_id
    bench.lose("reply", "submit")
    order = replace(bench.orders.place("sell", "0.10"), position_id=position)
    with pytest.raises(Exception) as error:
        bench.submit(order)
    assert not isinstance(error.value, VenueRefusal | NeverSent)
    state = found(bench, order.tag)
    assert state is not None
    assert (state.status, state.filled_quantity) == (VenueStatus.FILLED, D("0.1"))
    again = replace(bench.orders.place("sell", "0.10"), position_id=position)
    assert bench.refused(again) == "POSITION_CLOSED"


# V-40 to V-49: what is refused, and that a refusal changes nothing


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity": "0.015"}, Code.INVALID_VOLUME),
        ({"quantity": "0"}, Code.INVALID_VOLUME),
        ({"quantity": "-1"}, Code.INVALID_VOLUME),
        ({"quantity": "NaN"}, Code.INVALID_VOLUME),
        ({"quantity": "101"}, Code.INVALID_VOLUME),
        ({"symbol": "NOPE"}, Code.SYMBOL_NOT_FOUND),
        ({"kind": "limit"}, Code.INVALID_PRICE),
        ({"kind": "limit", "limit_price": "1.090005"}, Code.INVALID_PRICE),
        ({"kind": "limit", "limit_price": "-1"}, Code.INVALID_PRICE),
        ({"limit_price": "1.09"}, Code.INVALID_PRICE),
        ({"kind": "stop", "stop_price": "1.09"}, Code.INVALID_PRICE),
        ({"stop_loss": "1.10000"}, Code.INVALID_STOPS),
        ({"take_profit": "1.10000"}, Code.INVALID_STOPS),
        ({"kind": "limit", "limit_price": "1.09", "stop_loss": "1.095"}, Code.INVALID_STOPS),
        ({"position_id": "P999"}, Code.REJECTED_BY_SERVER),
        ({"reduce_only": True}, Code.REJECTED_BY_SERVER),
        ({"quantity": "100"}, Code.INSUFFICIENT_MARGIN),
    ],
)
def test_v40_a_bad_order_is_refused_with_its_code(
    bench: Bench, more: dict[str, Any], code: Code
) -> None:
    before = bench.snapshot()
    order = bench.orders.place("buy", **{"quantity": "0.10", **more})
    assert code_of(bench, order) is code
    assert bench.snapshot() == before
    assert bench.history().fills == ()


def test_v41_without_a_price_nothing_is_dealt(bench: Bench) -> None:
    assert code_of(bench, bench.orders.place("buy", "0.10", "GBPUSD")) is Code.DATA_UNAVAILABLE


def test_v42_another_account_is_not_this_one(bench: Bench) -> None:
    order = replace(bench.orders.place("buy", "0.10"), account="somebody-else")
    assert bench.refused(order) == "ACCOUNT_MISMATCH"


def test_v43_a_good_till_order_ends_by_the_venue_s_clock(bench: Bench) -> None:
    till = bench.market.venue_now() + timedelta(hours=1)
    order = bench.orders.place(
        "buy",
        "0.10",
        kind="limit",
        limit_price="1.09",
        time_in_force=TimeInForce.GTD,
        good_till=till,
    )
    bench.submit(order)
    bench.market.advance(minutes=59)
    bench.quote()
    assert len(bench.snapshot().open_orders) == 1
    bench.market.advance(minutes=2)
    bench.quote()
    assert bench.snapshot().open_orders == ()
    ended = found(bench, order.tag)
    assert ended is not None
    assert ended.status is VenueStatus.EXPIRED


# V-50 to V-59: closing and protecting


def test_v50_a_close_never_takes_more_than_the_position(bench: Bench) -> None:
    position = bench.buy("0.30").position_id
    order = replace(bench.orders.place("sell", "0.31"), position_id=position)
    assert code_of(bench, order) is Code.EXCEEDS_POSITION
    bench.close(position, "0.10")
    answer = bench.close(position, "0.20")
    assert answer.status is VenueStatus.FILLED
    assert [(fill.effect, fill.position_id) for fill in answer.fills] == [
        (FillEffect.CLOSING, position)
    ]
    assert bench.snapshot().positions == ()


def test_v51_a_close_trades_against_its_position(bench: Bench) -> None:
    position = bench.buy("0.30").position_id
    order = replace(bench.orders.place("buy", "0.10"), position_id=position)
    assert bench.refused(order) == "INVALID_SIDE"


def test_v52_stop_and_target_rest_with_the_position(bench: Bench) -> None:
    bench.buy("0.10", stop_loss="1.09000", take_profit="1.12000")
    (position,) = bench.snapshot().positions
    assert (position.stop_loss, position.take_profit) == (D("1.09"), D("1.12"))
    bench.quote(bid="1.09001", ask="1.09011")
    assert len(bench.snapshot().positions) == 1
    bench.quote(bid="1.08950", ask="1.08960")
    (_, stopped) = bench.history().fills
    assert (stopped.reason, stopped.price, stopped.tag) == ("stop_loss", D("1.0895"), None)
    assert bench.snapshot().positions == ()


def test_v53_what_the_venue_closed_itself_is_no_order_of_anybody(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10", stop_loss="1.09000")
    bench.submit(order)
    bench.quote(bid="1.08950", ask="1.08960")
    assert [state.tag for state in bench.history().orders] == [order.tag]


def test_v54_unset_fields_keep_their_value(bench: Bench) -> None:
    position = bench.buy("0.10", stop_loss="1.09000", take_profit="1.12000").position_id
    bench.modify(position_id=position, stop_loss="1.09500")
    (state,) = bench.snapshot().positions
    assert (state.stop_loss, state.take_profit) == (D("1.095"), D("1.12"))
    bench.modify(position_id=position, take_profit=None)
    (state,) = bench.snapshot().positions
    assert (state.stop_loss, state.take_profit) == (D("1.095"), None)


@pytest.mark.parametrize("more", [{"stop_loss": "1.10001"}, {"take_profit": "1.09999"}])
def test_v55_a_stop_on_the_wrong_side_is_refused_and_nothing_moves(
    bench: Bench, more: dict[str, str]
) -> None:
    position = bench.buy("0.10", stop_loss="1.09000", take_profit="1.12000").position_id
    before = bench.snapshot()
    with pytest.raises(VenueRefusal, match="INVALID_STOPS"):
        bench.modify(position_id=position, **more)
    assert bench.snapshot() == before


def test_v56_new_terms_of_a_resting_order_leave_the_others(bench: Bench) -> None:
    order = bench.buy(
        "0.10", kind="limit", limit_price="1.09000", stop_loss="1.08000", take_profit="1.12000"
    )
    answer = bench.modify(venue_order_id=order.venue_order_id, limit_price="1.09500")
    assert answer.venue_order_id == order.venue_order_id
    (state,) = bench.snapshot().open_orders
    assert (state.limit_price, state.quantity) == (D("1.095"), D("0.1"))
    assert (state.stop_loss, state.take_profit) == (D("1.08"), D("1.12"))


def test_v57_a_cancel_names_an_order_that_rests(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    assert bench.cancel(order.venue_order_id).status is VenueStatus.CANCELED
    unknown = ("O999", "999", "nonsense", "9" * 40)
    for order_id, code in [
        (order.venue_order_id, "ORDER_CLOSED"),
        *((name, "UNKNOWN_ORDER") for name in unknown),
    ]:
        with pytest.raises(VenueRefusal, match=code):
            bench.cancel(order_id)


def test_v58_reduce_only_closes_and_never_opens(bench: Bench) -> None:
    bench.buy("0.30")
    assert code_of(bench, bench.orders.place("sell", "0.31", reduce_only=True)) is (
        Code.EXCEEDS_POSITION
    )
    answer = bench.sell("0.25", reduce_only=True)
    assert [(f.effect, f.quantity) for f in answer.fills] == [(FillEffect.CLOSING, D("0.25"))]
    (left,) = bench.snapshot().positions
    assert (left.side, left.quantity) == (Side.BUY, D("0.05"))


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "stop", "stop_price": "1.09000"},
        {"kind": "limit", "limit_price": "1.12000"},
        {"kind": "stop_limit", "stop_price": "1.09000", "limit_price": "1.08990"},
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_v59_an_exit_that_is_to_rest_is_never_executed_at_once(
    bench: Bench, terms: dict[str, str], named: bool
) -> None:
    position = bench.buy("0.10").position_id
    order = bench.orders.place("sell", "0.10", reduce_only=True, **terms)
    if named:
        order = replace(order, position_id=position)
    with contextlib.suppress(VenueRefusal):  # a venue may have no exits that rest
        bench.submit(order)
    assert len(bench.history().fills) == 1
    assert [held.quantity for held in bench.snapshot().positions] == [D("0.1")]


# V-60: money


def test_v60_every_change_of_the_balance_is_an_execution_or_a_line_of_cash(bench: Bench) -> None:
    start = bench.snapshot().account.balance
    bench.buy("1.00", stop_loss="1.09000")
    position = bench.snapshot().positions[0].position_id
    bench.quote(bid="1.10500", ask="1.10510")
    bench.close(position, "0.40")
    bench.quote(bid="1.08900", ask="1.08910")
    history = bench.history()
    explained = sum((fill.realised - fill.commission for fill in history.fills), D(0))
    explained += sum((line.amount for line in history.cash), D(0))
    # 0.40 lots up 0.00490, 0.60 lots down 0.01110: 196.00 - 666.00
    assert bench.snapshot().account.balance - start == explained == D(-470)
    assert bench.snapshot().account.realised_today == D(-470)
    assert bench.snapshot().account.day_start_equity == start


def test_v61_open_profit_and_margin_are_the_venue_s(bench: Bench) -> None:
    """0.30 lots at 1.10010, 1:30: margin 1,100.10; a bid of 1.10100 is 27.00 up."""
    bench.buy("0.30")
    bench.quote(bid="1.10100", ask="1.10110")
    account = bench.snapshot().account
    assert (account.open_pnl, account.equity) == (D(27), D(100_027))
    assert account.margin_used == D("1100.1")
    assert account.margin_free == account.equity - account.margin_used
