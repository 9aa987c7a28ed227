"""Hostile agents against a real gateway through its real listeners: what did they get away with?

An episode is three attacks out of the list in attacks.py, in an order and with choices of its seed.
Afterwards the venue's books, the sealed record, the operator's state and settings are read from
their files (escapes.py, which imports nothing of ours) and held against what the operator of the
test really said; the doors must answer, and the agent must be able to get out of all it holds.

    python tests/chaos/hostile_agents.py --episodes 200 [--seed S] [--only order_splitting]

`--seed S --first N --episodes 1` replays episode N of a seed.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos import escapes
from chaos.attacks import ATTACKS
from chaos.escapes import Said
from chaos.hostile_world import NotNow, World, alive, state, worlds

A_GATEWAY = 40  # episodes on one gateway; then a fresh one
ATTACKS_EACH = 3
BROKEN_WORDS = ("tool.failed", "Traceback", "INTERNAL_ERROR")


@dataclass
class Tally:
    episodes: int = 0
    attacks: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    orders: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0


def episode(world: World, seed: int, number: int, only: str, tally: Tally) -> list[str]:
    """Play one episode; return what escaped, and what should not be."""
    world.chance = random.Random(f"{seed}:{number}")
    chosen = [only] if only else world.chance.sample(sorted(ATTACKS), ATTACKS_EACH)
    found: list[str] = []
    try:
        _attack(world, chosen, tally, found)
        found += [f"trapped: {one}" for one in world.leave()]
        found += [f"a door: {one}" for one in alive(world)]
    except httpx.TransportError as hung_up:  # after an answer of 500 a door closes the connection
        found += [f"a door: {hung_up!r}", *world.let_in]
    found += [f"stderr: {word}" for word in BROKEN_WORDS if word in world.gate.errors]
    return found


def _attack(world: World, chosen: list[str], tally: Tally, found: list[str]) -> None:
    for name in chosen:
        before = state(world)
        world.said, world.let_in, sent = Said(), [], world.sent
        try:
            ATTACKS[name](world)
        except NotNow:  # what earlier attacks left is in the way: begin once more without it
            world.release()
            world.leave()
            with suppress(NotNow):
                ATTACKS[name](world)
        after = state(world)
        wrong = escapes.escapes(before, after, world.said) + world.let_in
        found += [f"{name}: {one}" for one in wrong]
        tally.attacks[name] += 1
        tally.requests += world.sent - sent
        tally.orders += len(after.venue["orders"]) - len(before.venue["orders"])
        if name == "kill_race":
            world.said = Said()
            world.call("get_status")
            found += [f"{name}: after it: {one}" for one in _stays_stopped(world)]
    world.release()


def _stays_stopped(world: World) -> list[str]:
    """The switch is on now: see that orders of every kind still open nothing."""
    before = state(world)
    for lots in ("0.01", "0.10"):
        world.place(lots)
    return escapes.escapes(before, state(world), world.said)


def play(
    episodes: range, seed: int, *, only: str = "", broken: str = "", stop: bool = False
) -> Tally:
    """Play episodes on gateways of their own, a few dozen on each."""
    tally = Tally()
    for first in range(episodes.start, episodes.stop, A_GATEWAY):
        with (
            tempfile.TemporaryDirectory(prefix="hostile-") as folder,
            worlds(Path(folder), broken) as world,
        ):
            for number in range(first, min(first + A_GATEWAY, episodes.stop)):
                began = time.monotonic()
                found = episode(world, seed, number, only, tally)
                tally.episodes += 1
                tally.slowest = max(tally.slowest, time.monotonic() - began)
                tally.failures += [f"seed {seed} episode {number}: {one}" for one in found]
                if number % 10 == 9:
                    print(f"{tally.episodes} played, {len(tally.failures)} escapes", flush=True)
                if stop and tally.failures:
                    return tally
            if not broken and world.gate.verified() != 0:
                tally.failures.append(f"seed {seed} from {first}: the record does not verify")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, help="printed when not given")
    parser.add_argument("--first", type=int, default=0, help="number of the first episode")
    parser.add_argument("--only", default="", choices=["", *sorted(ATTACKS)])
    given = parser.parse_args()
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    print(f"{given.episodes} hostile episodes, seed {seed}", flush=True)
    began = time.monotonic()
    tally = play(range(given.first, given.first + given.episodes), seed, only=given.only)
    for name, times in sorted(tally.attacks.items()):
        print(f"  {name:<20} {times:>5}")
    for failure in tally.failures[:40]:
        print(failure)
    print(
        f"{tally.episodes} episodes, {sum(tally.attacks.values())} attacks, {tally.requests}"
        f" requests, {tally.orders} orders at the venue, {len(tally.failures)} escapes,"
        f" slowest {tally.slowest:.1f} s, {time.monotonic() - began:.0f} s, seed {seed}"
    )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
