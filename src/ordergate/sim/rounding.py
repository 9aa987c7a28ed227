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

    Splits `amount` and `factor` at `scale`, so that no intermediate passes the result, twice
    scale x scale or |factor / scale| x scale: below 2^62 for a scale of 10^9 wherever the result
    is below it.
    """
    if factor == scale:
        return amount
    if amount < 0:
        return -scaled_up(-amount, factor, scale)
    return scaled_up(amount, factor, scale)


def scaled_up(amount: int, factor: int, scale: int) -> int:
    """Do `scaled` for amounts that are not negative."""
    whole = amount // scale
    rest = amount - whole * scale
    times = factor // scale
    share = factor - times * scale
    return whole * factor + rest * times + half_away(rest * share, scale)
