"""Where a series changes its scale: a split nobody adjusted for, or a wrong price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy

from ordergate.model.exchange_days import exchange
from ordergate.model.holdings import Jump
from ordergate.model.instruments import CalendarName

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Times

# Prices that open at more than 1.4 times the last close, or less than 1/1.4 of it.
TIMES_MIN: Final = 1.4
NEAR: Final = 0.05  # of a split's ratio
SPLITS: Final = (
    *((n, 1) for n in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)),
    *((3, 2), (5, 2), (5, 3), (7, 2)),
)


def jumps(
    time: Times, opens: Numbers, closes: Numbers, calendar: CalendarName | None
) -> tuple[Jump, ...]:
    """Return every bar that opens on another scale than the one before it closed on.

    Only what trades on an exchange, or at nobody knows what hours, is ever said to be split.
    """
    if len(time) < 2:
        return ()
    ratio = opens[1:] / closes[:-1]
    where = numpy.flatnonzero((ratio >= TIMES_MIN) | (ratio <= 1 / TIMES_MIN))
    shares = calendar is None or exchange(calendar) is not None
    return tuple(
        Jump(
            int(time[at + 1]),
            float(closes[at]),
            float(opens[at + 1]),
            _split(float(ratio[at])) if shares else "",
        )
        for at in where
    )


def _split(ratio: float) -> str:
    """Name the split that would make this ratio: "4:1" for a quarter, "1:10" for tenfold."""
    for new, old in SPLITS:
        if abs(ratio * new / old - 1) <= NEAR:
            return f"{new}:{old}"
        if abs(ratio * old / new - 1) <= NEAR:
            return f"{old}:{new}"
    return ""
