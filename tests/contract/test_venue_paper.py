"""What every venue adapter promises at the two venue ports. One suite, one line per adapter.

A bench brings the venue under test, a market moved by hand, and the faults of its wire. What every
venue must do alike (V-01 to V-61), paper among them, is `venues/test_conformance.py`.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.mapping import REFUSALS, refusal
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import CashKind, Mode, VenueOrderState
from ordergate.model.market import Quality
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import FillEffect, VenueRefusal, VenueStatus
from ordergate.model.values import Tag
from support.paper import PaperBench, run

Bench = PaperBench
D = Decimal

ADAPTERS: dict[str, Callable[[Path], Bench]] = {
    "paper": PaperBench,
    "paper, plain": lambda folder: PaperBench(folder, terms=PaperTerms(exits="resting")),
}


@pytest.fixture(params=sorted(ADAPTERS))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    made = ADAPTERS[request.param](tmp_path)
    made.quote()
    return made


@pytest.fixture
def full(tmp_path: Path) -> Bench:
    """A venue that attaches stops, replaces in place, links OCO orders and bounds exits."""
    made = PaperBench(tmp_path)
    made.quote()
    return made


@pytest.fixture
def plain(tmp_path: Path) -> Bench:
    """A venue that does none of it."""
    made = PaperBench(tmp_path, terms=PaperTerms(exits="resting"))
    made.quote()
    return made


def found(bench: Bench, tag: Tag) -> VenueOrderState | None:
    return next((order for order in bench.history().orders if order.tag == tag), None)


# V-01 to V-09: who we are and what can be done


def test_v01_the_venue_proves_the_account_itself(bench: Bench) -> None:
    identity = bench.snapshot().identity
    assert identity.account == bench.venue.account
    assert identity.venue == bench.venue.venue
    assert identity.mode is Mode.PAPER
    assert identity.proof


def test_v02_a_new_account_holds_its_balance_and_nothing_else(bench: Bench) -> None:
    snapshot = bench.snapshot()
    assert snapshot.account.balance == snapshot.account.equity == D(100_000)
    assert snapshot.account.day_start_equity == D(100_000)
    assert (snapshot.positions, snapshot.open_orders) == ((), ())


def test_v03_every_kind_it_claims_is_accepted(bench: Bench) -> None:
    terms = {
        "market": {},
        "limit": {"limit_price": "1.09000"},
        "stop": {"stop_price": "1.12000"},
        "stop_limit": {"stop_price": "1.12000", "limit_price": "1.12010"},
        "trailing_stop": {"trail_amount": "0.00100"},
    }
    offered = bench.venue.capabilities().order_types
    for kind, more in terms.items():
        if kind not in offered:
            assert bench.refused(bench.orders.place("buy", "0.10", kind=kind, **more)) == (
                "NOT_OFFERED"
            )
            continue
        assert bench.buy("0.10", kind=kind, **more).status in (
            VenueStatus.FILLED,
            VenueStatus.WORKING,
        )


def test_v04_the_times_are_the_venue_s(bench: Bench) -> None:
    answer = bench.buy("0.10")
    assert answer.venue_time == bench.market.venue_now() == bench.snapshot().venue_time


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
    assert ended.status is VenueStatus.CANCELED


def test_v11_fills_and_positions_carry_the_tag(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")
    bench.submit(order)
    assert [fill.tag for fill in bench.history().fills] == [order.tag]
    assert [position.tag for position in bench.snapshot().positions] == [order.tag]


def test_v12_a_tag_is_spent_for_ever(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")
    bench.submit(order)
    assert bench.refused(order) == "DUPLICATE_TAG"
    bench.restart()
    assert bench.refused(replace(order, quantity=D("0.20"))) == "DUPLICATE_TAG"
    assert len(bench.snapshot().positions) == 1


def test_v13_a_refused_order_is_remembered_with_its_code(full: Bench) -> None:
    order = full.orders.place("buy", "0.10", stop_loss="1.20000")
    assert full.refused(order) == "INVALID_STOPS"
    state = found(full, order.tag)
    assert state is not None
    assert (state.status, state.code) == (VenueStatus.REJECTED, "INVALID_STOPS")
    assert full.refused(order) == "DUPLICATE_TAG"


def test_v14_history_since_a_moment_leaves_out_what_ended_before(bench: Bench) -> None:
    bench.buy("0.10")
    later = bench.market.advance(minutes=10)
    order = bench.orders.place("sell", "0.10")
    bench.submit(order)
    history = run(bench.venue.history(later))
    assert [state.tag for state in history.orders] == [order.tag]
    assert [fill.tag for fill in history.fills] == [order.tag]


def test_v15_modify_and_cancel_tags_are_kept_as_applied(full: Bench) -> None:
    order = full.buy("0.10", kind="limit", limit_price="1.09000")
    change = full.orders.modify(venue_order_id=order.venue_order_id, limit_price="1.08000")
    cancel = full.orders.cancel(order.venue_order_id)
    run(full.venue.modify(change))
    run(full.venue.cancel(cancel))
    assert full.history().applied == {change.tag, cancel.tag}
    with pytest.raises(VenueRefusal, match="DUPLICATE_TAG"):
        run(full.venue.modify(change))


def test_v16_sixty_four_deliveries_of_one_tag_are_one_order(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")

    async def storm() -> list[object]:
        calls = [bench.venue.submit(order) for _ in range(64)]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = run(storm())
    assert sum(not isinstance(answer, VenueRefusal) for answer in answers) == 1
    assert len(bench.snapshot().positions) == 1


# V-20 to V-29: ambiguous outcomes. The wire lies; the books do not


@pytest.mark.parametrize(
    ("kind", "error"),
    [(FaultKind.LOST_REPLY, ConnectionResetError), (FaultKind.LOST_REQUEST, TimeoutError)],
)
def test_v20_after_a_lost_message_only_the_history_tells(
    bench: Bench, kind: FaultKind, error: type[Exception]
) -> None:
    bench.venue.inject(Fault(kind, "submit"))
    order = bench.orders.place("buy", "0.10")
    with pytest.raises(error):
        bench.submit(order)
    executed = kind is FaultKind.LOST_REPLY
    assert (found(bench, order.tag) is not None) is executed
    assert len(bench.snapshot().positions) == executed


def test_v21_an_order_may_execute_right_after_a_scan_did_not_find_it(bench: Bench) -> None:
    bench.venue.inject(Fault(FaultKind.LATE_EXECUTION, "submit"))
    order = bench.orders.place("buy", "0.10")
    with pytest.raises(TimeoutError):
        bench.submit(order)
    assert found(bench, order.tag) is None
    late = found(bench, order.tag)
    assert late is not None
    assert late.status is VenueStatus.FILLED


def test_v22_an_order_may_execute_late_by_the_clock(bench: Bench) -> None:
    bench.venue.inject(Fault(FaultKind.LATE_EXECUTION, "submit", delay_s=D(3)))

    async def submit_and_wait() -> None:
        with pytest.raises(TimeoutError):
            await bench.venue.submit(bench.orders.place("buy", "0.10"))
        for _ in range(1000):
            if (await bench.venue.snapshot()).positions:
                return
            await asyncio.sleep(0.001)

    run(submit_and_wait())
    assert len(bench.snapshot().positions) == 1


def test_v23_a_request_that_arrives_twice_is_one_order(bench: Bench) -> None:
    bench.venue.inject(Fault(FaultKind.DUPLICATE_DELIVERY, "submit"))
    assert bench.buy("0.10").status is VenueStatus.FILLED
    assert len(bench.history().fills) == 1


def test_v24_a_late_reply_is_late_and_true(bench: Bench) -> None:
    bench.venue.inject(Fault(FaultKind.LATE_REPLY, "submit", delay_s=D(7)))
    before = bench.clock.monotonic()
    assert bench.buy("0.10").status is VenueStatus.FILLED
    assert bench.clock.monotonic() - before == pytest.approx(7)


@pytest.mark.parametrize(
    ("fault", "code", "requote"),
    [
        (
            Fault(FaultKind.REJECT, "submit", code="INSUFFICIENT_MARGIN"),
            "INSUFFICIENT_MARGIN",
            False,
        ),
        (Fault(FaultKind.REQUOTE, "submit"), "REQUOTE", True),
    ],
)
def test_v25_a_refusal_is_definitive(bench: Bench, fault: Fault, code: str, requote: bool) -> None:
    bench.venue.inject(fault)
    with pytest.raises(VenueRefusal) as no:
        bench.buy("0.10")
    assert (no.value.code, no.value.requote) == (code, requote)
    assert bench.history().fills == ()


def test_v26_a_lost_answer_to_a_refusal_is_found_too(full: Bench) -> None:
    full.venue.inject(Fault(FaultKind.LOST_REPLY, "submit"))
    order = full.orders.place("buy", "0.10", stop_loss="1.20000")
    with pytest.raises(ConnectionResetError):
        full.submit(order)
    state = found(full, order.tag)
    assert state is not None
    assert state.status is VenueStatus.REJECTED


def test_v27_changes_have_ambiguous_outcomes_too(full: Bench) -> None:
    order = full.buy("0.10", kind="limit", limit_price="1.09000")
    full.venue.inject(Fault(FaultKind.LOST_REPLY, "modify"))
    full.venue.inject(Fault(FaultKind.LOST_REQUEST, "cancel"))
    change = full.orders.modify(venue_order_id=order.venue_order_id, limit_price="1.08000")
    cancel = full.orders.cancel(order.venue_order_id)
    with pytest.raises(ConnectionResetError):
        run(full.venue.modify(change))
    with pytest.raises(TimeoutError):
        run(full.venue.cancel(cancel))
    assert full.history().applied == {change.tag}
    assert [o.limit_price for o in full.snapshot().open_orders] == [D("1.08")]


def test_v28_a_fault_meets_only_what_it_names(bench: Bench) -> None:
    bench.venue.inject(Fault(FaultKind.LOST_REQUEST, "submit", symbol="USDJPY", count=2))
    bench.quote("USDJPY", "150.000", "150.010")
    assert bench.buy("0.10").status is VenueStatus.FILLED
    for _ in range(2):
        with pytest.raises(TimeoutError):
            bench.buy("0.10", "USDJPY")
    assert bench.buy("0.10", "USDJPY").status is VenueStatus.FILLED


def test_v29_a_caller_that_stops_waiting_changes_nothing_of_the_outcome(bench: Bench) -> None:
    order = bench.orders.place("buy", "0.10")

    async def give_up() -> None:
        task = asyncio.ensure_future(bench.venue.submit(order))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(1000):
            if (await bench.venue.snapshot()).positions:
                return
            await asyncio.sleep(0.001)

    run(give_up())
    assert [fill.tag for fill in bench.history().fills] == [order.tag]
    assert [position.tag for position in bench.snapshot().positions] == [order.tag]


# V-30 to V-39: restarts


def _busy(bench: Bench) -> None:
    can = bench.venue.capabilities()
    bench.buy(
        "0.30", **({"stop_loss": "1.09", "take_profit": "1.15"} if can.attached_stops else {})
    )
    bench.sell("0.20", kind="limit", limit_price="1.12000")
    if OrderType.TRAILING_STOP in can.order_types:
        bench.buy("0.10", kind="trailing_stop", trail_percent="0.5")
    bench.quote("USDJPY", "150.000", "150.010")
    bench.sell("0.10", "USDJPY")
    bench.close(bench.snapshot().positions[0].position_id, "0.10")


@pytest.mark.parametrize("way", ["restart", "crash"])
def test_v30_a_restart_continues_with_the_same_books(bench: Bench, way: str) -> None:
    _busy(bench)
    before, past = bench.snapshot(), bench.history()
    getattr(bench, way)()
    assert bench.snapshot() == before
    assert bench.history() == past


def test_v31_a_copy_of_the_file_taken_at_any_moment_holds_what_was_answered(
    bench: Bench, tmp_path: Path
) -> None:
    _busy(bench)
    before = bench.snapshot()
    copies = tmp_path / "copy"
    copies.mkdir()
    for file in tmp_path.glob("paper.db*"):
        shutil.copy(file, copies / file.name)
    other = PaperBench(copies, market=bench.market)
    assert other.snapshot() == before


def test_v32_an_order_fills_after_a_restart(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    bench.crash()
    bench.quote(bid="1.08980", ask="1.08990")
    (fill,) = bench.history().fills
    assert (fill.venue_order_id, fill.price) == (order.venue_order_id, D("1.09"))


def test_v33_ids_are_never_used_twice(bench: Bench) -> None:
    first = bench.buy("0.10")
    bench.crash()
    second = bench.buy("0.10")
    assert first.venue_order_id != second.venue_order_id
    assert len({fill.trade_id for fill in bench.history().fills}) == 2


# V-40 to V-49: what is refused, and that a refusal changes nothing


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity": "0.015"}, "INVALID_VOLUME"),
        ({"quantity": "0"}, "INVALID_VOLUME"),
        ({"quantity": "-1"}, "INVALID_VOLUME"),
        ({"quantity": "NaN"}, "INVALID_VOLUME"),
        ({"quantity": "101"}, "INVALID_VOLUME"),
        ({"symbol": "NOPE"}, "SYMBOL_NOT_FOUND"),
        ({"kind": "limit"}, "INVALID_PRICE"),
        ({"kind": "limit", "limit_price": "1.090005"}, "INVALID_PRICE"),
        ({"kind": "limit", "limit_price": "-1"}, "INVALID_PRICE"),
        ({"limit_price": "1.09"}, "INVALID_PRICE"),
        ({"kind": "stop", "stop_price": "1.09"}, "INVALID_PRICE"),
        ({"kind": "trailing_stop"}, "INVALID_PRICE"),
        ({"kind": "trailing_stop", "trail_amount": "1", "trail_percent": "1"}, "INVALID_PRICE"),
        ({"kind": "trailing_stop", "trail_percent": "100"}, "INVALID_PRICE"),
        ({"stop_loss": "1.10000"}, "INVALID_STOPS"),
        ({"take_profit": "1.10000"}, "INVALID_STOPS"),
        ({"kind": "limit", "limit_price": "1.09", "stop_loss": "1.095"}, "INVALID_STOPS"),
        ({"kind": "stop", "stop_price": "1.12", "time_in_force": "ioc"}, "INVALID_FILLING"),
        ({"time_in_force": "gtd"}, "INVALID_EXPIRY"),
        ({"position_id": "P999"}, "POSITION_CLOSED"),
        ({"reduce_only": True}, "POSITION_CLOSED"),
        ({"quantity": "100"}, "INSUFFICIENT_MARGIN"),
        ({"kind": "limit", "limit_price": "1.09", "quantity": "100"}, "INSUFFICIENT_MARGIN"),
    ],
)
def test_v40_a_bad_order_is_refused_with_its_code(
    full: Bench, more: dict[str, str], code: str
) -> None:
    terms = {"quantity": "0.10", **more}
    if "time_in_force" in terms:
        terms["time_in_force"] = TimeInForce(terms["time_in_force"])
    before = full.snapshot()
    assert full.refused(full.orders.place("buy", **terms)) == code
    assert code in REFUSALS
    assert full.snapshot() == before


def test_v41_no_price_no_market_order(bench: Bench) -> None:
    bench.market.judge("EURUSD", Quality.STALE)
    assert bench.refused(bench.orders.place("buy", "0.10")) == "NO_PRICES"
    assert bench.refused(bench.orders.place("buy", "0.10", "GBPUSD")) == "NO_PRICES"
    bench.market.judge("EURUSD", None)
    bench.market.close_session("EURUSD")
    assert bench.refused(bench.orders.place("buy", "0.10")) == "MARKET_CLOSED"


def test_v42_a_resting_order_waits_for_the_market_to_open(bench: Bench) -> None:
    bench.market.close_session("EURUSD")
    order = bench.buy("0.10", kind="limit", limit_price="1.20000")
    assert order.status is VenueStatus.WORKING
    bench.quote(bid="1.09000", ask="1.09010")
    assert bench.history().fills == ()
    bench.market.open_session("EURUSD")
    bench.quote(bid="1.09000", ask="1.09010")
    assert [fill.price for fill in bench.history().fills] == [D("1.2")]


def test_v42_hours_nobody_knows_trap_no_exit(bench: Bench) -> None:
    """Past a table of hours the gate opens nothing; what is open still gets out at its prices."""
    bench.buy("0.10")
    bench.market.close_session("EURUSD", "past its table", unknown=True)
    (position,) = bench.snapshot().positions
    assert bench.close(position.position_id, "0.10").status is VenueStatus.FILLED
    assert bench.snapshot().positions == ()


def test_v43_another_account_is_not_this_one(bench: Bench) -> None:
    order = replace(bench.orders.place("buy", "0.10"), account="paper-2")
    assert bench.refused(order) == "ACCOUNT_MISMATCH"


def test_v44_every_code_it_may_send_is_on_the_table() -> None:
    assert REFUSALS["REQUOTE"].requote
    assert [code for code, meaning in REFUSALS.items() if meaning.requote] == ["REQUOTE"]
    with pytest.raises(KeyError):
        refusal("MADE_UP")


# V-50 to V-59: closing and protecting


def test_v50_a_close_never_takes_more_than_the_position(full: Bench) -> None:
    position = full.buy("0.30").position_id
    order = replace(full.orders.place("sell", "0.31"), position_id=position)
    assert full.refused(order) == "OVER_CLOSE"
    full.close(position, "0.10")
    answer = full.close(position, "0.20")
    assert answer.status is VenueStatus.FILLED
    assert [fill.effect for fill in answer.fills] == [FillEffect.CLOSING]
    again = replace(full.orders.place("sell", "0.01"), position_id=position)
    assert full.refused(again) == "POSITION_CLOSED"
    assert full.snapshot().positions == ()


def test_v53_shorts_are_stopped_on_the_ask(full: Bench) -> None:
    full.sell("0.10", stop_loss="1.10100", take_profit="1.09000")
    full.quote(bid="1.10090", ask="1.10099")
    assert len(full.snapshot().positions) == 1
    full.quote(bid="1.10090", ask="1.10100")
    assert full.history().fills[-1].price == D("1.101")


def test_v56_new_terms_of_a_resting_order_are_atomic(full: Bench) -> None:
    order = full.buy("0.10", kind="limit", limit_price="1.09000", stop_loss="1.08000")
    answer = full.modify(
        venue_order_id=order.venue_order_id, limit_price="1.09500", quantity="0.20"
    )
    assert answer.venue_order_id == order.venue_order_id
    (state,) = full.snapshot().open_orders
    assert (state.limit_price, state.quantity, state.stop_loss) == (D("1.095"), D("0.2"), D("1.08"))
    with pytest.raises(VenueRefusal):
        full.modify(venue_order_id=order.venue_order_id, limit_price="1.07", quantity="0.30")
    assert full.snapshot().open_orders == (state,)


def test_v57_a_cancel_names_an_order_that_rests(bench: Bench) -> None:
    order = bench.buy("0.10", kind="limit", limit_price="1.09000")
    assert bench.cancel(order.venue_order_id).status is VenueStatus.CANCELED
    for order_id, code in [
        (order.venue_order_id, "ORDER_CLOSED"),
        ("O999", "UNKNOWN_ORDER"),
        ("nonsense", "UNKNOWN_ORDER"),
        ("O" + "9" * 40, "UNKNOWN_ORDER"),
    ]:
        with pytest.raises(VenueRefusal, match=code):
            bench.cancel(order_id)


def test_v58_one_leg_of_an_oco_group_cancels_the_other(full: Bench) -> None:
    stop = full.buy("0.10", kind="stop", stop_price="1.11000", oco_group="g")
    limit = full.buy("0.10", kind="limit", limit_price="1.09000", oco_group="g")
    full.quote(bid="1.11000", ask="1.11010")
    states = {state.venue_order_id: state.status for state in full.history().orders}
    assert states[stop.venue_order_id] is VenueStatus.FILLED
    assert states[limit.venue_order_id] is VenueStatus.CANCELED
    full.restart()
    late = full.orders.place("buy", "0.10", kind="limit", limit_price="1.09", oco_group="g")
    assert full.refused(late) == "GROUP_SPENT"


def test_v59_reduce_only_closes_and_never_opens(full: Bench) -> None:
    full.buy("0.10")
    full.buy("0.20")
    more = full.orders.place("sell", "0.31", reduce_only=True)
    assert full.refused(more) == "OVER_CLOSE"
    answer = full.sell("0.25", reduce_only=True)
    assert [(f.effect, f.quantity) for f in answer.fills] == [
        (FillEffect.CLOSING, D("0.1")),
        (FillEffect.CLOSING, D("0.15")),
    ]
    (left,) = full.snapshot().positions
    assert (left.side, left.quantity) == (Side.BUY, D("0.05"))


# V-60: what changes by itself is told


def test_v60_a_listener_hears_of_fills_it_did_not_ask_for(full: Bench) -> None:
    calls: list[int] = []
    full.venue.listen(lambda: calls.append(len(calls)))
    full.buy("0.10", stop_loss="1.09000")
    full.quote(bid="1.09500", ask="1.09510")
    assert calls == []
    full.quote(bid="1.08900", ask="1.08910")
    assert calls == [0]


def test_v61_a_slice_that_comes_while_a_request_commits_is_not_lost(full: Bench) -> None:
    async def race() -> None:
        order = full.orders.place("buy", "0.10", stop_loss="1.09000")
        task = asyncio.ensure_future(full.venue.submit(order))
        for _ in range(4):
            await asyncio.sleep(0)
        full.quote(bid="1.08000", ask="1.08010")
        await task

    run(race())
    assert [fill.reason for fill in full.history().fills] == ["order", "stop_loss"]
    assert full.snapshot().positions == ()


def test_v62_requests_and_slices_at_once_leave_one_story(bench: Bench) -> None:
    """What memory shows after a storm is what the file tells a fresh start."""

    async def storm() -> None:
        orders = [
            bench.orders.place(side, "0.10", stop_loss=stop)
            for side, stop in [("buy", "1.09000"), ("sell", "1.11000")] * 20
        ]
        tasks = [asyncio.ensure_future(bench.venue.submit(order)) for order in orders]
        for step in range(400):
            bid = D("1.08900") + D("0.00100") * (step % 25)
            bench.quote(bid=str(bid), ask=str(bid + D("0.0001")))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)

    run(storm())
    before, past = bench.snapshot(), bench.history()
    booked = sum((fill.realised - fill.commission for fill in past.fills), D(0))
    assert before.account.balance == D(100_000) + booked
    opened = [fill for fill in past.fills if fill.effect is FillEffect.OPENING]
    assert len(opened) == len(past.fills) - len(opened) + len(before.positions)
    bench.crash()
    assert (bench.snapshot(), bench.history()) == (before, past)


# V-70: what a plain exchange does not do is refused, or done to the letter


def test_v70_what_is_not_offered_is_refused_and_nothing_happens(plain: Bench) -> None:
    before = plain.snapshot()
    for more in ({"stop_loss": "1.09000"}, {"take_profit": "1.12000"}):
        assert plain.refused(plain.orders.place("buy", "0.10", **more)) == "NOT_OFFERED"
    assert plain.snapshot() == before
    order = plain.buy("0.10", kind="limit", limit_price="1.09000")
    with pytest.raises(VenueRefusal, match="NOT_OFFERED"):
        plain.modify(venue_order_id=order.venue_order_id, limit_price="1.08000")
    can = plain.venue.capabilities()
    offered = (can.attached_stops, can.modify_in_place, can.refuses_over_close, can.oco_groups)
    assert offered == (False,) * 4


def test_v71_what_exceeds_the_position_opens_the_other_way(plain: Bench) -> None:
    position = plain.buy("0.30").position_id
    order = replace(plain.orders.place("sell", "0.40"), position_id=position, reduce_only=True)
    answer = plain.submit(order)
    assert [(fill.effect, fill.quantity) for fill in answer.fills] == [
        (FillEffect.CLOSING, D("0.3")),
        (FillEffect.OPENING, D("0.1")),
    ]
    (left,) = plain.snapshot().positions
    assert (left.side, left.quantity, left.tag) == (Side.SELL, D("0.1"), order.tag)


def test_v72_a_resting_exit_outlives_its_position_and_says_which_it_reduces(plain: Bench) -> None:
    position = plain.buy("0.10").position_id
    stop = plain.orders.place(
        "sell", "0.10", kind="stop", stop_price="1.09", reduce_only=True, position_id=position
    )
    plain.submit(stop)
    plain.close(position, "0.10")
    (left,) = plain.snapshot().open_orders
    assert (left.tag, left.position_id, left.reduce_only) == (stop.tag, position, True)


def test_v73_one_leg_of_a_group_leaves_the_other_at_rest(plain: Bench) -> None:
    plain.buy("0.10")
    plain.sell("0.10", kind="stop", stop_price="1.09", reduce_only=True, oco_group="g")
    limit = plain.sell("0.10", kind="limit", limit_price="1.11", reduce_only=True, oco_group="g")
    plain.quote(bid="1.08990", ask="1.09000")
    (left,) = plain.snapshot().open_orders
    assert (left.venue_order_id, left.oco_group) == (limit.venue_order_id, "g")


def test_a_payment_moves_the_balance_and_the_days_start_and_survives_a_restart(
    bench: PaperBench,
) -> None:
    """A deposit is no gain of the day, a withdrawal no loss; the statement tells of both."""
    before = bench.snapshot().account
    run(bench.venue.pay(CashKind.DEPOSIT, D("2500.25")))
    run(bench.venue.pay(CashKind.WITHDRAWAL, D("-1000")))
    for _ in range(2):
        after = bench.snapshot().account
        assert after.balance - before.balance == D("1500.25") == after.paid_in
        assert after.day_start_equity is not None
        assert before.day_start_equity is not None
        assert after.day_start_equity - before.day_start_equity == D("1500.25")
        assert after.realised_today == before.realised_today
        lines = bench.history().cash
        assert [(line.kind, line.amount) for line in lines] == [
            (CashKind.DEPOSIT, D("2500.25")),
            (CashKind.WITHDRAWAL, D("-1000")),
        ]
        bench.restart()


def test_every_change_of_the_balance_is_an_execution_or_a_line_of_cash(bench: PaperBench) -> None:
    """The promise of VenueReader.history: nights, commissions, a stop and a dividend."""
    start = bench.snapshot().account.balance
    bench.quote()
    attached = bench.venue.capabilities().attached_stops
    bench.buy("1.00", **({"stop_loss": "1.09000"} if attached else {}))
    bench.buy("0.30")
    bench.market.advance(days=5)
    bench.quote(bid="1.08900", ask="1.08910")
    run(bench.venue.pay(CashKind.DIVIDEND, D("12.34")))
    history = bench.history()
    explained = sum((fill.realised - fill.commission for fill in history.fills), D(0))
    explained += sum((line.amount for line in history.cash), D(0))
    assert {line.kind for line in history.cash} == {CashKind.SWAP, CashKind.DIVIDEND}
    assert bench.snapshot().account.balance - start == explained


def test_a_file_of_before_there_was_cash_is_taken_up(bench: PaperBench) -> None:
    run(bench.venue.close())
    with sqlite3.connect(bench.path) as file:
        file.execute("DROP TABLE cash")
    bench.venue = bench._open()
    assert bench.history().cash == ()
    run(bench.venue.pay(CashKind.FEE, D(-1)))
    assert bench.snapshot().account.paid_in == 0
