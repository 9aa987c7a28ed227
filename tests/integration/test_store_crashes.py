"""Whatever moment the process or the power goes: acknowledged work is there, the log holds."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ordergate.adapters.storage.log_file import verify_file
from ordergate.adapters.storage.store import SqliteStore
from ordergate.audit.checkpoint import Verdict
from support.sealed_log import fill_log, seal_of, verify

COUNTING = """
import asyncio, sys
from pathlib import Path
from ordergate.adapters.storage.store import SqliteStore
from support.sealed_log import fill_log, seal_of

async def count(path):
    store, seal = SqliteStore.open(path), seal_of()

    def work(tx):
        n = int(tx.fact("n") or "0") + 1
        tx.put_fact("n", str(n))
        fill_log(tx, 3, seal=seal)
        return n

    for _ in range(100_000):
        print(max(await asyncio.gather(*(store.write(work) for _ in range(3)))), flush=True)

asyncio.run(count(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("acks", [1, 7, 40])
def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path, acks: int) -> None:
    path = tmp_path / "gate.db"
    tests = str(Path(__file__).parents[1])
    for _ in range(2):  # the second child goes on from what the first one left
        child = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tests,
        )
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(acks)]
        child.kill()
        acknowledged += [int(line) for line in child.stdout.read().splitlines() if line]
        child.stdout.close()
        child.wait(10)
        store = SqliteStore.open(path)
        kept = int(store.read_now(lambda tx: tx.fact("n")) or "0")
        store.close_now()
        assert kept >= acknowledged[-1]
        finding = verify_file(path, verify=verify)
        assert (finding.verdict, finding.size) == (Verdict.OK, 3 * kept)


def test_a_write_ahead_log_cut_anywhere_leaves_a_log_that_holds(tmp_path: Path) -> None:
    path = tmp_path / "gate.db"
    store, seal = SqliteStore.open(path), seal_of()
    for _ in range(40):
        store.write_now(lambda tx: (tx.put_fact("n", str(seal.size(tx))), fill_log(tx, 2)))
    main, wal = path.read_bytes(), path.with_name("gate.db-wal").read_bytes()
    store.close_now()
    chance = random.Random(2_026)
    sizes = set()
    for place in range(30):
        image = tmp_path / f"image-{place}.db"
        image.write_bytes(main)
        cut = chance.randrange(len(wal))
        torn = bytes(chance.randrange(256) for _ in range(chance.choice([0, 100, 5_000])))
        image.with_name(f"{image.name}-wal").write_bytes(wal[:cut] + torn)
        # The first bytes of the file may be in the log alone: then it opens as a new, empty one.
        again = SqliteStore.open(image)
        size = again.read_now(lambda tx: seal.size(tx))
        fact = again.read_now(lambda tx: tx.fact("n"))
        again.close_now()
        assert fact == (None if size == 0 else str(size - 2))
        finding = verify_file(image, verify=verify)
        assert (finding.verdict, finding.size) == (Verdict.OK, size)
        sizes.add(size)
    assert len(sizes) > 5


def test_a_store_left_open_when_its_loop_ends_blocks_nothing(tmp_path: Path) -> None:
    async def leave() -> SqliteStore:
        store = SqliteStore.open(tmp_path / "gate.db")
        await store.write(lambda tx: tx.put_fact("a", "b"))
        return store

    store = asyncio.run(leave())
    assert store.read_now(lambda tx: tx.fact("a")) == "b"
    store.close_now()
