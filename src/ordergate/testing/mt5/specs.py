"""What the simulated broker lets its clients trade: specifications as a terminal shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ordergate.testing.mt5.constants import Constants as K

FOK_ALLOWED: Final = 1  # bits of a symbol's filling mask
IOC_ALLOWED: Final = 2
ALL_EXPIRATIONS: Final = 15  # bits: GTC, DAY, SPECIFIED, SPECIFIED_DAY
ALL_ORDERS: Final = 127  # bits: market, limit, stop, stop limit, SL, TP, close by


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One symbol. Prices are counted in points (10^-digits), sizes in steps of `volume_step`."""

    name: str
    description: str
    path: str
    base: str
    profit: str  # currency
    margin: str  # currency
    digits: int
    contract_size: int
    calc_mode: int = K.SYMBOL_CALC_MODE_FOREX
    steps_per_lot: int = 100  # volume_step = 1 / steps_per_lot
    steps_min: int = 1
    steps_max: int = 10_000
    stops_level: int = 0  # points
    freeze_level: int = 0
    filling: int = FOK_ALLOWED | IOC_ALLOWED
    execution: int = K.SYMBOL_TRADE_EXECUTION_MARKET
    trade_mode: int = K.SYMBOL_TRADE_MODE_FULL
    orders: int = ALL_ORDERS
    expirations: int = ALL_EXPIRATIONS
    leverage: int | None = None  # None = the account's
    selected: bool = True
    swap_long: str = "-6.5"  # points a night
    swap_short: str = "2.1"

    @property
    def point(self) -> float:
        return float(10.0**-self.digits)

    @property
    def scale(self) -> int:
        return int(10**self.digits)

    def price(self, points: int) -> float:
        return round(points / self.scale, self.digits)

    def points(self, price: float) -> int:
        return round(price * self.scale)

    def volume(self, steps: int) -> float:
        return round(steps / self.steps_per_lot, 8)

    def steps(self, volume: float) -> int | None:
        """Return a size in steps; None where it is no whole number of them."""
        exact = volume * self.steps_per_lot
        whole = round(exact)
        return whole if abs(exact - whole) < 1e-6 else None


def _forex(name: str, digits: int, **more: object) -> Spec:
    terms: dict[str, object] = {
        "name": name,
        "description": f"{name[:3]} vs {name[3:]}",
        "path": f"Forex\\{name}",
        "base": name[:3],
        "profit": name[3:],
        "margin": name[:3],
        "digits": digits,
        "contract_size": 100_000,
    }
    return Spec(**{**terms, **more})  # type: ignore[arg-type]  # a table of terms


def _cfd(name: str, description: str, currency: str, digits: int, **more: object) -> Spec:
    terms: dict[str, object] = {
        "name": name,
        "description": description,
        "path": f"CFD\\{name}",
        "base": currency,
        "profit": currency,
        "margin": currency,
        "digits": digits,
        "calc_mode": K.SYMBOL_CALC_MODE_CFDLEVERAGE,
    }
    return Spec(**{**terms, **more})  # type: ignore[arg-type]  # a table of terms


STANDARD: Final = (
    _forex("EURUSD", 5),
    _forex("GBPUSD", 5),
    _forex("AUDUSD", 5),
    _forex("USDCHF", 5),
    _forex("USDJPY", 3),
    _forex("EURJPY", 3),
    _cfd("XAUUSD", "Gold vs US Dollar", "USD", 2, contract_size=100, base="XAU", leverage=20),
    _cfd("XAGUSD", "Silver vs US Dollar", "USD", 3, contract_size=5000, base="XAG", leverage=10),
    _cfd(
        "US500",
        "US 500 index",
        "USD",
        1,
        contract_size=1,
        steps_per_lot=10,
        leverage=20,
        filling=FOK_ALLOWED,
    ),
    _cfd("GER40", "Germany 40 index", "EUR", 1, contract_size=1, steps_per_lot=10, leverage=20),
)
