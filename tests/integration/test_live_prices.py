"""Public prices of an exchange, read by ccxt from a server that speaks Kraken's dialect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ordergate.adapters.feeds.ccxt_public.client import Wire
from ordergate.adapters.feeds.ccxt_public.feed import CcxtFeed, Wanted
from ordergate.adapters.feeds.ccxt_public.history import CcxtBars
from ordergate.adapters.system import SystemClock
from ordergate.market.bars.resampling import resample
from ordergate.market.feed.subscribe import Market
from ordergate.model.errors import DataUnavailable, NotSupported, SymbolNotFound
from ordergate.model.market import Quality, Timeframe
from ordergate.model.values import Symbol
from support.fake_exchange import Exchange, exchange

BTC = Symbol("BTCUSD")
CLOCK = SystemClock()


@contextmanager
def live(
    served: Exchange, *, symbols: tuple[str, ...] = ("BTC/USD", "USDT/USD")
) -> Iterator[Market]:
    """A market on the served exchange, asked ten times a second."""
    wanted = Wanted(exchange="kraken", symbols=symbols, poll_s=0.1, url=served.url, pace_ms=10)
    feed = CcxtFeed(wanted, clock=CLOCK)
    feed.start(wait_s=20)
    market = Market(feed=feed, clock=CLOCK)
    try:
        market.pump()
        yield market
    finally:
        feed.close_now()


def until(market: Market, true: Callable[[], bool], *, within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, market.trouble()
        time.sleep(0.02)
        market.pump()


@pytest.fixture(scope="module")
def served() -> Iterator[Exchange]:
    with exchange() as made:
        yield made


def test_prices_are_the_exchanges_own_with_its_grid_and_its_name(served: Exchange) -> None:
    served.set("XXBTZUSD", "94321.5", "94322.3")
    with live(served) as market:
        quote, spec = market.quote(BTC), market.instrument(BTC)
        assert quote is not None
        assert spec is not None
        assert (quote.bid, quote.ask) == (Decimal("94321.5"), Decimal("94322.3"))
        assert (quote.source, quote.synthetic) == ("ccxt:kraken", False)
        assert (spec.tick_size, spec.lot_min) == (Decimal("0.1"), Decimal("0.00005"))
        assert market.quality(BTC).verdict is Quality.OK
        served.set("XXBTZUSD", "94400.0", "94400.1")
        until(market, lambda: market.quote(BTC).bid == Decimal("94400.0"))  # type: ignore[union-attr]
        assert market.rate("USDT", "USD") is not None


@pytest.mark.parametrize(
    "fault",
    [
        *("429", "hang_up"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("500", "slow", "malformed", "html", "empty", "negative")
        ),
    ],
)
def test_an_outage_is_told_nothing_is_made_up_and_prices_come_back(
    served: Exchange, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordergate.adapters.feeds.ccxt_public.feed.BACKOFF_S", (0.3,))
    if fault == "slow":
        monkeypatch.setattr("ordergate.adapters.feeds.ccxt_public.client.DEADLINE_S", 1.5)
        served.slow_s = 2.5
    with live(served, symbols=("BTC/USD",)) as market:
        served.fault = fault
        before = len(served.asked)
        feed = market._feed
        assert isinstance(feed, CcxtFeed)
        time.sleep(0.6)  # what was under way has ended
        lost_at = feed._answered_s
        time.sleep(0.6)
        assert feed._answered_s == lost_at
        assert len(served.asked) - before <= 8  # it backs off, and does what a 429 asks for
        served.fault = ""
        until(market, lambda: feed._answered_s != lost_at)
        assert market.trouble() is None


def test_a_dead_exchange_leaves_a_stale_price_and_a_reason(
    served: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordergate.adapters.feeds.ccxt_public.feed.SILENT_BEATS", 1)
    with live(served, symbols=("BTC/USD",)) as market:
        served.fault = "hang_up"
        until(market, lambda: market.trouble() is not None)
        assert "ccxt:kraken gives no prices: it cannot be reached" in str(market.trouble())
        assert market.quality(BTC).verdict is Quality.STALE
        served.fault = ""
        until(market, lambda: market.trouble() is None)
        until(market, lambda: market.quality(BTC).verdict is Quality.OK)


def test_what_was_never_reached_has_no_symbols_and_says_so() -> None:
    with exchange() as gone:
        gone.fault = "500"
        feed = CcxtFeed(
            Wanted(exchange="kraken", symbols=("BTC/USD",), url=gone.url, pace_ms=10), clock=CLOCK
        )
        feed.start(wait_s=0.5)
        try:
            market = Market(feed=feed, clock=CLOCK)
            market.pump()
            assert (market.instruments(), market.quote(BTC)) == ((), None)
            assert market.trouble() is not None
            gone.fault = ""
            until(market, lambda: market.quality(BTC).verdict is Quality.OK)
            assert market.instrument(BTC) is not None
        finally:
            feed.close_now()


@pytest.mark.slow
def test_crossed_and_frozen_prices_are_called_so(
    served: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordergate.market.feed.quality.FROZEN_AFTER", timedelta(seconds=1))
    with live(served) as market:
        served.set("XXBTZUSD", "95000.5", "95000.1")
        until(market, lambda: market.quality(BTC).verdict is Quality.CROSSED)
        served.set("XXBTZUSD", "95000.0", "95000.1")
        served.fault = "frozen"
        until(market, lambda: market.quality(BTC).verdict is Quality.FROZEN)
        served.fault = ""
        until(market, lambda: market.quality(BTC).verdict is Quality.OK)


@pytest.mark.slow
def test_a_clock_far_away_is_not_believed(served: Exchange) -> None:
    served.clock_off_s = 7_200
    try:
        feed = CcxtFeed(
            Wanted(exchange="kraken", symbols=("BTC/USD",), url=served.url, pace_ms=10),
            clock=CLOCK,
        )
        feed.start(wait_s=2.5)
        assert "clock" in str(feed.trouble())
        assert feed.venue_now() - CLOCK.now() < timedelta(minutes=1)
        feed.close_now()
    finally:
        served.clock_off_s = 0


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_bars_are_on_our_own_days_and_the_newest_is_running(
    served: Exchange, timeframe: Timeframe
) -> None:
    with live(served, symbols=("BTC/USD",)) as market:
        bars = asyncio.run(market.bars(BTC, timeframe, limit=12))
        assert len(bars) == 12
        assert [bar.complete for bar in bars] == [True] * 11 + [False]
        if timeframe in (Timeframe.H4, Timeframe.D1):
            hours = asyncio.run(market.bars(BTC, Timeframe.H1, limit=400))
            assert resample(hours, timeframe)[-12:] == bars
        older = asyncio.run(market.bars(BTC, timeframe, limit=3, before=bars[-1].time))
        assert older == bars[-4:-1]


def test_an_exchange_is_a_source_of_bars_to_download(served: Exchange) -> None:
    source = CcxtBars("kraken", clock=CLOCK, url=served.url, pace_ms=10)
    try:
        since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
        first = asyncio.run(source.bars(BTC, Timeframe.H1, since=since, limit=10))
        assert len(first) == 10
        assert (first.complete, first.source) == (True, "ccxt:kraken")
        assert first.time[0] == since.timestamp() * 10**9
        rest = asyncio.run(
            source.bars(BTC, Timeframe.H1, since=since + timedelta(hours=10), limit=100)
        )
        assert (len(rest), rest.complete) == (21, False)
        later = datetime.now(UTC) + timedelta(hours=1)
        assert len(asyncio.run(source.bars(BTC, Timeframe.H1, since=later, limit=5))) == 0
        with pytest.raises(SymbolNotFound):
            asyncio.run(source.bars(Symbol("NOSUCH"), Timeframe.H1, since=since, limit=5))
        served.fault = "500"
        with pytest.raises(DataUnavailable):
            asyncio.run(source.bars(BTC, Timeframe.H1, since=since, limit=5))
    finally:
        served.fault = ""
        source.close_now()


def test_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(NotSupported):
        Wire("nosuchexchange")


def test_nothing_is_ever_repeated_by_the_library_itself() -> None:
    async def options() -> object:
        wire = Wire("kraken")
        found = wire._exchange.options["maxRetriesOnFailure"]
        await wire.close()
        return found

    assert asyncio.run(options()) == 0
