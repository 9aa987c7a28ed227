"""The venue's own books, read from its file by somebody who knows nothing of the gate.

Imports nothing of ours: what it says is evidence.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """One open position: size in lot steps, stop in ticks (0 = none)."""

    number: int
    symbol: str
    side: int
    steps: int
    stop: int
    resting_stop: int  # lot steps that reduce-only stop orders would take off it
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
            row[0]: row[1]
            for row in db.execute(
                "SELECT position, SUM(steps - filled) FROM orders WHERE done_at = 0"
                " AND reduce_only = 1 AND kind IN ('stop', 'stop_limit', 'trailing_stop')"
                " GROUP BY position"
            )
        }
        held = tuple(
            Held(
                number=row[0],
                symbol=row[1],
                side=row[2],
                steps=row[3],
                stop=row[4],
                resting_stop=exits.get(row[0], 0),
                tag=row[5],
            )
            for row in db.execute(
                "SELECT number, symbol, side, steps, stop_loss, tag FROM positions WHERE steps > 0"
            )
        )
        resting = tuple(
            row[0]
            for row in db.execute("SELECT number FROM orders WHERE done_at = 0 AND reduce_only = 0")
        )
        (refused,) = db.execute("SELECT COUNT(*) FROM refusals").fetchone()
        (requests,) = db.execute("SELECT COUNT(*) FROM tags").fetchone()
        return Books(held, resting, refused, requests)


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
