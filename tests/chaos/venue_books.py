"""The venue's own books, read from its file by somebody who knows nothing of the gate.

Imports nothing of ours: what it says is evidence.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_EXIT = "reduce_only = 1"
_STOP = "kind IN ('stop', 'stop_limit', 'trailing_stop')"


@dataclass(frozen=True)
class Held:
    """One open position: size in lot steps, stop in ticks (0 = none)."""

    number: int
    symbol: str
    side: int
    steps: int
    stop: int
    resting_stop: int  # lot steps that reduce-only stop orders would take off it
    resting_at: int  # the farthest of them, in ticks (0 = none)
    tag: str


@dataclass(frozen=True)
class Books:
    held: tuple[Held, ...]
    resting: tuple[int, ...]  # numbers of opening orders at rest
    refused: int
    requests: int  # tags the venue has seen

    def position(self, number: int) -> Held | None:
        return next((row for row in self.held if row.number == number), None)


def read(path: Path) -> Books:
    """Return what the venue holds now."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        exits = {
            row[0]: row[1:]
            for row in db.execute(
                "SELECT position, SUM(steps - filled), MIN(stop), MAX(stop) FROM orders"
                f" WHERE done_at = 0 AND {_EXIT} AND {_STOP} GROUP BY position"
            )
        }
        held = []
        for number, symbol, side, steps, stop, tag in db.execute(
            "SELECT number, symbol, side, steps, stop_loss, tag FROM positions WHERE steps > 0"
        ):
            left, lowest, highest = exits.get(number, (0, 0, 0))
            at = lowest if side > 0 else highest
            held.append(Held(number, symbol, side, steps, stop, left, at, tag))
        resting = tuple(
            row[0]
            for row in db.execute("SELECT number FROM orders WHERE done_at = 0 AND reduce_only = 0")
        )
        (refused,) = db.execute("SELECT COUNT(*) FROM refusals").fetchone()
        (requests,) = db.execute("SELECT COUNT(*) FROM tags").fetchone()
        return Books(tuple(held), resting, refused, requests)


@dataclass(frozen=True)
class Leg:
    """One exit that rests as an order of its own: what is left of it, its price in ticks."""

    number: int
    position: int
    stop: bool
    steps: int
    at: int


def legs(path: Path) -> tuple[Leg, ...]:
    """Return the exits that rest now."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return tuple(
            Leg(row[0], row[1], bool(row[2]), row[3], row[4] if row[2] else row[5])
            for row in db.execute(
                f'SELECT number, position, {_STOP}, steps - filled, stop, "limit" FROM orders'
                f" WHERE done_at = 0 AND {_EXIT}"
            )
        )


def unfit(path: Path, number: int) -> list[str]:
    """Return in what the exits at rest do not fit the one position that may be held."""
    faults = []
    held = {row.number: row for row in read(path).held}
    rest = legs(path)
    faults += [f"position {one} is held besides" for one in held if one != number]
    faults += [
        f"exit {leg.number} rests for a position that is gone"
        for leg in rest
        if leg.position not in held
    ]
    if number in held:
        steps, stops = held[number].steps, held[number].resting_stop
        targets = sum(leg.steps for leg in rest if leg.position == number and not leg.stop)
        if stops != steps:
            faults.append(f"stops rest for {stops} of {steps}")
        if targets > steps:
            faults.append(f"targets rest for {targets} of {steps}")
    return faults


class Watch:
    """Looks at the books after every change: how long was a position not covered by its stops,
    and how long was something held on the other side of it."""

    def __init__(self, path: Path, symbol: str, side: int, *, now: Callable[[], float]) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._who = (symbol, side)
        self._now = now
        self._since: dict[str, float] = {}
        self.spells: dict[str, list[float]] = {"naked": [], "excess": []}

    def look(self) -> None:
        naked = self._db.execute(
            "SELECT 1 FROM positions p WHERE steps > 0 AND symbol = ? AND side = ? AND steps >"
            " (SELECT COALESCE(SUM(o.steps - o.filled), 0) FROM orders o WHERE o.done_at = 0"
            f" AND {_EXIT} AND {_STOP} AND o.position = p.number)",
            self._who,
        ).fetchone()
        excess = self._db.execute(
            "SELECT 1 FROM positions WHERE steps > 0 AND symbol = ? AND side <> ?", self._who
        ).fetchone()
        self._note("naked", naked is not None)
        self._note("excess", excess is not None)

    def end(self) -> None:
        for kind in self.spells:
            self._note(kind, False)
        self._db.close()

    def _note(self, kind: str, lasts: bool) -> None:
        if lasts:
            self._since.setdefault(kind, self._now())
        elif kind in self._since:
            self.spells[kind].append(self._now() - self._since.pop(kind))


def overclosed(path: Path) -> list[str]:
    """Return the positions from which more was taken than they ever held, or that turned round."""
    faults: list[str] = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        sizes: dict[int, int] = {}
        sides: dict[int, int] = {}
        for number, position, side, steps, effect in db.execute(
            "SELECT number, position, side, steps, effect FROM fills ORDER BY number"
        ):
            if effect == "opening":
                if sides.setdefault(position, side) != side:
                    faults.append(f"fill {number} opens position {position} on both sides")
                sizes[position] = sizes.get(position, 0) + steps
            else:
                sizes[position] = sizes.get(position, 0) - steps
                if sizes[position] < 0:
                    faults.append(f"fill {number} takes more than position {position} holds")
    return faults


def opened_after(path: Path, fill_number: int) -> list[str]:
    """Return the fills after `fill_number` that opened or enlarged something."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return [
            f"fill {number}: {steps} steps of {symbol} opened"
            for number, symbol, steps in db.execute(
                "SELECT number, symbol, steps FROM fills WHERE number > ? AND effect = 'opening'",
                (fill_number,),
            )
        ]


def last_fill(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        (number,) = db.execute("SELECT COALESCE(MAX(number), 0) FROM fills").fetchone()
        return int(number)


def executed_twice(path: Path) -> list[str]:
    """Return the tags under which more than one order stands in the books."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return [
            f"tag {tag} was executed {times} times"
            for tag, times in db.execute(
                "SELECT tag, COUNT(*) FROM orders WHERE tag <> '' GROUP BY tag HAVING COUNT(*) > 1"
            )
        ]
