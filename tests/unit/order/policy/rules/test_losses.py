from __future__ import annotations

import pytest

from ordergate.model.accounts import Baselines
from ordergate.model.errors import Code
from ordergate.model.records import ScopeKind
from ordergate.model.verdicts import Finding, Halting
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.rules.losses import lost
from support.judging import Court, D, place, state

PASS, REFUSE = Finding.PASS, Finding.REFUSE


@pytest.mark.parametrize(
    ("equity", "finding"),
    [("98000.01", PASS), ("98000.00", REFUSE), ("97999.99", REFUSE), ("105000", PASS)],
)
def test_the_days_loss_ends_the_day(equity: str, finding: Finding) -> None:
    court = Court().equity(equity)
    verdict = court.verdict("daily_loss", place())
    assert (verdict.finding, verdict.limit) == (finding, D("2000.00"))
    reasons = court.judge(place()).halt_reasons
    assert reasons == ((Halting("daily_loss", ScopeKind.ACCOUNT),) if finding is REFUSE else ())


def test_the_days_loss_counts_from_the_equity_at_its_start() -> None:
    court = Court().equity("49000", day_start_equity=D(50_000))
    verdict = court.verdict("daily_loss", place())
    assert (verdict.value, verdict.limit, verdict.headroom) == (D(1000), D(1000), D(0))


def test_without_the_equity_at_the_days_start_nothing_opens() -> None:
    court = Court(account=state(day_start_equity=None))
    assert court.verdict("daily_loss", place()).code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize("rule", ["weekly_loss", "drawdown"])
def test_the_first_reading_begins_it_and_what_cannot_be_read_denies(rule: str) -> None:
    court = Court()
    verdict = court.verdict(rule, place())
    assert (verdict.finding, verdict.value) == (PASS, D(0))
    court.snapshot_known = False
    assert court.verdict(rule, place()).code is Code.DATA_UNAVAILABLE


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (Baselines(week_start_equity=D(103_000)), None),
        (Baselines(week_start_equity=D(106_000)), "weekly_loss"),
        (Baselines(peak_equity=D(120_000)), "drawdown"),
        (Baselines(), None),
    ],
)
def test_the_watch_finds_the_loss_that_ends_trading(seen: Baselines, rule: str | None) -> None:
    found = lost(state(), seen, Limits())
    assert found == (None if rule is None else Halting(rule, ScopeKind.ACCOUNT))


def test_the_watch_finds_the_days_loss_first() -> None:
    seen = Baselines(peak_equity=D(200_000))
    found = lost(state(equity=D(98_000)), seen, Limits())
    assert found == Halting("daily_loss", ScopeKind.ACCOUNT)
    assert lost(state(day_start_equity=None), Baselines(), Limits()) is None
