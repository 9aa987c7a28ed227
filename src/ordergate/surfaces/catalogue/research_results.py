"""What research answers: jobs with their reports, and what several of them say together."""

from __future__ import annotations

from typing import Any

from ordergate.surfaces.catalogue.fields import Result


class JobItem(Result):
    """`best` is the best so far, of a sweep that still runs."""

    job_id: str
    kind: str
    state: str
    done: int
    total: int
    words: str
    asked_at: str
    started_at: str | None
    ended_at: str | None
    best: dict[str, Any] | None
    error: dict[str, Any] | None


class JobResult(Result):
    """`report` where it is done; `jobs` where none was named. `image`: a PNG as base64."""

    job: JobItem | None
    jobs: list[JobItem]
    report: dict[str, Any] | None
    image: dict[str, str] | None
    message: str


class OverfitResult(Result):
    """Judged anew with all that was tried until now."""

    job_id: str
    dataset: str
    believable: bool
    headline: str
    findings: list[dict[str, str]]
    overfit: dict[str, Any]


class StressItem(Result):
    name: str
    net: str
    trades: int


class StressResult(Result):
    """`survives`: it earns at 1.5 times the costs, at one bar more delay, and at both."""

    job_id: str
    survives: bool
    table: list[StressItem]
    message: str


class ComparedItem(Result):
    """`difference`: mean result a year against the first, share of the start; with 95 % bounds."""

    job_id: str
    strategy: str
    same_bars: bool
    figures: dict[str, Any]
    deflated_sharpe: str | None
    believable: bool
    difference: str | None
    difference_low: str | None
    difference_high: str | None


class ComparedResult(Result):
    backtests: list[ComparedItem]
    message: str
