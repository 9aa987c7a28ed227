from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ordergate.model.orders import Side
from ordergate.model.records import AttemptRecord, Reservation
from ordergate.model.values import (
    AccountId,
    AttemptId,
    OrderId,
    PrincipalId,
    Symbol,
    Tag,
    VenueName,
)
from ordergate.order.policy.at_rest import exits_held, resting_openings
from support.judging import D, protective_stop, resting
from support.order_records import an_attempt

EURUSD = Symbol("EURUSD")


def on_its_way(attempt: str, quantity: str, **more: object) -> Reservation:
    held = Reservation(
        attempt_id=AttemptId(attempt),
        order_id=OrderId("o1"),
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        principal=PrincipalId("local-agent"),
        symbol=EURUSD,
        side=Side.SELL,
        quantity=D(quantity),
        notional=D(0),
        risk=None,
        reduces=True,
    )
    return replace(held, **more)  # type: ignore[arg-type]  # a test's own fields


def nobody(_: Sequence[Tag]) -> Sequence[AttemptRecord]:
    return ()


def test_exits_are_summed_by_side_without_the_one_that_changes() -> None:
    one, two = protective_stop(), protective_stop(quantity=D("0.30"))
    orders = [one, two, resting(), protective_stop(symbol=Symbol("GBPUSD"))]
    held = exits_held(EURUSD, orders, besides=one, on_way=(), tagged=nobody)
    assert held == {Side.BUY: D(0), Side.SELL: D("0.30")}


def test_an_exit_on_its_way_counts_until_it_is_seen_at_rest_and_then_once() -> None:
    stop = protective_stop(quantity=D("0.30"), filled_quantity=D("0.10"), tag=Tag("G1"))
    way = [
        on_its_way("a1", "0.30"),
        on_its_way("a2", "0.05"),
        on_its_way("a3", "9", symbol=Symbol("GBPUSD")),
    ]

    def tagged(tags: Sequence[Tag]) -> Sequence[AttemptRecord]:
        assert tags == [Tag("G1")]
        return [an_attempt(attempt_id=AttemptId("a1"), tag=Tag("G1"))]

    held = exits_held(EURUSD, [stop], besides=None, on_way=way, tagged=tagged)
    assert held == {Side.BUY: D(0), Side.SELL: D("0.25")}


def test_an_opening_at_rest_has_our_attempt_behind_it_or_none() -> None:
    ours, theirs, changed = resting(tag=Tag("G1")), resting(tag=None), resting(tag=Tag("G2"))
    rows = resting_openings(
        [ours, theirs, changed, protective_stop()],
        besides=changed,
        tagged=lambda _: [an_attempt(attempt_id=AttemptId("a1"), tag=Tag("G1"))],
    )
    assert rows == ((ours, AttemptId("a1")), (theirs, None))
