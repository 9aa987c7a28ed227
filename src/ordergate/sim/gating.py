"""The gate's rules on one opening order, in integers: the same answers as `order.policy`.

Of the checklist these are the ones that an order, its stop and the equity decide alone: C19 a stop,
C19 its worth, C2 size, C3 value and risk. A test holds them against the real rules.
"""

from __future__ import annotations

from ordergate.sim.costs import converted
from ordergate.sim.dealing import equity_now, rate_at
from ordergate.sim.layout import (
    G_NOTIONAL,
    G_NOTIONAL_MAX,
    G_REWARD,
    G_RISK,
    G_STEPS,
    G_STOP,
    GATED,
    R_NOTIONAL,
    R_NOTIONAL_MAX,
    R_QUANTITY,
    R_REWARD,
    R_RISK,
    R_STOP_REQUIRED,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    TICK_VALUE,
    Run,
)

PPM = 1_000_000
ALLOWED = -1


def part(amount: int, ppm: int) -> int:
    """Return millionths of an amount, rounded down, without a wide product."""
    return amount // PPM * ppm + amount % PPM * ppm // PPM


def gated(run: Run, event: int, symbol: int, asked: tuple[int, int, int, int, int]) -> int:
    """Return why the gate refuses an order, ALLOWED where it does not.

    asked = side, steps, the price it would pay, stop, target. In the order of the checklist.
    """
    if run.terms[GATED] == 0:
        return ALLOWED
    side, steps, price, stop, target = asked
    terms = SYMBOLS_AT + symbol * SYMBOL_WIDTH
    if stop == 0 and run.terms[terms + G_STOP] == 1:
        return R_STOP_REQUIRED
    away, reward = side * (price - stop), side * (target - price)
    if stop != 0 and target != 0 and away > 0 and reward * PPM < run.terms[G_REWARD] * away:
        return R_REWARD
    if steps > run.terms[terms + G_STEPS]:
        return R_QUANTITY
    rate = rate_at(run, event, symbol)
    each = steps * run.terms[terms + TICK_VALUE]
    notional = converted(price * each, rate)
    equity = equity_now(run, event)
    if notional > part(equity, run.terms[G_NOTIONAL]):
        return R_NOTIONAL
    if notional > run.terms[G_NOTIONAL_MAX]:
        return R_NOTIONAL_MAX
    if stop != 0 and converted(away * each, rate) > part(equity, run.terms[G_RISK]):
        return R_RISK
    return ALLOWED
