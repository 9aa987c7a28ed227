"""All benchmarks in one run, and one table of ratios; `make bench`."""

from __future__ import annotations

import argparse
import asyncio

import http_call
import order_path
import stdio_start
from ratios import table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=20, help="processes of each kind over stdio")
    parser.add_argument("--calls", type=int, default=400, help="calls of each kind over HTTP")
    parser.add_argument("--orders", type=int, default=300, help="orders beside each journal")
    parser.add_argument("--rows", type=int, default=order_path.MANY, help="of the long journal")
    chosen = parser.parse_args()
    lines = stdio_start.measure(chosen.starts)
    lines += http_call.measure(chosen.calls)
    lines += asyncio.run(order_path.measure(chosen.rows, chosen.orders))
    print(table(lines))


if __name__ == "__main__":
    main()
