"""PBO against a plain walk through all splits, on planted edges, on noise, and at its ends."""

from __future__ import annotations

import itertools
import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.research.validation.overfit import Blocks, blocks_of, pbo


def plainly(results: numpy.ndarray, blocks: int) -> tuple[float, list[float]]:
    """The paper's own steps, one split at a time, over the rows themselves."""
    drop = len(results) % blocks
    parts = numpy.split(results[drop:], blocks)
    logits = []
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        inside = numpy.vstack([parts[i] for i in chosen])
        outside = numpy.vstack([parts[i] for i in range(blocks) if i not in chosen])
        sr_in = inside.mean(axis=0) / inside.std(axis=0)
        sr_out = outside.mean(axis=0) / outside.std(axis=0)
        best = int(numpy.argmax(sr_in))
        less = sum(1 for value in sr_out if value < sr_out[best])
        ties = sum(1 for value in sr_out if value == sr_out[best])
        w = (less + (ties + 1) / 2) / (results.shape[1] + 1)
        logits.append(math.log(w / (1 - w)))
    return sum(1 for logit in logits if logit <= 0) / len(logits), logits


@pytest.mark.parametrize(("rows", "columns", "blocks"), [(83, 7, 6), (160, 12, 8), (40, 2, 4)])
def test_the_fast_form_equals_the_plain_one(rows: int, columns: int, blocks: int) -> None:
    results = numpy.random.default_rng(rows).normal(0.02, 1.0, (rows, columns))
    expected, logits = plainly(results, blocks)
    found = pbo(blocks_of(results, blocks=blocks))
    assert found.pbo == pytest.approx(expected, abs=1e-12)
    assert found.median_logit == pytest.approx(float(numpy.median(logits)), abs=1e-9)
    assert found.splits == math.comb(blocks, blocks // 2)


def test_sixteen_blocks_have_12870_splits() -> None:
    results = numpy.random.default_rng(1).normal(size=(64, 3))
    assert pbo(blocks_of(results)).splits == 12_870


def test_a_dominated_set_is_never_overfitted() -> None:
    """Columns share one noise and differ by ordered means: the best inside is best outside."""
    noise = numpy.random.default_rng(2).normal(size=(160, 1))
    found = pbo(blocks_of(noise + numpy.arange(5) * 0.1, blocks=8))
    assert found.pbo == 0.0


def test_a_mirror_set_is_always_overfitted() -> None:
    """Each of two wins in one block what it loses in the other."""
    up, down = numpy.array([1.0, 2.0, 3.0]), numpy.array([-1.0, -2.0, -3.0])
    results = numpy.column_stack([numpy.r_[up, down], numpy.r_[down, up]])
    found = pbo(blocks_of(results, blocks=2))
    assert found.pbo == 1.0
    assert found.loss == 1.0


def test_noise_is_near_one_half_and_a_planted_edge_near_zero() -> None:
    chance = numpy.random.default_rng(11)
    noise, planted = [], []
    for _ in range(40):
        results = chance.normal(size=(240, 20))
        noise.append(pbo(blocks_of(results, blocks=8)).pbo)
        results[:, 4] += 0.45
        planted.append(pbo(blocks_of(results, blocks=8)).pbo)
    assert abs(numpy.mean(noise) - 0.5) < 0.08
    assert numpy.mean(planted) < 0.02


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_neither_the_order_of_columns_nor_of_blocks_matters(seed: int) -> None:
    chance = numpy.random.default_rng(seed)
    results = numpy.round(chance.normal(size=(48, 6)), 1)
    results[:, 3] = results[:, 1]  # a tie in every split
    found = blocks_of(results, blocks=6)
    columns, rows = chance.permutation(6), chance.permutation(6)
    moved = Blocks(found.length, found.sums[rows][:, columns], found.squares[rows][:, columns])
    one, other = pbo(found), pbo(moved)
    assert one.pbo == other.pbo
    assert one.median_logit == pytest.approx(other.median_logit)


def test_the_oldest_rows_are_dropped() -> None:
    results = numpy.random.default_rng(4).normal(size=(20, 3))
    longer = numpy.vstack([numpy.full((3, 3), 1e6), results])
    assert (blocks_of(longer, blocks=4).sums == blocks_of(results, blocks=4).sums).all()


def test_one_that_does_nothing_counts_as_zero() -> None:
    chance = numpy.random.default_rng(5)
    losing = chance.normal(-1.0, 1.0, (80, 3))
    found = pbo(blocks_of(numpy.column_stack([losing, numpy.zeros(80)]), blocks=8))
    assert found.pbo == 0.0
    assert found.loss == 0.0


def test_the_slope_of_a_lasting_edge_is_told_and_of_one_value_is_not() -> None:
    assert pbo(Blocks(2, numpy.ones((2, 2)), numpy.full((2, 2), 9.0))).slope is None
    mirrored = numpy.random.default_rng(6).normal(size=(200, 1))
    found = pbo(blocks_of(numpy.hstack([mirrored, mirrored]), blocks=8))
    assert found.slope is not None
    assert found.slope < 0  # of one record: what one half has, the other lacks


@pytest.mark.parametrize("wrong", [1, 7, 22])
def test_a_number_of_blocks_without_halves_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="blocks"):
        pbo(Blocks(5, numpy.ones((wrong, 3)), numpy.ones((wrong, 3))))


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        blocks_of(numpy.ones((20, 2)))
    with pytest.raises(ValueError, match="among others"):
        pbo(blocks_of(numpy.ones(64)))
