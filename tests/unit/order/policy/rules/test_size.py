from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import KEEP, OrderType, Side
from ordergate.model.values import PositionId, Symbol, Tag, VenueOrderId
from ordergate.model.verdicts import Finding
from support.judging import (
    Court,
    D,
    attempt,
    close,
    modify,
    place,
    position,
    protective_stop,
    reservation,
    resting,
)

AAPL = Symbol("AAPL")
BTC = Symbol("BTCUSD")
PASS, REFUSE, ASK = Finding.PASS, Finding.REFUSE, Finding.ASK


def limit_at(price: str, quantity: str, **terms: Any) -> Any:
    """Return a BUY LIMIT whose value is exact: the collar does not touch it."""
    stop = str(D(price) - D("0.005"))
    base = {"order_type": OrderType.LIMIT, "limit_price": D(price), "stop_loss": D(stop)}
    return place(quantity=D(quantity), **{**base, **terms})


@pytest.mark.parametrize(
    ("quantity", "finding"), [("19.99", PASS), ("20.00", PASS), ("20.01", REFUSE)]
)
def test_the_largest_order_in_lots(quantity: str, finding: Finding) -> None:
    verdict = Court().verdict("order_quantity", place(quantity=D(quantity)))
    assert (verdict.finding, verdict.limit_name) == (finding, "limits.order_quantity_fx_max")


@pytest.mark.parametrize(("quantity", "finding"), [("10000", PASS), ("10001", REFUSE)])
def test_the_largest_order_in_shares(quantity: str, finding: Finding) -> None:
    court = Court()
    order = place(symbol=AAPL, quantity=D(quantity), stop_loss=D(180))
    assert court.verdict("order_quantity", order).finding is finding


@pytest.mark.parametrize(
    ("equity", "finding"), [("10800.01", PASS), ("10800.00", PASS), ("10799.99", REFUSE)]
)
def test_an_order_up_to_the_equity(equity: str, finding: Finding) -> None:
    verdict = Court().equity(equity).verdict("order_notional", limit_at("1.08", "0.10"))
    assert verdict.finding is finding
    assert (verdict.value, verdict.limit) == (D("10800.00"), D(equity))
    assert verdict.unit == "USD"


def test_the_fix_says_how_many_lots_fit() -> None:
    verdict = Court().equity("14000").verdict("order_notional", limit_at("1.08", "0.20"))
    assert verdict.fix == "at most 0.12 lots fit under this limit now"
    tiny = Court().equity("900").verdict("order_notional", limit_at("1.08", "0.20"))
    assert tiny.fix == "not even the smallest size fits under this limit now"


@pytest.mark.parametrize(("most", "finding"), [("10800", PASS), ("10799.99", REFUSE)])
def test_an_order_up_to_the_absolute_cap(most: str, finding: Finding) -> None:
    court = Court().limit(order_notional_max=D(most))
    assert court.verdict("order_notional_max", limit_at("1.08", "0.10")).finding is finding


@pytest.mark.parametrize(
    ("stop", "finding"), [("0.98511", PASS), ("0.98510", PASS), ("0.98509", REFUSE)]
)
def test_the_loss_at_the_stop(stop: str, finding: Finding) -> None:
    verdict = Court().verdict("risk_per_trade", place(stop_loss=D(stop)))
    assert (verdict.finding, verdict.limit) == (finding, D("1000.00"))


def test_the_loss_at_the_stop_of_a_cross_is_converted() -> None:
    order = place(symbol=Symbol("USDJPY"), stop_loss=D("156.510"), quantity=D("0.10"))
    verdict = Court().verdict("risk_per_trade", order)
    assert verdict.value == D("31.85")  # 0.500 x 10,000 yen at 157.005


@pytest.mark.parametrize(
    ("held", "finding"), [("189200", PASS), ("189200.01", REFUSE), ("189199.99", PASS)]
)
def test_a_position_counts_all_that_may_fill(held: str, finding: Finding) -> None:
    court = Court().reserve(reservation(notional=D(held)))
    verdict = court.verdict("position_size", limit_at("1.08", "0.10"))
    assert (verdict.finding, verdict.limit) == (finding, D("200000.00"))
    assert verdict.headroom == D("200000.00") - D(held)


def test_the_other_side_and_other_symbols_do_not_count_in_a_position() -> None:
    court = Court().reserve(
        reservation(1, notional=D(199_000), side=Side.SELL),
        reservation(2, notional=D(199_000), symbol=Symbol("GBPUSD")),
    )
    assert court.verdict("position_size", limit_at("1.08", "0.10")).finding is PASS


@pytest.mark.parametrize(("held", "finding"), [("489200", PASS), ("489200.01", REFUSE)])
def test_gross_exposure_counts_everything(held: str, finding: Finding) -> None:
    court = Court().reserve(reservation(notional=D(held), symbol=Symbol("GBPUSD")))
    verdict = court.verdict("gross_exposure", limit_at("1.08", "0.10"))
    assert (verdict.finding, verdict.limit) == (finding, D("500000.00"))


def test_a_position_held_counts_in_both() -> None:
    court = Court(positions=(position(quantity=D("1.75")),))  # 189,875 USD
    assert court.verdict("position_size", limit_at("1.08", "0.10")).finding is REFUSE
    assert court.verdict("gross_exposure", limit_at("1.08", "0.10")).value == D("200675.00")


def test_a_market_buy_is_projected_at_the_end_of_its_collar() -> None:
    assert Court().verdict("gross_exposure", place()).value == D("10905.26")
    assert Court().verdict("order_notional", place()).value == D("10851.00")


def test_our_resting_order_counts_once_and_one_made_around_the_gate_too() -> None:
    ours, theirs = resting(tag=Tag("t1")), resting(venue_order_id=VenueOrderId("v9"))
    court = Court(open_orders=(ours, theirs)).attempted(attempt(1)).reserve(reservation(1))
    verdict = court.verdict("gross_exposure", limit_at("1.08", "0.10"))
    assert verdict.value == D(32_400)
    assert court.verdict("open_orders", place()).value == 3


def test_an_order_enlarged_at_the_venue_counts_at_its_new_size() -> None:
    grown = resting(tag=Tag("t1"), quantity=D("0.30"))
    court = Court(open_orders=(grown,)).attempted(attempt(1)).reserve(reservation(1))
    assert court.verdict("gross_exposure", limit_at("1.08", "0.10")).value == D(43_200)
    assert court.verdict("open_orders", place()).value == 2


def test_a_reservation_released_after_the_reading_still_counts() -> None:
    court = Court().reserve(reservation(1, released_seq=8))
    order = limit_at("1.08", "0.10")
    assert court.verdict("gross_exposure", order, mark=7).value == D(21_600)
    assert court.verdict("gross_exposure", order, mark=8).value == D(10_800)


def test_an_order_judged_again_does_not_count_itself() -> None:
    held = reservation(1)
    verdict = (
        Court()
        .reserve(held)
        .verdict("gross_exposure", limit_at("1.08", "0.10"), order_id=held.order_id)
    )
    assert verdict.value == D(10_800)


@pytest.mark.parametrize(
    ("free", "finding", "code"),
    [
        ("50360.00", PASS, None),
        ("50359.99", REFUSE, Code.EXCEEDS_LOCAL_LIMIT),
        ("360.00", REFUSE, Code.EXCEEDS_LOCAL_LIMIT),
        ("359.99", REFUSE, Code.INSUFFICIENT_MARGIN),
    ],
)
def test_half_of_the_equity_stays_free(free: str, finding: Finding, code: Code | None) -> None:
    court = Court().equity(100_000)
    court.account = type(court.account)(
        **{name: getattr(court.account, name) for name in court.account.__slots__}
        | {"margin_free": D(free)}
    )
    verdict = court.verdict("margin_free", limit_at("1.08", "0.10"))  # needs 360 at 1:30
    assert (verdict.finding, verdict.code) == (finding, code)


@pytest.mark.parametrize(("held", "finding"), [(18, PASS), (19, PASS), (20, REFUSE)])
def test_open_opening_orders(held: int, finding: Finding) -> None:
    rows = [reservation(n, notional=D(1), symbol=Symbol("GBPUSD")) for n in range(held)]
    verdict = Court().reserve(*rows).verdict("open_orders", place())
    assert (verdict.finding, verdict.headroom) == (finding, D(20 - held))


@pytest.mark.parametrize(("held", "finding"), [(18, PASS), (19, PASS), (20, REFUSE)])
def test_open_positions(held: int, finding: Finding) -> None:
    rows = tuple(position(position_id=PositionId(f"p{n}"), quantity=D(0)) for n in range(held))
    assert Court(positions=rows).verdict("open_positions", place()).finding is finding


def test_opening_orders_count_as_positions() -> None:
    court = Court(positions=(position(),)).limit(open_positions_max=D(2)).reserve(reservation())
    assert court.verdict("open_positions", place()).finding is REFUSE


@pytest.mark.parametrize(("most", "finding"), [("10800.00", PASS), ("10799.99", ASK)])
def test_orders_approved_by_themselves(most: str, finding: Finding) -> None:
    court = Court().limit(auto_approve_notional=D(most))
    verdict = court.verdict("approval", limit_at("1.08", "0.10"))
    assert verdict.finding is finding
    assert (verdict.value, verdict.limit) == (D("10800.00"), D(most))


def test_nothing_is_approved_by_itself_at_zero() -> None:
    assert Court().limit(auto_approve_notional=D(0)).verdict("approval", place()).finding is ASK


@pytest.mark.parametrize(
    ("quantity", "finding"),
    [("0.09", PASS), ("0.10", PASS), ("0.11", REFUSE), ("5", REFUSE)],
)
def test_a_close_is_refused_only_what_exceeds_the_position(quantity: str, finding: Finding) -> None:
    court = Court(positions=(position(),))
    verdict = court.verdict("reduces_only", close(quantity=D(quantity)))
    assert (verdict.finding, verdict.limit) == (finding, D("0.10"))
    if finding is REFUSE:
        assert (verdict.code, verdict.fix) == (Code.EXCEEDS_POSITION, "send at most 0.1 lots")


def test_all_of_a_position_can_always_be_closed() -> None:
    residue = Court(positions=(position(quantity=D("0.1037")),))
    for intent in (close(), close(quantity=D("0.1037"))):
        assert residue.judge(intent).decision.failed is None


def test_a_close_of_nothing_is_refused_and_an_unread_one_is_warned() -> None:
    assert Court().verdict("reduces_only", close()).code is Code.EXCEEDS_POSITION
    verdict = Court(snapshot_known=False).verdict("reduces_only", close())
    assert (verdict.finding, verdict.code) == (Finding.WARN, Code.DATA_UNAVAILABLE)


@pytest.mark.parametrize(
    ("quantity", "finding"), [("0.05", PASS), ("0.06", PASS), ("0.07", REFUSE)]
)
def test_a15_exits_never_exceed_what_is_held(quantity: str, finding: Finding) -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(quantity=D("0.04")),))
    exit_order = place(
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        limit_price=D("1.09"),
        quantity=D(quantity),
        stop_loss=None,
        reduce_only=True,
    )
    assert court.verdict("reduces_only", exit_order).finding is finding


def test_of_an_oco_group_only_one_fills() -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(),))
    exit_order = place(side=Side.SELL, stop_loss=None, reduce_only=True, oco_group="g")
    assert court.verdict("reduces_only", exit_order).finding is PASS
    larger = place(
        side=Side.SELL, stop_loss=None, reduce_only=True, oco_group="g", quantity=D("0.11")
    )
    assert court.verdict("reduces_only", larger).finding is REFUSE


@pytest.mark.parametrize(("quantity", "finding"), [("0.10", PASS), ("0.11", REFUSE)])
def test_a_resting_exit_is_not_enlarged_beyond_the_position(
    quantity: str, finding: Finding
) -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(quantity=D("0.05")),))
    change = modify(venue_order_id=VenueOrderId("v1"), quantity=D(quantity))
    assert court.verdict("reduces_only", change).finding is finding
    kept = modify(venue_order_id=VenueOrderId("v1"), quantity=KEEP, stop_price=D("1.081"))
    assert court.verdict("reduces_only", kept).finding is Finding.NOT_ASKED


def sell(quantity: str, symbol: Symbol = AAPL, **terms: Any) -> Any:
    stop = {"AAPL": D(195), "BTCUSD": D(96000)}.get(symbol, D("1.09"))
    return place(symbol=symbol, side=Side.SELL, quantity=D(quantity), stop_loss=stop, **terms)


def shares(quantity: str) -> Any:
    return position(
        symbol=AAPL, quantity=D(quantity), current_price=D(190), open_price=D(180), stop_loss=None
    )


@pytest.mark.parametrize(
    ("held", "quantity", "code"),
    [
        (None, "1", Code.SHORT_NOT_ALLOWED),
        ("10", "9", None),
        ("10", "10", None),
        ("10", "11", Code.SHORT_NOT_ALLOWED),
    ],
)
def test_no_equity_is_sold_that_is_not_held(
    held: str | None, quantity: str, code: Code | None
) -> None:
    court = Court(positions=() if held is None else (shares(held),))
    assert court.verdict("no_accidental_short", sell(quantity)).code is code


def test_shares_that_resting_exits_will_sell_are_not_sold_twice() -> None:
    stop = protective_stop(symbol=AAPL, quantity=D(4), stop_price=D(180))
    court = Court(positions=(shares("10"),), open_orders=(stop,))
    assert court.verdict("no_accidental_short", sell("6")).finding is PASS
    assert court.verdict("no_accidental_short", sell("7")).code is Code.SHORT_NOT_ALLOWED


def test_a_sale_of_shares_held_is_told_to_reduce_only() -> None:
    verdict = Court(positions=(shares("10"),)).judge(
        place(symbol=AAPL, side=Side.SELL, quantity=D(10), stop_loss=None)
    )
    assert verdict.decision.failed is not None
    assert verdict.decision.failed.code is Code.STOP_REQUIRED
    assert "reduce_only=true" in verdict.decision.failed.fix


def test_shorts_where_they_are_wanted() -> None:
    assert Court().verdict("no_accidental_short", sell("0.1", Symbol("EURUSD"))).finding is PASS
    assert Court().verdict("no_accidental_short", sell("0.1", BTC)).finding is PASS
    shorts = Court().limit(equity_short_allowed=True)
    assert shorts.verdict("no_accidental_short", sell("1")).finding is PASS
    none = Court(positions=(position(),)).limit(short_allowed=False)
    hedged = none.verdict("no_accidental_short", sell("0.1", Symbol("EURUSD")))
    assert hedged.code is Code.SHORT_NOT_ALLOWED


@pytest.mark.parametrize(("quantity", "code"), [("1", None), ("1.0001", Code.EXCEEDS_POSITION)])
def test_a_netted_position_is_not_turned_round(quantity: str, code: Code | None) -> None:
    held = position(symbol=BTC, quantity=D(1), current_price=D(95000))
    assert Court(positions=(held,)).verdict("no_accidental_short", sell(quantity, BTC)).code is code


def test_money_is_shown_in_cents() -> None:
    verdicts = Court().judge(place(quantity=Decimal("0.13"))).decision.verdicts
    assert not any("account currency" in verdict.unit for verdict in verdicts if verdict.value)
    for verdict in verdicts:
        if verdict.unit != "USD":
            continue
        for amount in (verdict.value, verdict.limit, verdict.headroom):
            assert amount is not None
            assert amount == amount.quantize(D("0.01"))


@pytest.mark.parametrize(("resting_exits", "said"), [((), False), ((protective_stop(),), True)])
def test_resting_exits_that_leave_no_room_are_named(resting_exits: Any, said: bool) -> None:
    court = Court(positions=(position(),), open_orders=resting_exits)
    larger = place(side=Side.SELL, stop_loss=None, reduce_only=True, quantity=D("0.11"))
    verdict = court.verdict("reduces_only", larger)
    assert verdict.finding is REFUSE
    assert ("takes its resting exits out of the way" in verdict.fix) is said
