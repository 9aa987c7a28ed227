"""One source of fills: the paper venue on a replay and the backtest make the same trades.

Real bars through the real feed, market and venue; orders are decided at each close and fill at the
next bar's open in both. Every trade: sides, sizes, prices, commission, swap, result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy
import pytest

from ordergate.adapters.feeds.replay.feed import ReplayFeed
from ordergate.adapters.feeds.replay.recording import recording
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.market.feed.subscribe import Market
from ordergate.model.market import Timeframe
from ordergate.model.orders import OrderType, Side
from ordergate.model.outcomes import FillEffect, VenueRefusal
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.outcome import Outcome
from ordergate.research.backtest.spec import BacktestSpec, CostSpec, Sizing, StrategyRef, Style
from ordergate.research.backtest.tapes import MarketData, Tape
from ordergate.research.backtest.wording import Word, word_of
from ordergate.sim import layout
from support.manual_clock import ManualClock
from support.paper import ACCOUNT, Orders
from support.recordings import real

LOTS = Decimal("0.10")
Deal = tuple[int, int, int, int, int, int, int]


def columns(path: Path, bars: int) -> tuple[Series, int]:
    """Return the first bars of a recording, and its digits."""
    made = recording(path, symbol=None)
    rows = list(islice(made.rows(), bars))
    table = numpy.array([row.prices for row in rows], dtype=numpy.float64) / 10.0**made.digits
    side = [numpy.ascontiguousarray(table[:, place]) for place in range(8)]
    return (
        Series(
            symbol=made.symbols[0],
            timeframe=Timeframe.H1,
            time=numpy.array([row.start * 1_000 for row in rows], dtype=numpy.int64),
            open=side[0],
            high=side[1],
            low=side[2],
            close=side[3],
            volume=numpy.full(len(rows), numpy.nan),
            complete=True,
            source="test",
            ask=Prices(*side[4:]),
        ),
        made.digits,
    )


class Replayed:
    """The paper venue on a replay, and somebody who trades a strategy's word on it."""

    def __init__(self, path: Path, place: Path, *, slippage: int) -> None:
        self.clock = ManualClock()
        self.feed = ReplayFeed.open((path,), clock=self.clock)
        self.market = Market(feed=self.feed, clock=self.clock)
        terms = PaperTerms(market_fill="next", slippage_ticks=slippage)
        self.venue = PaperVenue(
            path=place, markets=self.market, clock=self.clock, terms=terms, account=ACCOUNT
        )
        self.market.listen(self.venue.on_slice)
        self.orders = Orders()
        self.refused = 0
        self.at = int(self.feed.venue_now().timestamp()) * 10**9

    async def trade(self, laid: Laid, word: Word) -> None:
        bracket = laid.spec.strategy.style is Style.BRACKET
        for event, end in enumerate(laid.ends.tolist()):
            self.clock.advance((end - self.at) / 10**9)
            self.at = end
            self.market.pump()
            want = int(word.want[event])
            if want == layout.HOLD:
                continue
            shot = await self.venue.snapshot()
            held = {Side.BUY: 1, Side.SELL: -1}
            sides = [held[position.side] for position in shot.positions]
            if sides and not bracket and want not in sides and not shot.open_orders:
                position = shot.positions[0]
                await self._place(
                    Side.SELL if sides[0] > 0 else Side.BUY,
                    str(position.quantity),
                    position_id=position.position_id,
                )
            waiting = any(order.position_id is None for order in shot.open_orders)
            if want == layout.FLAT or want in sides or waiting or (sides and bracket):
                continue
            await self._place(
                Side.BUY if want > 0 else Side.SELL, str(LOTS), **self._stops(laid, word, event)
            )

    def _stops(self, laid: Laid, word: Word, event: int) -> dict[str, Decimal]:
        tick = laid.tapes[0].instrument.tick_size
        named = {"stop_loss": layout.W_STOP, "take_profit": layout.W_TARGET}
        found = {name: word.columns[column] for name, column in named.items()}
        return {
            name: int(column[event]) * tick
            for name, column in found.items()
            if len(column) > 1 and column[event]
        }

    async def _place(self, side: Side, quantity: str, **more: Any) -> None:
        symbol = str(self.feed.instruments()[0].symbol)
        order = self.orders.place(side.value, quantity, symbol, OrderType.MARKET.value, **more)
        try:
            await self.venue.submit(order)
        except VenueRefusal:
            self.refused += 1

    async def deals(self) -> tuple[list[Deal], Decimal]:
        instrument = self.feed.instruments()[0]
        begin = datetime(2000, 1, 1, tzinfo=UTC)
        history = await self.venue.history(begin)
        shot = await self.venue.snapshot()
        return list(_deals(history, instrument)), shot.account.balance


def _deals(history: Any, instrument: Any) -> Iterator[Deal]:
    """Yield side, steps, entry, exit in ticks, commission and result in cents, of closed trades."""
    opened = {fill.position_id: fill for fill in history.fills if fill.effect is FillEffect.OPENING}

    def ticks(price: Decimal) -> int:
        return int(price / instrument.tick_size)

    for fill in history.fills:
        if fill.effect is not FillEffect.CLOSING:
            continue
        entry = opened[fill.position_id]
        yield (
            1 if entry.side is Side.BUY else -1,
            int(fill.quantity / instrument.lot_step),
            ticks(entry.price),
            ticks(fill.price),
            int((entry.commission + fill.commission) * 100),
            int(fill.realised * 100),
            int(fill.time.timestamp()) * 10**9,
        )


def _told(outcome: Outcome) -> list[Deal]:
    trades = outcome.trades
    closed = len(trades) - outcome.open_trades
    result = trades.net + trades.commission - trades.swap
    return [
        (
            int(trades.side[row]),
            int(trades.steps[row]),
            int(trades.entry_price[row]),
            int(trades.exit_price[row]),
            int(trades.commission[row]) // 10**6,
            int(result[row]) // 10**6,
            int(trades.exit_time[row]),
        )
        for row in range(closed)
    ]


@pytest.mark.parametrize(
    ("name", "strategy", "style", "bars"),
    [
        ("eurusd_oanda_h1_bidask.csv.gz", "rule_baseline", Style.BRACKET, 1_500),
        ("xauusd_oanda_h1_bidask.csv.gz", "rule_baseline", Style.BRACKET, 1_500),
        ("eurusd_oanda_h1_bidask.csv.gz", "rule_baseline", Style.TARGET, 800),
        pytest.param(
            "xauusd_oanda_h1_bidask.csv.gz",
            "volatility_breakout",
            Style.TARGET,
            12_000,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "eurusd_oanda_h1_bidask.csv.gz",
            "rsi_reversal",
            Style.BRACKET,
            20_000,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_replay_on_paper_and_a_backtest_make_the_same_trades(
    tmp_path: Path, name: str, strategy: str, style: Style, bars: int
) -> None:
    path = real(name)
    series, _ = columns(path, bars)
    paper = Replayed(path, tmp_path / "paper.db", slippage=2)
    spec = BacktestSpec(
        symbols=(Symbol(series.symbol),),
        timeframe=Timeframe.H1,
        strategy=StrategyRef(name=strategy, style=style),
        costs=CostSpec(slippage_points=Decimal(2)),
        sizing=Sizing(amount=LOTS),
    )
    laid = lay(spec, MarketData((Tape(paper.feed.instruments()[0], replace(series)),)))
    word = word_of(laid)
    told = run_laid(laid, word)

    async def replay() -> tuple[list[Deal], Decimal]:
        await paper.trade(laid, word)
        return await paper.deals()

    deals, balance = asyncio.run(replay())
    assert len(deals) >= 15
    assert deals == _told(told)
    assert int(balance * 10**8) == told.balance
