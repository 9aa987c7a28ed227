from __future__ import annotations

from dataclasses import replace

import pytest

from ordergate.model.accounts import Mode, SebiPack
from ordergate.model.errors import Code
from ordergate.model.verdicts import Finding
from ordergate.order.policy.limits import policy_hash
from ordergate.order.policy.surroundings import Peer, version_identity
from support.judging import Court, D, close, place, position

PASS, WARN, REFUSE, SILENT = Finding.PASS, Finding.WARN, Finding.REFUSE, Finding.NOT_ASKED
WHOLE = SebiPack(
    algo_id="A1",
    static_ip=True,
    second_factor_age_s=D(60),
    signed_in_today=True,
    trail_years=5,
)


def test_paper_keeps_its_feeds_time() -> None:
    court = Court(mode=Mode.PAPER, clock_skew=86_400)
    assert court.verdict("venue_clock", place()).finding is SILENT


def test_a_simulated_terminal_keeps_its_prices_time() -> None:
    court = Court(mode=Mode.DEMO, clock_skew=86_400)
    assert court.verdict("venue_clock", place()).finding is not SILENT
    court = Court(mode=Mode.DEMO, clock_skew=86_400, simulated=True)
    assert court.verdict("venue_clock", place()).finding is SILENT


def test_a_venue_clock_that_is_behind_is_as_far_away() -> None:
    court = Court(mode=Mode.DEMO, clock_skew=-3)
    assert court.verdict("venue_clock", place()).value == D(3)


def test_a_reading_that_is_some_seconds_old_is_no_skew() -> None:
    court = Court(mode=Mode.DEMO, snapshot_age=4)
    assert court.verdict("venue_clock", place()).value == D(0)


@pytest.mark.parametrize(
    "lacking",
    [
        {"algo_id": None},
        {"algo_id": ""},
        {"static_ip": None},
        {"static_ip": False},
        {"signed_in_today": None},
        {"signed_in_today": False},
        {"trail_years": None},
        {"trail_years": 4},
    ],
)
def test_sebis_pack_is_whole_or_nothing_opens(lacking: dict[str, object]) -> None:
    court = Court(sebi=replace(WHOLE, **lacking), positions=(position(),))  # type: ignore[arg-type]
    verdict = court.verdict("sebi_pack", place())
    assert (verdict.finding, verdict.code) == (REFUSE, Code.NOT_READY)
    assert court.verdict("sebi_pack", close()).finding is WARN


def test_a_venue_under_no_such_rules_is_not_asked() -> None:
    assert Court(sebi=None).verdict("sebi_pack", place()).finding is SILENT
    assert Court(sebi=WHOLE).verdict("sebi_pack", place()).finding is PASS


def test_all_that_run_agree_in_protocol_and_policy() -> None:
    court = Court()
    mine = version_identity(policy_hash(court.limits))
    court.peers = (Peer("agent-1", mine),)
    assert court.verdict("one_version", place()).finding is PASS
    court.limit(daily_loss_fraction=D("0.01"))  # this process alone has the new policy
    assert court.verdict("one_version", place()).finding is REFUSE
