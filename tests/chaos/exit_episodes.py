"""Exits under fault: a position, a run of trouble, and somebody who must get out.

An episode opens a position in good weather, lets trouble begin (the kill switch, a halt, no arming,
stale prices, a closed session, limits of nearly nothing, a full disk, lost answers, a restart at
night), asks
for exits through the gateway as an agent does, and then asks the venue's own file what reached it.
Hostile calls are mixed in: a stop stripped under the name of a cancel or a change.

    python tests/chaos/exit_episodes.py --episodes 10000 [--seed N]

The seed of a failing episode replays it: --seed N --episodes 1.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos.episode import Episode, Tally
from chaos.plain_exchange import IN_TIME_S, PlainEpisode, is_plain
from support import skipping_loop
from support.gate import start_gate
from support.manual_clock import ManualClock

BATCH: int = 25  # episodes of one task of a worker


def play(seed: int, template: Path) -> Tally:
    """Play one episode on files of its own; return its tally, with its failure if it has one."""
    folder = Path(tempfile.mkdtemp(prefix="exits-"))
    episode = None
    try:
        for file in template.iterdir():
            shutil.copy(file, folder)
        episode = (PlainEpisode if is_plain(seed) else Episode)(seed, folder)
        if isinstance(episode, PlainEpisode):
            return skipping_loop.run(episode.play)
        return asyncio.run(episode.play())
    except Exception as error:  # noqa: BLE001 - every failure is told with its seed
        tally = Tally(episodes=1) if episode is None else episode.tally
        weather = "" if episode is None else ", ".join(sorted(episode.weather))
        tally.failures.append(f"seed {seed} ({weather}): {type(error).__name__}: {error}")
        return tally
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def play_all(seeds: Iterable[int], template: Path) -> Tally:
    structlog.configure(processors=[_unheard])
    tally = Tally()
    for seed in seeds:
        tally.add(play(seed, template))
    return tally


def _unheard(*_: object) -> str:
    raise structlog.DropEvent  # a thousand alarms that were asked for


def make_template(folder: Path) -> Path:
    """Make the files of a fresh gate once; every episode starts from a copy."""

    async def fresh() -> None:
        gate = await start_gate(folder, clock=ManualClock())
        await gate.stop()

    asyncio.run(fresh())
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="first seed; printed when not given")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    first = secrets.randbelow(2**31) if args.seed is None else args.seed
    print(f"{args.episodes} exit episodes from seed {first}, {args.workers} workers", flush=True)
    began = time.monotonic()
    total = Tally()
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder))
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(args.workers, mp_context=spawn) as pool:
            batches = [
                pool.submit(play_all, range(at, min(at + BATCH, first + args.episodes)), template)
                for at in range(first, first + args.episodes, BATCH)
            ]
            for done in as_completed(batches):
                tally = done.result()
                for failure in tally.failures:
                    print(f"\n{failure}", flush=True)
                total.add(tally)
                _progress(total, args.episodes, began)
    print()
    for name, times in sorted(total.weather.items()):
        print(f"  {name:<12} {times:>7}")
    print("\n".join(f"  {line}" for line in figures(total)))
    print(f"  exits asked  {total.exits:>7}, hostile calls {total.hostile}")
    print(f"  asks until flat: {dict(sorted(total.asks.items()))}")
    missed = missing(total)
    print("\n".join(missed), end="\n" if missed else "")
    print(f"{total.episodes} episodes, {len(total.failures)} failed, seed {first}")
    return 1 if total.failures or missed else 0


def figures(total: Tally) -> list[str]:
    """Return what the plain exchange has to tell."""
    if not total.plain:
        return []
    lines = [
        f"{total.plain} at a plain exchange; legs taken: {dict(sorted(total.legs.items()))};"
        f" closed by the operator: {total.by_operator}",
        f"double-filled OCO: {total.double_fills}",
    ]
    for words, spells in (
        ("without its whole stop", total.naked),
        ("excess held", total.excess),
    ):
        if spells:
            lines.append(
                f"{words}: {len(spells)} times, p50 {percentile(spells, 50):.3f} s,"
                f" p99 {percentile(spells, 99):.3f} s, longest {max(spells):.3f} s"
            )
    return lines


def missing(total: Tally) -> list[str]:
    """Return what a run at plain exchanges has not shown: without it nothing is proven."""
    if not total.plain:
        return []
    faults = []
    if not total.double_fills:
        faults.append("no bracket was filled on both legs: nothing is proven of it")
    if not total.naked or percentile(total.naked, 99) > IN_TIME_S:
        faults.append(f"protection does not follow the fill within {IN_TIME_S:.0f} s (p99)")
    return faults


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


def _progress(total: Tally, of: int, began: float) -> None:
    rate = total.episodes / max(time.monotonic() - began, 0.001)
    print(
        f"\r{total.episodes}/{of} episodes, {len(total.failures)} failed, {rate:.0f}/s  ",
        end="",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
