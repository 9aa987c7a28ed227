"""All benchmarks in one run, and one table of ratios; `make bench`."""

from __future__ import annotations

import argparse
import asyncio

import backtest
import bar_store
import group_commit
import http_call
import indicators
import order_path
import quote_fanout
import stdio_start
import verify_record
from ratios import table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=20, help="processes of each kind over stdio")
    parser.add_argument("--calls", type=int, default=400, help="calls of each kind over HTTP")
    parser.add_argument("--records", type=int, default=50_000, help="for the verifier to read")
    parser.add_argument("--works", type=int, default=4_000, help="records sealed by one producer")
    parser.add_argument("--orders", type=int, default=300, help="orders beside each journal")
    parser.add_argument("--clients", type=int, default=200, help="that follow quotes")
    parser.add_argument("--rows", type=int, default=order_path.MANY, help="of the long journal")
    parser.add_argument("--bars", type=int, default=1_000_000, help="rows of a price file")
    parser.add_argument("--pages", type=int, default=400, help="pages of bars read")
    parser.add_argument("--turns", type=int, default=15, help="of indicators beside TA-Lib")
    chosen = parser.parse_args()
    lines = stdio_start.measure(chosen.starts)
    lines += http_call.measure(chosen.calls)
    lines += quote_fanout.measure(chosen.clients, 10)
    lines += verify_record.measure(chosen.records)
    lines += asyncio.run(group_commit.measure(chosen.works))
    lines += asyncio.run(order_path.measure(chosen.rows, chosen.orders))
    lines += bar_store.measure(chosen.bars, chosen.pages)
    lines += indicators.measure(chosen.turns)
    lines += backtest.measure(chosen.bars)
    print(table(lines))


if __name__ == "__main__":
    main()
