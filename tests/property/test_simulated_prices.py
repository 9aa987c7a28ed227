"""The simulated market is a function of seed, symbol and time, at every scale."""

from __future__ import annotations

import itertools
import math
import statistics
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.adapters.feeds.simulated.path import DAY, Path, Range, key_of, split
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from support.manual_clock import ManualClock
from support.recordings import utc

EURUSD = Symbol("EURUSD")
MOMENTS = st.integers(min_value=0, max_value=2_500_000_000_000)


def path(seed: int = 7) -> Path:
    return Path(key_of(seed, "EURUSD"), level=108_500, volatility_ppm=5_000)


@given(at=MOMENTS, others=st.lists(MOMENTS, max_size=5))
def test_a_price_does_not_depend_on_what_was_asked_before(at: int, others: list[int]) -> None:
    used = path()
    for other in others:
        used.price(other)
    assert used.price(at) == path().price(at)


@given(
    start=MOMENTS,
    length=st.integers(min_value=1, max_value=3 * DAY),
    share=st.fractions(min_value=0, max_value=1),
)
def test_a_range_holds_every_price_and_joins_its_parts(
    start: int, length: int, share: float
) -> None:
    walk = path()
    end, middle = start + length, start + int(length * share)
    whole = walk.range(start, end)
    assert (whole.open, whole.close) == (walk.price(start), walk.price(end))
    assert whole.low <= walk.price(middle) <= whole.high
    if start < middle < end:
        first, second = walk.range(start, middle), walk.range(middle, end)
        assert first.close == second.open
        assert whole.high == max(first.high, second.high)
        assert whole.low == min(first.low, second.low)


@given(
    prices=st.lists(st.integers(min_value=1, max_value=10**9), min_size=4, max_size=4),
    parts=st.sampled_from([2, 3, 4, 5, 6]),
    seed=st.integers(min_value=0, max_value=2**64 - 1),
)
def test_split_parts_join_stay_inside_and_reach_both_extremes(
    prices: list[int], parts: int, seed: int
) -> None:
    low, first, last, high = sorted(prices)
    pieces = split(Range(first, high, low, last), parts, seed=seed)
    assert (pieces[0].open, pieces[-1].close) == (first, last)
    assert (max(p.high for p in pieces), min(p.low for p in pieces)) == (high, low)
    assert all(a.close == b.open for a, b in itertools.pairwise(pieces))
    assert all(p.low <= min(p.open, p.close) <= max(p.open, p.close) <= p.high for p in pieces)


def test_prices_are_the_same_on_every_machine() -> None:
    at = 1_767_798_000_000  # 2026-01-07T15:00Z
    assert [path().price(at + step) for step in (0, 60_000, 3_600_000, DAY)] == [
        112153,
        112151,
        112086,
        113682,
    ]
    assert path(seed=8).price(at) != path().price(at)


def test_volatility_is_what_was_asked_for_at_every_scale() -> None:
    walk = path()
    for step, count in ((60_000, 4_000), (3_600_000, 4_000), (DAY, 1_500)):
        prices = [walk.price(1_767_798_000_000 - step * i) for i in range(count)]
        moves = [math.log(b / a) for a, b in itertools.pairwise(prices)]
        daily = statistics.pstdev(moves) * math.sqrt(DAY / step)
        assert 0.0035 < daily < 0.0085


@given(seconds=st.integers(min_value=0, max_value=400_000), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_a_restart_goes_on_exactly(seconds: int, seed: int) -> None:
    clock = ManualClock()
    running = SimulatedFeed(clock=clock, seed=seed)
    running.advance(100)
    clock.advance(seconds)
    again = SimulatedFeed(clock=clock, seed=seed, start=running.venue_now())
    again.advance(100)
    while running.advance(1_000):
        pass
    clock.advance(11)
    assert running.advance(1_000) == again.advance(1_000)
    for timeframe in (Timeframe.M1, Timeframe.D1):
        bars = [feed.bars(EURUSD, timeframe, limit=3, before=None) for feed in (running, again)]
        assert bars[0] == bars[1]


def test_over_a_weekend_only_what_is_open_ticks() -> None:
    clock = ManualClock()
    feed = SimulatedFeed(clock=clock, start=utc("2026-01-10T12:00"))
    opening = feed.advance(100)
    assert {piece.symbol for piece in opening} == {spec.symbol for spec in feed.instruments()}
    assert {piece.end.isoformat()[:16] for piece in opening if piece.symbol == EURUSD} == {
        "2026-01-09T21:59"
    }
    clock.advance(30)
    assert {piece.symbol for piece in feed.advance(1_000)} == {"BTCUSD", "ETHUSD"}
    days = [bar.time for bar in feed.bars(EURUSD, Timeframe.H1, limit=30, before=None)]
    assert days[-1] == utc("2026-01-09T21:00")
    assert not [day for day in days if utc("2026-01-09T22:00") <= day < utc("2026-01-11T22:00")]


def test_a_fast_market_ticks_no_faster_on_the_wall() -> None:
    for speed in (1, 500):
        clock = ManualClock()
        feed = SimulatedFeed(clock=clock, speed=speed)
        feed.advance(100)
        clock.advance(20)
        ticks = feed.advance(10_000)
        assert feed.venue_now() == utc("2026-01-07T15:00") + timedelta(seconds=20 * speed)
        per_second = len(ticks) / 20 / len({piece.symbol for piece in ticks})
        assert 1 < per_second < 4


def test_a_stall_is_a_gap_and_not_a_flood() -> None:
    clock = ManualClock()
    feed = SimulatedFeed(clock=clock)
    feed.advance(100)
    clock.advance(7_200)
    ticks = feed.advance(100_000)
    assert len(ticks) < 3_000
    assert ticks[-1].end > feed.venue_now() - timedelta(seconds=2)
