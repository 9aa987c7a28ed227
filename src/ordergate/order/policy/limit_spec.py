"""One limit: its row in the table, how it is declared, read from a file, and written."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.values import NotANumber, parse_decimal, plain

Value = Decimal | bool | tuple[str, ...]
SYMBOLS_MAX: Final = 1000


class Stricter(enum.StrEnum):
    """Which way a limit gets stricter."""

    LOWER = "lower"
    HIGHER = "higher"
    FEWER = "fewer"  # symbols that are let through
    MORE = "more"  # symbols that are kept out


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSpec:
    """One row of the table of limits."""

    name: str  # as in ordergate.toml: "limits.daily_loss_fraction"
    attribute: str
    unit: str
    meaning: str
    default: Value
    stricter: Stricter
    agents_may_tighten: bool
    least: Decimal
    most: Decimal
    whole: bool

    @property
    def table(self) -> str:
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        return self.name.partition(".")[2]


def number(default: str, unit: str, meaning: str, **row: Any) -> Any:
    """Declare a limit by number; `least` and `most` bound what may be written."""
    row = {"least": "0.000001", "most": "1000000000000", "whole": False, **row}
    return _declared(Decimal(default), unit, meaning, row)


def count(default: int, meaning: str, **row: Any) -> Any:
    row = {"least": "1", "most": "1000000", "whole": True, **row}
    return _declared(Decimal(default), row.pop("unit", "orders"), meaning, row)


def shock(default: str, of: str) -> Any:
    """Declare a shock of the stress loss: the larger it is, the less may be held."""
    meaning = f"Shock of the stress loss: {of}"
    return number(default, "of the price", meaning, stricter=Stricter.HIGHER, most="1")


def switch(default: bool, meaning: str, stricter: Stricter) -> Any:
    row = {"stricter": stricter, "least": "0", "most": "1", "whole": True}
    return _declared(default, "true or false", meaning, row)


def symbols(default: tuple[str, ...], meaning: str, stricter: Stricter) -> Any:
    row = {"stricter": stricter, "least": "0", "most": "0", "whole": True, "agents": False}
    return _declared(default, "symbols", meaning, row)


def _declared(default: Value, unit: str, meaning: str, row: Mapping[str, Any]) -> Any:
    return field(
        default=default, metadata={"default": default, "unit": unit, "meaning": meaning, **row}
    )


def shown(value: Value) -> str:
    """Write a limit as it stands in ordergate.toml."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{symbol}"' for symbol in value) + "]"
    return plain(value)


def parsed(spec: LimitSpec, raw: Any) -> Value:
    if isinstance(spec.default, bool):
        if not isinstance(raw, bool):
            raise InvalidArgument(f"{spec.name} must be true or false.")
        return raw
    if isinstance(spec.default, tuple):
        return _symbol_list(spec, raw)
    number = _decimal(spec, raw)
    if not spec.least <= number <= spec.most:
        raise InvalidArgument(
            f"{spec.name} must be from {plain(spec.least)} to {plain(spec.most)} ({spec.unit})."
        )
    if spec.whole and number != number.to_integral_value():
        raise InvalidArgument(f"{spec.name} must be a whole number.")
    return number


def _decimal(spec: LimitSpec, raw: Any) -> Decimal:
    if isinstance(raw, Decimal) and raw.is_finite():
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Decimal(raw)
    if isinstance(raw, str):
        try:
            return parse_decimal(raw)
        except NotANumber:
            pass
    raise InvalidArgument(f"{spec.name} must be a plain number ({spec.unit}).")


def _symbol_list(spec: LimitSpec, raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple) or len(raw) > SYMBOLS_MAX:
        raise InvalidArgument(f"{spec.name} must be a list of at most {SYMBOLS_MAX} symbols.")
    if not all(isinstance(symbol, str) and 0 < len(symbol) <= 64 for symbol in raw):
        raise InvalidArgument(f"{spec.name} must hold symbols only.")
    return tuple(raw)
