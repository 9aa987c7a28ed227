"""A desk of research that has one finished job of everybody's: what the doors may show."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ordergate.model.errors import NotFound
from ordergate.model.jobs import Job, JobOrder, JobState, Progress
from ordergate.model.trials import Tally

DONE = "d0" * 16
OTHER = "d1" * 16
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
KEPT: dict[str, Any] = {
    "family": "ma_crossover",
    "run": DONE,
    "bars": 600,
    "curve": [0.001, -0.0005] * 20,
    "evidence": {
        "record": {"count": 600, "sharpe": 0.02, "skewness": 0.0, "kurtosis": 3.0},
        "per_year": 6_000.0,
        "trades": 40,
        "net": 0.01,
        "gross": 0.02,
        "costs": 0.01,
        "ambiguous": 0,
        "band": [0.01, 0.01],
        "stress": [
            {
                "name": "as given",
                "cost_scale": 1.0,
                "spread_factor": 1.0,
                "delay_bars": 0,
                "net": 0.01,
                "trades": 40,
            }
        ],
        "effective": None,
        "overfit": None,
        "reality": None,
        "leaks": [],
        "checked": True,
    },
    "report": {
        "headline": "Not shown to be more than luck.",
        "believable": False,
        "figures": {"net": "1000.0000"},
        "overfit": {"deflated_sharpe": "0.6000"},
        "stress": [{"name": "as given", "net": "0.0100", "trades": 40}],
        "again": {"dataset": "file EURUSD H1", "data_sha256": "ab"},
    },
}


class MemoryResearch:
    """Implements ResearchJobs without a process."""

    def __init__(self) -> None:
        self._jobs = {job_id: _done(job_id) for job_id in (DONE, OTHER)}

    async def submit(self, order: JobOrder) -> Job:
        self._jobs[order.job_id] = Job(order=order, state=JobState.QUEUED)
        return self._jobs[order.job_id]

    async def job(self, job_id: str, *, asker: str | None) -> Job:
        found = self._jobs.get(job_id)
        if found is None or found.order.asker not in ("anybody", asker, None):
            raise NotFound("no such job")
        return found

    async def jobs(self, *, asker: str | None, limit: int) -> Sequence[Job]:
        return list(self._jobs.values())[:limit]

    async def cancel(self, job_id: str, *, asker: str | None) -> Job:
        job = await self.job(job_id, asker=asker)
        return job if job.has_ended else dataclasses.replace(job, state=JobState.CANCELLED)

    async def result(self, job_id: str) -> Mapping[str, Any]:
        return KEPT

    async def tally(self, kept: Mapping[str, Any]) -> Tally:
        return Tally(500, 400, 1, 0, 0, 0.0004, 2)

    async def file(self, job_id: str, name: str) -> bytes:
        return PIXEL


def _done(job_id: str) -> Job:
    order = JobOrder(
        job_id=job_id,
        kind="run_backtest",
        asker="anybody",
        arguments={},
        at=datetime(2026, 1, 7, tzinfo=UTC),
        command="ordergate backtest report EURUSD",
    )
    return Job(order=order, state=JobState.DONE, progress=Progress(done=2, total=2))
