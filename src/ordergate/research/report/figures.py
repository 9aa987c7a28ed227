"""The numbers of one run: what it earned, how deep it fell, what it paid, month by month.

Definitions stand beside the names: where other programs differ, these are ours. Money is in the
account currency; shares are of the starting balance unless said otherwise; a year has 365.25 days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.research.report.curves import drawdowns
from ordergate.research.sweep.tried import per_bar
from ordergate.research.validation.sharpe import moments_of

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Times
    from ordergate.research.backtest.outcome import Outcome

YEAR_NS: Final = 365.25 * 86_400e9
DEFINITIONS: Final = {
    "annual_return": "the steady yearly growth that leads from start to end, open trades marked",
    "annual_sharpe": "mean / standard deviation (T - 1) of results per bar, times the root of bars"
    " a year as they came; no risk-free rate; flat bars count",
    "max_drawdown": "largest fall of the equity at a bar's close from its height so far",
    "profit_factor": "what winning trades earned over what losing ones lost, after costs",
    "expectancy": "mean net result of a closed trade",
    "exposure": "share of the time in which a position was open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Money; what was paid is positive, swap as credited: net = gross - costs + swap."""

    gross: float
    spread: float
    slippage: float
    delay: float
    commission: float
    swap: float

    @property
    def paid(self) -> float:
        return self.spread + self.slippage + self.delay + self.commission - self.swap


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """None where a number has no meaning: no losing trade has no profit factor."""

    start: float
    end: float
    net: float
    closed_net: float
    annual_return: float | None
    annual_sharpe: float | None
    max_drawdown: float
    trades: int
    open_trades: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    best: float | None
    worst: float | None
    exposure: float
    bars: int
    per_year: float
    costs: Costs


@dataclass(frozen=True, slots=True)
class Month:
    year: int
    month: int
    share: float  # of the equity at its beginning


def bars_per_year(time: Times) -> float:
    """Return how many bars a year holds, as they came; gaps and closed hours count as time."""
    if len(time) < 2:
        return 1.0
    return (len(time) - 1) * YEAR_NS / float(time[-1] - time[0])


def figures(outcome: Outcome) -> Figures:
    """Return the numbers of an outcome."""
    scale, trades = float(outcome.money_scale), outcome.trades
    closed = trades.reason != 0
    nets = trades.net[closed].astype(numpy.float64) / scale
    start, end = outcome.start / scale, float(outcome.equity[-1]) / scale
    per_year = bars_per_year(outcome.time)
    record = moments_of(per_bar(outcome))
    equity = outcome.equity.astype(numpy.float64)
    return Figures(
        start=start,
        end=end,
        net=outcome.net / scale,
        closed_net=outcome.closed_net / scale,
        annual_return=_annual(end / start, outcome),
        annual_sharpe=None if record is None else record.sharpe * math.sqrt(per_year),
        max_drawdown=-float(drawdowns(equity, float(outcome.start)).min()),
        trades=int(closed.sum()),
        open_trades=outcome.open_trades,
        win_rate=float((nets > 0).mean()) if len(nets) else None,
        profit_factor=_factor(nets),
        expectancy=float(nets.mean()) if len(nets) else None,
        best=float(nets.max()) if len(nets) else None,
        worst=float(nets.min()) if len(nets) else None,
        exposure=exposure(outcome),
        bars=len(outcome.time),
        per_year=per_year,
        costs=costs_of(outcome),
    )


def costs_of(outcome: Outcome) -> Costs:
    """Return what all trades earned before costs and paid for each of them."""
    trades, scale = outcome.trades, float(outcome.money_scale)

    def total(column: Times) -> float:
        return float(column.sum()) / scale

    return Costs(
        gross=total(trades.gross),
        spread=total(trades.spread),
        slippage=total(trades.slippage),
        delay=total(trades.delay),
        commission=total(trades.commission),
        swap=total(trades.swap),
    )


def exposure(outcome: Outcome) -> float:
    """Return the share of the time with a position open; several at once count once."""
    trades = outcome.trades
    span = float(outcome.time[-1] - outcome.time[0]) if len(outcome.time) > 1 else 0.0
    if not len(trades) or span <= 0:
        return 0.0
    order = numpy.argsort(trades.entry_time, kind="stable")
    began, ended = trades.entry_time[order], trades.exit_time[order]
    held, reached = 0.0, float(began[0])
    for start, stop in zip(began, ended, strict=True):
        held += max(0.0, float(stop) - max(float(start), reached))
        reached = max(reached, float(stop))
    return min(1.0, held / span)


def months(outcome: Outcome) -> tuple[Month, ...]:
    """Return each month's change of the equity; the first and last may be parts of one."""
    stamps = outcome.time.astype("datetime64[ns]").astype("datetime64[M]")
    found, before = [], float(outcome.start)
    ends = numpy.flatnonzero(numpy.append(stamps[1:] != stamps[:-1], True))
    for at in ends:
        after = float(outcome.equity[at])
        number = int(stamps[at].astype(numpy.int64))
        share = after / before - 1.0 if before > 0 else 0.0
        found.append(Month(1970 + number // 12, number % 12 + 1, share))
        before = after
    return tuple(found)


def _annual(growth: float, outcome: Outcome) -> float | None:
    span = float(outcome.time[-1] - outcome.time[0]) / YEAR_NS if len(outcome.time) > 1 else 0.0
    if growth <= 0 or span <= 0:
        return None
    power = math.log(growth) / span
    return math.expm1(power) if power < 50 else None  # of minutes, no year is told


def _factor(nets: Numbers) -> float | None:
    lost = -float(nets[nets < 0].sum())
    return None if lost == 0 else float(nets[nets > 0].sum()) / lost
