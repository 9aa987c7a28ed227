"""Equity, margin, deals and the venue's day, over a change in the making."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ordergate.adapters.venues.paper import mapping
from ordergate.adapters.venues.paper.book import EXPIRED, CashRow, PositionRow, Work
from ordergate.adapters.venues.paper.floor import Floor
from ordergate.model import hours
from ordergate.model.accounts import CashKind
from ordergate.sim import costs, margin

ROLLOVERS_MAX: Final = 20_000  # more than fifty years of missed days in one step


def open_profit(position: PositionRow, floor: Floor, *, mark: int) -> int:
    """Return a position's profit at `mark`, in the account currency, booked to its digits."""
    spec = floor.known(position.symbol)
    raw = costs.profit(position.side, position.cost, mark, position.steps, spec.tick_value)
    return costs.booked(raw, floor.position_rate(position), floor.grid)


def profits(positions: Iterable[PositionRow], floor: Floor) -> dict[int, int]:
    """Return each position's profit at the newest prices, as `open_profit` would."""
    found: dict[int, int] = {}
    facts: dict[tuple[str, int], tuple[int, int, int]] = {}
    for position in positions:
        key = (position.symbol, position.side)
        fact = facts.get(key)
        if fact is None:
            rate = floor.position_rate(position)
            fact = (floor.known(position.symbol).tick_value, floor.mark(position), rate)
            if floor.touch(position.symbol) is not None:
                facts[key] = fact
        tick_value, mark, rate = fact
        raw = costs.profit(position.side, position.cost, mark, position.steps, tick_value)
        found[position.number] = costs.booked(raw, rate, floor.grid)
    return found


def equity(work: Work, floor: Floor) -> int:
    """Return balance and open profit at the newest prices."""
    return work.account.balance + sum(profits(work.positions.values(), floor).values())


def margin_used(positions: Iterable[PositionRow], floor: Floor) -> int:
    """Return the margin of all positions at their open prices; of hedged ones the larger leg."""
    legs: dict[str, list[int]] = {}
    rates: dict[str, int] = {}
    for position in positions:
        symbol = position.symbol
        leg = legs.get(symbol)
        if leg is None:
            leg = legs[symbol] = [0, 0]
            rates[symbol] = floor.position_rate(position)
        leg[0 if position.side > 0 else 1] += position.cost
    used = 0
    for symbol, (longs, shorts) in legs.items():
        spec = floor.known(symbol)
        cost = margin.hedged(longs, shorts)
        notional = costs.converted(cost * spec.tick_value, rates[symbol])
        used += margin.required(notional, spec.instrument.leverage)
    return used


def affordable(work: Work, floor: Floor, *, after: list[PositionRow]) -> bool:
    """Say whether the equity carries the positions `after`; less margin than now always passes."""
    used = margin_used(after, floor)
    if used <= margin_used(work.positions.values(), floor):
        return True
    return bool(margin.covers(equity(work, floor), used))


def catch_up(work: Work, floor: Floor, *, now: int) -> None:
    """Do what time alone brings by `now`: expire orders, charge swap, begin the venue's days."""
    for order in [row for row in work.orders.values() if 0 < row.good_till <= now]:
        work.end_order(order, EXPIRED, code="", at=order.good_till)
    for _ in range(ROLLOVERS_MAX):
        if work.account.day_end > now:
            return
        _roll_over(work, floor)
    begin_day(work, floor, now=now)


def begin_day(work: Work, floor: Floor, *, now: int) -> None:
    """Start the venue's day of `now`, with the equity of this moment as its baseline."""
    at = mapping.moment(now)
    work.account = work.account._replace(
        day=hours.trading_day(at).isoformat(),
        day_end=mapping.micros(hours.day_end(at)),
        day_start_equity=equity(work, floor),
        realised_today=0,
    )


def _roll_over(work: Work, floor: Floor) -> None:
    """End one day at 17:00 New York: swap belongs to the day that ends."""
    ended = mapping.moment(work.account.day_end)
    if floor.terms.swap:
        weekday = ended.astimezone(hours.NEW_YORK).weekday()
        for position in list(work.positions.values()):
            _charge_swap(work, floor, position, weekday=weekday)
    begin_day(work, floor, now=work.account.day_end)


def _charge_swap(work: Work, floor: Floor, position: PositionRow, *, weekday: int) -> None:
    spec = floor.known(position.symbol)
    nights = costs.nights(weekday, spec.triple_weekday, spec.every_night)
    per_step = spec.swap_long_per_step if position.side > 0 else spec.swap_short_per_step
    if not nights or not per_step:
        return
    raw = costs.swap(position.steps, per_step, nights)
    credit = costs.booked(raw, floor.position_rate(position), floor.grid)
    if not credit:
        return
    work.book_cash(
        CashRow(
            number=work.number(),
            kind=CashKind.SWAP.value,
            amount=credit,
            symbol=position.symbol,
            steps=0,
            at=work.account.day_end,
            note="",
        )
    )
    work.put_position(position._replace(swap=position.swap + credit))
