"""Integer rounding, one function per purpose; the same in Python and compiled.

All arguments are integers, denominators are positive. Python's `round` is half-even: never used.
"""

from __future__ import annotations


def half_away(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half away from zero (money)."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((-2 * numerator + denominator) // (2 * denominator))


def floor(numerator: int, denominator: int) -> int:
    """Return the greatest integer not above numerator / denominator (sizes, bids)."""
    return numerator // denominator


def ceiling(numerator: int, denominator: int) -> int:
    """Return the least integer not below numerator / denominator (margins, asks)."""
    return -(-numerator // denominator)


def to_grid(amount: int, step: int) -> int:
    """Return `amount` rounded half away from zero to a whole number of `step` (account digits)."""
    return half_away(amount, step) * step


def scaled(amount: int, factor: int, scale: int) -> int:
    """Return amount x factor / scale, half away from zero, without a wide product.

    Splits `amount` at `scale`, so that no intermediate passes |amount / scale| x factor or
    scale x factor: below 2^62 for amounts to 10^18, rates to 10^9 and a scale of 10^9.
    """
    if amount < 0:
        return -scaled_up(-amount, factor, scale)
    return scaled_up(amount, factor, scale)


def scaled_up(amount: int, factor: int, scale: int) -> int:
    """Do `scaled` for amounts that are not negative."""
    whole = amount // scale
    rest = amount - whole * scale
    return whole * factor + half_away(rest * factor, scale)
