"""Series for tests, from a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy

from ordergate.model.holdings import Rows
from ordergate.model.market import Timeframe
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def ns(text: str) -> int:
    """Return an ISO time as nanoseconds; UTC unless it says otherwise."""
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def iso(at: int) -> str:
    return f"{EPOCH + timedelta(microseconds=int(at) // 1000):%Y-%m-%dT%H:%M}"


def series(
    begin: str | Sequence[int],
    closes: Sequence[float],
    *,
    timeframe: Timeframe = Timeframe.M1,
    complete: bool = True,
    ask: bool = False,
    volume: float = 1.0,
) -> Series:
    """Return bars that open where the last one closed, each 0.5 up and down beyond its body."""
    length = int(timeframe.length.total_seconds()) * 1_000_000_000
    if isinstance(begin, str):
        time = ns(begin) + numpy.arange(len(closes), dtype=numpy.int64) * length
    else:
        time = numpy.array(begin, numpy.int64)
    close = numpy.array(closes, numpy.float64)
    opens = numpy.concatenate([close[:1], close[:-1]])
    high, low = numpy.maximum(opens, close) + 0.5, numpy.minimum(opens, close) - 0.5
    other = Prices(opens + 0.1, high + 0.1, low + 0.1, close + 0.1) if ask else None
    return Series(
        Symbol("EURUSD"),
        timeframe,
        time,
        opens,
        high,
        low,
        close,
        numpy.full(len(close), volume),
        complete=complete,
        source="test",
        ask=other,
    )


def rows(made: Series, origin: int = 1) -> Rows:
    return Rows(made, numpy.full(len(made), origin, numpy.uint16))
