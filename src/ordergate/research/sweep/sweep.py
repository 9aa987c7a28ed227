"""Try many configurations on the same bars, by as many workers as there are.

A worker is a thread for the compiled kernel, which lets go of the interpreter, or a process of any
executor of `concurrent.futures`. Results are placed by their number, never by their arrival.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ordergate.model.errors import GateError
from ordergate.research.backtest.compiled import is_there, walker
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import lay
from ordergate.research.backtest.wording import word_of
from ordergate.research.sweep.masking import counted, silenced
from ordergate.research.sweep.space import Parameters, with_parameters
from ordergate.research.sweep.tried import Tried, failed, kept

if TYPE_CHECKING:
    from ordergate.research.backtest.laying import Laid
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.backtest.tapes import MarketData
    from ordergate.research.backtest.wording import Word

CHUNKS_A_WORKER: Final = 8
CHUNK_MAX: Final = 200
LOOK_S: Final = 0.5  # how soon a cancellation is seen

Run = Callable[["Laid", "Word"], "Outcome"]
Numbered = tuple[int, Parameters]


def swift(where: Path | None, laid: Laid, word: Word) -> Outcome:
    """Run by the compiled loop, kept under `where`; by the plain one where numba is missing."""
    return run_laid(laid, word, walker=walker(where) if is_there() else None)


class Stopped(Exception):
    """The work was cancelled; what was done until then has been told."""


class Watcher(Protocol):
    def told(self, tried: Sequence[Tried], total: int) -> None:
        """Take note of what was just done: it is logged before anything else is."""
        ...

    def stopped(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is done over and over; `word` and `run` are found by name in another process.

    Bars before `since` (nanoseconds) warm up indicators: nothing is traded on them, or counted.
    """

    spec: BacktestSpec
    data: MarketData
    since: int | None = None
    word: Callable[[Laid], Word] = word_of
    run: Run = run_laid


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """`lend` turns what every chunk needs into what is sent with it: a cluster sends it once."""

    executor: Executor
    count: int
    lend: Callable[[Task], Task] = lambda task: task


def once(task: Task, parameters: Parameters, laid: Laid | None = None) -> Outcome:
    """Run one configuration; raise what the engine and the strategy raise."""
    laid = laid or lay(task.spec, task.data)
    own = replace(laid, spec=with_parameters(task.spec, parameters))
    word = task.word(own)
    if task.since is None:
        return task.run(own, word)
    return counted(task.run(own, silenced(own, word, task.since)), task.since)


def attempt(task: Task, wanted: Sequence[Numbered]) -> list[Tried]:
    """Try a few on bars laid out once; one that cannot be done is a failed trial, with why.

    Raises BadSpec and BadTape for what no parameters could make good.
    """
    found = []
    laid = lay(task.spec, task.data)
    for number, parameters in wanted:
        try:
            outcome = once(task, parameters, laid)
        except GateError as error:
            found.append(failed(number, parameters, f"{error.message} {error.fix}".strip()))
        except (ArithmeticError, ValueError) as error:
            found.append(failed(number, parameters, f"{type(error).__name__}: {error}"))
        else:
            found.append(kept(number, parameters, outcome))
    return found


def sweep(
    task: Task, wanted: Sequence[Parameters], workers: Workers, watcher: Watcher, *, first: int = 0
) -> list[Tried]:
    """Try all and return them by number, which begin at `first`; raise Stopped."""
    numbered = list(enumerate(wanted, start=first))
    lent = workers.lend(task)
    pending = {
        workers.executor.submit(attempt, lent, chunk) for chunk in _chunks(numbered, workers.count)
    }
    found: dict[int, Tried] = {}
    try:
        while pending:
            if watcher.stopped():
                raise Stopped
            done, pending = wait(pending, timeout=LOOK_S, return_when="FIRST_COMPLETED")
            arrived = [one for future in done for one in _result(future)]
            if arrived:
                watcher.told(sorted(arrived, key=lambda one: one.number), len(numbered))
            found.update((one.number, one) for one in arrived)
    finally:
        for future in pending:
            future.cancel()
    return [found[number] for number, _ in numbered]


def _result(future: Future[list[Tried]]) -> list[Tried]:
    return future.result()


def _chunks(numbered: Sequence[Numbered], workers: int) -> Iterator[Sequence[Numbered]]:
    size = min(CHUNK_MAX, max(1, math.ceil(len(numbered) / (workers * CHUNKS_A_WORKER))))
    for start in range(0, len(numbered), size):
        yield numbered[start : start + size]
