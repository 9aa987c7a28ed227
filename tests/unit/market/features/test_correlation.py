"""Correlation over the bars that two series share."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from ordergate.market.features.correlation import BARS_LEAST, correlations
from ordergate.model.values import Symbol
from support.series import of_closes, walk


def test_a_series_moves_with_itself_and_against_its_inverse() -> None:
    one = walk(150)
    other = replace(one, symbol=Symbol("INVERSE"), close=1 / one.close)
    found = correlations([one, other])
    assert found[Symbol("EURUSD")] == pytest.approx(1)
    assert found[Symbol("INVERSE")] == pytest.approx(-1)


def test_only_common_bars_count() -> None:
    one = walk(150)
    late = replace(walk(150, symbol="LATE"), time=one.time + 120 * 900 * 10**9)
    assert Symbol("LATE") not in correlations([one, late])
    shifted = replace(
        one, symbol=Symbol("PART"), time=one.time[50:], close=one.close[50:] * numpy.e
    )
    assert correlations([one, shifted])[Symbol("PART")] == pytest.approx(1)


def test_what_stands_still_or_is_too_short_has_none() -> None:
    assert correlations([of_closes([1.0] * 60)]) == {}
    assert correlations([walk(BARS_LEAST)]) == {}
    assert correlations([]) == {}
