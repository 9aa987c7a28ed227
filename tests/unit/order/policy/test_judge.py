from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ordergate.model.orders import Side
from ordergate.model.records import Tightening
from ordergate.model.values import OrderId, PrincipalId, Symbol
from ordergate.model.verdicts import Verb
from support.judging import Court, D, close, modify, place, position, reservation, state
from support.manual_market import STANDARD, fx


def test_a_newcomers_first_orders_pass() -> None:
    for order in (
        place(),
        place(side=Side.SELL, stop_loss=D("1.09000")),
        place(symbol=Symbol("AAPL"), quantity=D(10), stop_loss=D(185)),
        place(symbol=Symbol("BTCUSD"), quantity=D("0.01"), stop_loss=D(94000)),
    ):
        judgement = Court().judge(order)
        assert judgement.decision.verb is Verb.ALLOW, judgement.decision.failed


def test_a_large_order_asks_and_a_huge_one_is_refused() -> None:
    large = Court().judge(place(quantity=D("0.5")))
    assert large.decision.verb is Verb.ASK
    assert large.decision.failed is not None
    assert large.decision.failed.value == D("54255.00")
    assert Court().judge(place(quantity=D(30))).decision.verb is Verb.DENY


def test_what_an_opening_order_reserves() -> None:
    exposure = Court().judge(place()).exposure
    assert exposure is not None
    assert exposure.notional == D("10905.255")
    assert exposure.risk == D(50)
    assert (exposure.reference_price, exposure.worst_price) == (D("1.08510"), D("1.0905255"))


def test_exits_reserve_nothing() -> None:
    court = Court(positions=(position(),))
    assert court.judge(close()).exposure is None
    assert (
        court.judge(modify(position_id=position().position_id, stop_loss=D("1.081"))).exposure
        is None
    )


def test_the_band_lies_around_the_market_on_whole_ticks() -> None:
    judgement = Court().judge(place())
    assert (judgement.band_low, judgement.band_high) == (D("1.07967"), D("1.09053"))
    wider = Court().limit(approval_band_fraction=D("0.01")).judge(place())
    assert (wider.band_low, wider.band_high) == (D("1.07424"), D("1.09596"))


def test_an_account_in_yen_is_judged_in_yen() -> None:
    court = Court(
        account=state(
            currency="JPY",
            equity=D(15_000_000),
            margin_free=D(15_000_000),
            day_start_equity=D(15_000_000),
        )
    ).limit(auto_approve_notional=D(3_000_000))
    verdict = court.verdict("order_notional", place())
    assert verdict.value == D("1703661.26")  # 10,851 USD at 157.005


def test_no_pair_to_convert_with_is_a_missing_fact() -> None:
    court = Court()
    court.market = type(court.market)(instruments=[*STANDARD, fx("USDSEK")])
    court.__post_init__()
    court.market.set("EURUSD", "1.08500", "1.08510")
    court.account = state(currency="SEK")
    decision = court.judge(place()).decision
    assert decision.verb is Verb.DENY
    assert decision.failed is not None
    assert decision.failed.rule == "order_notional"


def test_a_tightening_acts_at_the_very_next_judgement() -> None:
    court = Court()
    before = court.judge(place())
    court.tx.add_tightening(
        Tightening(
            limit_name="limits.auto_approve_notional",
            value=Decimal(10_000),
            set_by=PrincipalId("local-agent"),
            set_at=datetime(2026, 1, 7, tzinfo=UTC),
            reason="careful",
        )
    )
    after = court.judge(place())
    assert (before.decision.verb, after.decision.verb) == (Verb.ALLOW, Verb.ASK)
    assert before.policy_hash != after.policy_hash == court.seat.policy_hash(court.tx)
    assert court.seat.effective(court.tx).auto_approve_notional == 10_000
    views = {view.name: view for view in court.seat.views(court.tx)}
    assert views["limits.auto_approve_notional"].source == "tightened by local-agent"


def test_a_changed_file_acts_at_the_very_next_judgement() -> None:
    court = Court()
    assert court.judge(place()).decision.verb is Verb.ALLOW
    court.limit(auto_approve_notional=D(1))
    assert court.judge(place()).decision.verb is Verb.ASK


def test_the_same_facts_give_the_same_words() -> None:
    assert Court().judge(place()) == Court().judge(place())


@pytest.mark.parametrize("symbol", ["GBPUSD", "USDJPY", "XAUUSD", "AAPL", "BTCUSD"])
def test_a_position_elsewhere_does_not_stop_a_small_order(symbol: str) -> None:
    held = position(symbol=Symbol(symbol), quantity=D("0.01"), current_price=D(100))
    assert Court(positions=(held,)).judge(place()).decision.verb is Verb.ALLOW


@pytest.mark.parametrize(
    ("cap", "value"),
    [("gross_exposure_fraction", D("0.5")), ("position_notional_fraction", D("0.5"))],
)
def test_a7_orders_one_after_another_never_pass_a_cap(cap: str, value: Decimal) -> None:
    court = Court().limit(**{cap: value})
    held = D(0)
    for n in range(10):
        judgement = court.judge(place(), order_id=OrderId(f"o{n}"))
        if judgement.decision.verb is not Verb.ALLOW:
            break
        assert judgement.exposure is not None
        court.reserve(reservation(n, notional=judgement.exposure.notional))
        held += judgement.exposure.notional
    assert n == 4
    assert held <= D(50_000)
