"""An exchange's markets and tickers in our words; pure, strict, and never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ordergate.adapters.instruments import KNOWN
from ordergate.model.instruments import AssetClass, CalendarName, Instrument, PositionMode
from ordergate.model.values import Symbol, is_multiple, round_ceiling, round_floor

LOTS_MAX: Final = Decimal(1_000_000)  # where the exchange names no most
SMALLEST: Final = Decimal("0.00000001")
LEVERAGE: Final = 2  # as the shipped coins: the paper account's margin, not the exchange's


@dataclass(frozen=True, slots=True)
class Said:
    """What an exchange says of a symbol now; `at_ms` is its own time, where it names one."""

    bid: Decimal
    ask: Decimal
    at_ms: int | None
    fingerprint: tuple[str, ...]  # all that moves in a living market: prices, sizes, volume


def symbol_of(name: str) -> Symbol:
    """Return BTCUSD for BTC/USD."""
    return Symbol(name.replace("/", "").upper())


def instrument(market: Mapping[str, Any]) -> Instrument | None:
    """Return a spot market's specification; None for what is no spot market, or not open."""
    name = str(market.get("symbol", ""))
    if not market.get("spot") or market.get("active") is False or "/" not in name or ":" in name:
        return None
    base, _, quote = name.partition("/")
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    known = KNOWN.get(symbol_of(name))
    step = _positive(precision.get("amount")) or (known.lot_step if known else SMALLEST)
    amounts = limits.get("amount") or {}
    tick = _positive(precision.get("price")) or (known.tick_size if known else None)
    if tick is None:
        return None
    step = _bookable(step, tick)
    return Instrument(
        symbol=symbol_of(name),
        description=known.description if known else f"{base} vs {quote}",
        asset_class=AssetClass.CRYPTO,
        base=base,
        quote_currency=quote,
        contract_size=Decimal(1),
        tick_size=tick,
        lot_step=step,
        lot_min=round_ceiling(max(_positive(amounts.get("min")) or step, step), step),
        lot_max=_positive(amounts.get("max")) or LOTS_MAX,
        calendar=CalendarName.ALWAYS,
        position_mode=PositionMode.NETTING,
        leverage=LEVERAGE,
    )


def _bookable(step: Decimal, tick: Decimal) -> Decimal:
    """Return the step, or ten, a hundred ... of it: money is booked in whole hundred millionths."""
    while not is_multiple(step * tick, SMALLEST):
        step *= 10
    return step


def said(ticker: Mapping[str, Any], *, tick: Decimal) -> Said | None:
    """Return a ticker's bid and ask on the grid, outwards; None where either is not a price."""
    bid, ask = _positive(ticker.get("bid")), _positive(ticker.get("ask"))
    if bid is None or ask is None:
        return None
    at = ticker.get("timestamp")
    names = ("bid", "bidVolume", "ask", "askVolume", "last", "baseVolume", "vwap")
    return Said(
        round_floor(bid, tick),
        round_ceiling(ask, tick),
        at if isinstance(at, int) and at > 0 else None,
        tuple(str(ticker.get(name)) for name in names),
    )


def decimals(row: Any) -> tuple[int, tuple[Decimal, Decimal, Decimal, Decimal], Decimal | None]:
    """Return a bar's start (ms), prices and volume; raise ValueError for what is no bar."""
    start, *numbers = list(row)
    prices = tuple(_positive(number) for number in numbers[:4])
    if not isinstance(start, int) or len(prices) != 4 or None in prices:
        raise ValueError("no bar")
    first, high, low, last = (price for price in prices if price is not None)
    if high < max(first, last) or low > min(first, last):
        raise ValueError("no bar: its extremes are within it")
    volume = _number(numbers[4]) if len(numbers) > 4 else None
    return start, (first, high, low, last), volume if volume is None or volume >= 0 else None


def _positive(value: object) -> Decimal | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
