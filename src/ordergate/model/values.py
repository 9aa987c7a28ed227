"""Named numbers and ids: what may be added to what, and how a number is read from text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final, NewType

Quantity = NewType("Quantity", Decimal)
Symbol = NewType("Symbol", str)
VenueName = NewType("VenueName", str)
AccountId = NewType("AccountId", str)
PrincipalId = NewType("PrincipalId", str)
OrderId = NewType("OrderId", str)
AttemptId = NewType("AttemptId", str)
TicketId = NewType("TicketId", str)
PositionId = NewType("PositionId", str)
VenueOrderId = NewType("VenueOrderId", str)
Tag = NewType("Tag", str)
IdempotencyKey = NewType("IdempotencyKey", str)

ZERO: Final = Decimal(0)
DIGITS_MAX: Final = 28
_PLAIN_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z", re.ASCII)


class NotANumber(ValueError):
    """The text is no plain decimal number."""


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies met without a conversion."""


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal such as "1.0851"; refuse exponents, spaces, signs, NaN and infinity."""
    if len(text) > DIGITS_MAX + 2 or not _PLAIN_DECIMAL.match(text):
        raise NotANumber(f"not a plain decimal number of at most {DIGITS_MAX} digits")
    return Decimal(text)


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros: 1E+2 -> "100"."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def is_multiple(number: Decimal, step: Decimal) -> bool:
    """Say whether `number` is a whole number of steps."""
    return number % step == ZERO


def round_down(number: Decimal, step: Decimal) -> Decimal:
    """Round towards zero to a whole number of steps (sizes)."""
    return (number / step).to_integral_value(ROUND_DOWN) * step


def round_floor(number: Decimal, step: Decimal) -> Decimal:
    """Round down to a whole number of steps."""
    return (number / step).to_integral_value(ROUND_FLOOR) * step


def round_ceiling(number: Decimal, step: Decimal) -> Decimal:
    """Round up to a whole number of steps."""
    return (number / step).to_integral_value(ROUND_CEILING) * step


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO code or crypto asset)."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def times(self, factor: Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def rounded(self, places: int = 2) -> Money:
        """Round half away from zero to `places` decimals, for display and booking."""
        return Money(self.amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), self.currency)

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount
