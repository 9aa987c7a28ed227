"""Indicators beside TA-Lib called directly: a million bars, a scan of many series, one live bar.

Goals: all indicators on a million bars <= 1.2 x the bare calls; 200 symbols x 4 timeframes x 500
bars x 10 indicators <= 2 x the bare loop, with a time that grows with the number of symbols; the
same scored and ranked <= 2 s; the same 800 series brought forward by one bar <= 10 ms. Both sides
of a ratio take turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy
import talib

from ordergate.market.features.frame import Frame
from ordergate.market.features.indicators import INDICATORS, Call, call
from ordergate.market.features.live import LiveBar, LiveFrame
from ordergate.market.features.sessions import session_starts
from ordergate.market.scan.ranking import View, opportunity, ranked, view
from ordergate.market.signals.ensemble import ensemble
from ordergate.model.market import Timeframe
from ordergate.model.series import Series
from ordergate.model.values import Symbol
from ratios import PARTS, Line, ratio, table

MILLION = 1_000_000
BARS = 500
SYMBOLS = 200
TIMEFRAMES = (Timeframe.M15, Timeframe.H1, Timeframe.H4, Timeframe.D1)
LIVE_GOAL_MS = 10.0
SCAN_GOAL_S = 2.0
BEGIN_NS = 1_735_686_000 * 10**9
SCANNED = ("sma", "ema", "rsi", "macd", "bollinger", "atr", "adx", "stochastic", "cci", "donchian")

Bare = Callable[[Series], object]


def bare_vwap(series: Series) -> object:
    starts = [*session_starts(series.time), len(series)]
    return [talib.VWAP(*(column[a:b] for column in _hlcv(series))) for a, b in pairwise(starts)]


def _hlcv(series: Series) -> tuple[numpy.ndarray, ...]:
    return series.high, series.low, series.close, series.volume


BARE: dict[str, Bare] = {
    "sma": lambda s: talib.SMA(s.close, 20),
    "ema": lambda s: talib.EMA(s.close, 20),
    "wma": lambda s: talib.WMA(s.close, 20),
    "rsi": lambda s: talib.RSI(s.close, 14),
    "macd": lambda s: talib.MACD(s.close, 12, 26, 9),
    "bollinger": lambda s: talib.BBANDS(s.close, 20, 2.0, 2.0),
    "atr": lambda s: talib.ATR(s.high, s.low, s.close, 14),
    "adx": lambda s: talib.ADX(s.high, s.low, s.close, 14),
    "stochastic": lambda s: talib.STOCH(
        s.high, s.low, s.close, fastk_period=14, slowk_period=3, slowd_period=3
    ),
    "cci": lambda s: talib.CCI(s.high, s.low, s.close, 20),
    "obv": lambda s: talib.OBV(s.close, s.volume),
    "vwap": bare_vwap,
    "donchian": lambda s: talib.DONCHIAN(s.high, s.low, 20),
    "keltner": lambda s: talib.KC(s.high, s.low, s.close, 20, 10, 2.0),
    "supertrend": lambda s: talib.SUPERTREND(s.high, s.low, s.close, 10, 3.0),
}
ALL = tuple(call(indicator.name) for indicator in INDICATORS)
TEN = tuple(call(name) for name in SCANNED)


def series(bars: int, *, timeframe: Timeframe = Timeframe.M1, seed: int = 1) -> Series:
    """Return a seeded walk; prices and volumes as arrays of their own."""
    chance = numpy.random.default_rng(seed)
    close = 1.1 * numpy.exp(numpy.cumsum(chance.normal(0, 1e-4, bars)))
    opened = numpy.concatenate([[1.1], close[:-1]])
    step = int(timeframe.length.total_seconds()) * 10**9
    return Series(
        symbol=Symbol(f"S{seed}"),
        timeframe=timeframe,
        time=BEGIN_NS + numpy.arange(bars, dtype=numpy.int64) * step,
        open=opened,
        high=numpy.maximum(opened, close) * (1 + 1e-4 * chance.random(bars)),
        low=numpy.minimum(opened, close) * (1 - 1e-4 * chance.random(bars)),
        close=close,
        volume=chance.integers(1, 100, bars).astype(numpy.float64),
        complete=True,
        source="walk",
    )


def ours(over: Sequence[Series], calls: Sequence[Call]) -> None:
    for one in over:
        frame = Frame(one)
        for asked in calls:
            frame.outputs(asked)


def bare(over: Sequence[Series], calls: Sequence[Call]) -> None:
    for one in over:
        # Kept until the series is done, as ours are: who computes indicators wants to read them.
        kept = [BARE[asked.indicator.name](one) for asked in calls]
        del kept


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def processor_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def in_turns(
    first: Callable[[], object], second: Callable[[], object], turns: int
) -> tuple[list[float], list[float]]:
    first(), second()  # both have seen their memory once
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        taken[0].append(seconds(first))
        taken[1].append(seconds(second))
    return taken


def scanned(symbols: int) -> list[Series]:
    return [
        series(BARS, timeframe=timeframe, seed=symbol * len(TIMEFRAMES) + place)
        for symbol in range(symbols)
        for place, timeframe in enumerate(TIMEFRAMES)
    ]


def scored(found: Sequence[Series]) -> int:
    """Score and rank as scan_opportunities does, once the bars are there."""
    speaker = ensemble()
    views: dict[Symbol, list[View]] = {}
    for number, one in enumerate(found):
        symbol = Symbol(f"S{number // len(TIMEFRAMES)}")
        views.setdefault(symbol, []).append(view(Frame(one), speaker))
    return len(ranked([opportunity(symbol, each, 1e-5) for symbol, each in views.items()]))


def live(found: Sequence[Series], turns: int) -> list[float]:
    """Return the processor seconds that each new bar of every series took."""
    frames = [LiveFrame(one, TEN) for one in found]
    taken = []
    for turn in range(1, turns + 1):
        bars = [
            LiveBar(
                int(one.time[-1]) + turn * int(one.time[1] - one.time[0]),
                *(float(column[-turn]) for column in (one.open, one.high, one.low, one.close)),
                float(one.volume[-turn]),
            )
            for one in found
        ]

        def forward(bars: Sequence[LiveBar] = bars) -> None:
            for frame, bar in zip(frames, bars, strict=True):
                frame.update(bar)

        taken.append(processor_seconds(forward))
    return taken


def measure(turns: int) -> list[Line]:
    turns = max(turns, PARTS)
    long = [series(MILLION)]
    mine, theirs = in_turns(lambda: ours(long, ALL), lambda: bare(long, ALL), turns)
    lines = [ratio("15 indicators on 1,000,000 bars / TA-Lib", mine, theirs, goal=1.2)]
    found = scanned(SYMBOLS)
    mine, theirs = in_turns(lambda: ours(found, TEN), lambda: bare(found, TEN), turns)
    what = f"{SYMBOLS} symbols x 4 x {BARS} bars x 10 indicators / TA-Lib loop"
    lines.append(ratio(what, mine, theirs, goal=2.0))
    half = found[: len(found) // 2]
    mine, theirs = in_turns(lambda: ours(found, TEN), lambda: ours(half, TEN), turns)
    lines.append(ratio("the same, twice / once as many symbols", mine, theirs, goal=2.2))
    taken = [processor_seconds(lambda: scored(found)) for _ in range(PARTS)]
    detail = f"median of {len(taken)}: view, ensemble, score and rank of {len(found)} series"
    what = "the same as a whole scan, with scores, s of processor time"
    lines.append(Line(what, statistics.median(taken), SCAN_GOAL_S, detail))
    taken = [each * 1_000 for each in live(found, turns * 4)]
    detail = f"median of {len(taken)} bars, worst {max(taken):.2f} ms"
    what = f"a new bar of {len(found)} series x 10, ms of processor time"
    lines.append(Line(what, statistics.median(taken), LIVE_GOAL_MS, detail))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    print(table(measure(parser.parse_args().turns)))


if __name__ == "__main__":
    main()
