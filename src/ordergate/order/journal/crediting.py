"""Whose a position's result is: those who opened it through the gate, by how much each opened."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ordergate.model.values import ZERO, PrincipalId


def shares(
    openers: Sequence[tuple[PrincipalId, Decimal]], *, of: Decimal
) -> list[tuple[PrincipalId, Decimal]]:
    """Split an amount among the openers of a position by the quantity each has filled into it."""
    whole = sum((quantity for _, quantity in openers), ZERO)
    if whole <= 0:  # nothing is known of the sizes: each bears an equal part
        return [(principal, of / len(openers)) for principal, _ in openers]
    return [(principal, of * quantity / whole) for principal, quantity in openers]
