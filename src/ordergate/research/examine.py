"""Put a strategy to the test: run it, log the trial, stress it, judge it, write the report.

A trial is logged before anything is told of it. Stress runs choose nothing and are no trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordergate.model.trials import Ended, Origin
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.wording import word_of
from ordergate.research.report.figures import bars_per_year, costs_of, figures, months
from ordergate.research.report.report import Report, named, row_facts
from ordergate.research.stress import SETTINGS, stressed, under
from ordergate.research.sweep.space import Axis, grid, require_known, sample, with_parameters
from ordergate.research.sweep.sweep import Run, Stopped, Task, Workers, once, sweep
from ordergate.research.sweep.tpe import search
from ordergate.research.sweep.tried import (
    Asked,
    Tried,
    curves_of,
    dataset_named,
    kept,
    per_bar,
    trial_of,
)
from ordergate.research.validation.sharpe import moments_of
from ordergate.research.validation.verdict import Evidence, Stressed, judge
from ordergate.research.walk import Leg, Window, joined, within
from ordergate.research.weighing import (
    SCORES,
    best_of,
    leaks_of,
    notes_of_legs,
    overfit_of,
    overfit_of_logged,
    ranked,
    reality_of,
    row_of,
    row_of_leg,
    subject_of,
    worth_of,
    worth_of_logged,
)

if TYPE_CHECKING:
    from ordergate.model.trials import Trial
    from ordergate.ports.trials import TrialLog
    from ordergate.research.backtest.laying import Laid
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.backtest.tapes import MarketData
    from ordergate.research.backtest.wording import Word
    from ordergate.research.validation.overfit import Overfit
    from ordergate.research.validation.reality import Reality
    from ordergate.research.validation.subjects import Subject

LOGGED_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Voice:
    """How a strategy speaks: as the engine's columns, and as what leakage checks are put to."""

    word: Callable[[Laid], Word] = word_of
    subject: Callable[[BacktestSpec], Subject | None] = subject_of
    run: Run = run_laid


class Hearer(Protocol):
    """Is told of progress, and asked whether to go on."""

    def progress(
        self, done: int, total: int, words: str, best: Mapping[str, Any] | None = None
    ) -> None:
        """`best` is the best row so far of a sweep."""
        ...

    def stopped(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Who asks, under which name, and with which command it can be asked again."""

    run: str
    asker: str
    at: datetime
    version: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sweep chooses: every combination, some by chance, or a search; `by` names the score."""

    axes: Sequence[Axis]
    method: Origin = Origin.GRID
    trials: int = 200
    by: str = "sharpe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What choosing among many comes to; nothing for a run of one."""

    overfit: Overfit | None = None
    effective: float | None = None
    reality: Reality | None = None


@dataclass(slots=True, kw_only=True)
class _Told:
    """Logs what a sweep tells, then passes the progress on."""

    trials: TrialLog
    hearer: Hearer
    spec: BacktestSpec
    asked: Asked
    words: str
    by: str
    per_year: float
    done: int = 0
    best: Tried | None = None

    def told(self, tried: Sequence[Tried], total: int) -> None:
        self.trials.add(
            [trial_of(with_parameters(self.spec, one.parameters), one, self.asked) for one in tried]
        )
        self.done += len(tried)
        found = ranked([*tried, *(() if self.best is None else (self.best,))], self.by)
        self.best = found[0] if found else None
        self.hearer.progress(self.done, total, self.words, self._row())

    def _row(self) -> Mapping[str, Any] | None:
        if self.best is None:
            return None
        return row_facts(row_of(named(self.best.parameters), self.best, self.per_year, "so far"))

    def stopped(self) -> bool:
        return self.hearer.stopped()


class Examine:
    def __init__(
        self,
        *,
        trials: TrialLog,
        workers: Workers,
        hearer: Hearer,
        circumstances: Circumstances,
        voice: Voice = Voice(),
    ) -> None:
        self._trials = trials
        self._voice = voice
        self._workers = workers
        self._hearer = hearer
        self._here = circumstances

    def backtest(self, spec: BacktestSpec, data: MarketData) -> Report:
        """Run one configuration; what was ever tried on these bars counts in its judgement."""
        task = self._task(spec, data)
        outcome = once(task, {})
        self._hearer.progress(1, 2, "run; now under other costs")
        tried = kept(0, {}, outcome)
        self._trials.add([trial_of(spec, tried, self._asked(Origin.SINGLE))])
        logged = self._logged(spec, tried)
        choice = Choice(overfit=overfit_of_logged(logged), effective=worth_of_logged(logged))
        return self._report("backtest", task, outcome, choice)

    def sweep(self, spec: BacktestSpec, data: MarketData, plan: Plan) -> Report:
        """Try a space of parameters and report on the best of it; raise Stopped, BadSweep."""
        task = self._task(spec, data)
        tried = self._tried(task, plan)
        best = best_of(tried, plan.by)
        won = replace(task, spec=with_parameters(spec, best.parameters))
        curves = curves_of(tried)
        choice = Choice(
            overfit=overfit_of(tried), effective=worth_of(curves), reality=reality_of(curves)
        )
        report = self._report("sweep", won, once(won, {}), choice)
        notes = [f"{len(tried)} tried, the best by {plan.by}: {named(best.parameters)}"]
        failed = [one for one in tried if one.ended is Ended.FAILED]
        if failed:
            notes.append(f"{len(failed)} failed; the first: {failed[0].error}")
        per_year = report.evidence.per_year
        rows = [row_of(named(one.parameters), one, per_year) for one in ranked(tried, plan.by)]
        return replace(report, rows=rows, rows_title=f"The best by {plan.by}", notes=notes)

    def walk(
        self,
        spec: BacktestSpec,
        data: MarketData,
        plan: Plan,
        windows: Sequence[tuple[Window, Window]],
    ) -> Report:
        """Choose on each train window, trade the next test window; report on what came outside.

        Every configuration is logged for every train window, the joined result as one more.
        """
        legs: list[Leg] = []
        parts: list[Outcome] = []
        for number, (train, test) in enumerate(windows, start=1):
            inside = self._task(within(spec, train), data, since=train.begin)
            tried = self._tried(inside, plan, words=f"fold {number} of {len(windows)}")
            best = best_of(tried, plan.by)
            outside = self._task(within(spec, test), data, since=test.begin)
            parts.append(once(outside, best.parameters))
            legs.append(Leg(test.begin, test.end, best, kept(number, best.parameters, parts[-1])))
        whole = joined(parts)
        last = with_parameters(spec, legs[-1].inside.parameters)
        self._trials.add([trial_of(last, kept(0, {}, whole), self._asked(Origin.WALK))])
        report = self._report("walk-forward", self._task(last, data), whole, None)
        return replace(
            report,
            rows=[row_of_leg(leg, report.evidence.per_year) for leg in legs],
            rows_title="Folds, outside of what they were chosen on",
            notes=notes_of_legs(legs),
        )

    def stress(self, task: Task) -> tuple[Stressed, ...]:
        """Return the table of every default report; raise Stopped."""
        table = []
        for setting in SETTINGS:
            if self._hearer.stopped():
                raise Stopped
            own = replace(task, spec=under(task.spec, setting))
            table.append(stressed(setting, once(own, {})))
        return tuple(table)

    def _task(self, spec: BacktestSpec, data: MarketData, *, since: int | None = None) -> Task:
        return Task(spec=spec, data=data, since=since, word=self._voice.word, run=self._voice.run)

    def _tried(self, task: Task, plan: Plan, *, words: str = "trying") -> list[Tried]:
        require_known(task.spec.strategy, plan.axes)
        told = _Told(
            trials=self._trials,
            hearer=self._hearer,
            spec=task.spec,
            asked=self._asked(plan.method),
            words=words,
            by=plan.by,
            per_year=bars_per_year(task.data.tapes[0].series.time),
        )
        if plan.method is Origin.TPE:
            return search(task, plan.axes, self._workers, told, (plan.trials, SCORES[plan.by]))
        wanted = (
            grid(plan.axes)
            if plan.method is Origin.GRID
            else sample(plan.axes, plan.trials, seed=task.spec.seed)
        )
        return sweep(task, wanted, self._workers, told)

    def _report(self, kind: str, task: Task, outcome: Outcome, choice: Choice | None) -> Report:
        """Judge an outcome; without a choice (joined folds) there is nothing to run again."""
        spec, here = task.spec, self._here
        costs, start = costs_of(outcome), outcome.start / outcome.money_scale
        tapes = {tape.instrument.symbol: tape for tape in task.data.tapes}
        leaks = leaks_of(
            spec.strategy.name, self._voice.subject(spec), tapes[spec.symbols[0]].series
        )
        low, high = ((equity - outcome.start) / outcome.start for equity in outcome.band)
        found = choice or Choice()
        evidence = Evidence(
            record=moments_of(per_bar(outcome)),
            per_year=bars_per_year(outcome.time),
            trades=len(outcome.trades) - outcome.open_trades,
            net=outcome.net / outcome.start,
            gross=costs.gross / start,
            costs=costs.paid / start,
            ambiguous=outcome.ambiguous,
            band=(low, high),
            stress=() if choice is None else self.stress(task),
            tally=self._trials.tally(dataset_named(spec), family=spec.strategy.name, run=here.run),
            effective=found.effective,
            overfit=found.overfit,
            reality=found.reality,
            leaks=leaks or (),
            checked=leaks is not None,
        )
        return Report(
            kind=kind,
            run=here.run,
            asker=here.asker,
            at=here.at,
            version=here.version,
            command=here.command,
            spec=spec,
            instruments=[tapes[symbol].instrument for symbol in spec.symbols],
            outcome=outcome,
            figures=figures(outcome),
            months=months(outcome),
            evidence=evidence,
            judgement=judge(evidence),
        )

    def _logged(self, spec: BacktestSpec, tried: Tried) -> list[Trial]:
        """Return what was ever tried on exactly these bars."""
        rows = self._trials.trials(dataset_named(spec), limit=LOGGED_MAX)
        return [row for row in rows if row.slice == tried.slice]

    def _asked(self, origin: Origin) -> Asked:
        here = self._here
        return Asked(run=here.run, asker=here.asker, at=here.at, origin=origin)
