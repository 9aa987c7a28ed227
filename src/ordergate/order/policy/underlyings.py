"""What shares its risk with what: only what the operator confirmed, never a guess from a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.records import UnderlyingRecord
from ordergate.model.values import Symbol

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:#+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Underlyings:
    """The confirmed names in force; a word about one venue comes before one about all."""

    confirmed: tuple[UnderlyingRecord, ...] = ()

    def of(self, symbol: Symbol, *, venue: str, shipped: str = "") -> str:
        """Return what a symbol shares its risk with: itself, where nobody confirmed anything."""
        for where in (venue, ""):
            for row in self.confirmed:
                if row.name == symbol and row.venue == where:
                    return row.underlying
        return shipped or symbol

    def aliases(self, underlying: str) -> frozenset[str]:
        """Return every name that was confirmed to be the same thing, its own name with them."""
        return frozenset(
            {underlying, *(row.name for row in self.confirmed if row.underlying == underlying)}
        )


def sound(name: str, underlying: str, *, standing: Iterable[UnderlyingRecord], venue: str) -> None:
    """Raise InvalidArgument for a pair that could not be told apart from a mistake."""
    for word in (name, underlying):
        if not _NAME.fullmatch(word):
            raise InvalidArgument(
                f"{word[:64]!r} is no symbol", fix="write NAME=UNDERLYING, such as GOLD=XAUUSD"
            )
    rows = tuple(standing)
    if name == underlying:
        raise InvalidArgument(
            f"{name} stands for itself already", fix="name the symbol and what it shares risk with"
        )
    if any(row.name == underlying for row in rows):
        raise InvalidArgument(
            f"{underlying} is itself confirmed to be something else",
            fix="name what it stands for, so that no chain has to be followed",
        )
    if any(row.underlying == name for row in rows):
        raise InvalidArgument(
            f"other names stand for {name}", fix="remove those first, then confirm them anew"
        )
    if any((row.name, row.venue) == (name, venue) for row in rows):
        raise InvalidArgument(f"{name} is confirmed already", fix="remove it first")
