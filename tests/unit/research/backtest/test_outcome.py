from __future__ import annotations

from dataclasses import replace

import numpy

from support.backtests import bars, ran, spec, word

CALM = (0, 5, -5, 0)


def test_the_drawdown_is_the_largest_fall_of_the_marked_equity() -> None:
    told = ran(spec(), bars([CALM] * 4), word([0, 0, 0, 0]))
    assert (told.drawdown, told.net, len(told.trades)) == (0, 0, 0)
    start = told.start
    curve = numpy.array([start - 5, start + 20, start + 3, start + 19], dtype=numpy.int64)
    assert replace(told, equity=curve).drawdown == 17
    assert replace(told, equity=curve - 30).drawdown == 35  # from the start itself
