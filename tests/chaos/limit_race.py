"""Many proposals at one moment, at the limit: never over it by one unit.

    python tests/chaos/limit_race.py --rounds 500 [--seed N]

The venue's own file tells what they came to.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos import kill_race, races
from ordergate.adapters.storage.limits_tx import LimitsTx
from ordergate.model.orders import PlaceIntent
from ordergate.model.values import PositionId
from support.gate import Gate
from support.order_records import AGENT, buy
from support.plain_gate import a_close

BATCH = 50  # rounds of one gateway
PROPOSALS = 8
POSITIONS_MAX = 3
UNIT = Decimal("0.01")  # lots
WORTH = Decimal("1085.10")  # of a unit, at the ask
UNITS_MAX = Decimal("10.5")
EQUITY = Decimal(100_000)


@dataclass
class Race:
    rounds: int = 0
    proposals: int = 0
    taken: int = 0
    full: int = 0  # rounds in which nothing more would have fitted
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Race) -> None:
        self.rounds += other.rounds
        self.proposals += other.proposals
        self.taken += other.taken
        self.full += other.full
        self.wrong += other.wrong


ROOM = dataclasses.replace(
    kill_race.ROOM,
    open_positions_max=Decimal(POSITIONS_MAX),
    gross_exposure_fraction=UNITS_MAX * WORTH / EQUITY,
)


def held(file: Path) -> list[int]:
    """Return the units of every open position in the venue's own file."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return [steps for (steps,) in db.execute("SELECT steps FROM positions WHERE steps > 0")]


async def a_round(gate: Gate, file: Path, chance: random.Random, race: Race) -> None:
    """Propose many at once, look at the venue, and close what was opened."""
    small = chance.random() < 0.5  # the number of positions is the limit; else what they are worth
    sizes = [chance.randint(1, 2) if small else chance.randint(3, 8) for _ in range(PROPOSALS)]

    async def propose(units: int) -> PositionId | None:
        intent: PlaceIntent = buy(quantity=units * UNIT)
        await asyncio.sleep(chance.uniform(0.0, 0.002))
        view = await gate.line.gateway.submit(intent, key=None, asker=AGENT)
        if view.status != "filled" or view.attempt is None:
            return None
        return view.attempt.position_id

    opened = [one for one in await asyncio.gather(*map(propose, sizes)) if one is not None]
    units = held(file)
    race.rounds += 1
    race.proposals += PROPOSALS
    race.taken += len(opened)
    race.full += len(units) == POSITIONS_MAX or sum(units) + min(sizes) > UNITS_MAX
    if len(units) > POSITIONS_MAX:
        race.wrong.append(f"{len(units)} positions, {POSITIONS_MAX} may be")
    if sum(units) > UNITS_MAX:
        race.wrong.append(f"{sum(units)} units, {UNITS_MAX} may be")
    for position in opened:
        await gate.line.gateway.close(a_close(position), key=None, asker=AGENT)


def play(seed: int, rounds: int, template: Path, *, broken: bool = False) -> Race:
    """Play rounds on one gateway; `broken` judges without what is reserved and not yet there."""
    if broken:
        LimitsTx.reservations = lambda *_, **__: ()  # type: ignore[method-assign]
    race, chance = Race(), random.Random(seed)

    async def racing(gate: Gate) -> None:
        for _ in range(rounds):
            await a_round(gate, folder / "paper.db", chance, race)

    with races.books(template) as folder:
        asyncio.run(races.with_gate(folder, ROOM, racing))
    race.wrong = [f"seed {seed}: {what}" for what in race.wrong]
    return race


def main() -> int:
    total = Race()
    seed = races.run("limit races", play, total, rounds=500, batch=BATCH, limits=ROOM)
    for what in total.wrong[:20]:
        print(what)
    print(f"  proposals {total.proposals}, taken {total.taken}, rounds at the limit {total.full}")
    print(f"{total.rounds} limit races, {len(total.wrong)} over, seed {seed}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
