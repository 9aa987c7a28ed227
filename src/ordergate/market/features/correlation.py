"""How alike symbols have moved: correlation of their changes over the bars they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from ordergate.model.series import Series
    from ordergate.model.values import Symbol

BARS: Final = 100
BARS_LEAST: Final = 30


def correlations(found: Sequence[Series], bars: int = BARS) -> dict[Symbol, float]:
    """Return Pearson's correlation of log changes with the first series, over common bars.

    A series with fewer than 30 bars in common, or that stood still, has no entry.
    """
    made: dict[Symbol, float] = {}
    for one in found:
        _, ours, theirs = numpy.intersect1d(found[0].time, one.time, return_indices=True)
        if len(ours) <= BARS_LEAST:
            continue
        left = numpy.diff(numpy.log(found[0].close[ours[-bars - 1 :]]))
        right = numpy.diff(numpy.log(one.close[theirs[-bars - 1 :]]))
        if left.std() > 0 and right.std() > 0:
            made[one.symbol] = float(numpy.corrcoef(left, right)[0, 1])
    return made
