"""The tally: a balance and holdings that executions and the venue's lines of cash must explain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import CashKind, CashLine, Position, VenueSnapshot
from ordergate.model.canonical import canonical
from ordergate.model.orders import Side
from ordergate.model.outcomes import Fill
from ordergate.model.values import ZERO

CENT: Final = Decimal("0.01")  # what a venue may round away on every line it books


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What an account stood at when it last added up, and the last rows that were counted."""

    balance: Decimal
    holdings: Mapping[str, Decimal] = field(default_factory=dict)  # net lots by symbol
    fills: int = 0
    cash: int = 0

    def text(self) -> str:
        return canonical(
            {
                "balance": str(self.balance),
                "holdings": {symbol: str(lots) for symbol, lots in self.holdings.items()},
                "fills": self.fills,
                "cash": self.cash,
            }
        )

    @staticmethod
    def read(text: str) -> Tally:
        """Read what `text` wrote."""
        kept = json.loads(text)
        return Tally(
            balance=Decimal(kept["balance"]),
            holdings={symbol: Decimal(lots) for symbol, lots in kept["holdings"].items()},
            fills=kept["fills"],
            cash=kept["cash"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference that no execution and no line of cash explains."""

    what: str  # "balance", or the symbol whose holding differs
    expected: Decimal
    found: Decimal


def taken(snapshot: VenueSnapshot, *, fills: int, cash: int) -> Tally:
    """Return the tally of an account as it stands now."""
    return Tally(
        balance=snapshot.account.balance,
        holdings=held(snapshot.positions),
        fills=fills,
        cash=cash,
    )


def held(positions: Iterable[Position]) -> dict[str, Decimal]:
    """Return the net lots of every symbol; long and short of one symbol are set off."""
    lots: dict[str, Decimal] = {}
    for position in positions:
        signed = position.quantity if position.side is Side.BUY else -position.quantity
        lots[position.symbol] = lots.get(position.symbol, ZERO) + signed
    return {symbol: net for symbol, net in lots.items() if net}


def drifts(
    before: Tally, snapshot: VenueSnapshot, *, fills: Iterable[Fill], cash: Iterable[CashLine]
) -> tuple[Drift, ...]:
    """Return what the executions and lines booked since `before` do not explain."""
    balance, holdings, booked = before.balance, dict(before.holdings), 0
    for fill in fills:
        balance += fill.realised - fill.commission
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        holdings[fill.symbol] = holdings.get(fill.symbol, ZERO) + signed
        booked += 1
    for line in cash:
        balance += line.amount
        if line.symbol is not None and line.quantity:
            holdings[line.symbol] = holdings.get(line.symbol, ZERO) + line.quantity
        booked += 1
    found, stands = [], snapshot.account.balance
    if abs(stands - balance) > CENT * booked:
        found.append(Drift(what="balance", expected=balance, found=stands))
    now = held(snapshot.positions)
    for symbol in sorted(holdings.keys() | now.keys()):
        wanted, there = holdings.get(symbol, ZERO), now.get(symbol, ZERO)
        if wanted != there:
            found.append(Drift(what=symbol, expected=wanted, found=there))
    return tuple(found)


def unclassed(cash: Iterable[CashLine]) -> tuple[CashLine, ...]:
    """Return the lines whose kind is none we know: nobody can say what they mean for the book."""
    return tuple(line for line in cash if line.kind is CashKind.OTHER)
