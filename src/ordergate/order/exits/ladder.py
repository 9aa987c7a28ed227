"""The ladder of a close: each step reaches farther through the market, the last one takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import Side
from ordergate.model.values import ZERO, round_ceiling, round_floor

WIDTHS: Final = (Decimal(1), Decimal(2), Decimal(4))  # times the collar
RUNGS: Final = len(WIDTHS) + 3  # the last ones go at the market: a thin book fills in parts


def rung_price(
    rung: int, side: Side, quote: Quote | None, spec: Instrument | None, *, collar: Decimal
) -> Decimal | None:
    """Return the worst price that step `rung` of a close of `side` may fill at; None = market.

    Without a price there is nothing to measure from: the venue's word decides.
    """
    if quote is None or spec is None or not 0 <= rung < len(WIDTHS):
        return None
    away = WIDTHS[rung] * collar
    if side is Side.SELL:
        price = round_ceiling(quote.bid * (1 - away), spec.tick_size)
    else:
        price = round_floor(quote.ask * (1 + away), spec.tick_size)
    return price if price > ZERO else None


def spent(rung: int) -> bool:
    """Say whether every step was tried."""
    return rung >= RUNGS
