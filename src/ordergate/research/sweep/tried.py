"""What is kept of one run among many: sums for the statistics, a coarse curve, a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.model.canonical import canonical, sha256_hex
from ordergate.model.trials import Ended, Origin, Sums, Trial, dataset_of, trial_id
from ordergate.research.validation.overfit import BLOCKS, Blocks
from ordergate.research.validation.sharpe import Moments, moments, power_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.model.series import Numbers
    from ordergate.research.backtest.outcome import Outcome
    from ordergate.research.backtest.spec import BacktestSpec

CURVE_POINTS: Final = 480  # of the coarse curve: enough to resample, little to keep


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """One configuration with its result. Money is in shares of the starting balance.

    `curve`: results summed over up to 480 equal stretches of time. Where it failed `error` says
    why and the rest is nothing.
    """

    number: int  # in the sweep
    parameters: Mapping[str, float]
    ended: Ended
    error: str = ""
    trades: int = 0
    net: float = 0.0
    gross: float = 0.0
    drawdown: float = 0.0
    slice: str = ""
    engine: str = ""
    sums: Sums | None = None
    curve: Numbers | None = None

    @property
    def record(self) -> Moments | None:
        """Return the moments of the results per bar; None where nothing varies."""
        return None if self.sums is None else moments(self.sums.count, self.sums.powers)

    @property
    def sharpe(self) -> float | None:
        record = self.record
        return None if record is None else record.sharpe


def per_bar(outcome: Outcome) -> Numbers:
    """Return the result of every bar as a share of the starting balance, open trades marked."""
    equity = outcome.equity.astype(numpy.float64)
    return numpy.diff(equity, prepend=float(outcome.start)) / outcome.start


def kept(number: int, parameters: Mapping[str, float], outcome: Outcome) -> Tried:
    """Return what is kept of a run that came to its end."""
    results = per_bar(outcome)
    start = float(outcome.start)
    return Tried(
        number=number,
        parameters=parameters,
        ended=Ended.DONE,
        trades=len(outcome.trades) - outcome.open_trades,
        net=outcome.net / start,
        gross=float(outcome.trades.gross.sum()) / start,
        drawdown=outcome.drawdown / start,
        slice=outcome.data_sha256,
        engine=outcome.engine,
        sums=sums_of(results),
        curve=coarse(results),
    )


def failed(number: int, parameters: Mapping[str, float], error: str) -> Tried:
    """Return a trial that came to nothing; it counts all the same."""
    return Tried(number=number, parameters=parameters, ended=Ended.FAILED, error=error[:300])


def sums_of(results: Numbers) -> Sums | None:
    """Return the sums the statistics live on; None for less than two bars a block."""
    length = len(results) // BLOCKS
    if length < 2:
        return None
    cut = results[len(results) - length * BLOCKS :].reshape(BLOCKS, length)
    return Sums(
        count=len(results),
        powers=power_sums(results),
        block_length=length,
        block_sums=tuple(float(one) for one in cut.sum(axis=1)),
        block_squares=tuple(float(one) for one in (cut * cut).sum(axis=1)),
    )


def coarse(results: Numbers) -> Numbers:
    """Return the results summed over at most 480 stretches, the remainder in the first."""
    points = min(CURVE_POINTS, len(results))
    length = len(results) // points
    starts = numpy.arange(points) * length + (len(results) - points * length)
    starts[0] = 0
    summed: Numbers = numpy.add.reduceat(results, starts)
    return summed


def blocks_of(tried: Sequence[Tried]) -> Blocks | None:
    """Return the blocks of all that have a result of one length; None below two of them."""
    found = [one.sums for one in tried if one.sums is not None]
    lengths = {one.block_length for one in found}
    if len(found) < 2 or len(lengths) != 1:
        return None
    return Blocks(
        lengths.pop(),
        numpy.array([one.block_sums for one in found]).T,
        numpy.array([one.block_squares for one in found]).T,
    )


def curves_of(tried: Sequence[Tried]) -> Numbers | None:
    """Return the coarse curves side by side, one column a configuration; None for none."""
    found = [one.curve for one in tried if one.curve is not None]
    if not found or len({len(one) for one in found}) != 1:
        return None
    return numpy.column_stack(found)


def settings_text(spec: BacktestSpec) -> str:
    """Return all that makes one configuration, costs and bars aside, in one canonical text."""
    strategy = spec.strategy
    return canonical(
        {
            "strategy": strategy.name,
            "parameters": {name: repr(value) for name, value in strategy.parameters.items()},
            "long_when": strategy.long_when,
            "short_when": strategy.short_when,
            "votes": {name: repr(value) for name, value in strategy.votes.items()},
            "style": strategy.style,
            "program": strategy.program,
            "sizing": spec.sizing,
            "account": spec.account,
            "filling": spec.filling,
            "delay_bars": spec.delay_bars,
            "delay_ms": spec.delay_ms,
            "seed": spec.seed,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who tried, when, and within what."""

    run: str
    asker: str
    at: datetime
    origin: Origin


def trial_of(spec: BacktestSpec, tried: Tried, asked: Asked) -> Trial:
    """Return the row of the log; of a failed one the slice stands for the bars it never read."""
    settings, costs = settings_text(spec), canonical(spec.costs)
    slice_ = tried.slice or sha256_hex(canonical([spec.begin, spec.end]))
    return Trial(
        trial_id=trial_id(settings, slice_, costs, tried.engine),
        dataset=dataset_named(spec),
        family=spec.strategy.name,
        settings=settings,
        slice=slice_,
        costs=costs,
        engine=tried.engine,
        seed=spec.seed,
        origin=asked.origin,
        run=asked.run,
        asker=asked.asker,
        at=asked.at,
        ended=tried.ended,
        trades=tried.trades,
        net=tried.net if tried.ended is Ended.DONE else None,
        sharpe=tried.sharpe,
        sums=tried.sums,
    )


def dataset_named(spec: BacktestSpec) -> str:
    """Return the name that this spec's trials are counted under."""
    symbols = tuple(str(symbol) for symbol in spec.symbols)
    return dataset_of(spec.venue, symbols, spec.timeframe.value)
