"""What positions are worth and what they tie up, in the account's currency.

Margin: Forex = lots x contract size / leverage in the margin currency; CFD with leverage = lots x
contract size x price / leverage (MetaTrader 5 help, "Margin calculation: retail forex, futures").
A gain is converted at the worse side of the spread, a loss too: that is why a terminal shows a
tick value of profit and one of loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from ordergate.sim import costs, margin
from ordergate.sim.rounding import half_away, to_grid
from ordergate.testing.mt5.book import MONEY, AccountTerms, PositionRow, TickRow
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.specs import Spec


class Money:
    """Values in integer parts of the account currency; None where a price is missing."""

    def __init__(
        self, terms: AccountTerms, specs: Mapping[str, Spec], ticks: Mapping[str, TickRow]
    ) -> None:
        self._terms = terms
        self._specs = specs
        self._ticks = ticks
        self.grid = MONEY // 10**terms.currency_digits

    def tick_value(self, spec: Spec) -> int:
        """Return the money of one point of one step, in the profit currency."""
        return half_away(spec.contract_size * MONEY, spec.steps_per_lot * spec.scale)

    def rate(self, base: str, quote: str, *, gain: bool) -> Fraction | None:
        """Return what one unit of `base` is worth in `quote`: sold as a gain, bought as a loss."""
        direct = self._pair(base, quote, gain=gain)
        if direct is not None or "USD" in (base, quote):
            return direct
        to_usd = self._pair(base, "USD", gain=gain)
        from_usd = self._pair("USD", quote, gain=gain)
        return None if to_usd is None or from_usd is None else to_usd * from_usd

    def _pair(self, base: str, quote: str, *, gain: bool) -> Fraction | None:
        if base == quote:
            return Fraction(1)
        tick, spec = self._ticks.get(base + quote), self._specs.get(base + quote)
        if tick is not None and spec is not None:
            return Fraction(tick.bid if gain else tick.ask, spec.scale)
        tick, spec = self._ticks.get(quote + base), self._specs.get(quote + base)
        if tick is not None and spec is not None:
            return Fraction(spec.scale, tick.ask if gain else tick.bid)
        return None

    def converted(self, amount: int, currency: str) -> int | None:
        """Return an amount in the account's currency, rounded to its digits."""
        rate = self.rate(currency, self._terms.currency, gain=amount >= 0)
        if rate is None:
            return None
        return to_grid(half_away(amount * rate.numerator, rate.denominator), self.grid)

    def profit(self, spec: Spec, side: int, cost: int, close: int, steps: int) -> int | None:
        """Return what closing `steps` bought or sold for `cost` (points x steps) would book."""
        raw = costs.profit(side, cost, close, steps, self.tick_value(spec))
        return self.converted(raw, spec.profit)

    def open_profit(self, position: PositionRow) -> int:
        spec, tick = self._specs[position.symbol], self._ticks.get(position.symbol)
        if tick is None:
            return 0
        close = tick.bid if position.side > 0 else tick.ask
        return self.profit(spec, position.side, position.cost, close, position.steps) or 0

    def margin(self, spec: Spec, side: int, steps: int, price: int) -> int | None:
        """Return what `steps` at `price` (points) tie up."""
        leverage = spec.leverage or self._terms.leverage
        units = Fraction(steps * spec.contract_size * MONEY, spec.steps_per_lot)
        if spec.calc_mode == K.SYMBOL_CALC_MODE_FOREX:
            rate = self._margin_rate(spec, side, price)
        else:
            rate = self.rate(spec.margin, self._terms.currency, gain=side < 0)
            rate = None if rate is None else rate * Fraction(price, spec.scale)
        if rate is None:
            return None
        value = units * rate
        notional = half_away(value.numerator, value.denominator)
        return to_grid(margin.required(notional, leverage), self.grid)

    def _margin_rate(self, spec: Spec, side: int, price: int) -> Fraction | None:
        if (spec.margin, spec.profit) == (spec.base, self._terms.currency):
            return Fraction(price, spec.scale)
        return self.rate(spec.margin, self._terms.currency, gain=side < 0)

    def used(self, positions: Iterable[PositionRow]) -> int:
        """Return the margin of all positions; of one symbol's longs and shorts the larger leg."""
        legs: dict[str, dict[int, int]] = {}
        for position in positions:
            spec = self._specs[position.symbol]
            price = half_away(position.cost, position.steps)
            tied = self.margin(spec, position.side, position.steps, price) or 0
            both = legs.setdefault(position.symbol, {1: 0, -1: 0})
            both[position.side] += tied
        return sum(margin.hedged(both[1], both[-1]) for both in legs.values())
