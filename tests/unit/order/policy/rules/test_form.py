from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.model.verdicts import Finding, Verb
from support.judging import (
    Court,
    D,
    attempt,
    cancel,
    close,
    modify,
    place,
    position,
    resting,
)
from support.manual_market import WEDNESDAY

PASS, REFUSE = Finding.PASS, Finding.REFUSE


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "-0.1", "0", "1E+40", "1E-20"])
@pytest.mark.parametrize("field", ["quantity", "stop_loss", "take_profit", "limit_price"])
def test_a20_a_number_that_is_none_is_refused_before_all_else(field: str, number: str) -> None:
    decision = Court().judge(place(**{field: Decimal(number)})).decision
    assert decision.verb is Verb.DENY
    assert decision.failed is not None
    assert decision.failed.rule == "numbers"
    assert decision.failed.code is (
        Code.INVALID_VOLUME if field == "quantity" else Code.INVALID_PRICE
    )


def test_malformed_exits_are_refused_too() -> None:
    court = Court(positions=(position(),))
    for intent in (
        close(quantity=Decimal("NaN")),
        modify(position_id=PositionId("p1"), stop_loss=Decimal("NaN")),
        place(side=Side.SELL, reduce_only=True, quantity=Decimal("-1")),
    ):
        assert court.judge(intent).decision.verb is Verb.DENY


def test_an_unknown_symbol() -> None:
    failed = Court().judge(place(symbol=Symbol("EURUSD "))).decision.failed
    assert failed is not None
    assert failed.code is Code.SYMBOL_NOT_FOUND


@pytest.mark.parametrize(
    ("quantity", "finding"),
    [
        ("0.009", REFUSE),
        ("0.01", PASS),
        ("0.015", REFUSE),
        ("0.02", PASS),
        ("100", PASS),
        ("100.01", REFUSE),
    ],
)
def test_sizes_the_symbol_is_traded_in(quantity: str, finding: Finding) -> None:
    verdict = Court().verdict("volume", place(quantity=D(quantity)))
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.code is Code.INVALID_VOLUME


@pytest.mark.parametrize(
    ("quantity", "near"), [("0.009", "0.01"), ("0.015", "0.01"), ("250", "100")]
)
def test_the_fix_names_a_size_that_works(quantity: str, near: str) -> None:
    assert Court().verdict("volume", place(quantity=D(quantity))).fix == f"send {near} lots"


@pytest.mark.parametrize(("quantity", "finding"), [("0.05", PASS), ("0.055", REFUSE)])
def test_a_part_of_a_position_is_closed_in_steps(quantity: str, finding: Finding) -> None:
    court = Court(positions=(position(),))
    assert court.verdict("volume", close(quantity=D(quantity))).finding is finding


def test_more_than_the_venues_maximum_can_be_closed() -> None:
    court = Court(positions=(position(quantity=D(500)),))
    assert court.verdict("volume", close(quantity=D(400))).finding is PASS


@pytest.mark.parametrize(("quantity", "finding"), [("0.06", PASS), ("0.05", REFUSE)])
def test_a_resting_order_keeps_more_than_has_filled(quantity: str, finding: Finding) -> None:
    court = Court(open_orders=(resting(filled_quantity=D("0.05")),))
    change = modify(venue_order_id=VenueOrderId("v1"), quantity=D(quantity))
    assert court.verdict("volume", change).finding is finding


@pytest.mark.parametrize(
    ("terms", "finding"),
    [
        ({"stop_loss": D("1.08010")}, PASS),
        ({"stop_loss": D("1.080101")}, REFUSE),
        ({"take_profit": D("1.095005")}, REFUSE),
        ({"order_type": OrderType.LIMIT, "limit_price": D("1.0800001")}, REFUSE),
        ({"order_type": OrderType.STOP, "stop_price": D("1.0900001")}, REFUSE),
        ({"order_type": OrderType.TRAILING_STOP, "trail_amount": D("0.0000001")}, REFUSE),
        ({"order_type": OrderType.TRAILING_STOP, "trail_percent": D("0.1234567")}, PASS),
    ],
)
def test_prices_are_whole_ticks(terms: dict[str, Any], finding: Finding) -> None:
    verdict = Court().verdict("price_ticks", place(**terms))
    assert verdict.finding is finding


def test_the_fix_names_both_neighbouring_ticks() -> None:
    verdict = Court().verdict("price_ticks", place(stop_loss=D("1.080104")))
    assert verdict.fix == "send stop_loss 1.0801 or 1.08011"


MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
STOP_LIMIT, TRAILING = OrderType.STOP_LIMIT, OrderType.TRAILING_STOP


@pytest.mark.parametrize(
    ("kind", "given", "finding"),
    [
        (MARKET, (), PASS),
        (MARKET, ("limit_price",), REFUSE),
        (LIMIT, ("limit_price",), PASS),
        (LIMIT, (), REFUSE),
        (LIMIT, ("limit_price", "stop_price"), REFUSE),
        (STOP, ("stop_price",), PASS),
        (STOP, ("limit_price",), REFUSE),
        (STOP_LIMIT, ("limit_price", "stop_price"), PASS),
        (STOP_LIMIT, ("stop_price",), REFUSE),
        (TRAILING, ("trail_amount",), PASS),
        (TRAILING, ("trail_percent",), PASS),
        (TRAILING, ("trail_amount", "trail_percent"), REFUSE),
        (TRAILING, (), REFUSE),
        (TRAILING, ("limit_price",), REFUSE),
        (TRAILING, ("trail_amount", "stop_price"), REFUSE),
    ],
)
def test_each_kind_takes_its_prices_and_no_others(
    kind: OrderType, given: tuple[str, ...], finding: Finding
) -> None:
    order = place(order_type=kind, **dict.fromkeys(given, D(1)))
    verdict = Court().verdict("fields", order)
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "finding"),
    [
        (Side.BUY, STOP, "1.08511", PASS),
        (Side.BUY, STOP, "1.08510", REFUSE),
        (Side.BUY, STOP, "0.00001", REFUSE),
        (Side.SELL, STOP, "1.08499", PASS),
        (Side.SELL, STOP, "1.08500", REFUSE),
        (Side.BUY, STOP_LIMIT, "1.08510", REFUSE),
        (Side.SELL, STOP_LIMIT, "1.08499", PASS),
    ],
)
def test_a_trigger_the_market_has_passed(
    side: Side, kind: OrderType, trigger: str, finding: Finding
) -> None:
    limit = D(trigger) if kind is STOP_LIMIT else None
    order = place(side=side, order_type=kind, stop_price=D(trigger), limit_price=limit)
    assert Court().verdict("trigger_side", order).finding is finding


@pytest.mark.parametrize(
    ("tif", "till", "finding"),
    [
        (TimeInForce.GTC, None, PASS),
        (TimeInForce.GTC, WEDNESDAY + timedelta(hours=1), REFUSE),
        (TimeInForce.GTD, None, REFUSE),
        (TimeInForce.GTD, WEDNESDAY, REFUSE),
        (TimeInForce.GTD, WEDNESDAY + timedelta(seconds=1), PASS),
        (TimeInForce.GTD, datetime(2030, 1, 1), REFUSE),  # noqa: DTZ001 - the zone is missing
    ],
)
def test_good_till_is_a_time_to_come_and_for_gtd_alone(
    tif: TimeInForce, till: datetime | None, finding: Finding
) -> None:
    verdict = Court().verdict("expiry", place(time_in_force=tif, good_till=till))
    assert verdict.finding is finding


@pytest.mark.parametrize(
    "intent",
    [
        modify(),
        modify(position_id=PositionId("p1"), venue_order_id=VenueOrderId("v1"), stop_loss=D(1)),
    ],
)
def test_a_change_names_one_thing(intent: Any) -> None:
    court = Court(positions=(position(),), open_orders=(resting(),))
    assert court.judge(intent).decision.verb is Verb.DENY


def test_a_change_of_nothing_is_refused() -> None:
    failed = Court(positions=(position(),)).judge(modify(position_id=PositionId("p1"))).decision
    assert failed.failed is not None
    assert failed.failed.message == "the request changes nothing"


def test_a_position_has_no_price_to_change() -> None:
    court = Court(positions=(position(),))
    for terms in ({"limit_price": D(1)}, {"stop_price": D(1)}, {"quantity": D(1)}):
        assert court.judge(modify(position_id=PositionId("p1"), **terms)).decision.verb is Verb.DENY


@pytest.mark.parametrize(
    "intent",
    [
        cancel("v9"),
        modify(venue_order_id=VenueOrderId("v9"), stop_loss=D("1.07")),
        modify(position_id=PositionId("p9"), stop_loss=D("1.07")),
    ],
)
def test_what_is_not_there_cannot_be_changed(intent: Any) -> None:
    court = Court(positions=(position(),), open_orders=(resting(),))
    failed = court.judge(intent).decision.failed
    assert failed is not None
    assert failed.code is Code.RESOURCE_NOT_FOUND
    court.snapshot_known = False
    failed = court.judge(intent).decision.failed
    assert failed is not None
    assert failed.code is Code.DATA_UNAVAILABLE


def test_our_own_books_let_an_order_be_cancelled_and_not_be_changed() -> None:
    unread = Court(snapshot_known=False).attempted(attempt(1))
    assert unread.verdict("target", cancel("v1")).finding is PASS
    change = modify(venue_order_id=VenueOrderId("v1"), stop_loss=D("1.076"))
    assert unread.verdict("target", change).code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize(
    "intent",
    [
        cancel(symbol=Symbol("GBPUSD")),
        modify(venue_order_id=VenueOrderId("v1"), stop_loss=D("1.076"), symbol=Symbol("GBPUSD")),
        modify(position_id=PositionId("p1"), stop_loss=D("1.081"), symbol=Symbol("GBPUSD")),
        close(symbol=Symbol("GBPUSD")),
    ],
)
def test_a_request_under_another_symbol_is_refused(intent: Any) -> None:
    court = Court(positions=(position(),), open_orders=(resting(),)).attempted(attempt(1))
    assert court.judge(intent).decision.verb is Verb.DENY
