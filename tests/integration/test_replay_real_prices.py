"""The real recordings, replayed through the market as the gate replays them."""

from __future__ import annotations

import asyncio
import csv
import gzip
import itertools
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.market.bars.resampling import bars_of
from ordergate.market.feed.subscribe import Market
from ordergate.market.hours.calendar import session
from ordergate.model.hours import window_from
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Quality, SessionState, Slice, Timeframe
from ordergate.model.values import Symbol
from support.manual_clock import ManualClock
from support.recordings import real, utc

EURUSD = Symbol("EURUSD")


def market(
    name: str, *, speed: int = 1, start: datetime | None = None
) -> tuple[Market, ReplayFeed, ManualClock]:
    clock = ManualClock()
    feed = ReplayFeed.open((real(name),), clock=clock, speed=Decimal(speed), start=start)
    return Market(feed=feed, clock=clock), feed, clock


def test_the_tenth_tick_of_the_day_comes_at_its_moment() -> None:
    made, _, clock = market("eurusd_oanda_ticks.csv.gz", start=utc("2014-05-08T00:00"))
    seen: list[tuple[Slice, datetime]] = []
    made.listen(lambda piece: seen.append((piece, made.venue_now())))
    clock.advance(300)
    made.pump()
    tenth, now = seen[9]
    assert (tenth.end, tenth.bid_close, tenth.ask_close) == (
        utc("2014-05-08T00:01:27.721"),
        Decimal("1.39098"),
        Decimal("1.39111"),
    )
    assert now == tenth.end
    assert made.venue_now() == utc("2014-05-08T00:05")


@pytest.mark.slow
def test_five_days_at_a_thousandfold_speed_lose_nothing() -> None:
    made, feed, clock = market("eurusd_oanda_ticks.csv.gz", speed=1_000)
    total, closed_quality = 0, set()
    pieces: list[Slice] = []
    made.listen(pieces.append)
    for _ in range(20_000):
        clock.advance(0.5)
        total += made.pump()
        if not feed.alive():
            break
        if made.session(EURUSD).state is SessionState.CLOSED:
            closed_quality.add(made.quality(EURUSD).verdict)
        elif made.venue_now() != utc("2014-05-11T21:00"):
            assert made.quality(EURUSD).verdict is Quality.OK, made.venue_now()
    assert total == len(pieces) == 210_119
    assert closed_quality == {Quality.OK}
    assert made.quality(EURUSD).verdict is Quality.STALE
    assert feed.problems() == {}
    told = asyncio.run(made.bars(EURUSD, Timeframe.H1, limit=1_000))
    assert told == bars_of(pieces, Timeframe.H1, now=feed.venue_now())


def test_over_the_weekend_fridays_close_converts_and_sunday_waits_for_its_first_price() -> None:
    made, _, clock = market("eurusd_oanda_ticks.csv.gz", start=utc("2014-05-09T20:59:50"))
    clock.advance(3_600)
    made.pump()
    assert made.session(EURUSD).reason == "weekend"
    friday = made.quote(EURUSD)
    assert friday is not None
    assert friday.time == utc("2014-05-09T20:59:58.835")
    assert made.rate("EUR", "USD") == friday.mid
    clock.advance((utc("2014-05-11T21:00") - made.venue_now()).total_seconds())
    made.pump()
    assert made.session(EURUSD).state is SessionState.OPEN
    assert made.quality(EURUSD).verdict is Quality.STALE
    assert made.rate("EUR", "USD") is None
    clock.advance(2)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.OK


def test_a_hole_of_years_inside_a_file_is_stale() -> None:
    made, _, clock = market("eurusd_oanda_m1_bidask.csv.gz", start=utc("2014-05-15T23:50"))
    clock.advance(600)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.OK
    clock.advance(5 * 3_600)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.STALE


@pytest.mark.parametrize("frame", ["m1", "h1"])
def test_the_fx_week_agrees_with_the_gaps_in_the_recordings(frame: str) -> None:
    with gzip.open(real(f"eurusd_oanda_{frame}_bidask.csv.gz"), "rt") as text:
        starts = [datetime.fromisoformat(row[0]) for row in list(csv.reader(text))[1:]]
    step = timedelta(minutes=1) if frame == "m1" else timedelta(hours=1)
    assert all(session(CalendarName.FX, at).state is SessionState.OPEN for at in starts)
    weekends = [
        (left + step, right)
        for left, right in itertools.pairwise(starts)
        if timedelta(hours=40) < right - left < timedelta(hours=52)
    ]
    regular = [
        (left, right)
        for left, right in weekends
        if session(CalendarName.FX, left).next_change == right
        and window_from(CalendarName.FX, left).opens == right
    ]
    assert len(weekends) >= 2
    assert len(regular) >= 0.98 * len(weekends)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("aapl_h1.csv.gz", 12_720),
        ("btcusdt_bybit_m1_20221213_bidask.csv.gz", 721),
        ("eurusd_oanda_d1_bidask.csv.gz", 3_738),
        ("nse_m1.csv.gz", 1_913),
        ("xauusd_oanda_m1_bidask.csv.gz", 15_222),
    ],
)
def test_every_recording_is_read_whole(name: str, rows: int) -> None:
    clock = ManualClock()
    feed = ReplayFeed.open((real(name),), clock=clock, speed=Decimal(1_000_000))
    clock.advance(10_000)
    total = 0
    while batch := feed.advance(1_000):
        total += len(batch)
    assert (total, feed.problems(), feed.alive()) == (rows, {}, False)
