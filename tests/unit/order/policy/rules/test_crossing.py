from __future__ import annotations

import pytest

from ordergate.model.orders import OrderType, Side
from ordergate.model.values import Tag, VenueOrderId
from ordergate.model.verdicts import Finding, Verb
from support.judging import Court, D, attempt, close, place, position, resting

PASS, WARN, REFUSE = Finding.PASS, Finding.WARN, Finding.REFUSE
BID, ASK = D("1.08500"), D("1.08510")


def bidding(price: str, **terms: object) -> Court:
    """Return a gate whose own buy limit rests at `price`; it stands behind it as `t1`."""
    row = resting(limit_price=D(price), stop_loss=None, tag=Tag("t1"), **terms)
    return Court(open_orders=(row,)).attempted(attempt(1))


@pytest.mark.parametrize(("price", "finding"), [("1.08499", PASS), ("1.08500", REFUSE)])
def test_a_sell_at_market_does_not_meet_an_own_bid(price: str, finding: Finding) -> None:
    sale = place(side=Side.SELL, stop_loss=D("1.09"))
    assert bidding(price).verdict("self_trade", sale).finding is finding


def test_two_own_orders_that_only_wait_on_both_sides_are_no_trade() -> None:
    sale = place(
        side=Side.SELL, order_type=OrderType.LIMIT, limit_price=D("1.09"), stop_loss=D("1.10")
    )
    assert bidding("1.08").verdict("self_trade", sale).finding is PASS


def test_the_order_of_another_agent_and_one_made_around_the_gate_count_alike() -> None:
    sale = place(side=Side.SELL, stop_loss=D("1.09"))
    around = Court(open_orders=(resting(limit_price=BID),))
    assert around.verdict("self_trade", sale).finding is REFUSE


def test_an_own_exit_at_rest_is_no_opening() -> None:
    target = resting(side=Side.SELL, limit_price=ASK, reduce_only=True)
    assert Court(open_orders=(target,)).verdict("self_trade", place()).finding is PASS


def test_an_exit_is_warned_and_its_way_is_cleared_of_what_is_ours() -> None:
    court = bidding("1.08500")
    court.positions = (position(),)
    judgement = court.judge(close())
    assert judgement.decision.verb is Verb.ALLOW
    assert "self_trade" in {row.rule for row in judgement.decision.warnings}
    assert judgement.clear_first == (VenueOrderId("v1"),)


def test_an_order_made_around_the_gate_is_not_cancelled_for_an_exit() -> None:
    court = Court(open_orders=(resting(limit_price=BID),), positions=(position(),))
    assert court.verdict("self_trade", close()).finding is WARN
    assert court.judge(close()).clear_first == ()


def test_what_is_out_of_reach_stays_where_it_is() -> None:
    court = bidding("1.08")
    court.positions = (position(),)
    assert court.judge(close()).clear_first == ()
    assert bidding("1.08500").judge(place(side=Side.SELL)).clear_first == ()


@pytest.mark.parametrize(("price", "finding"), [("1.08511", PASS), ("1.08510", REFUSE)])
def test_a_buy_at_market_does_not_meet_an_own_offer(price: str, finding: Finding) -> None:
    row = resting(side=Side.SELL, limit_price=D(price), stop_loss=None, tag=Tag("t1"))
    court = Court(open_orders=(row,)).attempted(attempt(1, side=Side.SELL))
    assert court.verdict("self_trade", place()).finding is finding


@pytest.mark.parametrize(("price", "cleared"), [("1.08511", ()), ("1.08510", ("v1",))])
def test_the_way_out_of_a_short_position_is_cleared_of_own_offers(
    price: str, cleared: tuple[str, ...]
) -> None:
    row = resting(side=Side.SELL, limit_price=D(price), stop_loss=None, tag=Tag("t1"))
    court = Court(open_orders=(row,)).attempted(attempt(1, side=Side.SELL))
    court.positions = (position(side=Side.SELL, stop_loss=D("1.09")),)
    assert court.judge(close()).clear_first == cleared


def test_the_nearest_own_order_is_named() -> None:
    offers = tuple(
        resting(
            venue_order_id=VenueOrderId(f"v{n}"),
            side=Side.SELL,
            limit_price=D(price),
            stop_loss=None,
        )
        for n, price in enumerate(("1.08508", "1.08505", "1.08509"))
    )
    assert "1.08505" in Court(open_orders=offers).verdict("self_trade", place()).message
    bids = tuple(
        resting(venue_order_id=VenueOrderId(f"v{n}"), limit_price=D(price), stop_loss=None)
        for n, price in enumerate(("1.08503", "1.08506", "1.08501"))
    )
    sale = place(side=Side.SELL, stop_loss=D("1.09"))
    assert "1.08506" in Court(open_orders=bids).verdict("self_trade", sale).message


def test_where_nothing_rests_nothing_is_cleared() -> None:
    assert Court(positions=(position(),)).judge(close()).clear_first == ()
