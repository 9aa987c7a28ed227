"""The reality check against its definition, against arch, and on what is known to be worthless."""

from __future__ import annotations

import math

import numpy
import pytest

from ordergate.research.validation import reality
from ordergate.research.validation.reality import reality_check


def test_worthless_sets_are_seldom_called_better() -> None:
    """Under the null a test at 10 % rejects about one set in ten, and never many more."""
    chance = numpy.random.default_rng(21)
    found = [
        reality_check(chance.normal(size=(150, 10)), draws=200, block=1.0, seed=run)
        for run in range(150)
    ]
    assert 0.03 < numpy.mean([one.white <= 0.1 for one in found]) < 0.18
    assert 0.03 < numpy.mean([one.spa <= 0.1 for one in found]) < 0.18


def test_a_planted_edge_is_found() -> None:
    results = numpy.random.default_rng(22).normal(size=(400, 30))
    results[:, 7] += 0.35
    found = reality_check(results)
    assert found.white < 0.02
    assert found.spa < 0.02


def test_hopeless_companions_water_down_white_but_not_spa() -> None:
    """Hansen's point: bad, wild columns raise White's p and leave that of the SPA."""
    chance = numpy.random.default_rng(23)
    good = chance.normal(0.15, 1.0, (300, 1))
    alone = reality_check(good)
    wild = numpy.hstack([good, chance.normal(-4.0, 12.0, (300, 20))])
    crowded = reality_check(wild)
    assert alone.white < 0.05
    assert crowded.white > 5 * alone.white
    assert crowded.spa < 0.1


def test_the_weights_are_those_of_the_stationary_bootstrap() -> None:
    """Every draw has T observations; stretches last `block` on average, wrapped at the end."""
    weights = reality._weights(50, draws=400, block=5.0, seed=1)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean() == 1.0
    alone = reality._weights(2_000, draws=5, block=1.0, seed=2)
    assert alone.var() == pytest.approx(1.0, rel=0.1)  # of single draws: Poisson


def test_the_variance_of_dependent_results_is_the_long_run_one() -> None:
    """Moving averages of noise: the bootstrap sees that their sum varies more."""
    noise = numpy.random.default_rng(24).normal(size=20_004)
    smooth = numpy.convolve(noise, numpy.ones(5) / 5, mode="valid")[:20_000]
    drawn = reality._weights(20_000, draws=100, block=60.0, seed=3) @ smooth / 20_000
    assert math.sqrt(20_000) * drawn.std() == pytest.approx(1.0, rel=0.2)  # plainly: 0.45


def test_the_same_seed_gives_the_same_answer() -> None:
    results = numpy.random.default_rng(25).normal(size=(100, 4))
    assert reality_check(results, seed=5) == reality_check(results, seed=5)
    assert reality_check(results[:, 0]).draws == reality.DRAWS


def test_doing_nothing_is_not_better_than_doing_nothing() -> None:
    found = reality_check(numpy.zeros((100, 3)))
    assert (found.white, found.spa) == (1.0, 1.0)


def test_too_few_observations_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        reality_check(numpy.ones((19, 2)))


@pytest.mark.parametrize(("block", "arch_says"), [(1, 0.1737), (5, 0.3370), (16, 0.2868)])
def test_the_reality_check_agrees_with_arch(block: int, arch_says: float) -> None:
    """arch 8.0.0: SPA(0, -x, block_size=block, reps=20000, studentize=False, seed=1), `upper`.

    Its `consistent` one is no oracle for the SPA: it takes the maximum without dividing by the
    deviations, whatever `studentize` says.
    """
    noise = numpy.random.default_rng(32).normal(size=(250, 8))
    results = 0.6 * noise + 0.4 * numpy.vstack([noise[:1], noise[:-1]])
    results[:, 2] += 0.09
    results[:, 5] -= 0.3
    found = reality_check(results, draws=4_000, block=float(block), seed=2)
    assert found.white == pytest.approx(arch_says, abs=0.03)


def test_the_spa_is_the_share_of_studentised_maxima_written_out() -> None:
    """The definition once more, draw by draw, with the weights as they were drawn."""
    results = numpy.random.default_rng(33).normal(0.05, 1.0, (60, 3))
    results[:, 2] -= 2.0
    weights = reality._weights(60, draws=300, block=4.0, seed=9)
    deviation = [math.sqrt(60) * numpy.std(weights @ results[:, k] / 60) for k in range(3)]
    mean = results.mean(axis=0)
    seen = max(0.0, *(math.sqrt(60) * mean[k] / deviation[k] for k in range(3)))
    beyond = 0
    for draw in weights:
        best = 0.0
        for k in range(3):
            limit = -deviation[k] / math.sqrt(60) * math.sqrt(2 * math.log(math.log(60)))
            centre = mean[k] if mean[k] > limit else 0.0
            best = max(best, math.sqrt(60) * (draw @ results[:, k] / 60 - centre) / deviation[k])
        beyond += best >= seen
    found = reality_check(results, draws=300, block=4.0, seed=9)
    assert found.spa == pytest.approx((beyond + 1) / 301)
