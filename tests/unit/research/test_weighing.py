from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from ordergate.model.errors import DataUnavailable
from ordergate.model.trials import Ended
from ordergate.research.backtest.engine import run
from ordergate.research.backtest.spec import StrategyRef
from ordergate.research.sweep.tried import Tried, failed, kept
from ordergate.research.walk import Leg
from ordergate.research.weighing import (
    LOGGED_LEAST,
    best_of,
    leaks_of,
    newest,
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
from support.markets import asked, noise
from support.trial_rows import SUMS, trial

SPEC = asked(StrategyRef(name="ma_crossover"))


def tried(number: int, net: float, drawdown: float = 0.1, **parameters: float) -> Tried:
    return Tried(number=number, parameters=parameters, ended=Ended.DONE, net=net, drawdown=drawdown)


def test_the_best_comes_first_and_of_equals_the_first_tried() -> None:
    several = [tried(0, 0.1), tried(1, 0.3), tried(2, 0.3), failed(3, {}, "why")]
    assert [one.number for one in ranked(several, "net")] == [1, 2, 0]
    assert best_of(several, "net").number == 1
    deep = [tried(0, 0.2, 0.4), tried(1, 0.1, 0.1), tried(2, 0.1, 0.0)]
    assert [one.number for one in ranked(deep, "drawdown")] == [1, 0]


def test_where_nothing_came_to_a_result_the_first_reason_is_told() -> None:
    with pytest.raises(DataUnavailable, match="too narrow"):
        best_of([failed(0, {}, "too narrow"), failed(1, {}, "too wide")], "net")
    with pytest.raises(DataUnavailable, match="ever traded"):
        best_of([tried(0, 0.0)], "sharpe")


def test_choosing_is_judged_by_the_sweep_or_by_the_log() -> None:
    market = noise(400)
    several = [
        kept(
            n, {}, run(asked(StrategyRef(name="ma_crossover", parameters={"fast": n + 3})), market)
        )
        for n in range(3)
    ]
    found = overfit_of(several)
    assert found is not None
    assert found.configurations == 3
    assert overfit_of(several[:1]) is None
    few = [trial(f"n={n}") for n in range(LOGGED_LEAST - 1)]
    assert overfit_of_logged(few) is None
    assert worth_of_logged(few) is None
    blocks = [
        replace(
            SUMS, block_sums=tuple(float(x) for x in numpy.random.default_rng(n).normal(size=16))
        )
        for n in range(LOGGED_LEAST)
    ]
    logged = [trial(f"n={n}", sums=sums) for n, sums in enumerate(blocks)]
    judged = overfit_of_logged(logged)
    assert judged is not None
    assert judged == overfit_of_logged(logged[::-1])
    assert 1 < (worth_of_logged(logged) or 0) <= LOGGED_LEAST


def test_curves_are_checked_against_doing_nothing() -> None:
    curves = numpy.random.default_rng(1).normal(size=(100, 4))
    assert reality_of(curves) is not None
    assert reality_of(curves[:10]) is None
    assert reality_of(None) is None
    assert worth_of(None) is None
    assert (worth_of(curves) or 0) > 3


def test_leaks_are_looked_for_in_the_newest_bars() -> None:
    series = noise(700).tapes[0].series
    verdicts = leaks_of("crossing", subject_of(SPEC), series)
    assert verdicts is not None
    assert [one.check for one in verdicts] == ["prefix", "poison", "lag"]
    assert all(one.passed for one in verdicts)
    assert leaks_of("program", None, series) is None
    assert leaks_of("short", subject_of(SPEC), newest(series, 20)) is None
    assert subject_of(asked(StrategyRef(name="mine", program="mine.py"))) is None
    assert (newest(series, 5).close == series.close[-5:]).all()


def test_rows_and_notes_say_what_happened() -> None:
    legs = [
        Leg(0, 86_400 * 10**9, tried(0, 0.02, fast=5.0), tried(0, -0.01, fast=5.0)),
        Leg(86_400 * 10**9, 2 * 86_400 * 10**9, tried(1, 0.03, fast=8.0), tried(1, 0.02, fast=8.0)),
    ]
    row = row_of_leg(legs[0], 250.0)
    assert row.name == "1970-01-01 to 1970-01-02: fast=5"
    assert (row.net, row.note) == (-0.01, "inside +2.00 %")
    notes = notes_of_legs(legs)
    assert notes[0].startswith("1 of 2 folds earned outside; the chosen parameters changed 1 times")
    assert "+5.00 % inside" in notes[1]
    assert "+1.00 % outside" in notes[1]
    assert row_of("x", tried(0, 0.1), 250.0).annual_sharpe is None
