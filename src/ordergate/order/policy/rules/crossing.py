"""Crossing (C16): an owner's orders never trade with each other, whoever sent them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordergate.model.accounts import VenueOrderState
from ordergate.model.orders import Side
from ordergate.model.values import ZERO, VenueOrderId, plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.exposure import reached_price, reference_price
from ordergate.order.policy.facts import Facts, Request
from ordergate.order.policy.rules.control import Control

SELF_TRADE: Final = Control(rule="self_trade", number="C16", unit="price")


def self_trade(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order that could trade with an opening order of the same owner, all agents' alike.

    An exit is let through: what stands in its way and is ours is cancelled first.
    """
    if not facts.opposing:
        return SELF_TRADE.passes()
    reach = _reach(facts)
    if reach is None:
        return SELF_TRADE.lacks(f"the price of {facts.symbol[:64]}")
    nearest = _nearest(facts.opposing)
    price = nearest.limit_price or ZERO
    buys = nearest.side is Side.SELL
    room = price - reach if buys else reach - price
    return SELF_TRADE.measured(
        value=reach,
        limit=price,
        room=room,
        broken=room <= 0,
        message=f"your own {nearest.side.value} order {nearest.venue_order_id} rests at "
        f"{plain(price)}, in reach of this one at {plain(reach)}",
        fix=lambda: "cancel the resting order first, or send a price that does not reach it",
    )


def in_the_way(facts: Facts) -> tuple[VenueOrderId, ...]:
    """Return our own openings that an exit could trade with: they are cancelled before it."""
    reach = _reach(facts)
    if reach is None:
        return ()
    return tuple(
        row.venue_order_id
        for row in facts.opposing
        if row.venue_order_id in facts.ours and _crosses(row, reach)
    )


def _crosses(row: VenueOrderState, reach: Decimal) -> bool:
    price = row.limit_price or ZERO
    return reach >= price if row.side is Side.SELL else reach <= price


def _nearest(rows: tuple[VenueOrderState, ...]) -> VenueOrderState:
    ordered = sorted(rows, key=lambda row: row.limit_price or ZERO)
    return ordered[0] if ordered[0].side is Side.SELL else ordered[-1]


def _reach(facts: Facts) -> Decimal | None:
    """Return the price the request trades at: what rests beyond the touch is not in its reach."""
    quote, order = facts.quote, facts.order
    if quote is None or not facts.opposing:
        return None
    if order is not None:
        return reached_price(order, quote)
    return reference_price(facts.opposing[0].side.opposite, quote)
