"""What a backtest found. Columns, one row a bar or a trade; money in integers of the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordergate.model.series import Times

    Ints = NDArray["numpy.int64"]

MONEY_SCALE: Final = 10**8
REASONS: Final = ("open", "stop_loss", "take_profit", "order", "stop_out")


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """One row for every closing deal, then one for every position still open at the end.

    Times: nanoseconds since 1970, UTC. Prices in ticks, sizes in lot steps of the trade's symbol;
    money in `1 / money_scale` of the account currency, costs positive, swap as credited.
    net = gross - spread - slippage - delay - commission + swap. `gross` is what the decisions would
    have earned at the middle prices they were made on. An open trade (`reason` 0) is marked at the
    last prices; its `exit_time` is that of the last bar.
    """

    symbol: Ints  # index into the spec's symbols
    side: Ints  # +1 long, -1 short
    steps: Ints
    entry_time: Ints
    exit_time: Ints
    entry_price: Ints  # average, in ticks, rounded half away from zero
    exit_price: Ints
    stop: Ints  # 0 = none
    target: Ints
    reason: Ints  # index into REASONS
    gross: Ints
    spread: Ints
    slippage: Ints
    delay: Ints
    commission: Ints
    swap: Ints
    net: Ints
    ambiguous: Ints  # 1 = stop and target lay in one bar and no finer bars told which came first

    def __len__(self) -> int:
        return len(self.symbol)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result of one run.

    `equity` is marked to market at every bar's close, all costs booked so far included; `time` is
    that close. `lowest` and `drawdown` are taken from it. `band` is the final equity with stops
    first and with targets first in ambiguous bars. `refused` counts orders by the code the gate or
    the venue would have said.
    """

    time: Times
    equity: Ints
    money_scale: int
    trades: Trades
    open_trades: int
    refused: Mapping[str, int]
    ambiguous: int
    band: tuple[int, int]
    start: int  # balance at the beginning
    balance: int  # realised, at the end
    stop_outs: int
    data_sha256: str
    engine: str  # version of the fill rules
    compiled: bool
    seed: int

    @property
    def net(self) -> int:
        """Return what was earned, open trades marked."""
        return int(self.equity[-1]) - self.start

    @property
    def closed_net(self) -> int:
        return self.balance - self.start

    @property
    def drawdown(self) -> int:
        """Return the largest fall from a height of the equity, 0 or more."""
        heights = numpy.maximum.accumulate(numpy.concatenate([[self.start], self.equity]))
        return int((heights[1:] - self.equity).max())
