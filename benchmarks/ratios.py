"""What a benchmark says: a number, the goal it is held against, and how far the runs lay apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

PARTS: Final = 5  # of a run


@dataclass(frozen=True)
class Line:
    """One row of the table; `value` is met when it is at most `goal`."""

    what: str
    value: float
    goal: float
    detail: str = ""

    @property
    def met(self) -> bool:
        return self.value <= self.goal


def ratio(what: str, ours: Sequence[float], peers: Sequence[float], *, goal: float) -> Line:
    """Compare seconds taken in turns: the median ratio of the parts of the run, and their range.

    A machine that turns slow half-way slows both sides of a part, and so leaves its ratio alone.
    """
    parts = sorted(
        statistics.median(mine) / statistics.median(theirs)
        for mine, theirs in zip(_parts(ours), _parts(peers), strict=True)
    )
    mine, theirs = statistics.median(ours) * 1_000, statistics.median(peers) * 1_000
    detail = f"{mine:.2f} ms against {theirs:.2f} ms, parts {parts[0]:.2f} to {parts[-1]:.2f}"
    return Line(what, statistics.median(parts), goal, detail)


def table(lines: Iterable[Line]) -> str:
    rows = [("", "value", "goal", "", "")]
    rows += [
        (
            line.what,
            f"{line.value:.2f}",
            f"<= {line.goal:.2f}",
            "met" if line.met else "NOT MET",
            line.detail,
        )
        for line in lines
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  "
        f"{row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    )


def _parts(seconds: Sequence[float]) -> list[Sequence[float]]:
    size = len(seconds) // PARTS
    return [seconds[n * size : (n + 1) * size] for n in range(PARTS)]
