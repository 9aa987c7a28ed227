"""The shocks of the stress loss (C36): how far a price may leap before anybody can act."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, assert_never

from ordergate.model.hours import trading_day
from ordergate.model.instruments import AssetClass, CalendarName, Instrument
from ordergate.order.policy.limits import Limits

MAJORS: Final = frozenset({"USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "NZD"})
FRIDAY: Final = 4


def shock(instrument: Instrument, limits: Limits, *, at: datetime) -> Decimal:
    """Return the shock of an instrument, as a fraction of its price, at a venue's time.

    Where a weekend lies ahead, the larger of its class's shock and the weekend's counts: the price
    may open anywhere, and no stop works while the market is closed.
    """
    fraction = _of_class(instrument, limits)
    if instrument.calendar is CalendarName.ALWAYS or not weekend_ahead(at):
        return fraction
    return max(fraction, limits.stress_weekend_fraction)


def weekend_ahead(at: datetime) -> bool:
    """Say whether the venue's day ends in a weekend, or the weekend is now."""
    return trading_day(at).weekday() >= FRIDAY


def _of_class(instrument: Instrument, limits: Limits) -> Decimal:
    match instrument.asset_class:
        case AssetClass.FX:
            pair = {instrument.base, instrument.quote_currency}
            major = "USD" in pair and pair.issubset(MAJORS)
            return limits.stress_fx_major_fraction if major else limits.stress_fx_fraction
        case AssetClass.METAL:
            return limits.stress_metal_fraction
        case AssetClass.INDEX:
            return limits.stress_index_fraction
        case AssetClass.ENERGY:
            return limits.stress_energy_fraction
        case AssetClass.EQUITY:
            return limits.stress_equity_fraction
        case AssetClass.CRYPTO:
            return limits.stress_crypto_fraction
        case _:
            assert_never(instrument.asset_class)
