"""What one principal has open and at stake: its positions and all of its that may still fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ordergate.model.accounts import Position
from ordergate.model.records import Reservation
from ordergate.model.values import ZERO, PrincipalId, Symbol

Openers = Sequence[tuple[PrincipalId, Decimal]]  # of one position: who, and the quantity filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One principal's use of the account, account currency; None = a price is missing."""

    exposure: Decimal | None  # value of its positions, at market, and of its pending openings
    open_result: Decimal | None  # of its positions, whatever day they were opened


def budget_of(
    principal: PrincipalId,
    *,
    positions: Iterable[tuple[Position, Openers, Decimal | None]],
    pending: Iterable[Reservation],
) -> Budget:
    """Add up a principal's part of each position and what its claims hold; each with lot's worth.

    Of a netted position that several built, each is counted with all it filled into it, and at
    most with all that is left of it.
    """
    exposure: Decimal | None = sum((row.notional for row in pending), ZERO)
    result: Decimal | None = ZERO
    for position, openers, lot in positions:
        mine = sum((quantity for who, quantity in openers if who == principal), ZERO)
        if mine <= 0 or position.quantity <= 0:
            continue
        mine = min(mine, position.quantity)
        worth = _times(lot, position.current_price)
        exposure = _plus(exposure, _times(worth, mine))
        part = _times(position.open_pnl, mine)
        result = _plus(result, None if part is None else part / position.quantity)
    return Budget(exposure=exposure, open_result=result)


def gather(
    positions: Iterable[Position],
    openers: Mapping[str, Openers],
    lots: Mapping[Symbol, Decimal | None],
) -> list[tuple[Position, Openers, Decimal | None]]:
    """Return each position with those who opened it and what a lot of it is worth per price."""
    return [(row, openers.get(row.position_id, ()), lots[row.symbol]) for row in positions]


def _times(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one * other


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
