from __future__ import annotations

import pytest

from ordergate.model.accounts import Mode
from ordergate.order.dispatch.look import Look
from support.judging import Court


@pytest.mark.parametrize(
    ("mode", "live"), [(Mode.PAPER, False), (Mode.DEMO, False), (Mode.LIVE, True)]
)
def test_what_the_venue_proves_counts(mode: Mode, *, live: bool) -> None:
    assert Look(snapshot=Court(mode=mode).snapshot(), read_at=0.0, mark=0).live is live


def test_an_account_that_could_not_be_read_may_be_live() -> None:
    assert Look(snapshot=None, read_at=0.0, mark=0).live
