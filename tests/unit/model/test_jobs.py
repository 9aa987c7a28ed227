from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordergate.model.jobs import Job, JobOrder, JobState

ORDER = JobOrder(
    job_id="0" * 32,
    kind="run_backtest",
    asker="a",
    arguments={},
    at=datetime(2026, 1, 7, tzinfo=UTC),
    command="ordergate backtest report EURUSD",
)


@pytest.mark.parametrize("state", JobState)
def test_a_job_has_ended_unless_it_waits_or_runs(state: JobState) -> None:
    going = {JobState.QUEUED, JobState.RUNNING}
    assert Job(order=ORDER, state=state).has_ended is (state not in going)
