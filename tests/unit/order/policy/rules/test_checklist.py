"""The lane table of reliability.md 1.2: what each rule may say in each lane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordergate.model.accounts import Mode, SebiPack
from ordergate.model.market import Quality
from ordergate.model.orders import AttemptState, Lane, Side
from ordergate.model.records import HaltKind
from ordergate.model.values import AccountId, PositionId
from ordergate.model.verdicts import Finding, Verb
from ordergate.order.policy.rules.checklist import RULES
from ordergate.order.policy.surroundings import Machine, Peer
from support.histories import asked, filled_by_themselves, lost
from support.judging import (
    Court,
    D,
    attempt,
    baseline,
    cancel,
    claims,
    close,
    halt,
    modify,
    place,
    position,
    protective_stop,
    reservation,
    resting,
)

PASS, WARN, REFUSE, ASK = Finding.PASS, Finding.WARN, Finding.REFUSE, Finding.ASK
SILENT = Finding.NOT_ASKED
EXITS: dict[Lane, Any] = {
    Lane.TIGHTEN: modify(position_id=PositionId("p1"), stop_loss=D("1.081")),
    Lane.CLOSE: close(),
    Lane.CANCEL: cancel(),
}


def dangerous() -> Court:
    """Return a gate where everything is wrong at once, with a position and an opening order."""
    court = Court(
        mode=Mode.LIVE,
        positions=(position(),),
        open_orders=(resting(),),
        release_away=D(5),
    ).equity("50")
    court.halted(halt(), halt(HaltKind.HALT)).limit(symbols_allow=(), short_allowed=False)
    court.limit(news_blackout_s=D(900))
    court.measured_from(baseline())
    court.used(orders=10_000, notional="1000000000")
    court.reserve(*(reservation(n + 10, notional=D(10**6)) for n in range(30)))
    court.attempted(*(attempt(n + 10, state=AttemptState.UNKNOWN) for n in range(5)))
    for lane, intent in ((Lane.OPEN, place()), *EXITS.items()):
        court.claimed(*claims(intent, *[5] * 70, now=court.clock.now(), lane=lane))
    court.machine = Machine(lag_s=D(9), jump_s=D(9), writable=False)
    court.peers, court.clock_skew, court.trade_allowed = (Peer("old", "another"),), 9.0, False
    court.sebi = SebiPack(
        algo_id=None,
        static_ip=None,
        second_factor_age_s=None,
        signed_in_today=None,
        trail_years=None,
    )
    (past,) = claims(place(), 400, now=court.clock.now())
    court.claimed(replace(past, price=D(1)))
    court.open_orders += (resting(venue_order_id="v2", side=Side.SELL, limit_price=D("1.09")),)
    court.market.advance(hours=8, seconds=-10)
    asked(filled_by_themselves(lost(court, 30), 30), 30, waiting=True)
    court.market.close_session("EURUSD")
    court.market.set("EURUSD", "1.08500", "1.10000")
    court.market.judge("EURUSD", Quality.STALE)
    return court


OPEN_REFUSES = {
    "kill_switch",
    "halts",
    "live_armed",
    "live_grant",
    "symbol_allowed",
    "market_open",
    "quote_fresh",
    "spread",
    "order_notional",
    "position_size",
    "gross_exposure",
    "book_position_size",
    "book_gross_exposure",
    "book_net_exposure",
    "book_daily_loss",
    "margin_free",
    "open_orders",
    "open_positions",
    "daily_loss",
    "orders_per_day",
    "account_orders_per_day",
    "notional_per_day",
    "account_notional_per_day",
    "agent_notional_per_day",
    "agent_open_exposure",
    "throttle",
    "repetition",
    "duplicate",
    "unknown_orders",
    "unknown_in_symbol",
    "stop_required",
    *("journal_writable", "one_version", "venue_clock", "wall_clock", "loop_lag", "sebi_pack"),
    *("trade_mode", "rollover", "price_drift", "self_trade", "hands_off_fills", "losing_closes"),
    *("net_exposure", "stress_loss", "open_orders_value", "weekly_loss", "drawdown"),
    *("account_throttle", "asks_waiting", "asks_in_hour", "news_window"),
}
EVERYWHERE = {
    *("market_open", "trade_mode", "rollover", "news_window", "throttle", "account_throttle"),
    *("journal_writable", "one_version", "venue_clock", "wall_clock", "loop_lag", "sebi_pack"),
}
AGAIN = {"hands_off_fills", "losing_closes"}
WARNS = {
    Lane.TIGHTEN: EVERYWHERE | {"quote_fresh", "spread"},
    Lane.CLOSE: EVERYWHERE | {"quote_fresh", "spread", "duplicate"} | AGAIN,
    Lane.CANCEL: EVERYWHERE,
}


def test_a_dangerous_world_refuses_an_opening_order_by_every_rule() -> None:
    order = place(stop_loss=None)
    verdicts = dangerous().judge(order).decision.verdicts
    assert {row.rule for row in verdicts if row.finding is REFUSE} == OPEN_REFUSES


@pytest.mark.parametrize("lane", EXITS)
def test_a16_no_exit_is_refused_in_a_dangerous_world(lane: Lane) -> None:
    decision = dangerous().judge(EXITS[lane]).decision
    assert (decision.lane, decision.verb, decision.failed) == (lane, Verb.ALLOW, None)
    assert {row.rule for row in decision.warnings} == WARNS[lane]


@pytest.mark.parametrize("lane", EXITS)
def test_no_exit_ever_halts_anything(lane: Lane) -> None:
    assert dangerous().judge(EXITS[lane]).halt_reasons == ()


@pytest.mark.parametrize("lane", [Lane.CLOSE, Lane.CANCEL])
def test_an_exit_passes_where_nothing_is_known(lane: Lane) -> None:
    court = dangerous().attempted(attempt(1))
    court.snapshot_known = False
    court.market.forget("EURUSD")
    decision = court.judge(EXITS[lane]).decision
    assert (decision.lane, decision.verb) == (lane, Verb.ALLOW)
    assert "account_proven" in {row.rule for row in decision.warnings}


def test_taking_a_stop_away_is_refused_where_new_risk_is() -> None:
    court = Court(positions=(position(),), open_orders=(protective_stop(),)).halted(halt())
    for intent in (modify(position_id=PositionId("p1"), stop_loss=None), cancel()):
        failed = court.judge(intent).decision.failed
        assert failed is not None
        assert failed.rule == "kill_switch"


def test_an_exit_to_another_account_is_warned_about_by_the_proof() -> None:
    court = Court(positions=(position(),))
    verdict = court.verdict("account_proven", close(account=AccountId("paper-2")))
    assert verdict.finding is WARN


def test_only_form_and_c18_may_refuse_outside_the_open_lane() -> None:
    refusing = {
        rule.control.number
        for rule in RULES
        for lane in ("tighten", "close", "cancel")
        if getattr(rule, lane).name == "REFUSE"
    }
    assert refusing == {"C1", "C18"}


def test_every_rule_has_a_name_of_its_own_and_its_verdict_carries_it() -> None:
    names = [rule.control.rule for rule in RULES]
    assert len(set(names)) == len(names)
    court = Court(positions=(position(),), open_orders=(resting(),))
    for intent in (place(), place(side=Side.SELL, stop_loss=D("1.09")), *EXITS.values()):
        verdicts = court.judge(intent).decision.verdicts
        assert [row.rule for row in verdicts] == names
        assert [row.control for row in verdicts] == [rule.control.number for rule in RULES]


def test_every_refusal_says_why_and_what_to_do() -> None:
    court = dangerous()
    decisions = [court.judge(place(stop_loss=None, quantity=D(30))).decision]
    decisions.append(Court().judge(place(stop_loss=D("1.2"), take_profit=D("1.0"))).decision)
    for decision in decisions:
        for row in decision.verdicts:
            if row.finding in (REFUSE, ASK, WARN):
                assert row.code is not None
                assert row.message
                assert row.fix


def test_the_first_rule_in_declared_order_names_the_answer() -> None:
    court = Court().halted(halt())
    failed = court.judge(place(stop_loss=None, quantity=D(30))).decision.failed
    assert failed is not None
    assert failed.rule == "kill_switch"
