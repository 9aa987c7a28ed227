"""Curves small enough to be sent: down-sampled without losing a height or a depth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Times

POINTS_MAX: Final = 2_000


def thinned(time: Times, values: Numbers, *, most: int = POINTS_MAX) -> tuple[Times, Numbers]:
    """Return at most `most` points: of each stretch its lowest and highest, first and last kept."""
    if len(values) <= most:
        return time, values
    stretches = (most - 2) // 2
    edges = numpy.linspace(0, len(values), stretches + 1).astype(numpy.int64)
    kept = {0, len(values) - 1}
    for start, end in itertools.pairwise(edges):
        part = values[start:end]
        kept.add(int(start + part.argmin()))
        kept.add(int(start + part.argmax()))
    places = numpy.array(sorted(kept))
    return time[places], values[places]


def drawdowns(equity: Numbers, start: float) -> Numbers:
    """Return how far below its height so far the equity stands, as a share of it, 0 or less."""
    heights = numpy.maximum(numpy.maximum.accumulate(equity), start)
    fallen: Numbers = equity / heights - 1.0
    return fallen


def path(time: Times, values: Numbers, box: tuple[float, float], span: tuple[float, float]) -> str:
    """Return an SVG path of the points in a box of (width, height), for values in `span`."""
    width, height = box
    low, high = span
    began, ended = float(time[0]), float(time[-1])
    across = (time - began) / ((ended - began) or 1.0) * width
    down = height - (values - low) / ((high - low) or 1.0) * height
    points = (f"{x:.1f} {y:.1f}" for x, y in zip(across, down, strict=True))
    return "M" + "L".join(points)
