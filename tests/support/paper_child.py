"""A process that trades on a paper venue until it is killed; it prints each tag once answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from support.paper import PaperBench

ORDERS_MAX = 10_000


async def trade(bench: PaperBench) -> None:
    for number in range(ORDERS_MAX):
        order = bench.orders.place("buy" if number % 2 else "sell", "1", "AAPL")
        await bench.venue.submit(order)
        print(order.tag, flush=True)


def main() -> None:
    bench = PaperBench(Path(sys.argv[1]))
    bench.quote("AAPL", "200.00", "200.02")
    asyncio.run(trade(bench))


if __name__ == "__main__":
    main()
