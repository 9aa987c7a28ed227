"""Does an order fill on a slice of market, and at what price. Integers in, integers out.

Shapes and units, for every function here:
- prices, limits, stops, distances, slippage: integer ticks; 0 = not set
- side: +1 buys, -1 sells, of the ORDER; a position's exit has the opposite side of the position
- bar: (open, high, low, close), the prices at which an order of that side would trade: the ask
  for a buy, the bid for a sell (`executable`); a tick is a bar with four equal prices
- basis: 0 = bid and ask are known, 1 = trade prices only
Rules: quant.md section 4, numbers 2 to 5. Plain functions without objects, strings or exceptions:
the backtest compiles this same source (quant.md section 2).
"""

from __future__ import annotations

from ordergate.sim.rounding import ceiling, floor

BUY = 1
SELL = -1

ON_BID_ASK = 0
ON_TRADES = 1

NOTHING = 0
STOP_LOSS = 1
TAKE_PROFIT = 2

PARTS_PER_MILLION = 1_000_000


def executable(
    side: int, bid: tuple[int, int, int, int], ask: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return the bar an order of `side` trades on: buys at the ask, sells at the bid (rule 2)."""
    if side > 0:
        return ask
    return bid


def only_close(bar: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the bar's end alone, for an order that was placed while the bar ran (rule 1)."""
    return (bar[3], bar[3], bar[3], bar[3])


def adverse(side: int, price: int, slippage: int) -> int:
    """Return the price moved `slippage` ticks against the order (rule 3: adverse only)."""
    return price + side * slippage


def market_price(side: int, bar: tuple[int, int, int, int], slippage: int) -> int:
    """Return what a market order pays: the first price it meets, slipped."""
    return adverse(side, bar[0], slippage)


def reaches(side: int, limit: int, price: int, basis: int) -> int:
    """Say (1 or 0) whether a limit is executable at `price`.

    On bid/ask data at the limit or better; on trade prices one tick better (rule 4).
    """
    if side > 0:
        return 1 if price <= limit - basis else 0
    return 1 if price >= limit + basis else 0


def best(side: int, bar: tuple[int, int, int, int]) -> int:
    """Return the bar's best price for an order of `side`."""
    return bar[2] if side > 0 else bar[1]


def worst(side: int, bar: tuple[int, int, int, int]) -> int:
    """Return the bar's worst price for an order of `side`."""
    return bar[1] if side > 0 else bar[2]


def arriving_limit(side: int, limit: int, touch: int, basis: int) -> tuple[int, int]:
    """Return (filled, price) of a limit that has just arrived: at the market when marketable."""
    if reaches(side, limit, touch, basis):
        return 1, touch
    return 0, 0


def resting_limit(
    side: int, limit: int, bar: tuple[int, int, int, int], basis: int
) -> tuple[int, int]:
    """Return (filled, price) of a resting limit: at its limit, through a gap too (rule 4)."""
    if reaches(side, limit, best(side, bar), basis):
        return 1, limit
    return 0, 0


def touched(side: int, trigger: int, price: int) -> int:
    """Say (1 or 0) whether `price` triggers a stop: at or beyond it, against the order."""
    return 1 if side * (price - trigger) >= 0 else 0


def stop(side: int, trigger: int, bar: tuple[int, int, int, int], slippage: int) -> tuple[int, int]:
    """Return (filled, price) of a stop order.

    Opened beyond the trigger: the open, never the trigger (rule 4); reached inside: the trigger.
    Both slipped.
    """
    if touched(side, trigger, bar[0]):
        return 1, adverse(side, bar[0], slippage)
    if touched(side, trigger, worst(side, bar)):
        return 1, adverse(side, trigger, slippage)
    return 0, 0


def stop_limit(
    side: int, trigger: int, limit: int, bar: tuple[int, int, int, int], basis: int
) -> tuple[int, int, int]:
    """Return (triggered, filled, price) of a stop-limit order within one bar.

    Once triggered it is an arriving limit at the price that triggered it. Prices that came before
    the trigger cannot fill it: after a trigger inside the bar only the close is known to be later.
    """
    if touched(side, trigger, bar[0]):
        filled, price = arriving_limit(side, limit, bar[0], basis)
        if filled:
            return 1, 1, price
        filled, price = resting_limit(side, limit, bar, basis)
        return 1, filled, price
    if not touched(side, trigger, worst(side, bar)):
        return 0, 0, 0
    filled, price = arriving_limit(side, limit, trigger, basis)
    if filled:
        return 1, 1, price
    if reaches(side, limit, bar[3], basis):
        return 1, 1, limit
    return 1, 0, 0


def trail_from(side: int, price: int, distance: int, ppm: int) -> int:
    """Return the stop that trails `price`: by `distance` ticks, or by `ppm` millionths of it.

    A percentage is rounded away from the market, so that it never trails closer than asked.
    """
    if distance > 0:
        return price + side * distance
    if side > 0:
        return ceiling(price * (PARTS_PER_MILLION + ppm), PARTS_PER_MILLION)
    return floor(price * (PARTS_PER_MILLION - ppm), PARTS_PER_MILLION)


def ratchet(side: int, level: int, candidate: int) -> int:
    """Return the stop after a move: nearer to the market or where it was, never farther."""
    if level == 0:
        return candidate
    if side > 0:
        return min(level, candidate)
    return max(level, candidate)


def trailing_stop(
    side: int,
    level: int,
    distance: int,
    ppm: int,
    bar: tuple[int, int, int, int],
    slippage: int,
) -> tuple[int, int, int]:
    """Return (filled, price, new level) of a trailing stop; level 0 = it starts with this bar.

    Order of work: gap at the open, ratchet on the open, stop inside the bar, ratchet on the best
    price, then the close, which alone is known to come after that best price.
    """
    if level != 0 and touched(side, level, bar[0]):
        return 1, adverse(side, bar[0], slippage), level
    level = ratchet(side, level, trail_from(side, bar[0], distance, ppm))
    if touched(side, level, worst(side, bar)):
        return 1, adverse(side, level, slippage), level
    level = ratchet(side, level, trail_from(side, best(side, bar), distance, ppm))
    if touched(side, level, bar[3]):
        return 1, adverse(side, level, slippage), level
    return 0, 0, level


def protective(
    side: int,
    stop_loss: int,
    take_profit: int,
    bar: tuple[int, int, int, int],
    basis: int,
    slippage: int,
) -> tuple[int, int, int]:
    """Return (reason, price, ambiguous) of a position's stop and target.

    `side` and `bar` are those of the exit: a long is stopped on the bid, a short on the ask
    (rule 2). The open decides first; inside the bar the stop comes first, and `ambiguous` is 1
    when both lay within it (rule 5). The target fills at its own price (rule 4).
    """
    if stop_loss != 0 and touched(side, stop_loss, bar[0]):
        return STOP_LOSS, adverse(side, bar[0], slippage), 0
    if take_profit != 0 and reaches(side, take_profit, bar[0], basis):
        return TAKE_PROFIT, take_profit, 0
    target = 0
    if take_profit != 0:
        target = reaches(side, take_profit, best(side, bar), basis)
    if stop_loss != 0 and touched(side, stop_loss, worst(side, bar)):
        return STOP_LOSS, adverse(side, stop_loss, slippage), target
    if target:
        return TAKE_PROFIT, take_profit, 0
    return NOTHING, 0, 0


def after_entry(
    side: int, entry: int, by_limit: int, bar: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return what of the exit's bar counts after an entry inside it (rule 4: alive at once).

    `side` is the exit's. An entry by limit came against the position, so the bar's best price may
    lie before it: only the close counts as a gain. An entry by stop came with the position: its
    best price comes later. The bar's worst price counts either way (the careful reading).
    """
    if side < 0:
        opened = min(bar[0], entry) if by_limit else max(bar[0], min(entry, bar[1]))
        high = max(opened, bar[3]) if by_limit else bar[1]
        return (opened, high, bar[2], bar[3])
    opened = max(bar[0], entry) if by_limit else min(bar[0], max(entry, bar[2]))
    low = min(opened, bar[3]) if by_limit else bar[2]
    return (opened, bar[1], low, bar[3])


def capped(steps: int, cap: int) -> int:
    """Return how many steps may fill on one slice; cap 0 = all (rule 11)."""
    if cap == 0:
        return steps
    return min(steps, cap)
