"""A trial: one configuration that somebody tried on some data, and what is kept of it.

What is kept are sums, enough for every statistic of luck, never the curve. Results are those per
bar, as shares of the starting balance.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from ordergate.model.canonical import canonical, sha256_hex

ID_DIGITS = 32


class Ended(enum.StrEnum):
    DONE = "done"
    FAILED = "failed"
    PRUNED = "pruned"  # given up half way by a search; it counts all the same


class Origin(enum.StrEnum):
    SINGLE = "single"
    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"
    WALK = "walk"  # a whole walk-forward: its joined result outside of the training
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """`powers`: of the results, their squares, cubes and fourth powers. Blocks: sixteen, equal."""

    count: int
    powers: tuple[float, float, float, float]
    block_length: int
    block_sums: tuple[float, ...]
    block_squares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`sums` and `sharpe` (per bar) are None where there is no result or none that varies."""

    trial_id: str
    dataset: str  # venue, symbols and timeframe: what N is counted over
    family: str  # the strategy's name
    settings: str  # canonical text: parameters, rules, sizing, style
    slice: str  # hash of the bars
    costs: str  # canonical text
    engine: str
    seed: int
    origin: Origin
    run: str  # the job or command that tried it
    asker: str
    at: datetime
    ended: Ended
    trades: int
    net: float | None  # share of the starting balance
    sharpe: float | None
    sums: Sums | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What was tried on a data set, ever, by whom it may be; each configuration once.

    `variance`: of the trials' Sharpe ratios, per bar; None below two of them.
    """

    trials: int
    of_family: int
    of_run: int
    failed: int
    pruned: int
    variance: float | None
    askers: int


def dataset_of(venue: str, symbols: tuple[str, ...], timeframe: str) -> str:
    """Return the name under which trials are counted; the slice of time makes no difference."""
    return f"{venue} {'+'.join(sorted(symbols))} {timeframe}"


def trial_id(settings: str, slice_: str, costs: str, engine: str) -> str:
    """Return the same id for the same configuration on the same bars: a repeat is no new trial."""
    return sha256_hex(canonical([settings, slice_, costs, engine]))[:ID_DIGITS]
