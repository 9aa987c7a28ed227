"""Published examples to their printed digits, and what must hold for any track record."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.research.validation.sharpe import (
    Moments,
    backtest_needed_years,
    deflated,
    effective_trials,
    expected_maximum,
    luck,
    moments,
    moments_of,
    power_sums,
    psr_2012,
    psr_2025,
    standard_error,
    track_record_needed,
)

# Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014, "A numerical example": SR 2.5 a year,
# five years of 250 days, variance of the trials' annual SR 1/2.
DAILY = 1 / math.sqrt(250)
PAPER = Moments(1250, 2.5 * DAILY, -3.0, 10.0)
# Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012, exhibit 3: 24 months.
FUND = Moments(24, 0.458, -2.448, 10.164)
# The same fund in How to Use the Sharpe Ratio, 2025: mean 3.6 %, deviation 7.9 %.
FUND_2025 = Moments(24, 0.036 / 0.079, -2.448, 10.164)


def test_the_deflated_sharpe_of_the_2014_paper() -> None:
    assert luck(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    assert deflated(PAPER, trials=100, variance=0.5 / 250) == pytest.approx(0.90039683, abs=5e-9)
    assert round(deflated(PAPER, trials=46, variance=0.5 / 250), 4) == 0.9505
    normal = Moments(1250, 2.5 * DAILY)
    assert round(deflated(normal, trials=88, variance=0.5 / 250), 4) == 0.9505


def test_the_probabilistic_sharpe_of_the_2012_paper() -> None:
    assert round(psr_2012(Moments(24, 0.458)), 3) == 0.982
    assert round(psr_2012(FUND), 3) == 0.913


@pytest.mark.parametrize(("per_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_track_record_of_the_2012_paper(per_year: int, years: float) -> None:
    """An annual SR of 2 is above 1 with 95 % after so many years of normal returns."""
    root = math.sqrt(per_year)
    needed = track_record_needed(Moments(99, 2 / root), 1 / root)
    assert needed is not None
    assert round(needed / per_year, 2) == years


def test_the_track_record_of_the_2012_paper_with_tails() -> None:
    root = math.sqrt(12)
    needed = track_record_needed(Moments(99, 2 / root, -0.72, 5.78), 1 / root)
    assert needed is not None
    assert round(needed / 12, 2) == 4.99


def test_the_probabilistic_sharpe_of_2025() -> None:
    assert round(psr_2025(FUND_2025), 3) == 0.987
    assert round(psr_2025(FUND_2025, 0.1), 3) == 0.939
    # its standard errors at the SR observed, which are the 2012 ones with T for T - 1
    assert round(standard_error(FUND_2025) * math.sqrt(23 / 24), 3) == 0.329
    assert round(standard_error(Moments(24, FUND_2025.sharpe)) * math.sqrt(23 / 24), 3) == 0.214


def test_the_expected_maximum_and_the_backtest_length_of_pseudo_mathematics() -> None:
    assert round(expected_maximum(10), 2) == 1.57
    # "only five years of data: no more than 45 independent configurations should be tried"
    assert backtest_needed_years(45) < 5 < backtest_needed_years(46)
    # "after only seven trials one expects a two-year backtest with an annual SR over 1"
    assert backtest_needed_years(7) < 2 < backtest_needed_years(8)
    for trials in (2, 10, 100, 10**6, 10**9):
        assert backtest_needed_years(trials) <= 2 * math.log(trials)


@pytest.mark.parametrize("trials", [2, 5, 10, 100, 1000])
def test_the_expected_maximum_is_near_the_integral_of_the_maximum(trials: int) -> None:
    """E[max of N] = integral of x N phi(x) Phi(x)^(N-1): exact, where ours is asymptotic."""
    x = numpy.linspace(-9, 9, 40_001)
    phi = numpy.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    cumulated = numpy.array([NormalDist().cdf(value) for value in x])
    exact = float(numpy.trapezoid(x * trials * phi * cumulated ** (trials - 1), x))
    assert expected_maximum(trials) == pytest.approx(exact, rel=0.08)
    if trials >= 10:
        assert expected_maximum(trials) == pytest.approx(exact, rel=0.03)


def test_the_best_of_noise_is_as_good_as_expected() -> None:
    chance = numpy.random.default_rng(7)
    best = chance.normal(size=(20_000, 50)).max(axis=1).mean()
    assert expected_maximum(50) == pytest.approx(best, rel=0.02)


def test_one_trial_is_not_deflated_and_none_is_refused() -> None:
    assert deflated(PAPER, trials=1, variance=0.5 / 250) == psr_2012(PAPER)
    with pytest.raises(ValueError, match="no best"):
        expected_maximum(0)
    assert math.isfinite(expected_maximum(10**15))


def test_a_psr_at_its_own_sharpe_is_one_half() -> None:
    assert psr_2012(FUND, FUND.sharpe) == 0.5
    assert psr_2025(FUND, FUND.sharpe) == 0.5


def test_no_track_record_proves_what_is_not_there() -> None:
    assert track_record_needed(Moments(100, -0.1)) is None
    assert track_record_needed(Moments(100, 0.1), 0.1) is None


@given(
    sharpe=st.floats(0.01, 0.5),
    skewness=st.floats(-2, 1.5),
    kurtosis=st.floats(6, 20),
    trials=st.integers(2, 10_000),
    variance=st.floats(1e-4, 0.02),
)
@settings(max_examples=60, deadline=None)
def test_the_deflated_sharpe_falls_with_trials_variance_tails_and_negative_skew(
    sharpe: float, skewness: float, kurtosis: float, trials: int, variance: float
) -> None:
    record = Moments(500, sharpe, skewness, kurtosis)
    here = deflated(record, trials=trials, variance=variance)
    assert deflated(record, trials=trials * 2, variance=variance) <= here
    assert deflated(record, trials=trials, variance=variance * 2) <= here
    if sharpe > luck(trials, variance):  # below luck a wider error helps a bad one
        fat = Moments(500, sharpe, skewness, kurtosis * 2)
        assert deflated(fat, trials=trials, variance=variance) <= here
        left = Moments(500, sharpe, skewness - 1, kurtosis)
        assert deflated(left, trials=trials, variance=variance) <= here


def test_moments_are_those_of_the_definition() -> None:
    results = numpy.array([1.0, 2.0, 4.0, -3.0, 0.0])
    mean, n = results.mean(), len(results)
    spread = results - mean
    m2, m3, m4 = ((spread**k).sum() / n for k in (2, 3, 4))
    found = moments_of(results)
    assert found is not None
    assert found.count == 5
    assert found.sharpe == pytest.approx(mean / math.sqrt(m2 * n / (n - 1)))
    assert found.skewness == pytest.approx(m3 / m2**1.5)
    assert found.kurtosis == pytest.approx(m4 / m2**2)
    assert moments(5, power_sums(results)) == found


def test_what_never_varies_or_is_too_short_has_no_sharpe() -> None:
    assert moments_of(numpy.zeros(100)) is None
    assert moments_of(numpy.full(100, 0.1)) is None
    assert moments_of(numpy.array([1.0, 2.0])) is None


def test_a_record_without_any_error_is_certain() -> None:
    sure = Moments(100, 1.0, 2.0, 5.0)  # 1 - 2 + 1 = 0
    assert psr_2012(sure) == 1.0
    assert psr_2012(sure, 2.0) == 0.0


def test_effective_trials_count_what_differs() -> None:
    chance = numpy.random.default_rng(3)
    noise = chance.normal(size=(20_000, 8))
    assert effective_trials(noise) == pytest.approx(8, rel=0.01)
    same = noise[:, :1] @ numpy.array([[1.0, 2.0, -0.5]])
    assert effective_trials(same) == pytest.approx(1.0)
    assert effective_trials(numpy.column_stack([noise[:, 0], numpy.zeros(20_000)])) == (
        pytest.approx(1.0)
    )
    assert effective_trials(numpy.zeros((10, 3))) == 1.0
    wide = chance.normal(size=(16, 500))
    assert effective_trials(wide) <= 16


def test_effective_trials_are_the_entropy_of_the_correlations() -> None:
    """Two columns with correlation c: eigenvalues (1 + c) / 2 and (1 - c) / 2 of the whole."""
    x = numpy.array([1.0, -1.0, 1.0, -1.0])
    y = numpy.array([1.0, 1.0, -1.0, -1.0])
    z = 0.6 * x + 0.8 * y
    p, q = 0.8, 0.2
    expected = math.exp(-p * math.log(p) - q * math.log(q))
    assert effective_trials(numpy.column_stack([x, z])) == pytest.approx(expected)
