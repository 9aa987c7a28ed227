"""The words of a judgement: what is called out, and what is not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ordergate.model.trials import Tally
from ordergate.research.validation.leakage import Verdict as Check
from ordergate.research.validation.overfit import Overfit
from ordergate.research.validation.reality import Reality
from ordergate.research.validation.sharpe import Moments, backtest_needed_years, deflated, luck
from ordergate.research.validation.verdict import (
    Evidence,
    Judgement,
    Stressed,
    Weight,
    judge,
    variance_of,
)

TALLY = Tally(trials=20, of_family=20, of_run=20, failed=0, pruned=0, variance=0.0001, askers=1)
GOOD = Evidence(
    record=Moments(5_000, 0.06),
    per_year=1_000.0,
    trades=200,
    net=0.3,
    gross=0.4,
    costs=0.1,
    ambiguous=0,
    band=(0.3, 0.3),
    stress=(),
    tally=TALLY,
    overfit=Overfit(0.05, 12_870, 20, 0.4, 0.02, 1.5),
    reality=Reality(0.01, 0.01, 1_000, 20.0),
    leaks=(Check("prefix", True, 9, "the same"),),
)


def codes(found: Judgement, *weights: Weight) -> set[str]:
    return {one.code for one in found.findings if not weights or one.weight in weights}


def words(found: Judgement, code: str) -> str:
    return next(one.words for one in found.findings if one.code == code)


def line(name: str, net: float, scale: float = 1.0, spread: float = 1.0) -> Stressed:
    return Stressed(
        name=name, cost_scale=scale, spread_factor=spread, delay_bars=0, net=net, trades=9
    )


def test_nothing_is_held_against_a_good_record_and_nothing_is_promised() -> None:
    found = judge(GOOD)
    assert found.believable
    assert codes(found, Weight.STOP, Weight.DOUBT) == set()
    assert "no promise" in found.headline
    assert found.deflated == deflated(GOOD.record, trials=20, variance=0.0001)  # type: ignore[arg-type]
    assert found.luck == pytest.approx(luck(20, 0.0001) * math.sqrt(1_000))
    assert found.annual_sharpe == pytest.approx(0.06 * math.sqrt(1_000))
    assert found.years == 5.0
    assert found.years_needed == backtest_needed_years(20, found.annual_sharpe)


def test_a_leak_is_called_what_it_is() -> None:
    leak = Check("prefix", False, 3, "direction of bar 7 is another of the first 9 bars alone")
    found = judge(replace(GOOD, leaks=(leak,)))
    assert not found.believable
    assert found.headline == "Do not believe this result."
    assert "It knows the future" in words(found, "LEAKS")
    lagged = judge(replace(GOOD, leaks=(Check("lag", False, 2, "the edge is gone a bar later"),)))
    assert "may know the future" in words(lagged, "LEAKS")
    assert codes(judge(replace(GOOD, leaks=(), checked=False)), Weight.DOUBT) == {
        "LEAKAGE_UNCHECKED"
    }


def test_a_scalper_blind_to_its_costs_is_told_what_they_take() -> None:
    found = judge(replace(GOOD, net=-0.2, gross=0.1, costs=0.3))
    assert "COST_BLIND" in codes(found, Weight.STOP)
    assert words(found, "COST_BLIND") == (
        "It is blind to its costs: +10.00 % before costs, -20.00 % after them. Costs take 3.0"
        " times what the signals earn."
    )
    assert "LOSES" in codes(judge(replace(GOOD, net=-0.2, gross=-0.1)), Weight.STOP)


def test_what_costs_kill_is_a_doubt_when_it_is_near() -> None:
    near = judge(replace(GOOD, stress=(line("costs x1.5", -0.1, scale=1.5),)))
    assert "COSTS_KILL_IT" in codes(near, Weight.DOUBT)
    far = judge(replace(GOOD, stress=(line("spread x3", -0.1, spread=3.0),)))
    assert "COSTS_KILL_IT" in codes(far, Weight.FINE)
    free = judge(replace(GOOD, stress=(line("no costs", -0.1, scale=0.0), line("x2", 0.1))))
    assert "COSTS_BORNE" in codes(free, Weight.FINE)


def test_many_trials_turn_a_result_into_luck() -> None:
    many = replace(TALLY, trials=50_000, variance=0.0004)
    found = judge(replace(GOOD, tally=many))
    assert "LUCK_ALONE" in codes(found, Weight.DOUBT)
    assert "50000 trials were made on this data" in words(found, "LUCK_ALONE")
    assert found.deflated is not None
    assert found.deflated < 0.95
    assert found.headline == "Not shown to be more than luck."


def test_the_effective_number_is_shown_and_the_raw_one_decides() -> None:
    many = replace(TALLY, trials=50_000, variance=0.0004)
    found = judge(replace(GOOD, tally=many, effective=1.4))
    assert found.deflated is not None
    assert found.deflated_effective is not None
    assert found.deflated_effective > 0.95 > found.deflated
    assert not found.believable


def test_a_choice_fitted_to_noise_is_called_so() -> None:
    found = judge(replace(GOOD, overfit=Overfit(0.55, 12_870, 300, -0.2, 0.5, -0.1)))
    assert "FITTED_TO_NOISE" in codes(found, Weight.STOP)
    assert "fitted to noise" in words(found, "FITTED_TO_NOISE")
    assert "55.0 %" in words(found, "FITTED_TO_NOISE")
    doubted = judge(replace(GOOD, reality=Reality(0.2, 0.01, 1_000, 20.0)))
    assert "NOT_BETTER_THAN_NOTHING" in codes(doubted, Weight.DOUBT)


def test_few_trades_and_short_records_are_doubted() -> None:
    found = judge(replace(GOOD, trades=12, record=Moments(400, 0.06)))
    assert {"FEW_TRADES", "TOO_SHORT", "BACKTEST_TOO_SHORT"} <= codes(found, Weight.DOUBT)


def test_a_result_that_one_bar_decides_is_doubted() -> None:
    found = judge(replace(GOOD, ambiguous=9, band=(-0.1, 0.4)))
    assert "AMBIGUOUS" in codes(found, Weight.DOUBT)
    assert "AMBIGUOUS" not in codes(judge(replace(GOOD, ambiguous=9, band=(0.1, 0.4))))


def test_what_never_traded_is_nothing() -> None:
    found = judge(replace(GOOD, record=None, trades=0, net=0.0, gross=0.0, overfit=None))
    assert "NO_TRADES" in codes(found, Weight.STOP)
    assert found.psr_2012 is None
    assert found.deflated is None
    assert found.luck is None


def test_a_first_trial_has_the_variance_of_a_worthless_one() -> None:
    first = replace(TALLY, trials=1, variance=None)
    assert variance_of(first, Moments(400, 0.1)) == 1 / 400
    found = judge(replace(GOOD, tally=first))
    assert found.deflated == found.psr_2012
