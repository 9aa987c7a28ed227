"""The log of trials in an SQLite file of its own: several processes append, nobody changes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ordergate.model.canonical import iso
from ordergate.model.trials import Ended, Origin, Sums, Tally, Trial
from ordergate.ports.trials import TrialsUnwritable

TRIALS_FILE: Final = "trials.db"
BUSY_S: Final = 10.0
IDS_AT_ONCE: Final = 500
_COLUMNS: Final = (
    *("trial_id", "dataset", "family", "settings", "slice", "costs", "engine", "seed", "origin"),
    *("run", "asker", "at", "ended", "trades", "net", "sharpe", "count", "sums"),
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS trial (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  trial_id TEXT NOT NULL, dataset TEXT NOT NULL, family TEXT NOT NULL, settings TEXT NOT NULL,
  slice TEXT NOT NULL, costs TEXT NOT NULL, engine TEXT NOT NULL, seed INTEGER NOT NULL,
  origin TEXT NOT NULL, run TEXT NOT NULL, asker TEXT NOT NULL, at TEXT NOT NULL,
  ended TEXT NOT NULL, trades INTEGER NOT NULL, net REAL, sharpe REAL,
  count INTEGER, sums BLOB,
  UNIQUE (trial_id, ended)
) STRICT;
CREATE INDEX IF NOT EXISTS trial_dataset ON trial (dataset, trial_id);
CREATE TRIGGER IF NOT EXISTS trial_stays BEFORE DELETE ON trial
  BEGIN SELECT RAISE(ABORT, 'a trial is never untried'); END;
CREATE TRIGGER IF NOT EXISTS trial_is BEFORE UPDATE ON trial
  BEGIN SELECT RAISE(ABORT, 'a trial is never changed'); END;
"""
# Of a configuration that failed first and was done later, the result counts.
_ONE_EACH: Final = (
    "SELECT *, row_number() OVER (PARTITION BY trial_id ORDER BY ended = 'done' DESC, seq) AS place"
    " FROM trial WHERE dataset = :dataset"
)


class TrialFile:
    """Implements TrialLog. Opened for each question: who holds nothing can lose nothing."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / TRIALS_FILE

    def add(self, trials: Sequence[Trial]) -> int:
        marks = ", ".join("?" for _ in _COLUMNS)
        # A second row of the same id and end says nothing new.
        sql = f"INSERT OR IGNORE INTO trial ({', '.join(_COLUMNS)}) VALUES ({marks})"
        with self._open() as link:
            link.execute("BEGIN IMMEDIATE")
            before = link.total_changes
            link.executemany(sql, [_row(trial) for trial in trials])
            new = link.total_changes - before
            link.execute("COMMIT")
        return new

    def known(self, ids: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        with self._open() as link:
            for start in range(0, len(ids), IDS_AT_ONCE):
                some = ids[start : start + IDS_AT_ONCE]
                marks = ", ".join("?" for _ in some)
                rows = link.execute(
                    f"SELECT trial_id FROM trial WHERE ended = 'done' AND trial_id IN ({marks})",
                    some,
                )
                found.update(row["trial_id"] for row in rows)
        return frozenset(found)

    def tally(self, dataset: str, *, family: str = "", run: str = "") -> Tally:
        sql = f"""
        SELECT count(*) AS trials, coalesce(sum(family = :family), 0) AS of_family,
          coalesce(sum(run = :run), 0) AS of_run,
          coalesce(sum(ended = 'failed'), 0) AS failed,
          coalesce(sum(ended = 'pruned'), 0) AS pruned,
          count(DISTINCT asker) AS askers,
          count(sharpe) AS judged, avg(sharpe) AS mean
        FROM ({_ONE_EACH}) WHERE place = 1"""
        spread = f"""
        SELECT sum((sharpe - :mean) * (sharpe - :mean)) AS squares
        FROM ({_ONE_EACH}) WHERE place = 1 AND ended = 'done'"""
        with self._open() as link:
            link.execute("BEGIN")
            named = {"dataset": dataset, "family": family, "run": run}
            found = link.execute(sql, named).fetchone()
            variance = None
            if found["judged"] >= 2:
                named = {"dataset": dataset, "mean": found["mean"]}
                squares = link.execute(spread, named).fetchone()["squares"]
                variance = squares / (found["judged"] - 1)
        return Tally(
            trials=found["trials"],
            of_family=found["of_family"],
            of_run=found["of_run"],
            failed=found["failed"],
            pruned=found["pruned"],
            variance=variance,
            askers=found["askers"],
        )

    def trials(self, dataset: str, *, run: str | None = None, limit: int = 10_000) -> list[Trial]:
        sql = f"SELECT * FROM ({_ONE_EACH}) WHERE place = 1"
        if run is not None:
            sql += " AND run = :run"
        with self._open() as link:
            rows = link.execute(
                f"{sql} ORDER BY seq DESC LIMIT :limit",
                {"dataset": dataset, "run": run, "limit": limit},
            ).fetchall()
        return [_trial(row) for row in rows]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            link = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            try:
                link.row_factory = sqlite3.Row
                link.execute("PRAGMA journal_mode=WAL")
                link.execute("PRAGMA synchronous=FULL")
                link.executescript(_SCHEMA)
                yield link
            finally:
                link.close()
        except (sqlite3.Error, OSError) as error:
            raise TrialsUnwritable(
                f"{TRIALS_FILE} cannot be used: {error}",
                fix="Free the disk or give the file back its rights; no result is told before.",
            ) from error


def _row(trial: Trial) -> tuple[Any, ...]:
    sums = trial.sums
    return (
        *(trial.trial_id, trial.dataset, trial.family, trial.settings, trial.slice, trial.costs),
        *(trial.engine, trial.seed, trial.origin.value, trial.run, trial.asker, iso(trial.at)),
        *(trial.ended.value, trial.trades, trial.net, trial.sharpe),
        *((None, None) if sums is None else (sums.count, _packed(sums))),
    )


def _packed(sums: Sums) -> bytes:
    """Return little-endian doubles: they come back bit for bit."""
    numbers = (*sums.powers, *sums.block_sums, *sums.block_squares)
    return struct.pack(f"<q{len(numbers)}d", sums.block_length, *numbers)


def _unpacked(count: int, packed: bytes) -> Sums:
    length, *numbers = struct.unpack(f"<q{len(packed) // 8 - 1}d", packed)
    m1, m2, m3, m4, *blocks = numbers
    half = len(blocks) // 2
    return Sums(
        count=count,
        powers=(m1, m2, m3, m4),
        block_length=length,
        block_sums=tuple(blocks[:half]),
        block_squares=tuple(blocks[half:]),
    )


def _trial(row: sqlite3.Row) -> Trial:
    return Trial(
        trial_id=row["trial_id"],
        dataset=row["dataset"],
        family=row["family"],
        settings=row["settings"],
        slice=row["slice"],
        costs=row["costs"],
        engine=row["engine"],
        seed=row["seed"],
        origin=Origin(row["origin"]),
        run=row["run"],
        asker=row["asker"],
        at=datetime.fromisoformat(row["at"]),
        ended=Ended(row["ended"]),
        trades=row["trades"],
        net=row["net"],
        sharpe=row["sharpe"],
        sums=None if row["sums"] is None else _unpacked(row["count"], row["sums"]),
    )
