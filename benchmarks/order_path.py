"""An auto-approved paper order in process, against durable SQLite commits of the same size.

Goal: p50 <= 4 such commits + 1.5 ms (two of the four are the venue's share), at a thousand journal
rows; its growth from there to a million <= 1.2x. All sides are measured in turns in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from ratios import Line, ratio, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ordergate.adapters.storage.session import SqlTx
from ordergate.audit.seal import Seal
from ordergate.model.orders import CloseIntent
from ordergate.model.values import PositionId
from ordergate.order.policy.limits import Limits
from support.gate import KEY, Gate, start_gate
from support.order_records import AGENT, buy

TICK = Decimal("0.00001")
FEW = 1_000  # journal rows
MANY = 1_000_000
WARM_UP = 30
COMMITS_ALLOWED = 4
WORK_ALLOWED_S = 0.0015
GROWTH_GOAL = 1.2
FRAME_BYTES = 4_096 + 24  # of SQLite's write-ahead log
OPEN = Limits(
    open_positions_max=Decimal(1_000_000),
    orders_per_day_max=Decimal(1_000_000),
    account_orders_per_day_max=Decimal(1_000_000),
    orders_per_minute_max=Decimal(1_000_000),
    repeat_orders_max=Decimal(1_000_000),
    hands_off_fills_max=Decimal(1_000_000),
    losing_closes_max=Decimal(1_000_000),
    account_orders_per_minute_max=Decimal(1_000_000),
    agent_notional_per_day_max=Decimal(1_000_000_000),
    notional_per_day_max_fraction=Decimal(1_000),
    duplicate_window_s=Decimal("0.001"),
)


class Commits:
    """Plain durable commits of `body_bytes`, nothing else: the yardstick."""

    def __init__(self, path: Path, body_bytes: int) -> None:
        self.size = body_bytes
        self._body = "x" * body_bytes
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, body TEXT)")

    def one(self) -> float:
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO rows (body) VALUES (?)", (self._body,))
        self._connection.execute("COMMIT")
        return time.perf_counter() - began


async def one_order(gate: Gate, n: int) -> float:
    """Place and then close one order; time the placing."""
    intent = buy(
        quantity=Decimal("0.01") * (1 + n % 17), stop_loss=Decimal("1.08") - n % 500 * TICK
    )
    began = time.perf_counter()
    view = await gate.line.gateway.submit(intent, key=None, asker=AGENT)
    took = time.perf_counter() - began
    assert view.status == "filled", view.order.code
    assert view.attempt is not None
    position = view.attempt.position_id
    close = CloseIntent(
        account=intent.account,
        venue=intent.venue,
        symbol=intent.symbol,
        position_id=PositionId(position or ""),
    )
    await gate.line.gateway.close(close, key=None, asker=AGENT)
    return took


async def commit_bytes(gate: Gate, folder: Path) -> int:
    """Return a quarter of what one order makes durable, gate and venue together."""
    logs = [folder / "gate.db-wal", folder / "paper.db-wal"]
    before = sum(log.stat().st_size for log in logs)
    await gate.line.gateway.submit(buy(quantity=Decimal("0.18")), key=None, asker=AGENT)
    written = sum(log.stat().st_size for log in logs) - before
    return max(written, 4 * FRAME_BYTES) // 4


def fill_journal(gate: Gate, rows: int) -> None:
    """Seal records until the journal has `rows` of them, in large commits."""
    log_id = gate.store.read_now(lambda tx: tx.fact("log_id"))
    seal = Seal(sign=KEY.sign, log_id=str(log_id), epoch=1, clock=gate.world.clock, version="bench")
    body = {"event": "filler", "text": "x" * 300}

    def work(tx: SqlTx) -> int:
        for _ in range(2_000):
            seal.append(tx, "bench.filler", actor="bench", corr="filler", body=body)
        return seal.size(tx)

    while gate.store.write_now(work) < rows:
        pass


async def measure(rows: int, orders: int) -> list[Line]:
    """Time orders beside a short and a long journal, and plain commits, in turns."""
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        few = await start_gate(Path(small), limits=OPEN)
        many = await start_gate(Path(large), limits=OPEN)
        fill_journal(few, FEW)
        fill_journal(many, rows)
        commits = Commits(Path(small) / "yardstick.db", await commit_bytes(few, Path(small)))
        allowed: list[float] = []
        at_few: list[float] = []
        at_many: list[float] = []
        for n in range(WARM_UP + orders):
            plain = statistics.median(commits.one() for _ in range(COMMITS_ALLOWED))
            allowed.append(COMMITS_ALLOWED * plain + WORK_ALLOWED_S)
            pair = [(few, at_few), (many, at_many)]
            for gate, seconds in pair if n % 2 else reversed(pair):  # neither is always second
                seconds.append(await one_order(gate, n))
            for gate in (few, many):
                gate.market.advance(seconds=2)
                gate.market.set("EURUSD", "1.08500", "1.08510")
        await few.stop()
        await many.stop()
    few_s, many_s, allowed_s = at_few[WARM_UP:], at_many[WARM_UP:], allowed[WARM_UP:]
    what = f"order / ({COMMITS_ALLOWED} commits of {commits.size // 1_024} KiB + 1.5 ms)"
    growth = f"order at {rows:,} / at {FEW:,} journal rows"
    return [
        ratio(what, few_s, allowed_s, goal=1),
        ratio(growth, many_s, few_s, goal=GROWTH_GOAL),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=MANY)
    parser.add_argument("--orders", type=int, default=300)
    chosen = parser.parse_args()
    print(table(asyncio.run(measure(chosen.rows, chosen.orders))))
