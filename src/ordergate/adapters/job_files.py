"""Jobs as folders: what was asked, how far it is, what came of it. Outlives every process.

The process that works on a job holds a lock in its folder. Whoever looks and finds the job running
and the lock free knows that its process is gone, and says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from ordergate.model.canonical import iso
from ordergate.model.errors import IllegalState, NotFound
from ordergate.model.jobs import Job, JobOrder, JobState, Progress

JOBS: Final = "jobs"
KEPT: Final = 500  # ended jobs; older ones are dropped, their trials stay in the log
HOLD_S: Final = 2.0
FILES: Final = ("report.html", "trades.csv", "equity.png")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_ORDER, _STATE, _RESULT, _LOCK, _CANCEL = (
    *("order.json", "state.json", "result.json", "alive.lock", "cancel"),
)


class JobFiles:
    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / JOBS

    def create(self, order: JobOrder) -> Job:
        """Make a folder for a job; raise IllegalState where the disk does not take it."""
        job = Job(order=order, state=JobState.QUEUED)
        folder = self.folder(order.job_id)
        try:
            folder.mkdir(mode=0o700, parents=True)
            _write(folder / _STATE, _state_of(job))
            _write(folder / _ORDER, _order_of(order))  # last: with it the job is there
        except OSError as error:
            raise IllegalState(
                f"no job can be kept: {error.strerror}", fix="Free the disk and ask again."
            ) from error
        return job

    def job(self, job_id: str) -> Job:
        """Return a job as it stands; raise NotFound."""
        if not _ID.fullmatch(job_id):
            raise NotFound("no such job", fix="get_job without an id lists yours.")
        try:
            order = _order(json.loads((self.folder(job_id) / _ORDER).read_bytes()))
            job = _job(order, json.loads((self.folder(job_id) / _STATE).read_bytes()))
        except (OSError, ValueError, KeyError):
            raise NotFound("no such job", fix="get_job without an id lists yours.") from None
        if job.state is JobState.RUNNING and not self.is_alive(job_id):
            # Between the last look at its state and at its lock it may have ended well.
            job = _job(order, json.loads((self.folder(job_id) / _STATE).read_bytes()))
            if job.state is JobState.RUNNING:
                return Job(
                    order=order,
                    state=JobState.INTERRUPTED,
                    progress=job.progress,
                    started_at=job.started_at,
                    error={
                        "code": "ILLEGAL_STATE",
                        "message": "the job's process ended without a word: there is no result",
                        "fix": "Ask again; what was tried is in the log of trials and counts.",
                    },
                )
        return job

    def all(self) -> Sequence[Job]:
        """Return every job, the newest first."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for folder in self._root.iterdir():
                with contextlib.suppress(NotFound):
                    found.append(self.job(folder.name))
        return sorted(found, key=lambda job: (job.order.at, job.order.job_id), reverse=True)

    def update(self, job: Job) -> None:
        """Write how a job stands, whole or not at all."""
        _write(self.folder(job.order.job_id) / _STATE, _state_of(job))

    def finish(self, job_id: str, result: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Write what came of a job; its state is written after it."""
        for name, content in files.items():
            assert name in FILES
            _put(self.folder(job_id) / name, content)
        _write(self.folder(job_id) / _RESULT, result)

    def result(self, job_id: str) -> Mapping[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder(job_id) / _RESULT).read_bytes())
        except (OSError, ValueError):
            raise NotFound("this job has no result", fix="get_job says how it stands.") from None
        return found

    def file(self, job_id: str, name: str) -> bytes:
        if name in FILES:
            with contextlib.suppress(OSError):
                return (self.folder(job_id) / name).read_bytes()
        raise NotFound("this job has no such file", fix=f"A job that is done has {FILES}.")

    def ask_to_stop(self, job_id: str) -> None:
        _put(self.folder(job_id) / _CANCEL, b"")

    def is_to_stop(self, job_id: str) -> bool:
        return (self.folder(job_id) / _CANCEL).exists()

    def is_alive(self, job_id: str) -> bool:
        """Say whether a process works on it."""
        try:
            with FileLock(self.folder(job_id) / _LOCK, timeout=0):
                return False
        except Timeout:
            return True

    @contextlib.contextmanager
    def held(self, job_id: str) -> Iterator[None]:
        """Work on a job; raise IllegalState where another process does."""
        try:
            # Whoever looks whether somebody works here holds the lock for a moment, too.
            with FileLock(self.folder(job_id) / _LOCK, timeout=HOLD_S, mode=0o600):
                yield
        except Timeout:
            raise IllegalState("another process works on this job") from None

    def prune(self) -> None:
        """Drop the oldest of those that have ended; their trials stay in the log."""
        ended = [job for job in self.all() if job.has_ended]
        for job in ended[KEPT:]:
            shutil.rmtree(self.folder(job.order.job_id), ignore_errors=True)

    def folder(self, job_id: str) -> Path:
        return self._root / job_id


def _write(path: Path, content: Mapping[str, Any]) -> None:
    _put(path, json.dumps(content, ensure_ascii=False).encode())


def _put(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def _order_of(order: JobOrder) -> dict[str, Any]:
    return {
        "job_id": order.job_id,
        "kind": order.kind,
        "asker": order.asker,
        "arguments": dict(order.arguments),
        "at": iso(order.at),
        "command": order.command,
    }


def _order(content: dict[str, Any]) -> JobOrder:
    return JobOrder(**(content | {"at": datetime.fromisoformat(content["at"])}))


def _state_of(job: Job) -> dict[str, Any]:
    progress = job.progress
    return {
        "state": job.state.value,
        "done": progress.done,
        "total": progress.total,
        "words": progress.words,
        "best": progress.best,
        "started_at": None if job.started_at is None else iso(job.started_at),
        "ended_at": None if job.ended_at is None else iso(job.ended_at),
        "error": job.error,
    }


def _job(order: JobOrder, content: dict[str, Any]) -> Job:
    return Job(
        order=order,
        state=JobState(content["state"]),
        progress=Progress(
            done=content["done"],
            total=content["total"],
            words=content["words"],
            best=content["best"],
        ),
        started_at=_moment(content["started_at"]),
        ended_at=_moment(content["ended_at"]),
        error=content["error"],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
