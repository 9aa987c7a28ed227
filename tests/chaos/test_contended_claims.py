"""Two gateways on one database, small; `contended_claims.py --claims 10000` is the deep run."""

from __future__ import annotations

import pytest

from chaos.contended_claims import BROKEN, SOUND, play

CLAIMS = 300
FEW = 40

pytestmark = pytest.mark.slow


def test_what_both_gateways_claim_is_sent_once() -> None:
    report = play(CLAIMS)
    assert not report.failures, "\n".join(report.failures)
    assert sum(report.arrived.values()) == CLAIMS
    assert len(report.shares) == 2  # both have won some


@pytest.mark.parametrize("name", SOUND)
def test_the_compare_and_set_alone_bears_it(name: str) -> None:
    report = play(FEW, variant=name)
    assert not report.failures, "\n".join(report.failures)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_claim_is_seen(name: str) -> None:
    report = play(FEW, variant=name)
    assert any("twice" in failure for failure in report.failures)
