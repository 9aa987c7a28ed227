"""The venue's own words and numbers, and what they mean to us. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from ordergate.model.canonical import canonical
from ordergate.model.errors import Code
from ordergate.model.instruments import AssetClass, CalendarName, Instrument, PositionMode
from ordergate.model.outcomes import VenueRefusal
from ordergate.model.values import Symbol
from ordergate.sim.costs import RATE_SCALE

MONEY_SCALE: Final = 10**8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a definitive code means; `requote`: the price had moved on, a new attempt may follow."""

    code: Code
    meaning: str
    requote: bool = False


# Every code here is definitive: nothing was executed, nothing rests. No other code is ever sent.
REFUSALS: Final[dict[str, Refusal]] = {
    "REQUOTE": Refusal(Code.REQUOTE, "the price has moved", requote=True),
    "NO_PRICES": Refusal(Code.DATA_UNAVAILABLE, "no usable price for this symbol"),
    "MARKET_CLOSED": Refusal(Code.MARKET_CLOSED, "the market is closed"),
    "SYMBOL_NOT_FOUND": Refusal(Code.SYMBOL_NOT_FOUND, "no such symbol"),
    "ACCOUNT_MISMATCH": Refusal(Code.REJECTED_BY_SERVER, "not this account"),
    "INVALID_VOLUME": Refusal(Code.INVALID_VOLUME, "the size is not tradable"),
    "INVALID_PRICE": Refusal(Code.INVALID_PRICE, "a price is missing, off the tick or not allowed"),
    "INVALID_STOPS": Refusal(Code.INVALID_STOPS, "stop or target on the wrong side or too near"),
    "INVALID_EXPIRY": Refusal(Code.INVALID_ARGUMENT, "the order would end before it begins"),
    "INVALID_FILLING": Refusal(Code.NOT_SUPPORTED, "this kind of order cannot be IOC or FOK"),
    "INVALID_SIDE": Refusal(Code.REJECTED_BY_SERVER, "a close trades against its position"),
    "INSUFFICIENT_MARGIN": Refusal(Code.INSUFFICIENT_MARGIN, "not enough free margin"),
    "POSITION_CLOSED": Refusal(Code.REJECTED_BY_SERVER, "there is no such position to reduce"),
    "OVER_CLOSE": Refusal(Code.EXCEEDS_POSITION, "more than the position holds"),
    "UNKNOWN_ORDER": Refusal(Code.RESOURCE_NOT_FOUND, "no such order"),
    "ORDER_CLOSED": Refusal(Code.REJECTED_BY_SERVER, "the order has ended"),
    "GROUP_SPENT": Refusal(Code.REJECTED_BY_SERVER, "another order of the OCO group was executed"),
    "DUPLICATE_TAG": Refusal(Code.DUPLICATE_ORDER, "this tag was used before; look it up"),
    "NOT_OFFERED": Refusal(Code.NOT_SUPPORTED, "this venue does not offer it"),
    "REJECTED": Refusal(Code.REJECTED_BY_SERVER, "refused"),
}


def refusal(code: str, reason: str = "") -> VenueRefusal:
    """Return the refusal to raise for a code of the table; a code outside of it is a KeyError."""
    known = REFUSALS[code]
    return VenueRefusal(code, reason or known.meaning, requote=known.requote)


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    return _EPOCH + at * _MICROSECOND


def money(amount: Decimal) -> int:
    """Return an amount of money as the venue counts it."""
    return _whole(amount * MONEY_SCALE)


def amount(money_: int) -> Decimal:
    return Decimal(money_) / MONEY_SCALE


def rate(value: Decimal) -> int:
    return _whole(value * RATE_SCALE)


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Spec:
    """An instrument in the venue's integers."""

    instrument: Instrument
    tick_value: int  # money of one tick of one lot step, quote currency
    commission_per_step: int
    swap_long_per_step: int
    swap_short_per_step: int
    steps_min: int
    steps_max: int
    triple_weekday: int
    every_night: int

    @property
    def symbol(self) -> Symbol:
        return self.instrument.symbol

    @property
    def netting(self) -> bool:
        return self.instrument.position_mode is PositionMode.NETTING

    def ticks(self, price: Decimal) -> int | None:
        """Return a price as ticks; None when it is not a positive whole number of them."""
        if not price.is_finite() or price <= 0:
            return None
        ticks, rest = divmod(price, self.instrument.tick_size)
        return None if rest else int(ticks)

    def bid_ticks(self, price: Decimal) -> int:
        return int((price / self.instrument.tick_size).to_integral_value(ROUND_FLOOR))

    def ask_ticks(self, price: Decimal) -> int:
        return int((price / self.instrument.tick_size).to_integral_value(ROUND_CEILING))

    def steps(self, quantity: Decimal) -> int | None:
        """Return a size as lot steps; None when it is not a positive whole number of them."""
        if not quantity.is_finite() or quantity <= 0:
            return None
        steps, rest = divmod(quantity, self.instrument.lot_step)
        return None if rest else int(steps)

    def price(self, ticks: int) -> Decimal:
        return ticks * self.instrument.tick_size

    def price_or_none(self, ticks: int) -> Decimal | None:
        return ticks * self.instrument.tick_size if ticks else None

    def quantity(self, steps: int) -> Decimal:
        return steps * self.instrument.lot_step

    def average(self, cost: int, steps: int) -> Decimal:
        """Return cost / steps as a price, to a thousandth of a tick."""
        whole, rest = divmod(cost, steps)
        if not rest:
            return self.price(whole)
        thousandths = (Decimal(cost * 1000) / steps).to_integral_value(ROUND_HALF_UP)
        return thousandths * self.instrument.tick_size / 1000


class TooFine(ValueError):
    """One tick of one lot step is worth less than the venue's money can count."""


# Which night stands for the weekend (quant.md section 4, rule 6); crypto pays every night.
_WEDNESDAY: Final = 2
_FRIDAY: Final = 4
_TRIPLE: Final = {
    AssetClass.FX: _WEDNESDAY,
    AssetClass.METAL: _WEDNESDAY,
    AssetClass.INDEX: _FRIDAY,
    AssetClass.ENERGY: _FRIDAY,
    AssetClass.EQUITY: _FRIDAY,
    AssetClass.CRYPTO: _FRIDAY,
}


def spec_of(instrument: Instrument) -> Spec:
    """Return an instrument in integers; raise TooFine where they cannot hold it exactly."""
    lot_step_tick = instrument.contract_size * instrument.tick_size * instrument.lot_step
    tick_value = lot_step_tick * MONEY_SCALE
    if tick_value != tick_value.to_integral_value():
        raise TooFine(f"{instrument.symbol}: tick {instrument.tick_size}")
    return Spec(
        instrument=instrument,
        tick_value=int(tick_value),
        commission_per_step=money(instrument.commission_per_lot * instrument.lot_step),
        swap_long_per_step=_whole(tick_value * instrument.swap_long_ticks),
        swap_short_per_step=_whole(tick_value * instrument.swap_short_ticks),
        steps_min=int(instrument.lot_min / instrument.lot_step),
        steps_max=int(instrument.lot_max / instrument.lot_step),
        triple_weekday=_TRIPLE[instrument.asset_class],
        every_night=1 if instrument.calendar is CalendarName.ALWAYS else 0,
    )


def same_units(one: Instrument, other: Instrument) -> bool:
    """Say whether numbers kept under one specification mean the same under the other."""
    return (
        one.tick_size == other.tick_size
        and one.lot_step == other.lot_step
        and one.contract_size == other.contract_size
        and one.quote_currency == other.quote_currency
        and one.position_mode is other.position_mode
    )


def encode_instrument(instrument: Instrument) -> str:
    return canonical(instrument)


def decode_instrument(text: str) -> Instrument:
    """Read what `encode_instrument` wrote."""
    fields = json.loads(text)
    for name in _DECIMALS:
        fields[name] = Decimal(fields[name])
    fields["asset_class"] = AssetClass(fields["asset_class"])
    fields["calendar"] = CalendarName(fields["calendar"])
    fields["position_mode"] = PositionMode(fields["position_mode"])
    return Instrument(**fields)


_DECIMALS: Final = (
    "contract_size",
    "tick_size",
    "lot_step",
    "lot_min",
    "lot_max",
    "commission_per_lot",
    "swap_long_ticks",
    "swap_short_ticks",
)
