"""What a trade earns and costs: profit, conversion, commission, swap. Integers in, integers out.

Units: prices in ticks, sizes in lot steps, money in integer fractions of a currency (10^-8 in the
paper venue), side +1 long, -1 short. `tick_value` is the money one tick of one lot step is worth
in the quote currency. A rate is an integer over `RATE_SCALE`. Rules: quant.md section 4, 6 to 8.
"""

from __future__ import annotations

from ordergate.sim.rounding import half_away, scaled, to_grid

RATE_SCALE = 1_000_000_000


def profit(side: int, cost: int, close: int, steps: int, tick_value: int) -> int:
    """Return the profit in the quote currency of `steps` bought or sold for `cost`.

    `cost` is the sum of entry price x steps (ticks x steps), so that an average entry price between
    two ticks loses nothing.
    """
    return side * (close * steps - cost) * tick_value


def cost_share(cost: int, steps: int, part: int) -> int:
    """Return the part of `cost` that leaves with `part` of `steps`; all of it with the last."""
    if part == steps:
        return cost
    return half_away(cost * part, steps)


def converted(amount: int, rate: int) -> int:
    """Return an amount in the account currency, at `rate` / RATE_SCALE (rule 8)."""
    return scaled(amount, rate, RATE_SCALE)


def booked(amount: int, rate: int, grid: int) -> int:
    """Return a deal's amount as booked: converted, rounded to the account's digits (rule 7).

    `grid` is the money of one smallest unit of the account, e.g. one cent.
    """
    return to_grid(converted(amount, rate), grid)


def commission(steps: int, per_step: int) -> int:
    """Return a deal's commission in the quote currency: per lot step and side (rule 7)."""
    return steps * per_step


def swap(steps: int, per_step: int, nights: int) -> int:
    """Return the swap of one rollover in the quote currency, as credited (rule 6).

    `per_step` is the credit of one night for one lot step (negative = a cost); `nights` is the
    rollover's weight.
    """
    return steps * per_step * nights


def nights(weekday: int, triple: int, every_day: int) -> int:
    """Return the weight of the rollover that ends `weekday` (0 = Monday): a full week sums to 7.

    `triple` is the weekday that stands for the weekend (FX: 2, many CFDs: 4); with `every_day` 1
    the market never closes and each night counts once.
    """
    if every_day:
        return 1
    if weekday > 4:
        return 0
    return 3 if weekday == triple else 1


def fee(steps: int, per_step: int, notional: int, rate_ppb: int, least: int) -> int:
    """Return a deal's commission in the quote currency: per step, plus a rate of the notional.

    `rate_ppb` is in 10^-9 of the notional; `least` is charged at least.
    """
    total = commission(steps, per_step)
    if rate_ppb != 0:
        total += scaled(notional, rate_ppb, RATE_SCALE)
    return max(total, least)
