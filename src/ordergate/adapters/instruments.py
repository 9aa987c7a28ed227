"""The specifications of well-known symbols, for every feed that has none of its own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.instruments import AssetClass, CalendarName, Instrument, PositionMode
from ordergate.model.values import Symbol

CURRENCIES: Final = frozenset(
    {"AUD", "CAD", "CHF", "CNH", "EUR", "GBP", "HKD", "JPY", "MXN", "NOK", "NZD", "SEK", "SGD"}
    | {"CZK", "DKK", "HUF", "PLN", "TRY", "USD", "ZAR"}
)


def _pair(
    symbol: str, description: str, tick: str, *, swap_long: str, swap_short: str
) -> Instrument:
    """Return a currency pair: 100,000 of the base a lot, 1:30, 3.50 a lot and side."""
    commission = Decimal(500) if symbol.endswith("JPY") else Decimal("3.50")
    return Instrument(
        symbol=Symbol(symbol),
        description=description,
        asset_class=AssetClass.FX,
        base=symbol[:3],
        quote_currency=symbol[3:],
        contract_size=Decimal(100_000),
        tick_size=Decimal(tick),
        lot_step=Decimal("0.01"),
        lot_min=Decimal("0.01"),
        lot_max=Decimal(100),
        calendar=CalendarName.FX,
        position_mode=PositionMode.HEDGING,
        leverage=30,
        stops_level_ticks=10,
        commission_per_lot=commission,
        swap_long_ticks=Decimal(swap_long),
        swap_short_ticks=Decimal(swap_short),
    )


def _metal(
    symbol: str, description: str, tick: str, *, ounces: int, swap_long: str, swap_short: str
) -> Instrument:
    return Instrument(
        symbol=Symbol(symbol),
        description=description,
        asset_class=AssetClass.METAL,
        base=symbol[:3],
        quote_currency=symbol[3:],
        contract_size=Decimal(ounces),
        tick_size=Decimal(tick),
        lot_step=Decimal("0.01"),
        lot_min=Decimal("0.01"),
        lot_max=Decimal(50),
        calendar=CalendarName.METAL,
        position_mode=PositionMode.HEDGING,
        leverage=30,
        stops_level_ticks=20,
        commission_per_lot=Decimal("3.50"),
        swap_long_ticks=Decimal(swap_long),
        swap_short_ticks=Decimal(swap_short),
    )


def _share(symbol: str, description: str) -> Instrument:
    """Return a US share: one share a lot, whole shares, 1:5, half a cent commission."""
    return Instrument(
        symbol=Symbol(symbol),
        description=description,
        asset_class=AssetClass.EQUITY,
        base=symbol,
        quote_currency="USD",
        contract_size=Decimal(1),
        tick_size=Decimal("0.01"),
        lot_step=Decimal(1),
        lot_min=Decimal(1),
        lot_max=Decimal(10_000),
        calendar=CalendarName.XNYS,
        position_mode=PositionMode.NETTING,
        leverage=5,
        commission_per_lot=Decimal("0.005"),
    )


def _coin(symbol: str, description: str, *, step: str, most: int) -> Instrument:
    """Return a coin: one coin a lot, 1:2, open at all hours."""
    return Instrument(
        symbol=Symbol(symbol),
        description=description,
        asset_class=AssetClass.CRYPTO,
        base=symbol[:3],
        quote_currency=symbol[3:],
        contract_size=Decimal(1),
        tick_size=Decimal("0.01"),
        lot_step=Decimal(step),
        lot_min=Decimal(step),
        lot_max=Decimal(most),
        calendar=CalendarName.ALWAYS,
        position_mode=PositionMode.NETTING,
        leverage=2,
    )


US500: Final = Instrument(
    symbol=Symbol("US500"),
    description="US 500 index CFD",
    asset_class=AssetClass.INDEX,
    base="US500",
    quote_currency="USD",
    contract_size=Decimal(1),
    tick_size=Decimal("0.1"),
    lot_step=Decimal("0.1"),
    lot_min=Decimal("0.1"),
    lot_max=Decimal(500),
    calendar=CalendarName.METAL,  # index CFDs keep the metals' hours
    position_mode=PositionMode.HEDGING,
    leverage=30,
    stops_level_ticks=10,
    swap_long_ticks=Decimal("-9.8"),
    swap_short_ticks=Decimal("1.6"),
)

KNOWN: Final[dict[Symbol, Instrument]] = {
    instrument.symbol: instrument
    for instrument in (
        _pair("EURUSD", "Euro vs US dollar", "0.00001", swap_long="-6.5", swap_short="2.1"),
        _pair("GBPUSD", "Sterling vs US dollar", "0.00001", swap_long="-3.2", swap_short="-1.4"),
        _pair("USDJPY", "US dollar vs yen", "0.001", swap_long="9.1", swap_short="-19.4"),
        _pair("AUDUSD", "Australian vs US dollar", "0.00001", swap_long="-2.6", swap_short="0.4"),
        _pair("USDCHF", "US dollar vs Swiss franc", "0.00001", swap_long="5.2", swap_short="-9.9"),
        _pair("EURJPY", "Euro vs yen", "0.001", swap_long="4.8", swap_short="-13.7"),
        _metal("XAUUSD", "Gold", "0.01", ounces=100, swap_long="-48", swap_short="21"),
        _metal("XAGUSD", "Silver", "0.001", ounces=5_000, swap_long="-5.4", swap_short="1.2"),
        US500,
        _share("AAPL", "Apple Inc."),
        _share("MSFT", "Microsoft Corporation"),
        _coin("BTCUSD", "Bitcoin vs US dollar", step="0.0001", most=100),
        _coin("ETHUSD", "Ether vs US dollar", step="0.001", most=1_000),
        _coin("BTCUSDT", "Bitcoin vs Tether", step="0.0001", most=100),
        _coin("ETHUSDT", "Ether vs Tether", step="0.001", most=1_000),
    )
}


def unknown(symbol: Symbol, *, tick_size: Decimal) -> Instrument:
    """Return a careful specification for a symbol nobody described.

    Two currency codes make a pair without swap. Anything else is like a share without leverage,
    counted in USD because a recording names no currency, and open always because its hours are not
    known: one that falls silent is stale all the same.
    """
    if len(symbol) == 6 and {symbol[:3], symbol[3:]} <= CURRENCIES:
        pair = _pair(symbol, f"{symbol[:3]} vs {symbol[3:]}", "1", swap_long="0", swap_short="0")
        return replace(pair, tick_size=tick_size)
    share = _share(symbol, f"{symbol} (specification not known, counted in USD)")
    return replace(
        share,
        tick_size=tick_size,
        calendar=CalendarName.ALWAYS,
        leverage=1,
        commission_per_lot=Decimal(0),
    )


def fitted(symbol: Symbol, unit: Decimal) -> Instrument:
    """Return the known specification, its tick as fine as recorded prices, or a careful one.

    `unit` is one of the last digit of the prices.
    """
    known = KNOWN.get(symbol)
    if known is None:
        return unknown(symbol, tick_size=unit)
    if unit >= known.tick_size:
        return known
    finer = known.tick_size / unit
    return replace(
        known,
        tick_size=unit,
        stops_level_ticks=int(known.stops_level_ticks * finer),
        swap_long_ticks=known.swap_long_ticks * finer,
        swap_short_ticks=known.swap_short_ticks * finer,
    )
