"""One report: what was run, what came of it, and what is to be thought of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ordergate.model.canonical import iso, plain_data
from ordergate.research.report.figures import Figures, Month
from ordergate.research.sweep.tried import dataset_named, settings_text
from ordergate.research.validation.verdict import CONVENTION, Evidence, Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordergate.model.instruments import Instrument
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec

TOP: Final = 20  # configurations of a sweep that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """A configuration of a sweep, or a fold of a walk, as it is shown."""

    name: str
    net: float
    gross: float
    drawdown: float
    trades: int
    annual_sharpe: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """`rows` are the best of a sweep, or the folds of a walk; none for a single run."""

    kind: str  # "backtest", "sweep" or "walk-forward"
    run: str
    asker: str
    at: datetime
    version: str
    command: str
    spec: BacktestSpec
    instruments: Sequence[Instrument]
    outcome: Outcome
    figures: Figures
    months: Sequence[Month]
    evidence: Evidence
    judgement: Judgement
    rows: Sequence[Row] = ()
    rows_title: str = ""
    notes: Sequence[str] = ()


def facts(report: Report) -> dict[str, Any]:
    """Return the report as plain data: numbers as short texts, what is unknown as None."""
    figures, judgement, evidence = report.figures, report.judgement, report.evidence
    return {
        "kind": report.kind,
        "run": report.run,
        "asker": report.asker,
        "at": iso(report.at),
        "believable": judgement.believable,
        "headline": judgement.headline,
        "findings": [
            {"code": one.code.value, "weight": one.weight.value, "words": one.words}
            for one in judgement.findings
        ],
        "figures": {
            name: _number(value) for name, value in asdict(figures).items() if name != "costs"
        },
        "costs": {
            **{name: _number(value, 2) for name, value in asdict(figures.costs).items()},
            "paid": _number(figures.costs.paid, 2),
        },
        "overfit": overfit_facts(judgement, evidence),
        "stress": [
            {"name": one.name, "net": _number(one.net), "trades": one.trades}
            for one in evidence.stress
        ],
        "ambiguous": report.outcome.ambiguous,
        "band": [_number(value) for value in evidence.band],
        "refused": dict(report.outcome.refused),
        "rows_title": report.rows_title,
        "rows": [row_facts(row) for row in report.rows[:TOP]],
        "notes": list(report.notes),
        "again": again(report),
    }


def overfit_facts(judgement: Judgement, evidence: Evidence) -> dict[str, Any]:
    """Return every number of doubt with the name of its convention."""
    tally, overfit, reality = evidence.tally, evidence.overfit, evidence.reality
    return {
        "convention": CONVENTION,
        "trials": tally.trials,
        "trials_of_run": tally.of_run,
        "trials_before": tally.trials - tally.of_run,
        "trials_of_strategy": tally.of_family,
        "trials_failed": tally.failed,
        "trials_pruned": tally.pruned,
        "askers": tally.askers,
        "effective_trials": _number(evidence.effective, 1),
        "annual_sharpe": _number(judgement.annual_sharpe, 3),
        "luck_annual_sharpe": _number(judgement.luck, 3),
        "psr_2012": _number(judgement.psr_2012),
        "psr_2025": _number(judgement.psr_2025),
        "deflated_sharpe": _number(judgement.deflated),
        "deflated_sharpe_effective": _number(judgement.deflated_effective),
        "pbo": None if overfit is None else _number(overfit.pbo),
        "pbo_slope": None if overfit is None else _number(overfit.slope),
        "pbo_loss": None if overfit is None else _number(overfit.loss),
        "white_p": None if reality is None else _number(reality.white),
        "spa_p": None if reality is None else _number(reality.spa),
        "track_record_bars": judgement.track,
        "track_record_needed_bars": _number(judgement.track_needed, 0),
        "backtest_years": _number(judgement.years, 2),
        "backtest_needed_years": _number(judgement.years_needed, 2),
        "leakage": [
            {"check": one.check, "passed": one.passed, "message": one.message}
            for one in evidence.leaks
        ],
    }


def again(report: Report) -> dict[str, Any]:
    """Return all that is needed to run it once more and to know that it was the same."""
    spec, outcome = report.spec, report.outcome
    return {
        "command": report.command,
        "version": report.version,
        "engine": outcome.engine,
        "seed": outcome.seed,
        "dataset": dataset_named(spec),
        "begin": None if spec.begin is None else iso(spec.begin),
        "end": None if spec.end is None else iso(spec.end),
        "data_sha256": outcome.data_sha256,
        "settings": settings_text(spec),
        "costs": plain_data(spec.costs),
    }


def row_facts(row: Row) -> Mapping[str, Any]:
    return {
        "name": row.name,
        "net": _number(row.net),
        "gross": _number(row.gross),
        "drawdown": _number(row.drawdown),
        "trades": row.trades,
        "annual_sharpe": _number(row.annual_sharpe, 2),
        "note": row.note,
    }


def named(parameters: Mapping[str, float]) -> str:
    """Return a configuration as it is typed: fast=5 slow=20."""
    return " ".join(f"{name}={value:g}" for name, value in parameters.items())


def _number(value: float | int | None, digits: int = 4) -> str | None:
    if value is None:
        return None
    return str(value) if isinstance(value, int) else f"{value:.{digits}f}"
