"""Power loss: what the store acknowledged is there after it, whole, and the sealed log holds.

A child drives the production store on a disk that is recorded (`support.lossy_disk`). From its
recording files are made as a power loss at a chosen moment may have left them: unsynced writes
dropped, kept or torn. Each image is opened by the production code, written to once more, and then
looked at through plain sqlite3 and a verifier that is not ours.

    python tests/chaos/power_loss.py --images 5000 [--seed N]

A variant breaks the store on purpose, and must be seen: --variant NAME.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import pickle
import random
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ordergate.adapters.storage import connection
from ordergate.adapters.storage.connection import SqliteFile, SqliteLink
from ordergate.adapters.storage.inspection import inspect
from ordergate.adapters.storage.session import SqlTx
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.audit.checkpoint import Verdict
from ordergate.model.orders import VenueOrder
from ordergate.model.outcomes import Acked
from ordergate.order.policy.limits import Limits
from support import oracle_verify
from support.gate import a_gate
from support.gateway_process import ROOMY
from support.journal_rows import an_order
from support.lossy_disk import Event, image, record, unsynced
from support.order_records import AGENT, buy
from support.sealed_log import PUBLIC, fill_log, seal_of, verify

COMMITS = 120  # of one recording, three works each at most
TOGETHER = 3
RECORDS = 2  # sealed with each order
SMALL_LOG = 40  # pages until a checkpoint: the recording must hold many
IMAGES_OF_ONE = 250  # from one recording
NAME = "gate.db"
LOG = f"{NAME}-wal"
CLAIMS = 20
WIDE = Limits(**{name: Decimal(str(value)) for name, value in ROOMY["limits"].items()})


def synchronous_normal() -> None:
    _after_opening("PRAGMA synchronous = NORMAL")


def synchronous_off() -> None:
    _after_opening("PRAGMA synchronous = OFF")


def _after_opening(pragma: str) -> None:
    sound = connection.connect

    def loose(path: Path, *, writable: bool) -> SqliteLink:
        link = sound(path, writable=writable)
        link.execute(pragma)
        return link

    connection.connect = loose


BROKEN: dict[str, Callable[[], None]] = {
    "synchronous=NORMAL": synchronous_normal,
    "synchronous=OFF": synchronous_off,
}


def drive(folder: Path, seed: int, variant: str | None) -> list[Event]:
    """Run the store on a recorded disk; a mark stands where a work was acknowledged."""
    if variant is not None:
        BROKEN[variant]()
    chance = random.Random(seed)
    connection.CHECKPOINT_PAGES = chance.choice((SMALL_LOG, 4 * SMALL_LOG))  # type: ignore[misc]
    disk, seal = record(), seal_of()

    async def work(store: SqliteStore, n: int) -> None:
        def add(tx: SqlTx) -> None:
            tx.add_order(an_order(n))
            fill_log(tx, RECORDS, seal=seal)
            tx.put_fact("count", str(int(tx.fact("count") or "0") + 1))

        await store.write(add)
        disk.mark("acknowledged", n)

    async def all_of_it() -> None:
        store = SqliteStore.open(folder / NAME)
        n = 0
        for _ in range(COMMITS):
            together = chance.randint(1, TOGETHER)
            await asyncio.gather(*(work(store, n + one) for one in range(together)))
            n += together
        await store.close()

    asyncio.run(all_of_it())
    return disk.events


def drive_claims(folder: Path, seed: int, variant: str | None) -> list[Event]:
    """Run a whole order line on a recorded disk; a mark stands before each order's first byte."""
    if variant is not None:
        BROKEN[variant]()
    disk, sound, numbers = record(), PaperVenue.submit, itertools.count()

    async def submit(self: PaperVenue, order: VenueOrder) -> Acked:
        disk.mark("first byte", next(numbers))
        return await sound(self, order)

    PaperVenue.submit = submit  # type: ignore[method-assign]

    async def trade() -> None:
        async with a_gate(folder, limits=WIDE) as gate:
            for n in range(CLAIMS):
                terms = buy(quantity=Decimal("0.01") * (1 + (n + seed) % 9))
                await gate.line.gateway.submit(terms, key=None, asker=AGENT)

    asyncio.run(trade())
    return disk.events


def bytes_before_the_disk(events: Sequence[Event]) -> tuple[int, int]:
    """Return how many first bytes there were, and how many before their claim was synced."""
    first, early, synced = 0, 0, 0
    for at, (what, name, *_) in enumerate(events):
        if (what, name) == ("sync", LOG):
            synced += 1
        if (what, name) == ("mark", "first byte"):
            first += 1
            early += synced == 0 or unsynced(events, at, LOG)
            synced = 0  # each claim needs a sync of its own
    return first, early


@dataclass
class Report:
    """What many images came to."""

    images: int = 0
    acknowledged: int = 0  # works, over all images
    kept: int = 0  # that were there, acknowledged or not
    cuts: set[int] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


def play(images: int, seed: int, *, variant: str | None = None) -> Report:
    """Cut the power `images` times; every failure names the seed of its choices."""
    report = Report()
    while report.images < images:
        few = min(IMAGES_OF_ONE, images - report.images)
        with tempfile.TemporaryDirectory() as folder:
            events = recorded(Path(folder), seed, variant, drive)
            chance = random.Random(seed)
            moments = _moments(events, few, chance)
            for moment in moments:
                with tempfile.TemporaryDirectory() as place:
                    _check(events, moment, Path(place), chance, report, f"seed {seed}")
        seed += 1
    return report


def recorded(
    folder: Path, seed: int, variant: str | None, driven: Callable[..., list[Event]]
) -> list[Event]:
    """Drive in a process of its own: the recorded disk is under all of its databases."""
    words = [sys.executable, __file__, "--record", str(folder), "--seed", str(seed)]
    words += ["--claims"] if driven is drive_claims else []
    subprocess.run(words + (["--variant", variant] if variant else []), check=True, timeout=120)
    events: list[Event] = pickle.loads((folder / "events").read_bytes())
    return events


def _moments(events: Sequence[Event], count: int, chance: random.Random) -> list[int]:
    """Return half of the moments right around a sync or an acknowledgement, half anywhere."""
    known = [
        at + chance.randint(0, 1)
        for at, (what, *_) in enumerate(events)
        if what in ("sync", "mark")
    ]
    return [
        chance.choice(known) if n % 2 else chance.randrange(len(events) + 1) for n in range(count)
    ]


def _check(
    events: Sequence[Event],
    moment: int,
    place: Path,
    chance: random.Random,
    report: Report,
    seed: str,
) -> None:
    image(events, moment, place, chance)
    acknowledged = {at for what, _, at, _ in events[:moment] if what == "mark"}
    report.images += 1
    report.acknowledged += len(acknowledged)
    report.cuts.add(moment)
    try:
        _reopened(place / NAME)
        problem = _looked_at(place / NAME, acknowledged, report)
    except Exception as error:  # noqa: BLE001 - whatever it is, the image did not open
        problem = f"{type(error).__name__}: {error}"
    if problem is not None:
        report.failures.append(f"{seed}, power lost before event {moment}: {problem}")


def _reopened(path: Path) -> None:
    """Open as a start does, and write: the books must be usable again."""
    database = SqliteFile(path)
    if not database.is_unused():
        found = inspect(database, verify=verify, hear=lambda row: None, anchor=None)
        assert found.finding.verdict is Verdict.OK, found.finding
    store = SqliteStore.open(path)
    store.write_now(lambda tx: tx.put_fact("reopened", "1"))
    store.close_now()


def _looked_at(path: Path, acknowledged: set[int], report: Report) -> str | None:
    """Ask plain sqlite3 and the second verifier; nothing of ours."""
    books = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        (said,) = books.execute("PRAGMA integrity_check").fetchone()
        orders = {int(name.rsplit("-")[-1]) for (name,) in books.execute("SELECT key FROM orders")}
        keys = books.execute("SELECT count(*) FROM order_keys").fetchone()[0]
        sealed = books.execute("SELECT count(*) FROM audit").fetchone()[0]
        told = books.execute("SELECT value FROM facts WHERE name = 'count'").fetchone()
    finally:
        books.close()
    report.kept += len(orders)
    if said != "ok":
        return f"the file is damaged: {said}"
    if missing := sorted(acknowledged - orders):
        return f"{len(missing)} acknowledged works are gone: {missing[:5]}"
    parts = (len(orders), keys, sealed / RECORDS, int(told[0]) if told else 0)
    if len(set(parts)) != 1:
        return f"a work is half there: orders, keys, records, count = {parts}"
    verdict = oracle_verify.verdict(path, PUBLIC)
    return None if verdict[0] == oracle_verify.OK else f"the sealed log does not hold: {verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--variant", choices=sorted(BROKEN))
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--claims", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    seed = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed
    if chosen.record is not None:
        driven = drive_claims if chosen.claims else drive
        events = driven(chosen.record, seed, chosen.variant)
        (chosen.record / "events").write_bytes(pickle.dumps(events))
        return 0
    began = time.monotonic()
    report = play(chosen.images, seed, variant=chosen.variant)
    with tempfile.TemporaryDirectory() as folder:
        claimed = recorded(Path(folder), seed, chosen.variant, drive_claims)
    first, early = bytes_before_the_disk(claimed)
    if early:
        report.failures.append(f"{early} of {first} orders left before their claim was synced")
    print(
        f"seed {seed}: {report.images} images at {len(report.cuts)} moments;"
        f" {report.acknowledged} acknowledged works looked for,"
        f" {len(report.failures)} failures; {first - early} claims synced before their first"
        f" byte; {time.monotonic() - began:.0f} s"
    )
    for failure in report.failures[:20]:
        print(failure)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
