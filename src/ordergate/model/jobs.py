"""A job: long work with a handle, which goes on while nobody waits for it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final


class JobState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # with a code, and what to do
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its process ended without a word: nothing is known of its result


ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """What was asked: `arguments` are those of the operation, as they were sent."""

    job_id: str
    kind: str  # the operation's name
    asker: str
    arguments: Mapping[str, Any]
    at: datetime
    command: str  # that asks for the same again


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`best` is the best row so far, where there is one: a partial result."""

    done: int = 0
    total: int = 0
    words: str = ""
    best: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    order: JobOrder
    state: JobState
    progress: Progress = Progress()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Mapping[str, Any] | None = None  # code, message, fix

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED
