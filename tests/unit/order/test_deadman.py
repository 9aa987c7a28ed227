"""C25 as a table: how long nobody looked while an opening order rested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ordergate.order.deadman import unwatched

NOW = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
AFTER = timedelta(seconds=60)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("placed_ago", "seen_ago", "expected"),
    [
        (timedelta(hours=1), AFTER - TICK, False),
        (timedelta(hours=1), AFTER, True),
        (timedelta(hours=1), AFTER + TICK, True),
        (AFTER - TICK, timedelta(hours=1), False),  # placed through the silence: it has not rested
        (AFTER, timedelta(hours=1), True),
        (timedelta(hours=1), None, False),  # nobody has looked yet: the watch begins
        (timedelta(hours=1), timedelta(hours=-1), False),  # a clock that was set back
    ],
)
def test_an_order_is_unwatched_from_the_limit_on(
    placed_ago: timedelta, seen_ago: timedelta | None, expected: bool
) -> None:
    seen = None if seen_ago is None else NOW - seen_ago
    assert unwatched(NOW - placed_ago, seen=seen, now=NOW, after=AFTER) is expected
