"""What can be traded: the specification every size, price and value is computed from."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from ordergate.model.values import Money, Symbol


class AssetClass(enum.StrEnum):
    FX = "fx"
    METAL = "metal"
    INDEX = "index"
    ENERGY = "energy"
    EQUITY = "equity"
    CRYPTO = "crypto"


class PositionMode(enum.StrEnum):
    HEDGING = "hedging"  # every fill is a position of its own
    NETTING = "netting"  # one position per symbol


class TradeMode(enum.StrEnum):
    """Which openings the venue takes of a symbol now; closing is left to its word."""

    FULL = "full"
    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"
    CLOSE_ONLY = "close_only"
    DISABLED = "disabled"


class CalendarName(enum.StrEnum):
    FX = "fx"  # Sunday 17:00 to Friday 17:00 New York
    METAL = "metal"  # FX week with a daily break 17:00-18:00 New York
    XNYS = "xnys"  # 09:30-16:00 New York, but for its holidays and half days
    XNSE = "xnse"  # NSE cash: 09:15-15:30 India, but for its holidays
    ALWAYS = "always"  # 24/7


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol; sizes are in lots (1 share or 1 coin where contract_size is 1)."""

    symbol: Symbol
    description: str
    asset_class: AssetClass
    base: str
    quote_currency: str  # prices, profit and loss are in this currency
    contract_size: Decimal  # units of base in one lot
    tick_size: Decimal
    lot_step: Decimal
    lot_min: Decimal
    lot_max: Decimal
    calendar: CalendarName
    position_mode: PositionMode
    leverage: int  # margin = notional / leverage
    stops_level_ticks: int = 0  # smallest distance of a stop or target from the market
    commission_per_lot: Decimal = Decimal(0)  # quote currency, per lot and side
    swap_long_ticks: Decimal = Decimal(0)  # ticks per lot and night, as credited (negative = cost)
    swap_short_ticks: Decimal = Decimal(0)
    trade_mode: TradeMode = TradeMode.FULL
    underlying: str = ""  # shipped with the program, never a venue's word; empty = the symbol

    def notional(self, quantity: Decimal, price: Decimal) -> Money:
        """Return quantity x contract size x price, in the quote currency."""
        return Money(quantity * self.contract_size * price, self.quote_currency)

    @property
    def digits(self) -> int:
        exponent = self.tick_size.as_tuple().exponent
        return -exponent if isinstance(exponent, int) and exponent < 0 else 0
