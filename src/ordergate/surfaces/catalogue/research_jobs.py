"""Long work in processes of its own: asked for, looked at, called off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ordergate.model.jobs import Job, JobOrder
from ordergate.model.trials import Tally


class ResearchJobs(Protocol):
    async def submit(self, order: JobOrder) -> Job:
        """Take the work on, durably; raise RateLimited where too much waits."""
        ...

    async def job(self, job_id: str, *, asker: str | None) -> Job:
        """Return a job of this asker (None = anybody's); raise NotFound."""
        ...

    async def jobs(self, *, asker: str | None, limit: int) -> Sequence[Job]:
        """Return the newest first."""
        ...

    async def cancel(self, job_id: str, *, asker: str | None) -> Job:
        """Ask a job to stop; what it did until then stays. Raises NotFound."""
        ...

    async def result(self, job_id: str) -> Mapping[str, Any]:
        """Return what a job that is done came to; raise NotFound."""
        ...

    async def tally(self, kept: Mapping[str, Any]) -> Tally:
        """Count what was tried until now on the data of a result."""
        ...

    async def file(self, job_id: str, name: str) -> bytes:
        """Return report.html, trades.csv or equity.png of a job; raise NotFound."""
        ...
