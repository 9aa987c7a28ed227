"""Margin, margin level and stop-out. Integers in, integers out (quant.md section 4, rule 9).

Money is in integer fractions of the account currency.
"""

from __future__ import annotations

from ordergate.sim.rounding import ceiling


def required(notional: int, leverage: int) -> int:
    """Return the margin of a notional, rounded up."""
    return ceiling(notional, leverage)


def hedged(long_margin: int, short_margin: int) -> int:
    """Return the margin of one symbol's longs and shorts together: the larger leg."""
    return max(long_margin, short_margin)


def free(equity: int, used: int) -> int:
    return equity - used


def covers(equity: int, used_after: int) -> int:
    """Say (1 or 0) whether the equity covers the margin a new order would bring."""
    return 1 if equity >= used_after else 0


def stop_out(equity: int, used: int, level: int, scale: int) -> int:
    """Say (1 or 0) whether equity / used is at or below level / scale; never without margin."""
    if used <= 0:
        return 0
    return 1 if equity * scale <= used * level else 0


def worst_first(profits: tuple[int, ...]) -> int:
    """Return the index of the position that loses most: the first to be stopped out."""
    index = 0
    for i in range(len(profits)):
        if profits[i] < profits[index]:
            index = i
    return index
