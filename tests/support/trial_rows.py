"""Trials made up for the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ordergate.model.trials import Ended, Origin, Sums, Trial, trial_id

SUMS = Sums(
    count=33,
    powers=(0.1, 0.2, 0.3, 1 / 3),
    block_length=2,
    block_sums=tuple(n / 7 for n in range(16)),
    block_squares=tuple(n / 11 for n in range(16)),
)
_PLAIN = Trial(
    trial_id="",
    dataset="oanda EURUSD H1",
    family="trend",
    settings="",
    slice="s",
    costs="c",
    engine="1",
    seed=1,
    origin=Origin.GRID,
    run="job-1",
    asker="agent-a",
    at=datetime(2026, 1, 7, tzinfo=UTC),
    ended=Ended.DONE,
    trades=12,
    net=0.01,
    sharpe=0.02,
    sums=SUMS,
)


def trial(settings: str = "fast=5", **changes: object) -> Trial:
    made = replace(_PLAIN, settings=settings, **changes)  # type: ignore[arg-type]
    return replace(made, trial_id=trial_id(settings, made.slice, made.costs, made.engine))
