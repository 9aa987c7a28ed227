"""The process that works on one job: reads bars, runs, logs trials, writes the report, ends.

It is started by the gateway with an environment of next to nothing, knows no settings, holds no
key and opens no book. `python -m ordergate.bootstrap.research_child` is how, and no command.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordergate import __version__
from ordergate.adapters.job_files import JobFiles
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.adapters.system import SystemClock
from ordergate.bootstrap.backtest import KERNELS, is_worth_compiling
from ordergate.bootstrap.backtest_bars import market_of
from ordergate.bootstrap.bar_sources import BARS
from ordergate.model.errors import GateError, NotSupported
from ordergate.model.jobs import Job, JobOrder, JobState, Progress
from ordergate.surfaces.catalogue.arguments import read_request
from ordergate.surfaces.catalogue.fields import Request
from ordergate.surfaces.catalogue.research_requests import RunBacktest, RunSweep, WalkForward
from ordergate.surfaces.catalogue.research_specs import plan_of, spec_of, walk_of

if TYPE_CHECKING:
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.backtest.tapes import MarketData
    from ordergate.research.examine import Examine
    from ordergate.research.report.report import Report
    from ordergate.research.sweep.sweep import Run, Workers

TELL_S: Final = 0.5
TOO_LONG: Final = 75  # exit code
NICE: Final = 10
REQUESTS: Final[dict[str, type[Request]]] = {
    "run_backtest": RunBacktest,
    "run_sweep": RunSweep,
    "walk_forward": WalkForward,
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one job may take."""

    workers: int
    memory_mb: int
    seconds: int
    cluster: str


class _Hearer:
    """Writes progress into the job's folder, not too often, and looks whether to stop."""

    def __init__(self, files: JobFiles, job: Job) -> None:
        self._files, self.job = files, job
        self._clock = SystemClock()
        self._told = 0.0

    def progress(
        self, done: int, total: int, words: str, best: Mapping[str, Any] | None = None
    ) -> None:
        at = Progress(done=done, total=total, words=words, best=best)
        self.job = replace(self.job, progress=at)
        now = self._clock.monotonic()
        if now - self._told >= TELL_S:
            self._told = now
            self._files.update(self.job)

    def stopped(self) -> bool:
        return self._files.is_to_stop(self.job.order.job_id)


def main(arguments: list[str]) -> int:
    """Work on a job: data directory, job, workers, megabytes, seconds, cluster or ""."""
    data_dir, job_id, workers, memory_mb, seconds, cluster = arguments
    bounds = Bounds(int(workers), int(memory_mb), int(seconds), cluster)
    _bound(bounds)
    files = JobFiles(Path(data_dir))
    with files.held(job_id):
        job = files.job(job_id)
        if job.state is JobState.QUEUED:
            _work(files, job, Path(data_dir), bounds)
    return 0


def _bound(bounds: Bounds) -> None:
    """Cap memory and time; a job that will not end is ended."""
    if sys.platform != "win32":
        import resource

        size = bounds.memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        os.nice(NICE)
    watchdog = threading.Timer(bounds.seconds, os._exit, (TOO_LONG,))
    watchdog.daemon = True
    watchdog.start()


def _work(files: JobFiles, job: Job, data_dir: Path, bounds: Bounds) -> None:
    from ordergate.research.sweep.sweep import Stopped

    clock = SystemClock()
    job = replace(job, state=JobState.RUNNING, started_at=clock.now())
    files.update(job)
    hearer = _Hearer(files, job)
    state, error = JobState.DONE, None
    try:
        report = _examined(job.order, data_dir, bounds, hearer)
        _keep(files, job.order.job_id, report)
    except Stopped:
        state = JobState.CANCELLED
    except GateError as refused:
        state = JobState.FAILED
        error = {"code": refused.code.value, "message": refused.message, "fix": refused.fix}
    except MemoryError:
        state = JobState.FAILED
        error = {
            "code": "PAYLOAD_TOO_LARGE",
            "message": f"the job needs more than {bounds.memory_mb} MB",
            "fix": "Fewer bars or trials, or a larger research.memory_mb.",
        }
    files.update(replace(hearer.job, state=state, error=error, ended_at=clock.now()))


def _examined(order: JobOrder, data_dir: Path, bounds: Bounds, hearer: _Hearer) -> Report:
    from ordergate.research.examine import Circumstances, Examine, Voice

    request = read_request(REQUESTS[order.kind], order.arguments)
    assert isinstance(request, RunBacktest)
    spec = spec_of(request)
    data = market_of(BarFiles(data_dir / BARS), spec)
    with _workers(bounds) as workers:
        examine = Examine(
            trials=TrialFile(data_dir),
            workers=workers,
            hearer=hearer,
            circumstances=Circumstances(
                run=order.job_id,
                asker=order.asker,
                at=order.at,
                version=__version__,
                command=order.command,
            ),
            voice=Voice(run=_loop(request, data, data_dir, bounds)),
        )
        return _asked_for(examine, request, spec, data)


def _loop(request: RunBacktest, data: MarketData, data_dir: Path, bounds: Bounds) -> Run:
    """Return the plain loop for what is done sooner than the compiled one is compiled.

    Both give the same bits. What was compiled once is kept and always taken.
    """
    from ordergate.research.backtest.compiled import is_there, walker
    from ordergate.research.backtest.engine import run_laid
    from ordergate.research.sweep.space import combinations
    from ordergate.research.sweep.sweep import swift

    if bounds.cluster:  # its workers have no directory of ours
        return partial(swift, None) if is_there() else run_laid
    kernels = data_dir / KERNELS
    runs = 1
    if isinstance(request, RunSweep):
        plan = plan_of(request)
        asked = combinations(plan.axes)
        runs = asked if request.method == "grid" else min(asked, request.trials)
    work = runs * sum(len(tape.series) for tape in data.tapes)
    if not is_worth_compiling(kernels, work):
        return run_laid
    walker(kernels)  # made before there are threads, or each would compile its own
    return partial(swift, kernels)


def _asked_for(
    examine: Examine, request: RunBacktest, spec: BacktestSpec, data: MarketData
) -> Report:
    if isinstance(request, WalkForward):
        from ordergate.research.validation.folds import walk
        from ordergate.research.walk import between, windows

        starts = between(data.tapes[0].series.time, spec)
        length = int(spec.timeframe.length.total_seconds()) * 10**9
        folds = walk(len(starts), walk_of(request))
        parts = [windows(fold, starts, length=length) for fold in folds]
        return examine.walk(spec, data, plan_of(request), parts)
    if isinstance(request, RunSweep):
        return examine.sweep(spec, data, plan_of(request))
    return examine.backtest(spec, data)


@contextlib.contextmanager
def _workers(bounds: Bounds) -> Iterator[Workers]:
    from ordergate.research.sweep.sweep import Workers

    if bounds.cluster:
        from ordergate.adapters.cluster import on_cluster

        with on_cluster(bounds.cluster) as (executor, count, lend):
            yield Workers(executor=executor, count=count, lend=lend)
    else:
        with ThreadPoolExecutor(bounds.workers) as pool:
            yield Workers(executor=pool, count=bounds.workers)


def _keep(files: JobFiles, job_id: str, report: Report) -> None:
    from ordergate.research.report.page import page
    from ordergate.research.report.plots import equity_png
    from ordergate.research.report.sheet import sheet
    from ordergate.research.report.stored import stored

    kept = {
        "report.html": page(report).encode(),
        "trades.csv": sheet(report.outcome, report.instruments).encode(),
    }
    with contextlib.suppress(NotSupported):  # without matplotlib there is no picture
        kept["equity.png"] = equity_png(report.outcome, f"{report.kind} {job_id[:8]}")
    files.finish(job_id, stored(report), kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
