from __future__ import annotations

from ordergate.model.orders import Side
from ordergate.model.values import Symbol
from support.judging import Court, D, place, position, reservation

GBPUSD = Symbol("GBPUSD")


def test_the_net_is_one_sides_surplus_over_all_symbols() -> None:
    held = position(symbol=GBPUSD, side=Side.SELL, quantity=D("0.10"), current_price=D("1.27"))
    court = Court(positions=(held,))
    bought = court.verdict("net_exposure", place())
    # 10,905.26 long at worst against 12,700 held short
    assert bought.value == D("-1794.74")
    sold = court.verdict("net_exposure", place(side=Side.SELL, stop_loss=D("1.09")))
    assert sold.value == D("12700") + D("10850")


def test_what_may_not_fill_sets_nothing_off() -> None:
    coming = reservation(side=Side.SELL, notional=D(10_800))
    verdict = Court().reserve(coming).verdict("net_exposure", place())
    assert verdict.value == D("10905.26")


def test_the_value_that_has_not_filled_is_what_is_on_its_way_and_this_order() -> None:
    coming = reservation(notional=D(10_800))
    verdict = Court().reserve(coming).verdict("open_orders_value", place())
    assert verdict.value == D("21705.26")


def test_a_book_with_something_unpriced_has_neither_net_nor_stress() -> None:
    court = Court(positions=(position(current_price=None),))
    for rule in ("net_exposure", "stress_loss"):
        assert court.verdict(rule, place()).value is None
