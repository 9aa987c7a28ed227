"""Thousands of histories of the order line, each from one seed, in virtual time.

    python tests/simulator/simulate.py --histories 200000 [--seed S] [--broken NAME]

Runs in two processes and prints its first seed; `--seed S` replays one history, with what it found.
`--broken NAME` (or `all`) plays the gate with a safeguard broken and says how many seeds it took.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulator import history, oracle
from simulator.broken import BROKEN

WORKERS = 2
BATCH = 100
SEEDS_MAX = 600  # within which a broken safeguard must show


class Batch(NamedTuple):
    histories: int
    crashes: int
    orders: int
    virtual_s: float
    failures: list[tuple[int, list[str]]]


def judged(seed: int) -> tuple[history.Played, list[str]]:
    """Play one history and let the oracle judge it."""
    played = history.play(seed)
    return played, oracle.violations(vars(played))


def quiet() -> None:
    """Keep the gate's own log out of the way."""
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent


def batch(first: int, count: int) -> Batch:
    """Play a run of seeds; return what came of them."""
    quiet()
    failures: list[tuple[int, list[str]]] = []
    crashes = orders = 0
    virtual_s = 0.0
    for seed in range(first, first + count):
        played, found = judged(seed)
        crashes += played.crashes
        orders += len(played.tables["orders"])
        virtual_s += played.seconds
        if found:
            failures.append((seed, found))
    gc.collect()
    return Batch(count, crashes, orders, virtual_s, failures)


def many(first: int, count: int) -> int:
    """Play `count` histories in two processes, with their progress; return how many failed."""
    print(f"seeds {first} to {first + count - 1}", flush=True)
    started, done, crashes, orders, failed, told = time.monotonic(), 0, 0, 0, 0, 0
    virtual_s = 0.0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        runs = [
            pool.submit(batch, at, min(BATCH, first + count - at))
            for at in range(first, first + count, BATCH)
        ]
        for run in as_completed(runs):
            found = run.result()
            done += found.histories
            crashes += found.crashes
            orders += found.orders
            virtual_s += found.virtual_s
            failed += len(found.failures)
            for seed, what in found.failures:
                print(f'seed {seed} (ARGS="--seed {seed}" replays it): {what}', flush=True)
            if done - told >= max(count // 20, BATCH):
                told = done
                rate = done / (time.monotonic() - started) * 60
                print(f"{done} of {count}, {failed} failed, {rate:.0f} a minute", flush=True)
    took = time.monotonic() - started
    print(
        f"{done} histories in {took:.0f} s ({done / took * 60:.0f} a minute): {orders} orders,"
        f" {crashes} crashes, {virtual_s / 3600:.1f} h of virtual time, {failed} failed"
    )
    return failed


def replay(seed: int) -> int:
    """Play one history and print what happened in it."""
    played, found = judged(seed)
    print(f"seed {seed}: {played.terms}")
    for call in played.calls:
        print("call", call)
    for row in played.tables["audit"]:
        print("record", row["seq"], row["kind"], row["actor"], row["corr"], row["body"])
    for row in played.venue["arrived"]:
        print("venue", row)
    print(f"{played.seconds:.1f} s, {played.crashes} crashes, transcript {played.digest()}")
    print("\n".join(found) if found else "every invariant holds")
    return len(found)


def seeds_until_caught(name: str, *, first: int = 0, most: int = SEEDS_MAX) -> int | None:
    """Play a broken gate until the oracle catches it; return how many seeds that took."""
    (broken,) = (one for one in BROKEN if one.__name__ == name)
    with pytest.MonkeyPatch.context() as patch:
        broken(patch)
        for seed in range(first, first + most):
            if caught(seed):
                return seed - first + 1
    return None


def caught(seed: int) -> bool:
    """Say whether a history ends in a broken promise, or does not end at all."""
    try:
        return bool(judged(seed)[1])
    except RuntimeError:  # the history does not end
        return True


def breakages(names: list[str]) -> int:
    """Print for each broken safeguard how many seeds it took; return how many were missed."""
    missed = 0
    for name in names:
        took = seeds_until_caught(name)
        missed += took is None
        print(f"{name}: {'NOT CAUGHT' if took is None else f'{took} seeds'}", flush=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description="Histories of the order line in virtual time.")
    parser.add_argument("--histories", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--broken", help="a broken safeguard's name, or all")
    asked = parser.parse_args()
    quiet()
    if asked.broken is not None:
        every = [one.__name__ for one in BROKEN]
        return min(breakages(every if asked.broken == "all" else [asked.broken]), 1)
    if asked.seed is not None:
        return min(replay(asked.seed), 1)
    return min(many(asked.first, asked.histories), 1)


if __name__ == "__main__":
    sys.exit(main())
