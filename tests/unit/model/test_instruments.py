"""What a size is worth, and how many digits a price has."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ordergate.model.instruments import AssetClass, CalendarName, Instrument, PositionMode
from ordergate.model.values import Money, Symbol

EURUSD = Instrument(
    symbol=Symbol("EURUSD"),
    description="Euro against US dollar",
    asset_class=AssetClass.FX,
    base="EUR",
    quote_currency="USD",
    contract_size=Decimal(100_000),
    tick_size=Decimal("0.00001"),
    lot_step=Decimal("0.01"),
    lot_min=Decimal("0.01"),
    lot_max=Decimal(100),
    calendar=CalendarName.FX,
    position_mode=PositionMode.HEDGING,
    leverage=30,
)


def test_a_tenth_of_a_lot_of_eurusd_is_worth_10851_dollars() -> None:
    assert EURUSD.notional(Decimal("0.10"), Decimal("1.0851")) == Money(Decimal("10851"), "USD")


@pytest.mark.parametrize(
    ("tick", "digits"), [("0.00001", 5), ("0.01", 2), ("1", 0), ("0.25", 2), ("1E+1", 0)]
)
def test_a_price_has_the_digits_of_its_tick(tick: str, digits: int) -> None:
    assert replace(EURUSD, tick_size=Decimal(tick)).digits == digits
