"""kill -9 at every step of the crash table, and as often at random moments.

    python tests/chaos/crashes.py --kills 2000 [--seed S]

Every episode is one gateway (the production house on a real SQLite file) with up to six lives, a
batch of orders in each, and a faulty venue that outlives it; afterwards an oracle that imports
nothing of ours holds the gate's file against the venue's books. It goes on until every step had its
share, too: 50 of 2,000. The seed gives the plan of every
episode, its orders and its faults; a failing episode is replayed with what it prints:
--seed N --deaths step,random,...
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos.crash_broken import BROKEN
from chaos.crash_episode import ENDING, LIVES_MAX, RANDOM, Episode, Tally, make_template
from chaos.crash_steps import NOT_THERE, STEPS

BATCH = 4  # episodes of one task of a worker
A_QUOTA = 40  # one fortieth of all kills at every step: 50 of 2,000
ROUNDS = 3  # the last ones for the steps that are short of their quota
EXTRA_MAX = 40  # further episodes for each step that is short of its quota

Plan = tuple[int, tuple[str, ...]]  # a seed, and how each life but the last ends


def plans(first: int, kills: int) -> Iterator[Plan]:
    """Yield episodes whose deaths come to `kills`: every step in turn, and as many at random."""
    chance, planned, number = random.Random(first), 0, 0
    deck: list[str] = []
    while planned < kills:
        if len(deck) < len(STEPS):
            deck += chance.sample(list(STEPS), len(STEPS))
        named: list[str] = []
        for _ in range((LIVES_MAX - 1) // 2):
            ended = any(one in ENDING for one in named)  # a gateway has one end
            named.append(next(step for step in deck if not (ended and step in ENDING)))
            deck.remove(named[-1])
        yield first + number, ordered(named, LIVES_MAX - 1, chance)
        planned += LIVES_MAX - 1
        number += 1


def ordered(named: list[str], deaths: int, chance: random.Random) -> tuple[str, ...]:
    """Put random deaths among the named: recovery needs a life before it, an end comes last."""
    rest = [RANDOM] * (deaths - len(named))
    first = [step for step in named if not step.startswith("rec_") and step not in ENDING]
    later = [step for step in named if step.startswith("rec_")]
    last = [step for step in named if step in ENDING]
    front = [*first, *rest[: len(rest) // 2 + 1]]
    chance.shuffle(front)
    back = [*later, *rest[len(rest) // 2 + 1 :]]
    chance.shuffle(back)
    return (*front, *back, *last)


def short_of(total: Tally, quota: int, first: int) -> list[Plan]:
    """Return episodes for the steps that have not had their share yet."""
    chance = random.Random(first)
    return [
        (first + at * 1_000 + number, ordered([step], 2, chance))
        for at, step in enumerate(STEPS)
        for number in range(min(quota - total.kills[step], EXTRA_MAX))
    ]


def play(plan: Plan, template: Path, broken: str | None = None) -> Tally:
    """Play one episode on files of its own; return its tally, failures told with their seed."""
    seed, deaths = plan
    folder = Path(tempfile.mkdtemp(prefix="crash-"))
    try:
        shutil.copytree(template, folder, dirs_exist_ok=True)
        episode = Episode(seed, folder, deaths, broken)
        tally = episode.play()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = f"--seed {seed} --deaths {','.join(deaths)}"
    tally.failures = [f"{told}: {failure}" for failure in tally.failures]
    return tally


def play_all(batch: list[Plan], template: Path) -> Tally:
    tally = Tally()
    for plan in batch:
        tally.add(play(plan, template))
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=None, help="printed when not given")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--deaths", default=None, help="play one episode: how its lives end")
    parser.add_argument("--broken", choices=sorted(BROKEN), default=None)
    args = parser.parse_args()
    first = secrets.randbelow(2**31) if args.seed is None else args.seed
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder))
        if args.deaths is not None:
            total = play(
                (first, tuple(filter(None, args.deaths.split(",")))), template, args.broken
            )
            print("\n".join(total.failures) or "nothing wrong")
            return 1 if total.failures else 0
        return _many(first, args.kills, args.workers, template)


def _many(first: int, kills: int, workers: int, template: Path) -> int:
    print(f"{kills} kills from seed {first}, {workers} workers", flush=True)
    began, total = time.monotonic(), Tally()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        quota = max(1, kills // A_QUOTA)
        todo = list(plans(first, max(kills, 2 * quota * len(STEPS))))
        for _ in range(ROUNDS):
            running = [
                pool.submit(play_all, todo[at : at + BATCH], template)
                for at in range(0, len(todo), BATCH)
            ]
            for done in as_completed(running):
                tally = done.result()
                for failure in tally.failures:
                    print(f"\n{failure}", flush=True)  # told at once: a long run may be cut short
                total.add(tally)
                _progress(total, kills, began)
            first += 1_000_000
            todo = short_of(total, quota, first)
    return _report(total, first - ROUNDS * 1_000_000, time.monotonic() - began)


def _progress(total: Tally, of: int, began: float) -> None:
    if not sys.stdout.isatty() and total.episodes % 40 >= BATCH:
        return
    rate = total.deaths / max(time.monotonic() - began, 0.001) * 60
    print(
        f"\r{total.deaths}/{of} kills, {len(total.failures)} failures, {rate:.0f}/min  ",
        end="",
        flush=True,
    )


def _report(total: Tally, first: int, took_s: float) -> int:
    print()
    for step, (row, _) in STEPS.items():
        print(f"  {row:<4} {step:<18} {total.kills[step]:>6}")
    print(f"       {'at a random moment':<18} {total.kills[RANDOM]:>6}")
    for row, why in NOT_THERE.items():
        print(f"  {row}: {why}")
    print(f"  faults: {dict(sorted(total.faults.items()))}")
    for word in ("duplicate", "lost", "stuck", "phantom", "trapped", "naked"):
        print(f"  {word:<10} {sum(word in failure for failure in total.failures):>6}")
    print(
        f"{total.deaths} kills, {total.lives} lives of {total.episodes} gateways,"
        f" {total.orders} orders, {len(total.failures)} failures, seed {first},"
        f" {total.deaths / took_s * 60:.0f} kills/min"
    )
    # Nothing is proven of a step that nothing died at.
    unmet = [step for step in STEPS if not total.kills[step]]
    if unmet:
        print(f"no death at: {', '.join(unmet)}")
    return 1 if total.failures or unmet else 0


if __name__ == "__main__":
    sys.exit(main())
