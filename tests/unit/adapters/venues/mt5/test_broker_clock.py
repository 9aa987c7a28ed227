"""The broker's clock is measured or inferred, and otherwise unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ordergate.adapters.venues.mt5.broker_clock import BrokerClock, Source

WEDNESDAY = datetime(2026, 1, 7, 14, tzinfo=UTC)
SATURDAY = datetime(2026, 1, 10, 9, tzinfo=UTC)
FRIDAYS_CLOSE = datetime(2026, 1, 9, 22, tzinfo=UTC)  # 17:00 New York, winter


def msc(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def seen(clock: BrokerClock, *looks: tuple[datetime, datetime]) -> BrokerClock:
    """Let a clock see one quote a look: (broker time of the quote, our time of the look)."""
    for quoted, at in looks:
        clock.see({"EURUSD": msc(quoted)}, at)
    return clock


@pytest.mark.parametrize("minutes", [-300, 0, 120, 180, 330, 345])
def test_a_quote_that_has_just_come_tells_the_offset(minutes: int) -> None:
    ahead, second = timedelta(minutes=minutes), timedelta(seconds=1)
    at = WEDNESDAY
    known = seen(
        BrokerClock(), (at + ahead, at + second), (at + ahead + second, at + 2 * second)
    ).known
    assert known is not None
    assert (known.ahead, known.source) == (ahead, Source.MEASURED)


def test_a_quote_that_stood_there_before_tells_nothing() -> None:
    """An hour-old quote would look like an offset of an hour less."""
    old = WEDNESDAY + timedelta(hours=1)
    second = timedelta(seconds=1)
    clock = seen(BrokerClock(), (old, WEDNESDAY), (old, WEDNESDAY + second))
    assert clock.known is None


def test_a_quote_that_came_while_nobody_looked_tells_nothing() -> None:
    ahead = timedelta(hours=2)
    later = WEDNESDAY + timedelta(minutes=30)
    stale = WEDNESDAY + timedelta(minutes=1) + ahead
    assert seen(BrokerClock(), (WEDNESDAY + ahead, WEDNESDAY), (stale, later)).known is None


def test_over_a_weekend_the_last_quote_lies_at_the_week_s_close() -> None:
    last = FRIDAYS_CLOSE + timedelta(hours=2) - timedelta(minutes=3)
    known = seen(BrokerClock(), (last, SATURDAY)).known
    assert known is not None
    assert (known.ahead, known.source) == (timedelta(hours=2), Source.WEEK_CLOSE)
    odd = FRIDAYS_CLOSE + timedelta(hours=2, minutes=8)
    assert seen(BrokerClock(), (odd, SATURDAY)).known is None


def test_a_measurement_corrects_what_was_configured_and_follows_summer_time() -> None:
    second = timedelta(seconds=1)
    clock = BrokerClock(timedelta(hours=5))
    assert clock.known is not None
    assert clock.known.source is Source.CONFIGURED
    at = WEDNESDAY
    for hours in (2, 3):
        ahead = timedelta(hours=hours)
        at += timedelta(days=1)
        seen(clock, (at + ahead, at), (at + ahead + second, at + second))
        assert clock.known.ahead == ahead


def test_clocks_that_disagree_by_minutes_prove_no_offset() -> None:
    second, off = timedelta(seconds=1), timedelta(hours=2, minutes=5)
    clock = seen(BrokerClock(), (WEDNESDAY + off, WEDNESDAY), (WEDNESDAY + off + second, WEDNESDAY))
    assert clock.known is None
