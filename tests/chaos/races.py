"""Rounds of a race, shared out over processes: a gateway and a seed of its own to each batch."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from ordergate.order.policy.limits import Limits
from support.gate import Gate, start_gate


class Tally(Protocol):
    """What many rounds came to."""

    def add(self, other: Any) -> None: ...


T = TypeVar("T", bound=Tally)


def make_template(folder: Path, limits: Limits) -> Path:
    """Make books in `folder` for gateways to begin with a copy of."""

    async def fresh() -> None:
        gate = await start_gate(folder, limits=limits)
        await gate.stop()

    asyncio.run(fresh())
    return folder


@contextmanager
def books(template: Path) -> Iterator[Path]:
    """Lend a copy of the template; the log of this process falls silent."""
    structlog.configure(processors=[_unheard])
    with tempfile.TemporaryDirectory(prefix="race-") as name:
        shutil.copytree(template, name, dirs_exist_ok=True)
        yield Path(name)


async def with_gate(folder: Path, limits: Limits, race: Callable[[Gate], Any]) -> None:
    """Run `race` on a gateway over the books of `folder`."""
    gate = await start_gate(folder, limits=limits)
    try:
        await race(gate)
    finally:
        await gate.stop()


def run(
    what: str,
    play: Callable[[int, int, Path], T],
    total: T,
    *,
    rounds: int,
    batch: int,
    limits: Limits,
) -> int:
    """Play the rounds that the command line asks for, all added to `total`; return the seed."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=None, help="printed when not given")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    first = secrets.randbelow(2**31) if args.seed is None else args.seed
    print(f"{args.rounds} {what} from seed {first}, {args.workers} workers", flush=True)
    spawn = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(args.workers, mp_context=spawn) as pool,
    ):
        template = make_template(Path(folder), limits)
        running = [
            pool.submit(play, first + at, min(batch, args.rounds - at), template)
            for at in range(0, args.rounds, batch)
        ]
        for done in as_completed(running):
            total.add(done.result())
    return first


def _unheard(*_: object) -> str:
    raise structlog.DropEvent
