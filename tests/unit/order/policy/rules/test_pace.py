from __future__ import annotations

from typing import Any

import pytest

from ordergate.model.errors import Code
from ordergate.model.orders import OrderType, Side
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import ScopeKind
from ordergate.model.values import OrderId, PrincipalId, Symbol
from ordergate.model.verdicts import Finding, Verb
from support.judging import AGENT, Court, D, claims, place

PASS, REFUSE = Finding.PASS, Finding.REFUSE
OTHER = Principal(PrincipalId("other"), Kind.AGENT, "other")
LIMIT: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D("1.08")}


@pytest.mark.parametrize(("used", "finding"), [(98, PASS), (99, PASS), (100, REFUSE)])
def test_opening_orders_of_a_principals_day(used: int, finding: Finding) -> None:
    verdict = Court().used(orders=used).verdict("orders_per_day", place())
    assert (verdict.finding, verdict.headroom) == (finding, D(100 - used))


def test_another_principals_orders_count_for_the_account() -> None:
    court = Court().used(orders=200, by=OTHER)
    assert court.verdict("orders_per_day", place()).finding is PASS
    assert court.verdict("account_orders_per_day", place()).finding is REFUSE
    assert Court().used(orders=199, by=OTHER).judge(place()).decision.verb is Verb.ALLOW


@pytest.mark.parametrize(
    ("used", "finding"), [("1989200.00", PASS), ("1989200.01", REFUSE), ("0", PASS)]
)
def test_value_of_the_accounts_day(used: str, finding: Finding) -> None:
    order = place(stop_loss=D("1.075"), **LIMIT)  # worth 10,800
    verdict = Court().used(notional=used, by=OTHER).verdict("notional_per_day", order)
    assert (verdict.finding, verdict.limit) == (finding, D("2000000.00"))


@pytest.mark.parametrize(("sent", "finding"), [(58, PASS), (59, PASS), (60, REFUSE)])
def test_requests_a_minute(sent: int, finding: Finding) -> None:
    court = Court()
    court.claimed(*claims(place(symbol=Symbol("GBPUSD")), *[30] * sent, now=court.clock.now()))
    verdict = court.verdict("throttle", place())
    assert verdict.finding is finding
    if finding is REFUSE:
        assert verdict.code is Code.RATE_LIMIT_EXCEEDED


def test_requests_of_others_do_not_throttle() -> None:
    court = Court()
    court.claimed(*claims(place(), *[30] * 90, now=court.clock.now(), principal=OTHER))
    assert court.verdict("throttle", place()).value == 1


@pytest.mark.parametrize(("sent", "finding"), [(18, PASS), (19, PASS), (20, REFUSE)])
def test_the_same_side_again_and_again_halts(sent: int, finding: Finding) -> None:
    court = Court()
    court.claimed(*claims(place(**LIMIT), *[120] * sent, now=court.clock.now()))
    verdict = court.verdict("repetition", place())
    halts = ScopeKind.AGENT if finding is REFUSE else None
    assert (verdict.finding, verdict.halts) == (finding, halts)
    assert court.verdict("repetition", place(side=Side.SELL, stop_loss=D("1.09"))).value == 1


@pytest.mark.parametrize(("age", "finding"), [(0, REFUSE), (59, REFUSE), (60, PASS), (61, PASS)])
def test_the_same_order_twice(age: int, finding: Finding) -> None:
    court = Court()
    court.claimed(*claims(place(), age, now=court.clock.now()))
    verdict = court.verdict("duplicate", place(stop_loss=D("1.0802")))
    assert verdict.finding is finding
    if finding is REFUSE:
        assert (verdict.code, verdict.value) == (Code.DUPLICATE_ORDER, D(age))
        assert "r0" in verdict.message


def test_another_size_is_another_order_and_one_is_no_duplicate_of_itself() -> None:
    court = Court()
    court.claimed(*claims(place(), 5, now=court.clock.now()))
    assert court.verdict("duplicate", place(quantity=D("0.11"))).finding is PASS
    assert court.verdict("duplicate", place(), order_id=OrderId("r0")).finding is PASS


def test_an_agent_and_its_twin_count_as_one_for_duplicates() -> None:
    court = Court()
    court.claimed(*claims(place(), 5, now=court.clock.now(), principal=OTHER))
    assert court.verdict("duplicate", place(), asker=AGENT).finding is REFUSE
