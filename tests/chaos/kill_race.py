"""Openings, exits and the kill switch at one moment: what the record says of their order.

    python tests/chaos/kill_race.py --rounds 10000 [--seed N]

In every round openings and a close race with the engaging of the kill switch, against the real
journal and the paper venue; an opening rests, and so does a protective stop. Afterwards the sealed
record alone tells, by its order, whether an opening was claimed after the kill; the venue's own
file tells whether every close was executed and every protective stop left alone.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chaos import races
from chaos.crash_broken import BROKEN
from ordergate.model.orders import OrderType, Side, VenueCancel
from ordergate.model.outcomes import Acked
from ordergate.model.records import ScopeKind
from ordergate.model.values import PositionId
from ordergate.model.views import OrderView
from ordergate.order.policy.limits import Limits
from support.gate import Gate
from support.gateway_process import ROOMY
from support.order_records import AGENT, OPERATOR, buy
from support.plain_gate import a_close

BATCH = 100  # rounds of one gateway
OPENINGS = 3
SPREAD_S = 0.004  # within which all of a round begin
LOOK_S = 0.0005
PROBES_MAX = 50
SMALL = Decimal("0.01")
ROOM = Limits(**{name: Decimal(str(value)) for name, value in ROOMY["limits"].items()})


@dataclass
class Race:
    """What many rounds came to; seconds."""

    rounds: int = 0
    openings: int = 0
    opened: int = 0
    exits: int = 0
    refused_s: list[float] = field(default_factory=list)  # engage -> first refusal seen
    cancels_s: list[float] = field(default_factory=list)  # engage -> the resting opening's cancel
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Race) -> None:
        self.rounds += other.rounds
        self.openings += other.openings
        self.opened += other.opened
        self.exits += other.exits
        self.refused_s += other.refused_s
        self.cancels_s += other.cancels_s
        self.wrong += other.wrong


class Rounds:
    """A gateway, and one race after the other on it."""

    def __init__(self, gate: Gate, chance: random.Random, race: Race) -> None:
        self.gate = gate
        self.chance = chance
        self.race = race
        self.engaged_at = 0.0
        self.answered = 0  # of the openings of this round
        self._cancel = gate.venue.cancel
        gate.venue.cancel = self._timed  # type: ignore[method-assign]  # the moment it is issued

    async def run(self, rounds: int) -> None:
        held = await self._open()
        stop = buy(
            side=Side.SELL,
            order_type=OrderType.STOP,
            quantity=SMALL,
            stop_price=Decimal("1.07000"),
            stop_loss=None,
            reduce_only=True,
            position_id=None,
        )
        assert held is not None
        assert (await self._ask(stop)).status == "working"
        for _ in range(rounds):
            await self._one()
            self.race.rounds += 1

    async def _one(self) -> None:
        """Let everything begin within a few milliseconds; then release for the next round."""
        self.answered = 0
        leaving = await self._open()
        far = buy(
            quantity=SMALL,
            order_type=OrderType.LIMIT,
            limit_price=Decimal("1.07000"),
            stop_loss=Decimal("1.06500"),
        )
        resting = await self._ask(far)
        assert leaving is not None
        assert resting.status == "working", resting.code
        await asyncio.gather(
            self._kill(),
            self._leave(leaving),
            *(self._enter() for _ in range(OPENINGS)),
        )
        for halt in await self.gate.line.desk.halts():
            await self.gate.line.desk.release(halt.halt_id, reason="next", operator=OPERATOR)
        await self.gate.line.settle.scan()  # what was cancelled is seen to be gone, as beside `up`

    async def _kill(self) -> None:
        """Engage once some of the openings were answered and the others are under way."""
        answered = self.chance.randint(0, OPENINGS - 1)
        while self.answered < answered:
            await asyncio.sleep(LOOK_S)
        await self._pause()
        self.engaged_at = time.monotonic()
        engaging = asyncio.create_task(
            self.gate.line.gateway.engage(
                scope=ScopeKind.GLOBAL, target="", reason="drill", asker=AGENT
            )
        )
        for _ in range(PROBES_MAX):
            if (await self._ask(buy(quantity=SMALL))).status == "rejected":
                self.race.refused_s.append(time.monotonic() - self.engaged_at)
                break
        await engaging

    async def _leave(self, position: PositionId) -> None:
        await self._pause()
        view = await self.gate.line.gateway.close(a_close(position), key=None, asker=AGENT)
        self.race.exits += 1
        if view.status != "filled":
            self.race.wrong.append(f"exit: {view.status} {view.code}")

    async def _enter(self) -> None:
        await self._pause()
        view = await self._ask(buy(quantity=SMALL))
        self.answered += 1
        self.race.openings += 1
        self.race.opened += view.status == "filled"

    async def _open(self) -> PositionId | None:
        view = await self._ask(buy(quantity=SMALL))
        assert view.status == "filled", (view.status, view.code)
        assert view.attempt is not None
        return view.attempt.position_id

    async def _ask(self, intent: Any) -> OrderView:
        return await self.gate.line.gateway.submit(intent, key=None, asker=AGENT)

    async def _pause(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, SPREAD_S))

    async def _timed(self, cancel: VenueCancel) -> Acked:
        self.race.cancels_s.append(time.monotonic() - self.engaged_at)
        return await self._cancel(cancel)


def play(seed: int, rounds: int, template: Path, broken: str | None = None) -> Race:
    """Play rounds on one gateway; return what they came to, judged by its files."""
    if broken is not None:
        BROKEN[broken].patch()
    race = Race()

    async def racing(gate: Gate) -> None:
        await Rounds(gate, random.Random(seed), race).run(rounds)

    with races.books(template) as folder:
        asyncio.run(races.with_gate(folder, ROOM, racing))
        race.wrong += claimed_while_killed(folder / "gate.db")
        race.wrong += at_the_venue(folder / "paper.db", closed=race.exits)
    if len(race.cancels_s) < race.rounds:
        race.wrong.append(f"{len(race.cancels_s)} of {race.rounds} resting openings cancelled")
    race.wrong = [f"seed {seed}: {what}" for what in race.wrong]
    return race


def claimed_while_killed(file: Path) -> list[str]:
    """Return the openings that the sealed record claims between a kill and its release."""
    found, killed = [], 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        openings = {row[0] for row in db.execute("SELECT attempt_id FROM attempts WHERE opening")}
        for seq, kind, body in db.execute("SELECT seq, kind, body FROM audit ORDER BY seq"):
            if kind == "halt.engaged":
                killed += 1
            elif kind == "halt.released":
                killed -= 1
            elif killed and kind == "attempt.claimed" and _attempt(body) in openings:
                found.append(f"opening claimed after the kill, record {seq}")
    return found


def _attempt(body: str) -> str:
    return str(json.loads(body)["body"]["attempt"])


def at_the_venue(file: Path, *, closed: int) -> list[str]:
    """Return closes that were not executed, and protective stops that were taken away."""
    found = []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        (closes,) = db.execute("SELECT COUNT(*) FROM fills WHERE effect = 'closing'").fetchone()
        stops = db.execute("SELECT done_at FROM orders WHERE kind = 'stop'").fetchall()
    if closes != closed:
        found.append(f"{closed} exits, {closes} executed")
    if [done for (done,) in stops] != [0]:
        found.append("the protective stop was taken away")
    return found


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100] if values else 0.0


def main() -> int:
    total = Race()
    seed = races.run("kill races", play, total, rounds=10_000, batch=BATCH, limits=ROOM)
    refused, cancels = p99(total.refused_s), max(total.cancels_s, default=0.0)
    for what in total.wrong[:20]:
        print(what)
    print(f"  openings in the race {total.openings}, of them opened {total.opened}")
    print(f"  exits in the race    {total.exits}")
    print(f"  engage to refusal    p99 {refused * 1000:.1f} ms (goal 50 ms)")
    usual = p99(total.cancels_s) * 1000
    print(f"  cancels issued       p99 {usual:.1f} ms, at most {cancels:.3f} s (goal 1 s)")
    print(f"{total.rounds} kill races, {len(total.wrong)} wrong, seed {seed}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
