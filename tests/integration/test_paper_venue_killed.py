"""The paper venue's process dies without warning; its file knows everything it ever answered."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from support.paper import PaperBench

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("answers", [1, 7, 40])
def test_nothing_answered_is_lost_and_nothing_is_half_done(tmp_path: Path, answers: int) -> None:
    child = subprocess.Popen(
        [sys.executable, str(TESTS / "support" / "paper_child.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert child.stdout is not None
    try:
        answered = [child.stdout.readline().strip() for _ in range(answers)]
    finally:
        child.kill()
        answered += child.stdout.read().split()
        child.stdout.close()
        child.wait(timeout=10)

    bench = PaperBench(tmp_path)
    bench.quote("AAPL", "200.00", "200.02")
    history, account = bench.history(), bench.snapshot().account
    known = [order.tag for order in history.orders]
    assert answered == known[: len(answered)]
    assert len(known) - len(answered) <= 1
    assert [fill.tag for fill in history.fills] == known
    booked = sum((fill.realised - fill.commission for fill in history.fills), Decimal(0))
    assert account.balance == Decimal(100_000) + booked
