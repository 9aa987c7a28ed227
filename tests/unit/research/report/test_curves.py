from __future__ import annotations

import numpy
import pytest

from ordergate.research.report.curves import drawdowns, path, thinned


def test_thinning_keeps_heights_depths_and_ends() -> None:
    values = numpy.random.default_rng(1).normal(size=50_000).cumsum()
    time = numpy.arange(50_000, dtype=numpy.int64)
    at, kept = thinned(time, values)
    assert len(kept) <= 2_000
    assert (kept.max(), kept.min()) == (values.max(), values.min())
    assert (at[0], at[-1]) == (0, 49_999)
    assert (kept == values[at]).all()
    assert (numpy.diff(at) > 0).all()


def test_short_curves_stay_as_they_are() -> None:
    time, values = numpy.arange(5, dtype=numpy.int64), numpy.ones(5)
    assert thinned(time, values)[1] is values


def test_drawdowns_begin_at_the_start() -> None:
    found = drawdowns(numpy.array([90.0, 120.0, 60.0, 130.0]), 100.0)
    assert found == pytest.approx([-0.1, 0.0, -0.5, 0.0])


def test_a_path_by_hand() -> None:
    time = numpy.array([0, 5, 10], dtype=numpy.int64)
    found = path(time, numpy.array([0.0, 2.0, 1.0]), (100.0, 50.0), (0.0, 2.0))
    assert found == "M0.0 50.0L50.0 0.0L100.0 25.0"
    level = path(time, numpy.zeros(3), (100.0, 50.0), (0.0, 0.0))
    assert level == "M0.0 50.0L50.0 50.0L100.0 50.0"
