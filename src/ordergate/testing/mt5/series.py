"""Ticks and bars as the package returns them: numpy record arrays, broker seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from ordergate.testing.mt5.book import TickRow
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.specs import Spec

RATES: Final = numpy.dtype(
    [
        ("time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("tick_volume", "<u8"),
        ("spread", "<i4"),
        ("real_volume", "<u8"),
    ]
)
TICKS: Final = numpy.dtype(
    [
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("volume", "<u8"),
        ("time_msc", "<i8"),
        ("flags", "<u4"),
        ("volume_real", "<f8"),
    ]
)
DAY_S: Final = 86_400
WEEK_START_S: Final = 4 * DAY_S - 7 * DAY_S  # the epoch is a Thursday; weeks begin on Sunday
SECONDS: Final = {
    **{getattr(K, f"TIMEFRAME_M{n}"): n * 60 for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)},
    **{getattr(K, f"TIMEFRAME_H{n}"): n * 3600 for n in (1, 2, 3, 4, 6, 8, 12)},
    K.TIMEFRAME_D1: DAY_S,
    K.TIMEFRAME_W1: 7 * DAY_S,
    K.TIMEFRAME_MN1: 0,
}


def ticks(spec: Spec, rows: Iterable[TickRow]) -> NDArray[Any]:
    flags = K.TICK_FLAG_BID | K.TICK_FLAG_ASK
    return numpy.array(
        [
            (row.msc // 1000, spec.price(row.bid), spec.price(row.ask), 0.0, 0, row.msc, flags, 0.0)
            for row in rows
        ],
        dtype=TICKS,
    )


def rates(spec: Spec, rows: Iterable[TickRow], timeframe: int) -> NDArray[Any] | None:
    """Return bars of bids, oldest first, the running one last; None for no such timeframe."""
    if timeframe not in SECONDS:
        return None
    bars: dict[int, list[int]] = {}
    for row in rows:
        start = _start(row.msc // 1000, timeframe)
        bar = bars.setdefault(start, [row.bid, row.bid, row.bid, row.bid, 0, row.ask - row.bid])
        bar[1], bar[2], bar[3] = max(bar[1], row.bid), min(bar[2], row.bid), row.bid
        bar[4] += 1
        bar[5] = min(bar[5], row.ask - row.bid)
    return numpy.array(
        [
            (start, *(spec.price(price) for price in bar[:4]), bar[4], bar[5], 0)
            for start, bar in bars.items()
        ],
        dtype=RATES,
    )


def _start(at: int, timeframe: int) -> int:
    if timeframe == K.TIMEFRAME_MN1:
        month = numpy.datetime64(at, "s").astype("datetime64[M]")
        return int(month.astype("datetime64[s]").astype("int64"))
    length = SECONDS[timeframe]
    if timeframe == K.TIMEFRAME_W1:
        return (at - WEEK_START_S) // length * length + WEEK_START_S
    return at // length * length
