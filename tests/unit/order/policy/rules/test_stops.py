from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side
from ordergate.model.values import PositionId, Symbol, VenueOrderId
from ordergate.model.verdicts import Finding, Verb
from support.judging import Court, D, cancel, modify, place, position, protective_stop
from support.manual_market import STANDARD, ManualMarket

PASS, REFUSE, ASK = Finding.PASS, Finding.REFUSE, Finding.ASK


def test_an_order_without_a_stop_is_refused_with_a_stop_to_send() -> None:
    verdict = Court().verdict("stop_required", place(stop_loss=None))
    assert (verdict.finding, verdict.code) == (REFUSE, Code.STOP_REQUIRED)
    assert verdict.fix == (
        "send stop_loss below 1.0851, at 0.9851 or nearer to keep within the risk limit"
    )
    assert (verdict.value, verdict.limit, verdict.headroom) == (D("10851"), D(1000), D(1000))
    sold = Court().verdict("stop_required", place(stop_loss=None, side=Side.SELL))
    assert "above 1.085, at 1.185 or nearer" in sold.fix


def test_where_any_stop_keeps_within_the_risk_none_is_named() -> None:
    # 1 % of 1,085,100 is what 0.10 lots lose from 1.08510 down to nothing.
    rich = Court().equity("1085100").verdict("stop_required", place(stop_loss=None))
    assert rich.fix == "send stop_loss below 1.0851"
    less = Court().equity("1085000").verdict("stop_required", place(stop_loss=None))
    assert "at 0.0001 or nearer" in less.fix


def test_what_reduces_shares_needs_no_stop_where_some_are_held() -> None:
    sale = place(symbol=Symbol("AAPL"), side=Side.SELL, quantity=D(1), stop_loss=None)
    assert "to reduce" not in Court().verdict("stop_required", sale).fix
    held = position(symbol=Symbol("AAPL"), quantity=D(10), stop_loss=None)
    court = Court(positions=(held,))
    assert "to reduce the 10 lots held" in court.verdict("stop_required", sale).fix


def test_the_operator_may_waive_the_stop() -> None:
    order = place(stop_loss=None)
    assert Court().limit(stop_required=False).verdict("stop_required", order).finding is PASS
    waived = Court().limit(stop_waived_symbols=("EURUSD",))
    assert waived.verdict("stop_required", order).finding is PASS
    assert waived.judge(order).decision.verb is Verb.ALLOW


MARKET_BUY: dict[str, Any] = {}
MARKET_SELL: dict[str, Any] = {"side": Side.SELL}
BUY_LIMIT: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D("1.08")}
SELL_STOP: dict[str, Any] = {
    "side": Side.SELL,
    "order_type": OrderType.STOP,
    "stop_price": D("1.08"),
}


@pytest.mark.parametrize(
    ("terms", "stop", "finding"),
    [
        (MARKET_BUY, "1.08499", PASS),
        (MARKET_BUY, "1.08500", REFUSE),  # at the bid it would trigger at once
        (MARKET_BUY, "1.09000", REFUSE),
        (MARKET_SELL, "1.08511", PASS),
        (MARKET_SELL, "1.08510", REFUSE),
        (MARKET_SELL, "1.08000", REFUSE),
        (BUY_LIMIT, "1.07999", PASS),
        (BUY_LIMIT, "1.08000", REFUSE),
        (SELL_STOP, "1.08001", PASS),
        (SELL_STOP, "1.08000", REFUSE),
    ],
)
def test_a18_the_stop_lies_on_the_right_side(
    terms: dict[str, Any], stop: str, finding: Finding
) -> None:
    verdict = Court().verdict("stop_side", place(stop_loss=D(stop), **terms))
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.code is Code.INVALID_STOPS


@pytest.mark.parametrize(
    ("terms", "target", "finding"),
    [
        (MARKET_BUY, "1.08511", PASS),
        (MARKET_BUY, "1.08510", REFUSE),
        (MARKET_SELL, "1.08499", PASS),
        (MARKET_SELL, "1.08500", REFUSE),
        (BUY_LIMIT, "1.08001", PASS),
        (BUY_LIMIT, "1.08000", REFUSE),
    ],
)
def test_the_target_lies_on_the_other_side(
    terms: dict[str, Any], target: str, finding: Finding
) -> None:
    stop = D("1.09") if terms.get("side") is Side.SELL else D("1.07")
    verdict = Court().verdict("stop_side", place(stop_loss=stop, take_profit=D(target), **terms))
    assert verdict.finding is finding


def near_market(ticks: int) -> Court:
    specs = [replace(spec, stops_level_ticks=ticks) for spec in STANDARD]
    return Court(market=ManualMarket(instruments=specs))


@pytest.mark.parametrize(("stop", "finding"), [("1.08490", PASS), ("1.08491", REFUSE)])
def test_the_venues_smallest_distance(stop: str, finding: Finding) -> None:
    verdict = near_market(10).verdict("stop_side", place(stop_loss=D(stop)))
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.fix == "send the stop at 1.0849 or lower"
        said = "the stop of a buy must lie at 1.0849 or lower; 1.08491 does not"
        assert verdict.message == said, "what is asked for is what would pass"


@pytest.mark.parametrize(("stop", "finding"), [("1.08520", PASS), ("1.08519", REFUSE)])
def test_the_venues_smallest_distance_of_a_sale(stop: str, finding: Finding) -> None:
    sale = place(side=Side.SELL, stop_loss=D(stop))
    verdict = near_market(10).verdict("stop_side", sale)
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.fix == "send the stop at 1.0852 or higher"


def test_a_stop_at_the_entry_is_compared_with_no_target() -> None:
    order = place(
        order_type=OrderType.LIMIT,
        limit_price=D("1.08"),
        stop_loss=D("1.08"),
        take_profit=D("1.09"),
    )
    assert Court().verdict("reward_risk", order).finding is Finding.NOT_ASKED


@pytest.mark.parametrize(
    ("target", "finding"), [("1.08911", PASS), ("1.08910", PASS), ("1.08909", REFUSE)]
)
def test_reward_for_the_risk(target: str, finding: Finding) -> None:
    # 50 pips to the stop, 40 to the target: 0.8.
    verdict = Court().verdict("reward_risk", place(take_profit=D(target)))
    assert verdict.finding is finding
    if finding is REFUSE:
        assert "1.0891 or higher" in verdict.fix


def test_an_even_bracket_passes_from_either_side_of_the_spread() -> None:
    for mid in ("1.08500", "1.08505", "1.08510"):
        order = place(stop_loss=D(mid) - D("0.001"), take_profit=D(mid) + D("0.001"))
        assert Court().judge(order).decision.verb is Verb.ALLOW


def test_without_a_target_nothing_is_compared() -> None:
    assert Court().verdict("reward_risk", place()).finding is Finding.NOT_ASKED


@pytest.mark.parametrize(
    ("stop", "verb"),
    [
        (D("1.08001"), Verb.ALLOW),
        (D("1.08000"), Verb.ALLOW),
        (D("1.07999"), Verb.ASK),
        (None, Verb.ASK),
    ],
)
def test_a33_a_wider_or_removed_stop_needs_a_yes(stop: Any, verb: Verb) -> None:
    court = Court(positions=(position(),))
    judgement = court.judge(modify(position_id=PositionId("p1"), stop_loss=stop))
    assert judgement.decision.verb is verb
    if verb is Verb.ASK:
        assert judgement.decision.failed is not None
        assert judgement.decision.failed.rule == "widening"
        assert judgement.exposure is not None
        assert judgement.exposure.notional == 0


def test_a33_cancelling_the_stop_leg_needs_a_yes() -> None:
    court = Court(positions=(position(stop_loss=None),), open_orders=(protective_stop(),))
    assert court.judge(cancel()).decision.verb is Verb.ASK


@pytest.mark.parametrize(
    ("stop", "finding"), [("1.08499", Finding.NOT_ASKED), ("1.08500", Finding.WARN)]
)
def test_a_stop_beyond_the_market_is_warned_about(stop: str, finding: Finding) -> None:
    court = Court(positions=(position(),))
    verdict = court.verdict("stop_side", modify(position_id=PositionId("p1"), stop_loss=D(stop)))
    assert verdict.finding is (PASS if finding is Finding.NOT_ASKED else finding)


@pytest.mark.parametrize(("stop", "finding"), [("1.08511", PASS), ("1.08510", Finding.WARN)])
def test_a_stop_of_a_short_position_beyond_the_market_is_warned_about(
    stop: str, finding: Finding
) -> None:
    court = Court(positions=(position(side=Side.SELL, stop_loss=D("1.09")),))
    verdict = court.verdict("stop_side", modify(position_id=PositionId("p1"), stop_loss=D(stop)))
    assert verdict.finding is finding


def test_the_stop_of_a_resting_entry_may_be_moved_like_any_order() -> None:
    entry = Court(open_orders=(entry_order(),))
    wider = modify(venue_order_id=VenueOrderId("v1"), stop_loss=D("1.07"))
    assert entry.judge(wider).decision.verb is Verb.ALLOW
    gone = modify(venue_order_id=VenueOrderId("v1"), stop_loss=None)
    failed = entry.judge(gone).decision.failed
    assert failed is not None
    assert failed.code is Code.STOP_REQUIRED


def entry_order() -> Any:
    return protective_stop(
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        stop_price=None,
        limit_price=D("1.08"),
        stop_loss=D("1.075"),
        reduce_only=False,
        symbol=Symbol("EURUSD"),
    )
