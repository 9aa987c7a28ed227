from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ordergate.model.orders import KEEP, Lane, OrderType, Side
from ordergate.model.principals import Kind, Principal
from ordergate.model.values import OrderId, PositionId, PrincipalId, Symbol, VenueOrderId
from ordergate.model.verdicts import Finding
from ordergate.order.policy.facts import (
    doubt,
    malformed,
    opening_order,
    order_as_asked,
    protects,
    subject,
    terms_of,
)
from ordergate.order.policy.recall import recall
from support.judging import (
    AGENT,
    Court,
    D,
    attempt,
    cancel,
    claims,
    close,
    modify,
    place,
    position,
    protective_stop,
    resting,
)
from support.manual_clock import START
from support.manual_market import STANDARD

SPECS = {spec.symbol: spec for spec in STANDARD}
OTHER = Principal(PrincipalId("other"), Kind.AGENT, "other")


@pytest.mark.parametrize(
    "number",
    ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "-0", "1E15", "1E+999999", "1E-13"],
)
def test_what_is_no_usable_number(number: str) -> None:
    assert malformed(place(quantity=Decimal(number))) == "quantity"
    assert malformed(place(stop_loss=Decimal(number))) == "stop_loss"
    assert malformed(modify(stop_loss=Decimal(number))) == "stop_loss"


@pytest.mark.parametrize("number", ["0.01", "1", "999999999999999", "0.000000000001"])
def test_what_is_a_usable_number(number: str) -> None:
    assert malformed(place(quantity=Decimal(number))) is None


def test_what_is_kept_or_removed_is_no_number_to_look_at() -> None:
    assert malformed(modify(stop_loss=None, take_profit=KEEP)) is None
    assert malformed(cancel()) is None


def test_a_changed_resting_order_is_the_order_as_it_would_stand() -> None:
    order = order_as_asked(
        modify(venue_order_id=VenueOrderId("v1"), quantity=D("0.30"), stop_loss=D("1.07")),
        resting(filled_quantity=D("0.02")),
    )
    assert order == place(
        order_type=OrderType.LIMIT,
        quantity=D("0.28"),
        limit_price=D("1.08000"),
        stop_loss=D("1.07"),
    )


def test_a_removed_stop_is_gone_from_the_changed_order() -> None:
    order = order_as_asked(modify(stop_loss=None), resting())
    assert order is not None
    assert order.stop_loss is None


def test_exits_closes_and_cancels_are_no_opening_orders() -> None:
    assert order_as_asked(modify(stop_price=D(1)), protective_stop()) is None
    assert order_as_asked(modify(stop_loss=D(1)), None) is None
    assert order_as_asked(cancel(), resting()) is None
    assert order_as_asked(close(), None) is None


def test_a_plain_stop_against_a_netted_position_protects_it() -> None:
    apple = Symbol("AAPL")
    long = position(symbol=apple)
    stop = protective_stop(symbol=apple, reduce_only=False)
    assert protects(stop, [long], SPECS[apple])
    assert protects(stop, [position(), long], SPECS[apple]), "what else is held changes nothing"
    assert not protects(stop, [position(symbol=apple, side=Side.SELL)], SPECS[apple])
    assert not protects(replace(stop, order_type=OrderType.LIMIT), [long], SPECS[apple])
    assert not protects(protective_stop(reduce_only=False), [position()], SPECS[Symbol("EURUSD")])
    assert not protects(stop, [long], None)


def test_two_orders_that_a_human_calls_equal_have_equal_terms() -> None:
    assert terms_of(place(quantity=D("0.1"))) == terms_of(place(quantity=D("0.100")))
    assert terms_of(place(stop_loss=D("1.07"), note="again")) == terms_of(place())


@pytest.mark.parametrize(
    "terms",
    [
        {"quantity": D("0.11")},
        {"side": Side.SELL},
        {"symbol": Symbol("GBPUSD")},
        {"order_type": OrderType.LIMIT, "limit_price": D("1.08")},
        {"order_type": OrderType.STOP, "stop_price": D("1.09")},
        {"order_type": OrderType.TRAILING_STOP, "trail_percent": D(1)},
        {"reduce_only": True},
    ],
)
def test_orders_that_differ_have_other_terms(terms: dict[str, object]) -> None:
    assert terms_of(place(**terms)) != terms_of(place())


def test_terms_are_written_for_every_kind_of_request() -> None:
    texts = {
        terms_of(place()),
        terms_of(close()),
        terms_of(close(quantity=D("0.05"))),
        terms_of(cancel()),
        terms_of(cancel("v2")),
        terms_of(modify(position_id=PositionId("p1"), stop_loss=None)),
        terms_of(modify(position_id=PositionId("p1"), stop_loss=D("1.08"))),
        terms_of(place(quantity=Decimal("NaN"))),
    }
    assert len(texts) == 8


def counts(*ages: float, by: Principal = AGENT, **rows: object) -> tuple[D, D, bool]:
    """Return what the checklist counts before this order: requests, repeats, is it a duplicate."""
    court = Court().claimed(*claims(place(), *ages, now=START, **rows))
    said = {
        verdict.rule: verdict
        for verdict in court.judge(place(), asker=by, order_id=OrderId("me")).decision.verdicts
    }
    twice = said["duplicate"].finding is Finding.REFUSE
    return (said["throttle"].value or D(0)) - 1, (said["repetition"].value or D(0)) - 1, twice


def test_claims_count_within_their_windows() -> None:
    assert counts(59.9) == (1, 1, True)
    assert counts(60) == (0, 1, False)
    assert counts(599.9) == (0, 1, False)
    assert counts(600) == (0, 0, False)


def test_claims_of_others_are_no_repeats_but_may_be_duplicates() -> None:
    assert counts(10, by=OTHER) == (0, 0, True)


def test_an_order_is_no_duplicate_of_itself() -> None:
    assert counts(10, order_id=OrderId("me")) == (1, 0, False)


def test_only_openings_repeat() -> None:
    assert counts(10, lane=Lane.CLOSE)[:2] == (1, 0)


def test_doubt_counts_openings_only() -> None:
    rows = [
        attempt(1, claimed_at=START - timedelta(seconds=5)),
        attempt(2, symbol=Symbol("GBPUSD"), claimed_at=START - timedelta(seconds=30)),
        attempt(3, opening=False, claimed_at=START - timedelta(seconds=900)),
    ]
    found = doubt(rows, symbol=Symbol("EURUSD"), now=START)
    assert (found.in_symbol, found.in_account, found.oldest_s) == (1, 2, D("30.000"))


def test_the_record_holds_what_was_read_and_is_compact() -> None:
    court = Court().limit(open_orders_max=D(7))
    text = court.judge(place()).facts_json
    recorded = json.loads(text)
    assert recorded["quote"]["ask"] == "1.0851"
    assert recorded["limits"] == {"limits.open_orders_max": "7"}
    assert recorded["state"]["equity"] == "100000"
    assert recorded["lane"] == "open"
    assert len(text) < 3000
    assert text == json.dumps(recorded, sort_keys=True, separators=(",", ":"))


def test_a_change_that_leaves_nothing_to_fill_opens_nothing() -> None:
    half = resting(quantity=D("0.10"), filled_quantity=D("0.04"))
    left = opening_order(modify(venue_order_id=VenueOrderId("v1"), quantity=D("0.05")), half)
    assert left is not None
    assert left.quantity == D("0.01")
    done = modify(venue_order_id=VenueOrderId("v1"), quantity=D("0.04"))
    assert opening_order(done, half) is None


def test_a_trailing_stop_that_moved_by_itself_is_still_the_one_that_was_asked_about() -> None:
    def asked_about(kind: OrderType, stop: str) -> str:
        order = resting(order_type=kind, limit_price=None, stop_price=D(stop))
        change = modify(venue_order_id=order.venue_order_id, quantity=D("0.20"))
        return subject(recall(change, Court(open_orders=(order,)).judge(change).facts_json))

    trailing, plain = OrderType.TRAILING_STOP, OrderType.STOP
    assert asked_about(trailing, "1.09") == asked_about(trailing, "1.091") != ""
    assert asked_about(plain, "1.09") != asked_about(plain, "1.091")
