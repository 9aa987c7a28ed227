"""The desk of research: starts a process for each job, and sees what becomes of it.

Jobs live in their folders. A gateway that ends leaves them running; the next one finds them there,
goes on with what waits, and says of what died that it died.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ordergate.adapters.job_files import JobFiles
from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.model.errors import NotFound, RateLimited
from ordergate.model.jobs import Job, JobOrder, JobState
from ordergate.surfaces.cli.attach import PASSED_ON

if TYPE_CHECKING:
    from ordergate.model.trials import Tally
    from ordergate.ports.system import Clock
    from ordergate.settings.load import Settings

LOOK_S: Final = 1.0
LOG: Final = "log.txt"


class ResearchDesk:
    """Implements ResearchJobs over folders and child processes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._data = settings.directories.data
        self._told = settings.research
        self._files = JobFiles(self._data)
        self._clock = clock
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._turn = asyncio.Lock()
        self._busy = True  # something waits or runs, as far as we know

    async def run(self, stop: asyncio.Event) -> None:
        """Start what waits, as its turn comes, until told to stop."""
        await asyncio.to_thread(self._files.prune)
        while not stop.is_set():
            if self._busy:
                await self._start_next()
            await self._clock.sleep(LOOK_S)

    async def submit(self, order: JobOrder) -> Job:
        waiting = [job for job in await self._all() if job.state is JobState.QUEUED]
        if len(waiting) >= self._told.jobs_waiting:
            raise RateLimited(
                f"{len(waiting)} jobs are waiting, no more are taken",
                fix="Wait for some of them, or cancel_job.",
            )
        job = await asyncio.to_thread(self._files.create, order)
        self._busy = True
        await self._start_next()
        return job

    async def job(self, job_id: str, *, asker: str | None) -> Job:
        job = await asyncio.to_thread(self._files.job, job_id)
        if asker is not None and job.order.asker != asker:
            raise NotFound("no such job", fix="get_job without an id lists yours.")
        return job

    async def jobs(self, *, asker: str | None, limit: int) -> Sequence[Job]:
        found = [job for job in await self._all() if asker in (None, job.order.asker)]
        return found[:limit]

    async def cancel(self, job_id: str, *, asker: str | None) -> Job:
        job = await self.job(job_id, asker=asker)
        if job.has_ended:
            return job
        await asyncio.to_thread(self._files.ask_to_stop, job_id)
        async with self._turn:
            if job.state is JobState.QUEUED and job_id not in self._children:
                job = replace(job, state=JobState.CANCELLED, ended_at=self._clock.now())
                await asyncio.to_thread(self._files.update, job)
        return job

    async def result(self, job_id: str) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._files.result, job_id)

    async def tally(self, kept: Mapping[str, Any]) -> Tally:
        dataset = kept["report"]["again"]["dataset"]
        log = TrialFile(self._data)
        return await asyncio.to_thread(log.tally, dataset, family=kept["family"], run=kept["run"])

    async def file(self, job_id: str, name: str) -> bytes:
        return await asyncio.to_thread(self._files.file, job_id, name)

    async def _all(self) -> Sequence[Job]:
        return await asyncio.to_thread(self._files.all)

    async def _start_next(self) -> None:
        async with self._turn:
            await asyncio.to_thread(self._look_after)

    def _look_after(self) -> None:
        """Bury what has ended, and start as many as may run."""
        for job_id, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[job_id]
                self._given_up(job_id, child.returncode)
        jobs = self._files.all()
        running = [job for job in jobs if job.state is JobState.RUNNING]
        starting = len(set(self._children) - {job.order.job_id for job in running})
        self._busy = any(not job.has_ended for job in jobs)
        free = self._told.jobs_at_once - len(running) - starting
        for job in reversed(jobs):
            if free <= 0:
                break
            if job.state is JobState.QUEUED and job.order.job_id not in self._children:
                self._children[job.order.job_id] = self._spawned(job.order.job_id)
                free -= 1

    def _given_up(self, job_id: str, code: int) -> None:
        """Say of a job whose process never took it that it failed."""
        job = self._files.job(job_id)
        if job.state is not JobState.QUEUED or self._files.is_alive(job_id):
            return
        error = {
            "code": "INTERNAL_ERROR",
            "message": f"the job's process ended with {code} before it began",
            "fix": f"The operator finds its words in {LOG} of the job's folder.",
        }
        ended = self._clock.now()
        self._files.update(replace(job, state=JobState.FAILED, error=error, ended_at=ended))

    def _spawned(self, job_id: str) -> subprocess.Popen[bytes]:
        told = self._told
        folder = self._files.folder(job_id)
        handle = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(handle, "ab") as log:
            return subprocess.Popen(
                [
                    # -P: the directory we are started in is never a place to import from
                    *(sys.executable, "-P", "-m", "ordergate.bootstrap.research_child"),
                    *(str(self._data), job_id, str(told.workers), str(told.memory_mb)),
                    *(str(told.job_s), told.cluster or ""),
                ],
                env={name: text for name, text in os.environ.items() if name.upper() in PASSED_ON},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=os.name == "posix",
            )
