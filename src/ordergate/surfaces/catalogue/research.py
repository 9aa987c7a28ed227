"""Research: backtests that one can believe, as jobs; nothing of it runs in this process."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import IllegalState, InvalidArgument, NotFound, NotSupported
from ordergate.model.jobs import Job, JobOrder, JobState
from ordergate.model.principals import Kind
from ordergate.surfaces.catalogue import research_results as results
from ordergate.surfaces.catalogue.operation import Example, Hints, Operation, Route, Toolset
from ordergate.surfaces.catalogue.rendering import optional_time, time_text
from ordergate.surfaces.catalogue.research_requests import (
    GetJob,
    OneJob,
    RunBacktest,
    RunSweep,
    SomeJobs,
    WalkForward,
)
from ordergate.surfaces.catalogue.research_specs import command_of, plan_of, spec_of, walk_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.research_jobs import ResearchJobs
    from ordergate.surfaces.catalogue.services import Services

LISTED: Final = 20
IMAGE_BYTES_MAX: Final = 200_000
STARTS: Final = Hints(read_only=False, idempotent=False)
LOOKS: Final = Hints(read_only=True)


async def run_backtest(
    services: Services, asker: Principal, request: RunBacktest
) -> results.JobResult:
    await services.bench.run(spec_of, request)
    return await _submitted(services, asker, "run_backtest", request)


async def run_sweep(services: Services, asker: Principal, request: RunSweep) -> results.JobResult:
    await services.bench.run(spec_of, request)
    await services.bench.run(plan_of, request)
    return await _submitted(services, asker, "run_sweep", request)


async def walk_forward(
    services: Services, asker: Principal, request: WalkForward
) -> results.JobResult:
    await services.bench.run(spec_of, request)
    await services.bench.run(plan_of, request)
    await services.bench.run(walk_of, request)
    return await _submitted(services, asker, "walk_forward", request)


async def get_job(services: Services, asker: Principal, request: GetJob) -> results.JobResult:
    desk, mine = _desk(services), _mine(asker)
    if request.job_id is None:
        jobs = await desk.jobs(asker=mine, limit=LISTED)
        return _told(None, jobs=[_item(job) for job in jobs], message=f"{len(jobs)} jobs")
    job = await desk.job(request.job_id, asker=mine)
    if job.state is not JobState.DONE:
        return _told(job, message=_words(job))
    kept = await desk.result(job.order.job_id)
    image = None
    if request.plot:
        picture = await desk.file(job.order.job_id, "equity.png")
        if len(picture) > IMAGE_BYTES_MAX:
            raise NotSupported("the picture is too large to be sent", fix="Open report.html.")
        image = {"mime_type": "image/png", "data": base64.b64encode(picture).decode()}
    report = kept["report"]
    return _told(job, report=report, image=image, message=report["headline"])


async def cancel_job(services: Services, asker: Principal, request: OneJob) -> results.JobResult:
    job = await _desk(services).cancel(request.job_id, asker=_mine(asker))
    return _told(job, message=_words(job))


async def overfit_report(
    services: Services, asker: Principal, request: OneJob
) -> results.OverfitResult:
    kept = await _kept(services, asker, request.job_id)
    tally = await _desk(services).tally(kept)
    return await services.bench.run(_judged, request.job_id, kept, tally)


def _judged(job_id: str, kept: Mapping[str, Any], tally: Any) -> results.OverfitResult:
    from ordergate.research.report.report import overfit_facts
    from ordergate.research.report.stored import evidence_of
    from ordergate.research.validation.verdict import judge

    evidence = evidence_of(kept, tally)
    judgement = judge(evidence)
    return results.OverfitResult(
        job_id=job_id,
        dataset=kept["report"]["again"]["dataset"],
        believable=judgement.believable,
        headline=judgement.headline,
        findings=[
            {"code": one.code.value, "weight": one.weight.value, "words": one.words}
            for one in judgement.findings
        ],
        overfit=overfit_facts(judgement, evidence),
    )


async def cost_stress(
    services: Services, asker: Principal, request: OneJob
) -> results.StressResult:
    from ordergate.research.stress import survives
    from ordergate.research.validation.verdict import Stressed

    kept = await _kept(services, asker, request.job_id)
    table = [Stressed(**one) for one in kept["evidence"]["stress"]]
    if not table:
        raise NotSupported(
            "joined folds are not stressed", fix="Stress a backtest or a sweep: its best is."
        )
    lasts = survives(table)
    return results.StressResult(
        job_id=request.job_id,
        survives=lasts,
        table=[results.StressItem(**one) for one in kept["report"]["stress"]],
        message="It earns at 1.5 times the costs and one bar later."
        if lasts
        else "It does not earn at 1.5 times the costs and one bar later.",
    )


async def compare_backtests(
    services: Services, asker: Principal, request: SomeJobs
) -> results.ComparedResult:
    if len(set(request.job_ids)) != len(request.job_ids):
        raise InvalidArgument("a job is named twice", fix="Name each job once.")
    found = [(job_id, await _kept(services, asker, job_id)) for job_id in request.job_ids]
    items = await services.bench.run(_compared, found)
    return results.ComparedResult(
        backtests=items,
        message="Differences are against the first. One whose bounds hold 0 is not shown.",
    )


def _compared(found: list[tuple[str, Mapping[str, Any]]]) -> list[results.ComparedItem]:
    from ordergate.research.report.stored import difference

    first = found[0][1]
    items = []
    for number, (job_id, kept) in enumerate(found):
        apart = difference(first, kept) if number else None
        words = [None] * 3 if apart is None else [f"{value:.4f}" for value in apart]
        again = kept["report"]["again"]
        items.append(
            results.ComparedItem(
                job_id=job_id,
                strategy=kept["family"],
                same_bars=again["data_sha256"] == first["report"]["again"]["data_sha256"],
                figures=kept["report"]["figures"],
                deflated_sharpe=kept["report"]["overfit"]["deflated_sharpe"],
                believable=kept["report"]["believable"],
                difference=words[0],
                difference_low=words[1],
                difference_high=words[2],
            )
        )
    return items


async def _kept(services: Services, asker: Principal, job_id: str) -> Mapping[str, Any]:
    desk = _desk(services)
    job = await desk.job(job_id, asker=_mine(asker))
    if job.state is not JobState.DONE:
        raise IllegalState(
            f"the job is {job.state.value}, there is no result", fix="get_job says when it is done."
        )
    return await desk.result(job_id)


async def _submitted(
    services: Services, asker: Principal, kind: str, request: RunBacktest
) -> results.JobResult:
    order = JobOrder(
        job_id=services.ids.new_id(),
        kind=kind,
        asker=str(asker.id),
        arguments=request.model_dump(exclude_unset=True),
        at=services.clock.now(),
        command=command_of(kind, request),
    )
    return _told(await _desk(services).submit(order), message="Ask get_job how it goes.")


def _desk(services: Services) -> ResearchJobs:
    if services.research is None:
        raise NotFound("no jobs of research run here", fix="Start the gateway: `ordergate up`.")
    return services.research


def _mine(asker: Principal) -> str | None:
    return None if asker.kind is Kind.OPERATOR else str(asker.id)


def _told(
    job: Job | None,
    *,
    message: str,
    jobs: list[results.JobItem] | None = None,
    report: Mapping[str, Any] | None = None,
    image: dict[str, str] | None = None,
) -> results.JobResult:
    return results.JobResult(
        job=None if job is None else _item(job),
        jobs=jobs or [],
        report=None if report is None else dict(report),
        image=image,
        message=message,
    )


def _words(job: Job) -> str:
    if job.error is not None:
        return f"{job.state.value}: {job.error['message']}"
    return f"{job.state.value}: {job.progress.done} of {job.progress.total or '?'}"


def _item(job: Job) -> results.JobItem:
    progress = job.progress
    return results.JobItem(
        job_id=job.order.job_id,
        kind=job.order.kind,
        state=job.state.value,
        done=progress.done,
        total=progress.total,
        words=progress.words,
        asked_at=time_text(job.order.at),
        started_at=optional_time(job.started_at),
        ended_at=optional_time(job.ended_at),
        best=None if progress.best is None else dict(progress.best),
        error=None if job.error is None else dict(job.error),
    )


_CROSSING: Final = {"symbols": ["EURUSD"], "strategy": "ma_crossover"}
_JOB: Final = {"job_id": "0123456789abcdef0123456789abcdef"}

OPERATIONS: Final = (
    Operation(
        name="run_backtest",
        summary="Backtest on imported bars, all costs on, as a job: report with cost stress,"
        " leakage checks and how much of it is luck.",
        act=Act.RESEARCH,
        request=RunBacktest,
        result=results.JobResult,
        toolset=Toolset.RESEARCH,
        hints=STARTS,
        route=Route(method="POST", path="/research/backtests"),
        handler=run_backtest,
        acts=True,
        examples=(Example(name="crossing", arguments=_CROSSING),),
    ),
    Operation(
        name="run_sweep",
        summary="Try many parameters as a job. Each trial counts for ever in the deflated Sharpe"
        " ratio of this data.",
        act=Act.RESEARCH,
        request=RunSweep,
        result=results.JobResult,
        toolset=Toolset.RESEARCH,
        hints=STARTS,
        route=Route(method="POST", path="/research/sweeps"),
        handler=run_sweep,
        acts=True,
        examples=(
            Example(name="two axes", arguments={**_CROSSING, "axes": ["fast=5:25:5", "slow=50"]}),
        ),
    ),
    Operation(
        name="walk_forward",
        summary="Choose parameters on a train window, trade the next, as a job.",
        act=Act.RESEARCH,
        request=WalkForward,
        result=results.JobResult,
        toolset=Toolset.RESEARCH,
        hints=STARTS,
        route=Route(method="POST", path="/research/walks"),
        handler=walk_forward,
        acts=True,
        examples=(Example(name="rolling", arguments={**_CROSSING, "axes": ["fast=5:25:5"]}),),
    ),
    Operation(
        name="get_job",
        summary="How a job goes: progress and best so far; its report once done.",
        act=Act.READ_MARKET,
        request=GetJob,
        result=results.JobResult,
        toolset=Toolset.RESEARCH,
        hints=LOOKS,
        route=Route(method="POST", path="/research/job"),
        handler=get_job,
        examples=(Example(name="mine", arguments={}),),
    ),
    Operation(
        name="cancel_job",
        summary="Stop a job; what it tried stays counted.",
        act=Act.RESEARCH,
        request=OneJob,
        result=results.JobResult,
        toolset=Toolset.RESEARCH,
        hints=Hints(read_only=False),
        route=Route(method="POST", path="/research/job/cancel"),
        handler=cancel_job,
        acts=True,
        examples=(Example(name="one", arguments=_JOB),),
    ),
    Operation(
        name="overfit_report",
        summary="Judge a finished job anew with all tried since: deflated Sharpe ratio, PBO,"
        " reality check, minimum track record, in words.",
        act=Act.READ_MARKET,
        request=OneJob,
        result=results.OverfitResult,
        toolset=Toolset.RESEARCH,
        hints=LOOKS,
        route=Route(method="POST", path="/research/overfit"),
        handler=overfit_report,
        examples=(Example(name="one", arguments=_JOB),),
    ),
    Operation(
        name="cost_stress",
        summary="A finished job under spreads x2 and x3, costs x0 to x2, fills 1 and 2 bars later.",
        act=Act.READ_MARKET,
        request=OneJob,
        result=results.StressResult,
        toolset=Toolset.RESEARCH,
        hints=LOOKS,
        route=Route(method="POST", path="/research/stress"),
        handler=cost_stress,
        examples=(Example(name="one", arguments=_JOB),),
    ),
    Operation(
        name="compare_backtests",
        summary="Finished jobs side by side; on the same bars with the paired difference.",
        act=Act.READ_MARKET,
        request=SomeJobs,
        result=results.ComparedResult,
        toolset=Toolset.RESEARCH,
        hints=LOOKS,
        route=Route(method="POST", path="/research/compare"),
        handler=compare_backtests,
        examples=(Example(name="two", arguments={"job_ids": [_JOB["job_id"], "f" * 32]}),),
    ),
)
