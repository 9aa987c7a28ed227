"""The compiled loop and the plain one: the same bits, over random markets, orders and costs.

Also: every public function of `sim/` compiles, the modules stay plain, and a changed callee changes
what is compiled.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy
import pytest

from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.order.policy.limits import Limits
from ordergate.research.backtest import compiled
from ordergate.research.backtest.engine import run_laid
from ordergate.research.backtest.laying import Laid, lay
from ordergate.research.backtest.outcome import Outcome
from ordergate.research.backtest.spec import (
    Account,
    CostSpec,
    Filling,
    InOneBar,
    SizeBy,
    Sizing,
    Style,
    WhenClosed,
)
from ordergate.research.backtest.tapes import MarketData, Tape
from ordergate.research.backtest.wording import Word
from ordergate.sim import costs, layout, rounding
from support.backtests import bars, eurusd, spec, styled, wider

numba = pytest.importorskip("numba")

MARKETS = 300
Ohlc = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Callable[[layout.Run], int]:
    return compiled.walker(tmp_path_factory.mktemp("kernels"))


def market_rows(chance: random.Random, count: int, reach: int) -> list[Ohlc]:
    rows, last = [], 0
    for _ in range(count):
        opened = last + chance.choice((0, 0, 0, chance.randint(-reach, reach)))
        close = opened + chance.randint(-reach, reach)
        high = max(opened, close) + chance.randint(0, reach)
        rows.append((opened, high, min(opened, close) - chance.randint(0, reach), close))
        last = max(-20_000, min(20_000, close))
    return rows


def case(seed: int) -> tuple[Laid, Word]:
    """Return a random market, random terms and random wishes on it."""
    chance = random.Random(seed)
    careless = chance.random() < 0.3  # large, without stops, in a wild market
    count = chance.randint(20, 240)
    reach = 1_500 if careless else chance.choice((3, 30, 400))
    symbols = (Symbol("EURUSD"), Symbol("GBPUSD"))[: chance.choice((1, 1, 2))]
    capped = chance.random() < 0.25
    tapes, rates = [], {}
    for symbol in symbols:
        rows = market_rows(chance, count, reach)
        asks = wider(rows, chance.randint(0, 9)) if chance.random() < 0.7 else None
        volume = [float(chance.choice((0, 5_000, 90_000))) for _ in rows] if capped else None
        series = bars(rows, asks=asks, volume=volume, symbol=str(symbol))
        calendar = chance.choice((CalendarName.ALWAYS, CalendarName.FX))
        currency = chance.choice(("USD", "USD", "CHF"))
        level = chance.choice((0, 5))
        instrument = eurusd(
            symbol=symbol, calendar=calendar, quote_currency=currency, stops_level_ticks=level
        )
        finer = None
        if chance.random() < 0.3:
            quarters = market_rows(chance, 4 * count, reach)
            finer = bars(quarters, timeframe=Timeframe.M15, symbol=str(symbol))
        tapes.append(Tape(instrument, series, finer))
        if currency == "CHF":
            rates["CHF"] = bars(market_rows(chance, count, 50), symbol="CHFUSD")
    asked = spec(
        policy=None if careless else chance.choice((None, Limits(), Limits(stop_required=False))),
        symbols=symbols,
        strategy=styled(chance.choice(tuple(Style))),
        costs=CostSpec(
            spread_points=Decimal(chance.randint(0, 20)),
            spread_factor=Decimal(chance.choice(("1", "1.5"))),
            slippage_points=Decimal(chance.randint(0, 4)),
            slippage_ppm=Decimal(chance.choice((0, 0, 15))),
            slippage_range=Decimal(chance.choice(("0", "0", "0.1"))),
            commission_per_lot=Decimal(chance.choice(("0", "3.5", "7.123"))),
            commission_rate=Decimal(chance.choice(("0", "0.00002"))),
            commission_min=Decimal(chance.choice(("0", "1.5"))),
            swap=chance.random() < 0.7,
            scale=Decimal(chance.choice(("0", "1", "1.5", "2"))),
        ),
        sizing=chance.choice(
            (
                Sizing(by=SizeBy.LOTS, amount=Decimal("0.37")),
                Sizing(by=SizeBy.RISK, amount=Decimal("1.5")),
                Sizing(by=SizeBy.NOTIONAL, amount=Decimal(70_000)),
            )
        ),
        account=Account(
            balance=Decimal(2_400 if careless else chance.choice((900, 3_000, 100_000))),
            money_digits=chance.choice((0, 2, 3)),
        ),
        filling=Filling(
            in_one_bar=chance.choice(tuple(InOneBar)),
            when_closed=chance.choice(tuple(WhenClosed)),
            per_symbol=chance.choice((1, 1, 3)),
            fill_share=Decimal("0.3") if capped else None,
            stale_bars=chance.choice((None, 1)),
        ),
        delay_bars=chance.choice((0, 0, 2)),
        delay_ms=chance.choice((0, 0, 250)),
    )
    laid = lay(asked, MarketData(tuple(tapes), rates))
    return laid, wishes(chance, laid, careful=0.0 if careless else 0.8)


def wishes(chance: random.Random, laid: Laid, *, careful: float) -> Word:
    count = len(laid)
    often = (0, 0, 0, 1, -1, 2) if careful else (0,) * 40 + (1, -1)
    wants = [chance.choice(often) for _ in range(count)]
    closes = laid.bid.reshape(-1, 4)[:, layout.CLOSE].tolist()

    def off(low: int, high: int, side: int) -> list[int]:
        return [
            close + side * (1 if want == 1 else -1) * chance.randint(low, high)
            if chance.random() < careful
            else 0
            for close, want in zip(closes, wants, strict=True)
        ]

    columns: dict[int, Any] = {
        layout.W_STOP: off(1, 60, -1),
        layout.W_TARGET: off(1, 60, 1),
        layout.W_KIND: [chance.choice((0, 0, 1, 2)) for _ in wants],
        layout.W_PRICE: [close + chance.randint(-30, 30) for close in closes],
        layout.W_UNTIL: [chance.randint(0, 6) for _ in wants],
    }
    made = {name: numpy.array(values, dtype=numpy.int64) for name, values in columns.items()}
    return Word(numpy.array(wants, dtype=numpy.int8), made)


def difference(one: Outcome, other: Outcome) -> str:
    """Name the first thing in which two outcomes differ; "" = nothing."""
    for name in ("refused", "ambiguous", "band", "balance", "open_trades", "stop_outs"):
        if getattr(one, name) != getattr(other, name):
            return name
    if one.equity.tobytes() != other.equity.tobytes():
        return "equity"
    for name in one.trades.__slots__:
        if getattr(one.trades, name).tobytes() != getattr(other.trades, name).tobytes():
            return f"trades.{name}"
    return ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_compiled_and_plain_are_bit_equal(swift: Callable[[layout.Run], int]) -> None:
    trades = refused = ambiguous = stop_outs = 0
    for seed in range(MARKETS):
        laid, said = case(seed)
        one = run_laid(laid, said)
        assert difference(one, run_laid(laid, said, walker=swift)) == "", f"seed {seed}"
        trades += len(one.trades)
        refused += sum(one.refused.values())
        ambiguous += one.ambiguous
        stop_outs += one.stop_outs
    # the markets are wild enough for the comparison to say something
    assert min(trades, refused) > 1_000
    assert min(ambiguous, stop_outs) > 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_modules_stay_plain(swift: Callable[[layout.Run], int]) -> None:
    assert callable(swift)
    for name, function in compiled.functions().items():
        assert type(function) is FunctionType, name
        for value in function.__globals__.values():
            assert not type(value).__module__.startswith("numba"), name


def test_a_changed_callee_changes_what_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(function: FunctionType) -> Any:
        return numba.njit(function)

    assert compiled.compiled(costs.booked, make)(1259, 10**9, 100) == 1300

    def down(numerator: int, denominator: int) -> int:
        return numerator // denominator

    down.__module__ = rounding.__name__
    monkeypatch.setattr(rounding, "half_away", down)
    assert compiled.compiled(costs.booked, make)(1259, 10**9, 100) == 1200
    assert costs.booked(1259, 10**9, 100) == 1200


def test_the_cache_is_named_after_all_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled.cache_name()
    assert compiled.cache_name() == before
    monkeypatch.setattr(compiled, "ALL", compiled.ALL[:-1])
    assert compiled.cache_name() != before


def test_what_was_never_compiled_here_is_not_ready(tmp_path: Path) -> None:
    assert not compiled.is_ready(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_random_markets_keep_their_books(seed: int) -> None:
    """Whatever happens, the parts add up and nothing is left over."""
    laid, said = case(seed)
    told = run_laid(laid, said)
    trades = told.trades
    assert int(trades.net.sum()) == told.net
    parts = trades.gross - trades.spread - trades.slippage - trades.delay - trades.commission
    assert (parts + trades.swap).tolist() == trades.net.tolist()
    assert (trades.reason[: len(trades) - told.open_trades] > 0).all()
    again = run_laid(replace(laid), said)
    assert difference(told, again) == ""
