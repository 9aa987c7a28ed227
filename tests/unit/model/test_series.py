from __future__ import annotations

import subprocess
import sys

import numpy

from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol


def test_a_series_is_as_long_as_its_times() -> None:
    time = numpy.array([0, 60_000_000_000], numpy.int64)
    prices = numpy.array([1.0, 2.0])
    made = Series(
        Symbol("EURUSD"),
        Timeframe.M1,
        time,
        *(prices, prices, prices, prices),
        volume=numpy.full(2, numpy.nan),
        complete=True,
        source="test",
    )
    assert len(made) == 2


def test_the_noun_alone_does_not_load_numpy() -> None:
    program = "import ordergate.model.series, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 0
