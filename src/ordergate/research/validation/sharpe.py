"""How sure a Sharpe ratio is, and what of it is luck of the draw among many trials.

SR is the mean over the standard deviation of results per observation, never annual; T counts the
observations; skewness and kurtosis are population moments, kurtosis not in excess (normal: 3).
Sources: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier", 2012 (2012); the same,
"The Deflated Sharpe Ratio", 2014 (2014); Bailey, Borwein, Lopez de Prado and Zhu,
"Pseudo-Mathematics and Financial Charlatanism", 2014 (PM); Lopez de Prado and others, "How to Use
the Sharpe Ratio", 2025 (2025).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

EULER: Final = 0.5772156649015329
SURE: Final = 0.05  # of being wrong, where nothing else is asked
OBSERVATIONS_LEAST: Final = 3
NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """What a track record leaves behind for the statistics."""

    count: int
    sharpe: float  # mean / sample standard deviation (T - 1), per observation
    skewness: float = 0.0
    kurtosis: float = 3.0


def power_sums(results: Numbers) -> tuple[float, float, float, float]:
    """Return the sums of the results and of their squares, cubes and fourth powers."""
    squares = results * results
    return (
        float(results.sum()),
        float(squares.sum()),
        float((squares * results).sum()),
        float((squares * squares).sum()),
    )


def moments(count: int, sums: tuple[float, float, float, float]) -> Moments | None:
    """Return the moments behind the power sums; None where nothing varies or T < 3."""
    if count < OBSERVATIONS_LEAST:
        return None
    m1, m2, m3, m4 = (value / count for value in sums)
    variance = m2 - m1 * m1
    # Below the rounding of the sums there is no variance, but noise of the subtraction.
    if variance <= 1e-14 * m2 or not math.isfinite(variance):
        return None
    deviation = math.sqrt(variance)
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1**4
    return Moments(
        count=count,
        sharpe=m1 / (deviation * math.sqrt(count / (count - 1))),
        skewness=third / deviation**3,
        kurtosis=fourth / variance**2,
    )


def moments_of(results: Numbers) -> Moments | None:
    """Return the moments of results per observation; None where nothing varies or T < 3."""
    return moments(len(results), power_sums(results))


def _spread(at: float, record: Moments) -> float:
    """Return 1 - g3 SR + (g4 - 1) / 4 SR^2, which no real distribution makes negative."""
    return 1.0 - record.skewness * at + (record.kurtosis - 1.0) / 4.0 * at * at


def standard_error(record: Moments) -> float:
    """Return s(SR), its variance taken at the SR observed, with T - 1 (2012)."""
    return math.sqrt(max(_spread(record.sharpe, record), 0.0) / (record.count - 1))


def psr_2012(record: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true SR is above the benchmark (2012, 2014)."""
    return _probability(record.sharpe - benchmark, standard_error(record))


def psr_2025(record: Moments, benchmark: float = 0.0) -> float:
    """Return the same with the variance taken at the benchmark, with T (2025)."""
    error = math.sqrt(max(_spread(benchmark, record), 0.0) / record.count)
    return _probability(record.sharpe - benchmark, error)


def _probability(above: float, error: float) -> float:
    if error == 0.0:
        return 0.5 if above == 0.0 else float(above > 0.0)
    return NORMAL.cdf(above / error)


def track_record_needed(
    record: Moments, benchmark: float = 0.0, *, sure: float = SURE
) -> float | None:
    """Return MinTRL, the observations after which SR > benchmark is `1 - sure` certain (2012).

    None where the SR observed is not above the benchmark: no length would do.
    """
    above = record.sharpe - benchmark
    if above <= 0.0:
        return None
    return 1.0 + _spread(record.sharpe, record) * (NORMAL.inv_cdf(1.0 - sure) / above) ** 2


def expected_maximum(trials: int) -> float:
    """Return the best of N draws of a standard normal, as one may expect it (PM); 0 for one."""
    if trials < 1:
        raise ValueError("there is no best of no trial")
    if trials == 1:
        return 0.0
    # Written by the lower tail: 1 - 1/N is 1 for a very large N, and 1/N is not 0.
    return -(1.0 - EULER) * NORMAL.inv_cdf(1.0 / trials) - EULER * NORMAL.inv_cdf(
        1.0 / (trials * math.e)
    )


def luck(trials: int, variance: float) -> float:
    """Return SR0, the SR that the best of N worthless trials would show (2014).

    `variance` is that of the trials' SR, per observation.
    """
    return math.sqrt(variance) * expected_maximum(trials)


def deflated(record: Moments, *, trials: int, variance: float) -> float:
    """Return DSR = psr_2012(SR0), the probability that the SR is more than luck (2014)."""
    return psr_2012(record, luck(trials, variance))


def backtest_needed_years(trials: int, target: float = 1.0) -> float:
    """Return MinBTL: a shorter backtest lets the best of N reach `target` by luck (PM).

    `target` is an annual SR.
    """
    return (expected_maximum(trials) / target) ** 2


def effective_trials(results: Numbers) -> float:
    """Return how many independent trials the columns are worth: exp of the entropy of the
    eigenvalue shares of their correlation matrix. Columns that never vary are left out.
    """
    centred = results - results.mean(axis=0)
    lengths = numpy.sqrt((centred * centred).sum(axis=0))
    kept = lengths > 1e-12 * (numpy.abs(results).max(initial=0.0) or 1.0)
    if not kept.any():
        return 1.0
    unit = centred[:, kept] / lengths[kept]
    # The shorter side of the matrix has the same eigenvalues, less zeros.
    gram = unit.T @ unit if unit.shape[1] <= unit.shape[0] else unit @ unit.T
    values = numpy.clip(numpy.linalg.eigvalsh(gram), 0.0, None)
    shares = values[values > 0.0] / values.sum()
    return float(numpy.exp(-(shares * numpy.log(shares)).sum()))
