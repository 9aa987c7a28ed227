"""Stops (C19, C3, C23): protection is there, on the right side, worth its target, and stays."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import VenueOrderState
from ordergate.model.errors import Code
from ordergate.model.instruments import PositionMode
from ordergate.model.market import Quote
from ordergate.model.orders import Lane, ModifyIntent, OrderType, PlaceIntent, Side
from ordergate.model.values import ZERO, plain, round_ceiling, round_floor
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.exposure import entry_price, is_exit
from ordergate.order.policy.facts import Facts, Request, malformed
from ordergate.order.policy.rules.control import (
    MONEY,
    Control,
    cents_down,
    cents_up,
    fraction,
    fraction_left,
)
from ordergate.order.policy.rules.lanes import STOP_KINDS, widening

REQUIRED: Final = Control(rule="stop_required", number="C19", limit_name="limits.stop_required")
SIDE: Final = Control(rule="stop_side", number="C19", unit="price")
GROUP: Final = Control(rule="oco_group", number="C18", unit="lots")
REWARD: Final = Control(
    rule="reward_risk",
    number="C19",
    limit_name="limits.reward_risk_min",
    unit="target distance / stop distance",
)
WIDENING: Final = Control(rule="widening", number="C23")


def stop_required(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an opening order without a protective stop."""
    order = facts.order
    if order is None:
        return REQUIRED.silent("no opening order")
    if order.stop_loss is not None:
        return REQUIRED.passes()
    if not facts.limits.stop_required or facts.symbol in facts.limits.stop_waived_symbols:
        return REQUIRED.passes("waived by the operator")
    refusal = REQUIRED.refuses(
        Code.STOP_REQUIRED,
        "an opening order needs a protective stop: without one all of its value is at risk",
        fix=_missing_stop(order, facts),
    )
    if facts.valued is None or facts.equity is None:
        return refusal
    room = cents_down(facts.equity * facts.limits.risk_per_trade_fraction)
    return replace(
        refusal,
        value=cents_up(facts.valued.notional),
        limit=room,
        headroom=max(room, ZERO),
        unit=f"{MONEY} at risk",
    )


def stop_side(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a stop or target on the wrong side, or nearer than the venue takes them.

    Both are measured from the price the order asks for; a market order's also from the price it
    would close at, where the stop would otherwise trigger at once.
    """
    order, quote, spec = facts.order, facts.quote, facts.instrument
    if order is None:
        return _changed_side(request, facts)
    if order.stop_loss is None and order.take_profit is None:
        return SIDE.silent("neither stop nor target")
    if quote is None or spec is None:
        return SIDE.lacks(f"the price of {facts.symbol[:64]}")
    near = spec.stops_level_ticks * spec.tick_size
    low, high = _room_for_stops(order, quote, near=near)
    below, above = _sides(order)
    if below is not None and (below > low if near else below >= low):
        return _wrong_side(order, below, _at_most(low, near, facts))
    if above is not None and (above < high if near else above <= high):
        return _wrong_side(order, above, _at_least(high, near, facts))
    return SIDE.passes()


def group_keeps_stops(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an OCO group in which the fill of one order would cancel the stop of more lots."""
    intent = request.intent
    if not isinstance(intent, PlaceIntent) or intent.oco_group is None:
        return GROUP.silent("no OCO group")
    for sibling in facts.group:
        stop = _stripped(intent, sibling)
        if stop is not None:
            return GROUP.refuses(
                Code.STOP_REQUIRED,
                f"when one of the group fills, the stop over {plain(stop)} lots is cancelled",
                fix=f"send an exit of the same side over {plain(stop)} lots, or no oco_group",
                value=stop,
            )
    return GROUP.passes()


def reward_risk(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a target that is not worth the stop's distance."""
    valued, order = facts.valued, facts.order
    if valued is None or order is None:
        return REWARD.silent("no opening order to value")
    if valued.reward is None or valued.risk is None or valued.risk <= 0:
        return REWARD.silent("no target, or no stop to compare it with")
    limit = facts.limits.reward_risk_min
    ratio = valued.reward / valued.risk
    return REWARD.measured(
        value=fraction(ratio),
        limit=limit,
        room=fraction_left(ratio - limit),
        broken=ratio < limit,
        message=f"the target is {ratio:.2f} times as far away as the stop, at least {plain(limit)}",
        fix=lambda: _worthy_target(facts, limit),
    )


def stop_widened(request: Request, facts: Facts) -> RuleVerdict:
    """Ask a human before protection is taken from a position, whatever the call is named.

    What adds risk and is neither this nor an opening order is measured by no rule: it is refused.
    """
    how = widening(request.intent, facts)
    if how is None and request.lane is Lane.OPEN and facts.order is None:
        return WIDENING.refuses(
            Code.INVALID_ARGUMENT,
            "what the request would change cannot be told",
            fix="read the open orders and positions again and name one of them",
        )
    if how is None:
        return WIDENING.silent("protection stays")
    return WIDENING.asks(
        Code.STOP_REQUIRED,
        how,
        fix="wait for the operator's yes, or close or tighten instead: both pass at once",
    )


def _stripped(order: PlaceIntent, sibling: VenueOrderState) -> Decimal | None:
    """Return the lots of a protective stop, of either, that the other's fill would leave open."""
    rest = sibling.quantity - sibling.filled_quantity
    stops = [
        lots
        for lots, kind, reduces in (
            (rest, sibling.order_type, is_exit(sibling)),
            (order.quantity, order.order_type, order.reduce_only),
        )
        if reduces and kind in STOP_KINDS
    ]
    alike = (order.symbol, order.side, order.reduce_only) == (
        sibling.symbol,
        sibling.side,
        is_exit(sibling),
    )
    if not stops or (alike and min(rest, order.quantity) >= max(stops)):
        return None
    return max(stops)


def _missing_stop(order: PlaceIntent, facts: Facts) -> str:
    book, spec = facts.book, facts.instrument
    held = book.held_against(order.side) if book is not None else Decimal(0)
    if spec is not None and spec.position_mode is PositionMode.NETTING and held > 0:
        return (
            f"to reduce the {plain(held)} lots held, close the position or send reduce_only=true;"
            " neither needs a stop"
        )
    valued, cap = facts.valued, facts.limits.risk_per_trade_fraction
    if valued is None or spec is None or facts.equity is None or facts.rate is None:
        return "send stop_loss"
    side = "below" if order.side is Side.BUY else "above"
    room = cap * facts.equity / (order.quantity * spec.contract_size * facts.rate)
    if room >= valued.entry:
        return f"send stop_loss {side} {plain(valued.entry)}"
    edge = valued.entry - room if order.side is Side.BUY else valued.entry + room
    tick = spec.tick_size
    bound = round_ceiling(edge, tick) if order.side is Side.BUY else round_floor(edge, tick)
    return (
        f"send stop_loss {side} {plain(valued.entry)}, at {plain(bound)} or nearer to keep"
        " within the risk limit"
    )


def _sides(order: PlaceIntent) -> tuple[Decimal | None, Decimal | None]:
    """Return what must lie below and what above the entry."""
    if order.side is Side.BUY:
        return order.stop_loss, order.take_profit
    return order.take_profit, order.stop_loss


def _room_for_stops(order: PlaceIntent, quote: Quote, *, near: Decimal) -> tuple[Decimal, Decimal]:
    entry = entry_price(order, quote)
    low = high = entry
    if order.order_type is OrderType.MARKET:
        closing = quote.bid if order.side is Side.BUY else quote.ask
        low, high = min(entry, closing), max(entry, closing)
    return low - near, high + near


def _wrong_side(order: PlaceIntent, price: Decimal, where: str) -> RuleVerdict:
    name = "stop" if price == order.stop_loss else "target"
    return SIDE.refuses(
        Code.INVALID_STOPS,
        f"the {name} of a {order.side.value} must lie {where}; {plain(price)} does not",
        fix=f"send the {name} {where}",
        value=price,
    )


def _at_most(bound: Decimal, near: Decimal, facts: Facts) -> str:
    tick = facts.instrument.tick_size if facts.instrument else Decimal(0)
    return f"at {plain(round_floor(bound if near else bound - tick, tick))} or lower"


def _at_least(bound: Decimal, near: Decimal, facts: Facts) -> str:
    tick = facts.instrument.tick_size if facts.instrument else Decimal(0)
    return f"at {plain(round_ceiling(bound if near else bound + tick, tick))} or higher"


def _changed_side(request: Request, facts: Facts) -> RuleVerdict:
    """Look at a new stop of a position: beyond the market it would close the position at once."""
    intent, position, quote = request.intent, facts.position, facts.quote
    if not isinstance(intent, ModifyIntent) or position is None or malformed(intent) is not None:
        return SIDE.silent("no stop to look at")
    stop = intent.stop_loss
    if not isinstance(stop, Decimal):
        return SIDE.silent("no stop to look at")
    if quote is None:
        return SIDE.lacks(f"the price of {facts.symbol[:64]}")
    long = position.side is Side.BUY
    closing = quote.bid if long else quote.ask
    if stop < closing if long else stop > closing:
        return SIDE.passes()
    where = "below the bid" if long else "above the ask"
    return SIDE.refuses(
        Code.INVALID_STOPS,
        f"the stop must lie {where} {plain(closing)}; {plain(stop)} would trigger at once",
        fix=f"send a stop {where}, or close the position",
        value=stop,
    )


def _worthy_target(facts: Facts, limit: Decimal) -> str:
    order, valued, spec = facts.order, facts.valued, facts.instrument
    if order is None or valued is None or spec is None or order.stop_loss is None:
        return "send a farther target or a nearer stop"
    away = abs(valued.entry - order.stop_loss) * limit
    if order.side is Side.BUY:
        return f"send a target at {plain(round_ceiling(valued.entry + away, spec.tick_size))}" + (
            " or higher, or a nearer stop"
        )
    return f"send a target at {plain(round_floor(valued.entry - away, spec.tick_size))}" + (
        " or lower, or a nearer stop"
    )
