"""Budgets at, just below and just above each limit; one agent's use is not another's."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.errors import Code
from ordergate.model.orders import Lane, OrderType
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import Usage
from ordergate.model.values import OrderId, PositionId, PrincipalId
from ordergate.model.verdicts import Finding, Verb
from ordergate.order.policy.facts import Request
from ordergate.order.policy.recall import recall
from ordergate.order.policy.rules.budgets import agent_loss, agent_value
from support.judging import (
    ACCOUNT,
    AGENT,
    DAY,
    Court,
    D,
    attempt,
    close,
    place,
    position,
    reservation,
)
from support.order_records import an_order

PASS, REFUSE = Finding.PASS, Finding.REFUSE
OTHER = Principal(PrincipalId("other"), Kind.AGENT, "other")
LIMIT: dict[str, Any] = {
    "order_type": OrderType.LIMIT,
    "limit_price": D("1.08"),
    "stop_loss": D("1.075"),
}  # worth 10,800


def opened(court: Court, *, by: Principal = AGENT, **terms: Any) -> Court:
    """Give the court a position that `by` opened through the gate."""
    court.positions = (position(**terms),)
    record = an_order(place(), order_id=OrderId("o1"), principal=by.id)
    court.books.orders[record.order_id] = record
    return court.attempted(attempt(position_id=PositionId("p1"), filled_quantity=D("0.10")))


@pytest.mark.parametrize(
    ("used", "finding"), [("1989199.99", PASS), ("1989200.00", PASS), ("1989200.01", REFUSE)]
)
def test_value_of_one_principals_day(used: str, finding: Finding) -> None:
    verdict = Court().used(notional=used).verdict("agent_notional_per_day", place(**LIMIT))
    assert (verdict.finding, verdict.limit) == (finding, D("2000000.00"))
    other = Court().used(notional=used, by=OTHER)
    assert other.verdict("agent_notional_per_day", place(**LIMIT)).finding is PASS


@pytest.mark.parametrize(
    ("used", "finding"), [("989199.99", PASS), ("989200.00", PASS), ("989200.01", REFUSE)]
)
def test_value_of_the_accounts_day_in_money(used: str, finding: Finding) -> None:
    court = Court().limit(account_notional_per_day_max=D(1_000_000)).used(notional=used, by=OTHER)
    verdict = court.verdict("account_notional_per_day", place(**LIMIT))
    assert (verdict.finding, verdict.headroom) == (finding, D(1_000_000) - D(used))


@pytest.mark.parametrize(
    ("held", "finding"), [("489199.99", PASS), ("489200.00", PASS), ("489200.01", REFUSE)]
)
def test_all_that_one_principal_has_on_its_way(held: str, finding: Finding) -> None:
    court = Court().reserve(reservation(notional=D(held)))
    verdict = court.verdict("agent_open_exposure", place(**LIMIT))
    assert (verdict.finding, verdict.limit) == (finding, D("500000.00"))
    assert verdict.value == D(held) + D(10_800)
    other = Court().reserve(reservation(notional=D(held), principal=OTHER.id))
    assert other.verdict("agent_open_exposure", place(**LIMIT)).finding is PASS


def test_a_position_it_opened_counts_and_another_agents_does_not() -> None:
    tight = D(21_650)  # 10,850 held at the bid and 10,800 more
    mine = opened(Court().limit(agent_open_exposure_max=tight))
    assert mine.verdict("agent_open_exposure", place(**LIMIT)).finding is PASS
    mine.limit(agent_open_exposure_max=tight - D("0.01"))
    assert mine.verdict("agent_open_exposure", place(**LIMIT)).finding is REFUSE
    theirs = opened(Court().limit(agent_open_exposure_max=D(10_800)), by=OTHER)
    assert theirs.verdict("agent_open_exposure", place(**LIMIT)).finding is PASS
    leaving = Court().limit(agent_open_exposure_max=D(10_800)).reserve(reservation(reduces=True))
    assert leaving.verdict("agent_open_exposure", place(**LIMIT)).finding is PASS, "an exit"


@pytest.mark.parametrize(
    ("realised", "open_pnl", "finding"),
    [
        ("-1999.99", "0", PASS),
        ("-2000.00", "0", REFUSE),
        ("-2000.01", "0", REFUSE),
        ("0", "-2000.00", REFUSE),
        ("-1500", "-500", REFUSE),
        ("-1500", "-499.99", PASS),
        ("-2500", "501", PASS),
    ],
)
def test_what_its_own_trades_lost_ends_a_principals_day(
    realised: str, open_pnl: str, finding: Finding
) -> None:
    court = opened(Court(), open_pnl=D(open_pnl))
    court.books.usage[ACCOUNT, AGENT.id, DAY] = Usage(orders=1, notional=D(1), result=D(realised))
    verdict = court.verdict("agent_daily_loss", place())
    assert (verdict.finding, verdict.limit) == (finding, D("2000.00"))
    assert court.verdict("agent_daily_loss", place(), asker=OTHER).finding is PASS
    assert court.judge(place()).halt_reasons == (), "the day of one agent halts nobody else"
    exit_ = court.judge(close()).decision
    assert (exit_.lane, exit_.verb) == (Lane.CLOSE, Verb.ALLOW)


def test_without_the_account_or_a_price_no_budget_lets_an_order_through() -> None:
    blind = Court()
    blind.snapshot_known = False
    for rule in ("agent_daily_loss", "agent_open_exposure", "agent_notional_per_day"):
        assert blind.verdict(rule, place()).code is Code.DATA_UNAVAILABLE
    unpriced = opened(Court(), current_price=None, open_pnl=None)
    for rule in ("agent_daily_loss", "agent_open_exposure"):
        assert unpriced.verdict(rule, place()).code is Code.DATA_UNAVAILABLE


def test_a_day_that_cannot_be_read_lets_nothing_through() -> None:
    text = Court().judge(place()).facts_json
    facts = dataclasses.replace(recall(place(), text), used=None)
    request = Request(place(), Lane.OPEN)
    assert agent_loss(request, facts).code is Code.DATA_UNAVAILABLE
    assert agent_value(request, facts).code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize(
    ("mode", "allowed", "finding"),
    [
        (Mode.PAPER, False, PASS),
        (Mode.DEMO, False, PASS),
        (Mode.LIVE, False, REFUSE),
        (Mode.LIVE, True, PASS),
    ],
)
def test_limits_for_demo_accounts_open_nothing_live(
    mode: Mode, allowed: bool, finding: Finding
) -> None:
    court = Court(mode=mode).limit(live_allowed=allowed)
    assert court.verdict("live_allowed", place()).finding is finding
