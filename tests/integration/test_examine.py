"""The default report calls out what must not be believed: leaks, noise, costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy
import pytest

from ordergate.adapters.storage.trial_file import TrialFile
from ordergate.market.signals.strategies import Signals
from ordergate.model.series import Series
from ordergate.model.trials import Origin
from ordergate.research.backtest.laying import Laid
from ordergate.research.backtest.spec import BacktestSpec, CostSpec, StrategyRef, Style
from ordergate.research.backtest.wording import Word, laid_out
from ordergate.research.examine import Plan, Voice
from ordergate.research.report.page import BYTES_MAX, page
from ordergate.research.report.report import Report
from ordergate.research.sweep.space import BadSweep, axis, steps
from ordergate.research.validation.folds import Walk, walk
from ordergate.research.validation.subjects import Subject
from ordergate.research.validation.verdict import Weight
from ordergate.research.walk import windows
from support.markets import asked, noise, real_hours, swinging
from support.scrutiny import Quiet, desk

HOUR_NS = 3_600 * 10**9
CROSSING = StrategyRef(name="ma_crossover")
AXES = [axis("fast", range(3, 13, 2)), axis("slow", range(15, 45, 6))]


def codes(report: Report, weight: Weight) -> set[str]:
    return {one.code for one in report.judgement.findings if one.weight is weight}


def tomorrow(series: Series) -> numpy.ndarray:
    """Whether the next close is higher: what nobody knows."""
    return numpy.append(numpy.sign(numpy.diff(series.close)), 0.0)


def seer_word(laid: Laid) -> Word:
    return laid_out(laid, [_held(tomorrow(tape.series)) for tape in laid.tapes])


def _held(direction: numpy.ndarray) -> Signals:
    none = numpy.full(len(direction), numpy.nan)
    return Signals(direction=direction, entry=none, stop=none, target=none, confidence=none)


def seer_subject(spec: BacktestSpec) -> Subject:
    return lambda series: {"direction": tomorrow(series)}


def test_a_strategy_that_knows_the_future_is_called_out_however_much_it_earns(
    tmp_path: Path,
) -> None:
    spec = asked(StrategyRef(name="seer", style=Style.TARGET))
    with desk(tmp_path, voice=Voice(seer_word, seer_subject)) as examine:
        report = examine.backtest(spec, noise(1_200))
    assert report.figures.net > 1_000
    assert report.judgement.annual_sharpe is not None
    assert report.judgement.annual_sharpe > 5
    assert report.judgement.headline == "Do not believe this result."
    assert "LEAKS" in codes(report, Weight.STOP)
    assert "It knows the future" in page(report)


def test_the_best_of_a_sweep_over_noise_is_called_fitted(tmp_path: Path) -> None:
    hearer = Quiet()
    with desk(tmp_path, hearer=hearer) as examine:
        report = examine.sweep(asked(CROSSING), noise(1_500), Plan(axes=AXES))
    assert hearer.best["name"] == report.rows[0].name  # the partial result was the best so far
    assert not report.judgement.believable
    assert codes(report, Weight.STOP) & {"FITTED_TO_NOISE", "COST_BLIND", "LOSES"}
    assert report.evidence.tally.trials == 25
    assert report.evidence.overfit is not None
    assert report.evidence.reality is not None
    assert len(report.rows) == 25


def test_a_scalper_blind_to_its_costs_is_told_so(tmp_path: Path) -> None:
    """It earns a little on every small swing, and pays more than that for it."""
    spec = asked(
        StrategyRef(
            name="custom",
            style=Style.TARGET,
            long_when="change(close, 1) < 0",
            short_when="change(close, 1) > 0",
        ),
        costs=CostSpec(spread_factor=Decimal(3)),
    )
    chance = numpy.random.default_rng(5)
    jitter = 1.1 + numpy.cumsum(chance.normal(0, 1e-4, 1_500)) + chance.normal(0, 1.2e-4, 1_500)
    data = _of(jitter)
    with desk(tmp_path) as examine:
        report = examine.backtest(spec, data)
    assert report.figures.costs.gross > 0 > report.figures.net
    assert "COST_BLIND" in codes(report, Weight.STOP)
    assert "blind to its costs" in page(report)


def test_a_planted_edge_is_not_called_noise(tmp_path: Path) -> None:
    spec = asked(StrategyRef(name="custom", style=Style.TARGET, long_when="close > sma({n})"))
    with desk(tmp_path) as examine:
        report = examine.sweep(spec, swinging(3_000), Plan(axes=[axis("n", range(5, 45, 4))]))
    assert report.evidence.overfit is not None
    assert report.evidence.overfit.pbo < 0.2
    assert codes(report, Weight.STOP) == set()
    assert {"MORE_THAN_LUCK", "CHOICE_HOLDS", "BETTER_THAN_NOTHING", "COSTS_BORNE"} <= codes(
        report, Weight.FINE
    )
    assert report.judgement.believable


@pytest.mark.slow
def test_every_trial_of_every_user_and_run_counts(tmp_path: Path) -> None:
    data = noise(600)
    with desk(tmp_path, run="job-1", asker="agent-a") as examine:
        first = examine.sweep(asked(CROSSING), data, Plan(axes=AXES))
    with desk(tmp_path, run="job-2", asker="agent-b") as examine:
        second = examine.backtest(asked(CROSSING), data)
        again = examine.backtest(asked(CROSSING), data)
    assert first.evidence.tally.trials == 25
    assert (second.evidence.tally.trials, second.evidence.tally.of_run) == (26, 1)
    assert second.evidence.tally.askers == 2
    assert again.evidence.tally.trials == 26  # a repeat is no new trial
    assert second.evidence.overfit is not None  # of all that was tried on these bars
    assert second.evidence.overfit.configurations == 26


@pytest.mark.slow
def test_a_stress_run_is_no_trial_and_the_same_sweep_gives_the_same_page(tmp_path: Path) -> None:
    with desk(tmp_path) as examine:
        one = examine.sweep(asked(CROSSING), noise(600), Plan(axes=AXES[:1]))
        two = examine.sweep(asked(CROSSING), noise(600), Plan(axes=AXES[:1]))
    assert page(one) == page(two)
    assert len(page(one).encode()) < BYTES_MAX
    assert len(one.evidence.stress) == 9


@pytest.mark.slow
def test_chosen_by_chance_and_by_net(tmp_path: Path) -> None:
    plan = Plan(axes=AXES, method=Origin.RANDOM, trials=6, by="net")
    with desk(tmp_path) as examine:
        report = examine.sweep(asked(CROSSING), noise(600), plan)
    assert len(report.rows) == 6
    assert report.rows[0].net == max(row.net for row in report.rows)
    assert {one.origin for one in TrialFile(tmp_path).trials("file EURUSD H1")} == {Origin.RANDOM}


def test_what_is_too_large_leaves_no_trial(tmp_path: Path) -> None:
    axes = [steps(name, 2, 200, 1) for name in ("fast", "rsi")]
    with desk(tmp_path) as examine, pytest.raises(BadSweep):
        examine.sweep(asked(StrategyRef(name="rule_baseline")), noise(300), Plan(axes=axes))
    assert TrialFile(tmp_path).tally("file EURUSD H1").trials == 0


@pytest.mark.slow
def test_a_walk_trades_only_what_it_was_not_chosen_on(tmp_path: Path) -> None:
    data = noise(2_400, seed=3)
    starts = data.tapes[0].series.time
    parts = [
        windows(fold, starts, length=HOUR_NS)
        for fold in walk(2_400, Walk(train=1_000, test=400, gap=24))
    ]
    with desk(tmp_path) as examine:
        report = examine.walk(asked(CROSSING), data, Plan(axes=AXES[:1]), parts)
    outcome = report.outcome
    assert len(outcome.time) == sum(
        int(((starts >= test.begin) & (starts < test.end)).sum()) for _, test in parts
    )
    assert (numpy.diff(outcome.time) > 0).all()
    assert outcome.trades.entry_time.min() >= parts[0][1].begin
    assert len(report.rows) == len(parts) == 3
    assert TrialFile(tmp_path).tally("file EURUSD H1").trials == 3 * 5 + 1
    assert "outside" in report.notes[1]


@pytest.mark.slow
def test_a_walk_changes_nothing_in_the_past_when_the_future_changes(tmp_path: Path) -> None:
    data = noise(1_800, seed=4)
    series = data.tapes[0].series
    other = series.close.copy()
    other[1_500:] *= 1.05
    parts = [
        windows(fold, series.time, length=HOUR_NS)
        for fold in walk(1_800, Walk(train=800, test=300, gap=10))
    ]
    with desk(tmp_path) as examine:
        one = examine.walk(asked(CROSSING), data, Plan(axes=AXES[:1]), parts)
        two = examine.walk(asked(CROSSING), _of(other), Plan(axes=AXES[:1]), parts)
    upto = one.outcome.time < series.time[1_500]
    assert upto.sum() > 300
    assert (one.outcome.equity[upto] == two.outcome.equity[upto]).all()


@pytest.mark.slow
def test_the_report_of_real_hours_fits_into_a_mail(tmp_path: Path) -> None:
    data = real_hours(12_000)
    with desk(tmp_path) as examine:
        report = examine.backtest(asked(CROSSING), data)
    assert report.figures.trades > 150
    assert len(page(report).encode()) < BYTES_MAX


def _of(close: numpy.ndarray):  # type: ignore[no-untyped-def]
    from support.markets import market, of_closes

    return market(of_closes(close))
