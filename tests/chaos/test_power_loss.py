"""Power losses, the size that every change is tried with; power_loss.py --images 5000 is deep."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from chaos.power_loss import (
    BROKEN,
    CLAIMS,
    bytes_before_the_disk,
    drive_claims,
    play,
    recorded,
)

IMAGES = 200
FEW = 20

pytestmark = pytest.mark.slow


def test_what_was_acknowledged_survives_the_power() -> None:
    report = play(IMAGES, secrets.randbelow(2**31))
    assert not report.failures, "\n".join(report.failures)
    assert report.images == IMAGES
    assert report.acknowledged > 0


@pytest.mark.parametrize("name", BROKEN)
def test_a_store_that_does_not_wait_for_the_disk_is_seen(name: str) -> None:
    assert play(FEW, 1, variant=name).failures


def test_no_order_leaves_before_its_claim_is_synced(tmp_path: Path) -> None:
    events = recorded(tmp_path, 1, None, drive_claims)
    assert bytes_before_the_disk(events) == (CLAIMS, 0)


@pytest.mark.parametrize("name", BROKEN)
def test_an_order_that_leaves_before_is_seen(tmp_path: Path, name: str) -> None:
    first, early = bytes_before_the_disk(recorded(tmp_path, 1, name, drive_claims))
    assert (first, early) == (CLAIMS, CLAIMS)
