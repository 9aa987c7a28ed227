"""Every trade as a line of CSV, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.market.features.sessions import moment
from ordergate.model.canonical import iso
from ordergate.model.values import plain
from ordergate.research.backtest.outcome import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.model.instruments import Instrument
    from ordergate.research.backtest.outcome import Outcome

COLUMNS: Final = (
    *("symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price"),
    *("stop", "target", "reason", "gross", "spread", "slippage", "delay", "commission", "swap"),
    *("net", "ambiguous"),
)
_MONEY: Final = ("gross", "spread", "slippage", "delay", "commission", "swap", "net")


def sheet(outcome: Outcome, instruments: Sequence[Instrument]) -> str:
    """Return the trades as CSV with a header; money in the account currency."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(outcome, instruments))
    return out.getvalue()


def rows(outcome: Outcome, instruments: Sequence[Instrument]) -> Iterator[tuple[str, ...]]:
    """Yield each trade as texts, in the order of COLUMNS."""
    trades = outcome.trades
    for at in range(len(trades)):
        instrument = instruments[int(trades.symbol[at])]

        def price(ticks: int, tick: Decimal = instrument.tick_size) -> str:
            return plain(ticks * tick) if ticks else ""

        yield (
            str(instrument.symbol),
            "buy" if trades.side[at] > 0 else "sell",
            plain(int(trades.steps[at]) * instrument.lot_step),
            iso(moment(int(trades.entry_time[at]))),
            price(int(trades.entry_price[at])),
            iso(moment(int(trades.exit_time[at]))),
            price(int(trades.exit_price[at])),
            price(int(trades.stop[at])),
            price(int(trades.target[at])),
            REASONS[int(trades.reason[at])],
            *(_money(int(getattr(trades, name)[at]), outcome.money_scale) for name in _MONEY),
            "yes" if trades.ambiguous[at] else "",
        )


def _money(amount: int, scale: int) -> str:
    return plain((Decimal(amount) / scale).quantize(Decimal("0.01")))
