"""Group commit of the sealed journal: the rate of 32 producers against the rate of one.

Each work seals one record of about 450 bytes; each returns when it is durable. Both sides are
measured in turns in one run. Goal: 32 producers at least 5 times as fast.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from ratios import Line, ratio, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from support.sealed_log import seal_of

MANY = 32
GOAL = 5.0
WARM_UP = 50
TURNS = 10
PAD = "x" * 230  # a record of about 450 bytes


async def measure(works: int) -> list[Line]:
    """Return the ratio of the times per record; `works` of each side, in five turns."""
    with tempfile.TemporaryDirectory() as place:
        store = SqliteStore.open(Path(place) / "gate.db")
        seal = seal_of()

        def work(tx: SqlTx) -> int:
            body = {"pad": PAD, "quantity": "0.1"}
            return seal.append(tx, "order.judged", actor="local-agent", corr="order-1", body=body)

        async def produced(count: int) -> None:
            for _ in range(count):
                await store.write(work)

        async def second_of(producers: int, count: int) -> float:
            begin = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(producers):
                    group.create_task(produced(count // producers))
            return (time.perf_counter() - begin) / (count // producers * producers)

        await produced(WARM_UP)
        one, many = [], []
        for _ in range(TURNS):
            one.append(await second_of(1, works // TURNS))
            many.append(await second_of(MANY, works // TURNS * 4))
        await store.close()
    what = f"group commit: time per sealed record, {MANY} producers / one"
    return [ratio(what, many, one, goal=1 / GOAL)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=4_000)
    print(table(asyncio.run(measure(parser.parse_args().works))))


if __name__ == "__main__":
    main()
