"""Walk-forward: parameters chosen on the past alone, traded on what came after, joined up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.features.sessions import moment, nanoseconds
from ordergate.research.backtest.outcome import Outcome, Trades
from ordergate.research.validation.folds import Fold

if TYPE_CHECKING:
    from ordergate.model.series import Times
    from ordergate.research.backtest.spec import BacktestSpec
    from ordergate.research.sweep.tried import Tried

WARM_BARS: Final = 3_000  # before each window: what the longest indicator needs to settle


@dataclass(frozen=True, slots=True)
class Window:
    """Times in nanoseconds: bars from `warm` on are read, those from `begin` to `end` count."""

    warm: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One fold: the best inside, and what the same parameters did outside; nanoseconds."""

    begin: int
    end: int
    inside: Tried
    outside: Tried


def windows(fold: Fold, starts: Times, *, length: int) -> tuple[Window, Window]:
    """Return the train and the test window of a fold over bars that start so."""
    return _window(fold.train[0], starts, length), _window(fold.test, starts, length)


def _window(part: tuple[int, int], starts: Times, length: int) -> Window:
    first, last = part
    return Window(
        warm=int(starts[max(0, first - WARM_BARS)]),
        begin=int(starts[first]),
        end=int(starts[last - 1]) + length,
    )


def within(spec: BacktestSpec, window: Window) -> BacktestSpec:
    """Return the spec over a window with its warm-up."""
    return replace(spec, begin=moment(window.warm), end=moment(window.end))


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Return one outcome of several that follow each other, each begun with the same balance.

    Results add up: what one earned is not put to work by the next. The last's open trades stay
    open, and so do those that a fold left open: they are marked at its end.
    """
    first, equity, carried = parts[0], [], 0
    for part in parts:
        equity.append(part.equity + carried)
        carried += part.net
    trades = {
        field.name: numpy.concatenate([getattr(part.trades, field.name) for part in parts])
        for field in fields(Trades)
    }
    refused: dict[str, int] = {}
    for part in parts:
        for code, count in part.refused.items():
            refused[code] = refused.get(code, 0) + count
    low, high = (sum(part.band[side] - part.start for part in parts) for side in (0, 1))
    return replace(
        first,
        time=numpy.concatenate([part.time for part in parts]),
        equity=numpy.concatenate(equity),
        trades=Trades(**trades),
        open_trades=sum(part.open_trades for part in parts),
        refused=refused,
        ambiguous=sum(part.ambiguous for part in parts),
        band=(first.start + low, first.start + high),
        balance=first.start + sum(part.closed_net for part in parts),
        stop_outs=sum(part.stop_outs for part in parts),
    )


def jumps(legs: Sequence[Leg]) -> int:
    """Return how often the chosen parameters changed from one fold to the next."""
    return sum(
        dict(before.inside.parameters) != dict(after.inside.parameters)
        for before, after in itertools.pairwise(legs)
    )


def between(starts: Times, spec: BacktestSpec) -> Times:
    """Return the starts of the bars that a spec's slice holds."""
    first = 0 if spec.begin is None else int(numpy.searchsorted(starts, nanoseconds(spec.begin)))
    last = (
        len(starts) if spec.end is None else int(numpy.searchsorted(starts, nanoseconds(spec.end)))
    )
    return starts[first:last]
