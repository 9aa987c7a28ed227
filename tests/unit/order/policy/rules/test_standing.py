from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.errors import Code
from ordergate.model.orders import AttemptState
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import AccountId, Symbol
from ordergate.model.verdicts import Finding, Halting, Verb
from support.judging import ACCOUNT, AGENT, Court, D, attempt, halt, place, position

PASS, REFUSE = Finding.PASS, Finding.REFUSE


@pytest.mark.parametrize(
    ("kind", "rule", "code"),
    [
        (HaltKind.KILL, "kill_switch", Code.KILL_SWITCH_ACTIVE),
        (HaltKind.HALT, "halts", Code.HALTED),
    ],
)
@pytest.mark.parametrize(
    ("scope", "target", "stops"),
    [
        (ScopeKind.GLOBAL, "", True),
        (ScopeKind.ACCOUNT, ACCOUNT, True),
        (ScopeKind.ACCOUNT, "paper-2", False),
        (ScopeKind.AGENT, AGENT.id, True),
        (ScopeKind.AGENT, "other", False),
        (ScopeKind.SYMBOL, "EURUSD", True),
        (ScopeKind.SYMBOL, "GBPUSD", False),
    ],
)
def test_a_stop_holds_in_its_scope(
    kind: HaltKind, rule: str, code: Code, scope: ScopeKind, target: str, *, stops: bool
) -> None:
    court = Court().halted(halt(kind, scope=scope, target=target))
    verdict = court.verdict(rule, place())
    assert verdict.finding is (REFUSE if stops else PASS)
    assert verdict.code is (code if stops else None)


@pytest.mark.parametrize(
    ("mode", "verb"), [(Mode.PAPER, Verb.ALLOW), (Mode.DEMO, Verb.ALLOW), (Mode.LIVE, Verb.DENY)]
)
def test_without_an_arming_live_is_closed_to_new_risk(mode: Mode, verb: Verb) -> None:
    decision = Court(mode=mode).judge(place()).decision
    assert decision.verb is verb
    if verb is Verb.DENY:
        assert decision.failed is not None
        assert decision.failed.code is Code.LIVE_NOT_ARMED


def test_an_account_that_is_not_read_or_read_too_long_ago_denies() -> None:
    for court in (Court(snapshot_known=False), Court(snapshot_age=5.001)):
        failed = court.judge(place()).decision.failed
        assert failed is not None
        assert (failed.rule, failed.code) == ("account_proven", Code.DATA_UNAVAILABLE)
    assert Court(snapshot_age=5.0).judge(place()).decision.verb is Verb.ALLOW


def test_another_account_number_is_refused() -> None:
    verdict = Court().verdict("account_proven", place(account=AccountId("paper-2")))
    assert (verdict.finding, verdict.code) == (REFUSE, Code.RESOURCE_NOT_FOUND)


def test_a_position_without_a_price_denies() -> None:
    court = Court(positions=(position(current_price=None),))
    verdict = court.verdict("account_proven", place())
    assert (verdict.finding, verdict.code) == (REFUSE, Code.DATA_UNAVAILABLE)
    assert "EURUSD" in verdict.message


def test_symbols_by_list() -> None:
    assert Court().verdict("symbol_allowed", place()).finding is PASS
    denied = Court().limit(symbols_deny=("EURUSD",)).verdict("symbol_allowed", place())
    assert (denied.finding, denied.code) == (REFUSE, Code.EXCEEDS_LOCAL_LIMIT)
    assert "deny-list" in denied.message
    assert denied.limit_name == "limits.symbols_deny"
    other = Court().limit(symbols_allow=("GBPUSD",)).verdict("symbol_allowed", place())
    assert "not on the allow-list" in other.message


GBPUSD = Symbol("GBPUSD")


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.PARKED])
def test_one_opening_in_doubt_closes_its_symbol(state: AttemptState) -> None:
    court = Court().attempted(attempt(1, state=state))
    verdict = court.verdict("unknown_in_symbol", place())
    assert (verdict.finding, verdict.code) == (REFUSE, Code.ORDER_UNKNOWN)
    other = place(symbol=GBPUSD, stop_loss=D("1.26"))
    assert court.verdict("unknown_in_symbol", other).finding is PASS


@pytest.mark.parametrize(("count", "finding"), [(1, PASS), (2, PASS), (3, REFUSE), (4, REFUSE)])
def test_three_openings_in_doubt_halt_the_account(count: int, finding: Finding) -> None:
    rows = [attempt(n, symbol=GBPUSD, state=AttemptState.UNKNOWN) for n in range(count)]
    court = Court().attempted(*rows)
    judgement = court.judge(place())
    assert court.verdict("unknown_orders", place()).finding is finding
    assert judgement.halt_reasons == (
        (Halting("unknown_orders", ScopeKind.ACCOUNT),) if finding is REFUSE else ()
    )


@pytest.mark.parametrize(("age", "finding"), [(299, PASS), (300, PASS), (301, REFUSE)])
def test_one_opening_in_doubt_for_too_long_halts_the_account(age: int, finding: Finding) -> None:
    court = Court()
    row = attempt(1, symbol=GBPUSD, state=AttemptState.UNKNOWN, claimed_at=court.ago(age))
    verdict = court.attempted(row).verdict("unknown_orders", place())
    halts = ScopeKind.ACCOUNT if finding is REFUSE else None
    assert (verdict.finding, verdict.halts) == (finding, halts)


def test_closes_in_doubt_lock_nothing() -> None:
    rows = [attempt(n, state=AttemptState.UNKNOWN, opening=False) for n in range(5)]
    old = replace(rows[0], claimed_at=rows[0].claimed_at - timedelta(hours=1))
    assert Court().attempted(*rows, old).judge(place()).decision.verb is Verb.ALLOW


@pytest.mark.parametrize(("count", "said"), [(1, "1 opening order of"), (2, "2 opening orders of")])
def test_openings_in_doubt_are_counted_in_words(count: int, said: str) -> None:
    court = Court()
    court.attempted(*(attempt(n, state=AttemptState.UNKNOWN) for n in range(count)))
    for rule in ("unknown_orders", "unknown_in_symbol"):
        assert court.verdict(rule, place()).message.startswith(said)
