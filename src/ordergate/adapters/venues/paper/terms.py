"""The paper account's terms: what the operator may choose about it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTerms:
    """`balance` opens a new file; afterwards the file's own balance counts."""

    currency: str = "USD"
    balance: Decimal = Decimal(100_000)
    money_digits: int = 2  # deals are booked to these, half away from zero
    slippage_ticks: int = 0  # adverse, market and stop orders
    # "touch": at the newest quote. "next": at the first price after the order, which of bars is the
    # next one's open: a quote that is a bar's close is the price the decision was made on.
    market_fill: Literal["touch", "next"] = "touch"
    commission: bool = True
    swap: bool = True
    stop_out_fraction: Decimal = Decimal("0.5")  # of the used margin
    # "resting": a plain exchange. It attaches no stop, replaces nothing, links nothing and bounds
    # nothing: `reduce_only` is a label, and what exceeds the position opens the other way.
    exits: Literal["attached", "resting"] = "attached"
    fill_cap: Decimal | None = None  # most lots one order fills per slice; None = all

    @property
    def plain(self) -> bool:
        return self.exits == "resting"
