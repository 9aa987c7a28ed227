"""The store of bars: a million rows in, and 1,000 bars of one of 500 symbols out.

Goals: a million rows in 5 s, checked, merged and on the disk; a page in 5 ms, half of the time.
Beside each: polars alone, which reads and writes the same rows and checks nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy
import polars

from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.adapters.system import SystemClock
from ordergate.market.bars.ingest import Ingest
from ordergate.market.bars.library.fetch import Library
from ordergate.market.bars.reading import Choices
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ratios import Line, ratio, table

TURNS = 5
SYMBOLS = 500
BARS_EACH = 20_000
PAGE = 1_000
IMPORT_GOAL_S = 5.0
READ_GOAL_MS = 5.0
BEGIN = 1_420_070_400_000_000_000  # 2015
MINUTE = 60_000_000_000
NAMES = ("open", "high", "low", "close")
SAID = Choices(venue="bench", timeframe=Timeframe.M1, calendar=CalendarName.ALWAYS)


def measure(rows: int, reads: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as place:
        return [*_imports(Path(place), rows), *_reads(Path(place), reads)]


def _frame(rows: int, seed: int) -> polars.DataFrame:
    """Return bid and ask bars of a random walk, prices with five digits."""
    chance = numpy.random.default_rng(seed)
    walk = numpy.round(1.3 + numpy.cumsum(chance.normal(0, 1e-5, rows + 1)), 5)
    first, last = walk[:-1], walk[1:]
    bid = (first, numpy.maximum(first, last) + 1e-5, numpy.minimum(first, last) - 1e-5, last)
    time_ns = BEGIN + numpy.arange(rows, dtype=numpy.int64) * MINUTE
    columns = {"time": polars.Series(time_ns).cast(polars.Datetime("ns"))}
    for side, more in (("bid", 0.0), ("ask", 1e-4)):
        columns |= {
            f"{side}_{name}": polars.Series(numpy.round(part + more, 5))
            for name, part in zip(NAMES, bid, strict=True)
        }
    return polars.DataFrame(columns)


def _imports(place: Path, rows: int) -> list[Line]:
    file = place / "eurusd_m1.csv"
    _frame(rows, 1).write_csv(file, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    ours, peers = [], []
    for turn in range(TURNS):
        store = BarFiles(place / f"bars-{turn}")
        ingest = Ingest(store=store, calendar_of=lambda _: None, clock=SystemClock())
        begin = time.perf_counter()
        (report,) = ingest.take(PriceTable(file), SAID)
        ours.append(time.perf_counter() - begin)
        assert report.added == rows
        begin = time.perf_counter()
        frame = polars.read_csv(file, try_parse_dates=True)
        frame.write_parquet(place / f"plain-{turn}.parquet", compression="lz4")
        peers.append(time.perf_counter() - begin)
    took = statistics.median(ours) * 1_000_000 / rows
    detail = f"{rows / statistics.median(ours):,.0f} rows/s, of {rows:,}; bid and ask bars of CSV"
    return [
        Line("bars: import of 1,000,000 rows, s", took, IMPORT_GOAL_S, detail),
        ratio("bars: import / polars reads the CSV, writes Parquet", ours, peers, goal=3.0),
    ]


def _reads(place: Path, reads: int) -> list[Line]:
    store = BarFiles(place / "many")
    ingest = Ingest(store=store, calendar_of=lambda _: None, clock=SystemClock())
    symbols = [f"SYM{number:03d}" for number in range(SYMBOLS)]
    frame = _frame(BARS_EACH, 2)
    for symbol in symbols:
        file = place / f"{symbol}.parquet"
        frame.write_parquet(file, compression="lz4")
        ingest.take(PriceTable(file), replace(SAID, symbol=symbol, zone="UTC"))
    library = Library(lambda: store)
    chance = random.Random(3)
    ours, peers = [], []

    async def turns() -> None:
        for _ in range(reads):
            symbol = chance.choice(symbols)
            begin = time.perf_counter()
            page = await library.bars(symbol, Timeframe.M1, venue=None, limit=PAGE)
            ours.append(time.perf_counter() - begin)
            assert len(page.series) == PAGE
            begin = time.perf_counter()
            plain = polars.scan_parquet(place / f"{symbol}.parquet").tail(PAGE).collect()
            peers.append(time.perf_counter() - begin)
            assert len(plain) == PAGE

    asyncio.run(turns())
    half = statistics.median(ours) * 1_000
    late = sorted(ours)[int(len(ours) * 0.95)] * 1_000
    what = f"bars: {PAGE:,} bars of one of {SYMBOLS} symbols, ms"
    return [
        Line(what, half, READ_GOAL_MS, f"p50 of {reads}; p95 {late:.2f} ms"),
        ratio("bars: the same / polars reads the tail of a file", ours, peers, goal=2.0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=400)
    chosen = parser.parse_args()
    print(table(measure(chosen.rows, chosen.reads)))


if __name__ == "__main__":
    main()
