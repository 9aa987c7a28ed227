"""The pump: quotes, clock, quality and conversion from one feed, in memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.adapters.system import SystemClock
from ordergate.market.feed.subscribe import TICKS_KEPT, Market
from ordergate.model.errors import SymbolNotFound
from ordergate.model.market import Quality, SessionState, Slice, Timeframe, tick
from ordergate.model.values import Symbol
from ordergate.ports.market_facts import MarketFacts
from support.manual_clock import ManualClock
from support.recordings import utc, write_rows

EURUSD = Symbol("EURUSD")


def simulated(clock: ManualClock, *, start: str = "2026-01-07T15:00") -> Market:
    return Market(feed=SimulatedFeed(clock=clock, start=utc(start)), clock=clock)


def recorded(folder: Path, clock: ManualClock, rows: list[str]) -> tuple[Market, ReplayFeed]:
    path = write_rows(folder / "eurusd.csv", "time,bid,ask", rows)
    feed = ReplayFeed.open((path,), clock=clock)
    return Market(feed=feed, clock=clock), feed


def test_before_the_first_pump_nothing_is_known() -> None:
    made: MarketFacts = simulated(ManualClock())
    assert made.quote(EURUSD) is None
    assert made.quality(EURUSD).verdict is Quality.MISSING
    assert made.rate("EUR", "USD") is None
    assert made.rate("USD", "USD") == 1


def test_one_pump_quotes_every_symbol_with_its_source() -> None:
    made = simulated(ManualClock())
    made.pump()
    for spec in made.instruments():
        quote = made.quote(spec.symbol)
        assert quote is not None
        assert (quote.source, quote.synthetic) == ("simulated", True)
        assert made.quality(spec.symbol).verdict is Quality.OK
        assert made.instrument(spec.symbol) == spec
    assert made.instrument(Symbol("NOSUCH")) is None
    assert made.session(Symbol("NOSUCH")).state is SessionState.UNKNOWN
    assert made.quality(Symbol("NOSUCH")).verdict is Quality.MISSING


def test_listeners_see_every_slice_in_order_with_its_quote_and_clock_in_place() -> None:
    clock = ManualClock()
    made = simulated(clock)
    seen: list[Slice] = []

    def check(piece: Slice) -> None:
        quote = made.quote(piece.symbol)
        assert quote is not None
        assert (quote.bid, quote.time, made.venue_now()) == (
            piece.bid_close,
            piece.end,
            piece.end,
        )
        seen.append(piece)

    made.listen(check)
    made.listen(lambda piece: None)
    clock.advance(10)
    total = 0
    while pumped := made.pump():
        total += pumped
    assert len(seen) == total > 12
    assert made.venue_now() == utc("2026-01-07T15:00:10")


def test_the_link_is_dead_when_nobody_pumps_or_the_feed_stands_still(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [f"2026-01-07T15:00:{second:02}Z,1.1,1.2" for second in range(60)]
    made, feed = recorded(tmp_path, clock, rows)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.OK
    clock.advance(5)
    assert made.quality(EURUSD).verdict is Quality.OK
    clock.advance(0.1)
    assert made.quality(EURUSD).verdict is Quality.STALE
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.OK
    feed.pause()
    assert made.quality(EURUSD).verdict is Quality.STALE
    feed.resume()
    assert made.quality(EURUSD).verdict is Quality.OK
    clock.advance(100)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.STALE


def test_a_fast_replay_is_not_stale_between_two_pumps(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [f"2026-01-07T15:{minute:02}:00Z,1.1,1.2" for minute in range(60)]
    made, feed = recorded(tmp_path, clock, rows)
    feed.set_speed(Decimal(1_000))
    for _ in range(40):
        clock.advance(0.05)
        made.pump()
        judged = made.quality(EURUSD)
        assert judged.verdict is Quality.OK
        assert judged.age_s is not None
        assert 0 <= judged.age_s <= 60


def test_conversion_is_direct_inverted_or_through_the_dollar_and_never_invented() -> None:
    made = simulated(ManualClock())
    made.pump()

    def mid(symbol: str) -> Decimal:
        quote = made.quote(Symbol(symbol))
        assert quote is not None
        return quote.mid

    assert made.rate("EUR", "USD") == mid("EURUSD")
    assert made.rate("USD", "EUR") == 1 / mid("EURUSD")
    assert made.rate("JPY", "USD") == 1 / mid("USDJPY")
    assert made.rate("EUR", "JPY") == mid("EURJPY")
    assert made.rate("GBP", "CHF") == mid("GBPUSD") * mid("USDCHF")
    assert made.rate("USDT", "USD") is None
    assert made.rate("EUR", "SEK") is None


def test_a_crossed_price_converts_nothing_even_while_closed(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = ["2026-01-09T21:59:59Z,1.3,1.2", "2026-01-11T22:00:01Z,1.1,1.2"]
    made, _ = recorded(tmp_path, clock, rows)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.CROSSED
    clock.advance(3_600)
    made.pump()
    assert made.session(EURUSD).state is SessionState.CLOSED
    assert made.rate("EUR", "USD") is None


def test_while_closed_a_dead_link_still_converts_at_the_last_sessions_close(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    rows = ["2026-01-09T21:59:59Z,1.1,1.2", "2026-01-11T22:00:01Z,1.1,1.2"]
    made, feed = recorded(tmp_path, clock, rows)
    clock.advance(3_600)
    made.pump()
    feed.pause()
    assert made.quality(EURUSD).verdict is Quality.STALE
    assert made.rate("EUR", "USD") == Decimal("1.15")


def test_recent_ticks_are_kept_up_to_a_bound() -> None:
    clock = ManualClock()
    made = simulated(clock)
    for _ in range(700):
        made.pump()
        clock.advance(1)
    kept = made.ticks(EURUSD, 5_000)
    assert len(kept) == TICKS_KEPT
    assert kept[-1] == made.quote(EURUSD)
    assert made.ticks(EURUSD, 3) == kept[-3:]
    assert [quote.time for quote in kept] == sorted(quote.time for quote in kept)
    assert made.ticks(EURUSD, 0) == made.ticks(Symbol("NOSUCH"), 5) == ()


def test_bars_are_worked_out_while_the_pump_runs() -> None:
    async def scene() -> None:
        clock = SystemClock()
        made = Market(feed=SimulatedFeed(clock=clock, speed=50), clock=clock)
        stop = asyncio.Event()
        pumping = asyncio.create_task(made.run(stop))
        answers = await asyncio.gather(
            *(made.bars(EURUSD, frame, limit=200) for frame in Timeframe for _ in range(2))
        )
        assert [len(bars) for bars in answers] == [200] * len(answers)
        for first, second in zip(answers[::2], answers[1::2], strict=True):
            ended = {bar.time: bar for bar in first if bar.complete}
            assert all(ended.get(bar.time, bar) == bar for bar in second)
            assert len(ended) >= 199
        with pytest.raises(SymbolNotFound):
            await made.bars(Symbol("NOSUCH"), Timeframe.M1, limit=1)
        stop.set()
        await pumping
        assert made.quality(EURUSD).verdict is Quality.OK

    asyncio.run(scene())


def test_a_backlog_is_worked_off_in_short_turns(tmp_path: Path) -> None:
    clock = SystemClock()
    begin = utc("2026-01-07T15:00")
    rows = [
        f"{begin + timedelta(milliseconds=100 * number):%Y-%m-%dT%H:%M:%S.%f}Z,1.1,1.2"
        for number in range(20_000)
    ]
    path = write_rows(tmp_path / "eurusd.csv", "time,bid,ask", rows)
    feed = ReplayFeed.open((path,), clock=clock, speed=Decimal(1_000_000))
    made = Market(feed=feed, clock=clock)
    turns, total = [], 0
    while feed.alive():
        began = time.perf_counter()
        total += made.pump()
        turns.append(time.perf_counter() - began)
    assert total == 20_000
    assert sorted(turns)[len(turns) // 2] < 0.02


def test_the_market_is_light_to_import() -> None:
    code = (
        "import sys, ordergate.adapters.feeds.replay.feed, ordergate.market.feed.subscribe,"
        " ordergate.adapters.feeds.simulated.feed;"
        " print([m for m in ('numpy', 'polars', 'pandas', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


class Told(SimulatedFeed):
    """A feed that hands out what a test tells it, with a heartbeat of a second."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.due: list[Slice] = []

    @property
    def heartbeat(self) -> timedelta:  # type: ignore[override]
        return timedelta(seconds=1)

    def advance(self, limit: int) -> tuple[Slice, ...]:
        given, self.due = self.due[:limit], self.due[limit:]
        return tuple(given)


def test_a_price_from_the_past_is_not_taken_and_doubted_for_a_while() -> None:
    clock = ManualClock()
    feed = Told(clock)
    made = Market(feed=feed, clock=clock)
    heard: list[Slice] = []
    made.listen(heard.append)
    now = feed.venue_now()
    newest = tick(EURUSD, now, Decimal("1.1"), Decimal("1.2"))
    feed.due = [newest, tick(EURUSD, now - timedelta(seconds=2), Decimal(1), Decimal(2))]
    made.pump()
    quote = made.quote(EURUSD)
    assert quote is not None
    assert (quote.bid, heard) == (Decimal("1.1"), [newest])
    assert made.quality(EURUSD).verdict is Quality.OUT_OF_ORDER
    clock.advance(6)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.OK


def test_the_first_price_after_a_hole_is_a_gap_for_a_while() -> None:
    clock = ManualClock()
    feed = Told(clock)
    made = Market(feed=feed, clock=clock)
    feed.due = [tick(EURUSD, feed.venue_now(), Decimal("1.1"), Decimal("1.2"))]
    made.pump()
    clock.advance(11)
    made.pump()
    assert made.quality(EURUSD).verdict is Quality.STALE
    for seconds, expected in ((0, Quality.GAP), (4, Quality.GAP), (2, Quality.OK)):
        clock.advance(seconds)
        feed.due = [tick(EURUSD, feed.venue_now(), Decimal("1.1"), Decimal("1.2"))]
        made.pump()
        assert made.quality(EURUSD).verdict is expected
