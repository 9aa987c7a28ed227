"""What every feed promises at its port, whatever is behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.market.bars.resampling import resample
from ordergate.market.hours.calendar import session
from ordergate.model.market import SessionState, Slice, Timeframe
from ordergate.model.values import Symbol, is_multiple
from ordergate.ports.feed import Feed
from support.manual_clock import ManualClock
from support.recordings import utc, write_rows

EURUSD = Symbol("EURUSD")


def simulated(clock: ManualClock, _folder: Path) -> Feed:
    return SimulatedFeed(clock=clock)


def ticks(clock: ManualClock, folder: Path) -> Feed:
    begin = utc("2026-01-07T15:00")
    rows = []
    for number in range(4_000):
        bid = Decimal(110_000 + (number * 37) % 101 - (number * 11) % 53).scaleb(-5)
        at = begin + timedelta(milliseconds=700 * number)
        time = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
        rows.append(f"{time},{bid},{bid + Decimal('0.00009')}")
    path = write_rows(folder / "eurusd_ticks.csv.gz", "time,bid,ask", rows)
    return ReplayFeed.open((path,), clock=clock)


def minutes(clock: ManualClock, folder: Path) -> Feed:
    begin = utc("2026-01-07T15:00")
    rows = []
    for number in range(300):
        at = begin + timedelta(minutes=number)
        low = Decimal(110_000 + (number * 37) % 101).scaleb(-5)
        sides = (
            f"{low + less + Decimal('0.00002')},{low + less + Decimal('0.00009')},{low + less},"
            f"{low + less + Decimal('0.00005')}"
            for less in (Decimal(0), Decimal("0.0001"))
        )
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{','.join(sides)}")
    names = [
        f"{side}_{name}" for side in ("bid", "ask") for name in ("open", "high", "low", "close")
    ]
    path = write_rows(folder / "eurusd_m1.csv", f"time,{','.join(names)}", rows)
    return ReplayFeed.open((path,), clock=clock)


FEEDS = pytest.mark.parametrize("opened", [simulated, ticks, minutes])
Opened = Callable[[ManualClock, Path], Feed]


def drain(feed: Feed, *, limit: int = 500) -> list[Slice]:
    taken: list[Slice] = []
    while batch := feed.advance(limit):
        assert len(batch) <= limit
        taken.extend(batch)
    return taken


@FEEDS
def test_slices_come_once_in_order_and_never_early(opened: Opened, tmp_path: Path) -> None:
    clock = ManualClock()
    feed = opened(clock, tmp_path)
    ends = []
    for _ in range(40):
        clock.advance(7.3)
        for piece in drain(feed, limit=3):
            assert piece.end <= feed.venue_now()
            ends.append((piece.end, piece.symbol))
    assert [end for end, _ in ends] == sorted(end for end, _ in ends)
    assert len(ends) == len(set(ends)) > 3


@FEEDS
def test_small_batches_give_what_one_large_batch_gives(opened: Opened, tmp_path: Path) -> None:
    feeds = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        clock = ManualClock()
        feed = opened(clock, tmp_path / folder)
        feed.advance(1_000)
        clock.advance(55)
        feeds.append(feed)
    assert drain(feeds[0], limit=9) == drain(feeds[1], limit=10_000)


@FEEDS
def test_prices_are_whole_ticks_with_a_spread_inside_the_session(
    opened: Opened, tmp_path: Path
) -> None:
    clock = ManualClock()
    feed = opened(clock, tmp_path)
    specs = {spec.symbol: spec for spec in feed.instruments()}
    clock.advance(200)
    for piece in drain(feed):
        spec = specs[piece.symbol]
        assert piece.bid_low > 0
        assert piece.bid_close < piece.ask_close
        for price in (piece.bid_open, piece.bid_high, piece.ask_low, piece.ask_close):
            assert is_multiple(price, spec.tick_size)
        assert session(spec.calendar, piece.start).state is SessionState.OPEN


@FEEDS
def test_bars_end_where_the_quotes_are_and_hold_every_quote(opened: Opened, tmp_path: Path) -> None:
    clock = ManualClock()
    feed = opened(clock, tmp_path)
    feed.advance(1_000)
    for _ in range(5):
        clock.advance(61.7)
        quotes = [piece for piece in drain(feed) if piece.symbol == EURUSD]
        bars = {bar.time: bar for bar in feed.bars(EURUSD, Timeframe.M1, limit=10, before=None)}
        for piece in quotes:
            bar = bars[piece.start.replace(second=0, microsecond=0)]
            assert bar.low <= piece.bid_low
            assert piece.bid_high <= bar.high
        newest = max(bars.values(), key=lambda bar: bar.time)
        assert newest.time <= feed.venue_now()
        assert newest.complete == (newest.time + timedelta(minutes=1) <= feed.venue_now())


@FEEDS
def test_every_timeframe_tells_the_same_story(opened: Opened, tmp_path: Path) -> None:
    clock = ManualClock()
    feed = opened(clock, tmp_path)
    feed.advance(1_000)
    clock.advance(50 * 60 + 17)
    drain(feed)
    lower = feed.bars(EURUSD, Timeframe.M1, limit=5_000, before=None)
    for timeframe in (Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4):
        made = resample(lower, timeframe)[1:]  # the first may have begun before the lower bars
        told = feed.bars(EURUSD, timeframe, limit=len(made), before=None) if made else ()
        assert told == made


@FEEDS
def test_bars_before_a_moment_are_the_older_part_of_the_same_bars(
    opened: Opened, tmp_path: Path
) -> None:
    clock = ManualClock()
    feed = opened(clock, tmp_path)
    clock.advance(20 * 60)
    drain(feed)
    everything = feed.bars(EURUSD, Timeframe.M5, limit=4, before=None)
    assert len(everything) == 4
    older = feed.bars(EURUSD, Timeframe.M5, limit=3, before=everything[-1].time)
    assert older == everything[:-1]
    assert feed.bars(EURUSD, Timeframe.M5, limit=0, before=None) == ()


@FEEDS
def test_an_unknown_symbol_has_no_bars(opened: Opened, tmp_path: Path) -> None:
    feed = opened(ManualClock(), tmp_path)
    assert feed.bars(Symbol("NOSUCH"), Timeframe.M1, limit=5, before=None) == ()
