"""What the simulated market trades: where each price lives, how much it moves, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ordergate.adapters.instruments import KNOWN
from ordergate.model.instruments import Instrument
from ordergate.model.values import Symbol


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol's character: a central price, daily volatility and the usual spread in ticks."""

    instrument: Instrument
    level: Decimal
    volatility_ppm: int
    spread_ticks: int


def _listing(symbol: str, level: str, volatility_ppm: int, spread_ticks: int) -> Listing:
    return Listing(KNOWN[Symbol(symbol)], Decimal(level), volatility_ppm, spread_ticks)


LISTINGS: Final = (
    _listing("EURUSD", "1.0850", 5_000, 8),
    _listing("GBPUSD", "1.2700", 5_500, 11),
    _listing("USDJPY", "148.50", 6_000, 9),
    _listing("AUDUSD", "0.6600", 6_500, 9),
    _listing("USDCHF", "0.8800", 5_000, 12),
    _listing("EURJPY", "161.10", 6_500, 14),
    _listing("XAUUSD", "2650", 9_500, 20),
    _listing("XAGUSD", "30.50", 18_000, 22),
    _listing("US500", "5900", 9_000, 4),
    _listing("AAPL", "230", 15_000, 2),
    _listing("MSFT", "420", 14_000, 3),
    _listing("BTCUSD", "95000", 30_000, 1_200),
    _listing("ETHUSD", "3300", 38_000, 90),
)
