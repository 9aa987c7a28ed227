"""Form (C1): the request names things that exist, in numbers the symbol can be traded in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from ordergate.model.errors import Code
from ordergate.model.instruments import Instrument
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    Keep,
    ModifyIntent,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.values import ZERO, is_multiple, plain, round_down, round_floor
from ordergate.model.verdicts import RuleVerdict
from ordergate.order.policy.exposure import reference_price
from ordergate.order.policy.facts import Facts, Request, malformed
from ordergate.order.policy.rules.control import Control

NUMBERS: Final = Control(rule="numbers", number="C1")
TARGET: Final = Control(rule="target", number="C1")
SYMBOL: Final = Control(rule="symbol_known", number="C1")
FIELDS: Final = Control(rule="fields", number="C1")
VOLUME: Final = Control(rule="volume", number="C1", unit="lots")
TICKS: Final = Control(rule="price_ticks", number="C1", unit="price")
TRIGGER: Final = Control(rule="trigger_side", number="C1", unit="price")
EXPIRY: Final = Control(rule="expiry", number="C1")

_ALLOWED: Final[dict[OrderType, frozenset[str]]] = {
    OrderType.MARKET: frozenset(),
    OrderType.LIMIT: frozenset({"limit_price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"limit_price", "stop_price"}),
    OrderType.TRAILING_STOP: frozenset({"trail_amount", "trail_percent"}),
}
_PRICE_FIELDS: Final = ("limit_price", "stop_price", "trail_amount", "stop_loss", "take_profit")


def numbers(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a number that is not finite, positive and of a sensible size."""
    name = malformed(request.intent)
    if name is None:
        return NUMBERS.passes()
    code = Code.INVALID_VOLUME if name == "quantity" else Code.INVALID_PRICE
    return NUMBERS.refuses(
        code,
        f"{name} is no usable number",
        fix=f"send {name} as a plain positive number with at most 12 decimals, such as 0.10",
    )


def target(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse to change or cancel what is not there."""
    intent = request.intent
    if isinstance(intent, PlaceIntent | CloseIntent):
        return TARGET.silent("the request changes no resting order")
    if isinstance(intent, ModifyIntent) and (intent.position_id is None) == (
        intent.venue_order_id is None
    ):
        return TARGET.refuses(
            Code.INVALID_ARGUMENT,
            "the request must name one order or one position",
            fix="send either the order or position_id, not both",
        )
    found = facts.position if _names_position(intent) else facts.resting
    if found is None and isinstance(intent, CancelIntent) and facts.resting_opens is not None:
        return TARGET.passes("the order is known from our own books")
    if facts.book is None:
        return TARGET.lacks("what the account holds")
    if found is None:
        return TARGET.refuses(
            Code.RESOURCE_NOT_FOUND,
            "no such open order or position on the account",
            fix="read the open orders and positions again; it may have filled or ended",
        )
    if found.symbol != intent.symbol:
        return TARGET.refuses(
            Code.INVALID_ARGUMENT,
            f"it is in {found.symbol}, not in {intent.symbol}",
            fix=f"send symbol {found.symbol}",
        )
    return TARGET.passes()


def symbol_known(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a symbol whose specification is not known."""
    if facts.instrument is not None:
        return SYMBOL.passes()
    return SYMBOL.refuses(
        Code.SYMBOL_NOT_FOUND,
        f"{facts.symbol[:64]} is not among the feed's symbols",
        fix="list the symbols and use one of them, written the same way",
    )


def fields(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse an order whose price fields do not fit its type, or a change of nothing."""
    intent = request.intent
    if isinstance(intent, ModifyIntent):
        return _change(intent)
    if not isinstance(intent, PlaceIntent):
        return FIELDS.silent("no price fields")
    given = {
        name
        for name in ("limit_price", "stop_price", "trail_amount", "trail_percent")
        if getattr(intent, name) is not None
    }
    wanted = _ALLOWED[intent.order_type]
    trailing = intent.order_type is OrderType.TRAILING_STOP
    if (len(given) == 1 and given.issubset(wanted)) if trailing else given == wanted:
        return FIELDS.passes()
    words = " or ".join(sorted(wanted)) if trailing else " and ".join(sorted(wanted))
    return FIELDS.refuses(
        Code.INVALID_ARGUMENT,
        f"a {intent.order_type.value} order takes {words or 'no price'}",
        fix=f"send {'exactly one of ' if trailing else ''}{words or 'neither limit nor stop price'}"
        + (f"; drop {', '.join(sorted(given - wanted))}" if given - wanted else ""),
    )


def volume(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a size the symbol cannot be traded in; all of a position is always a size."""
    quantity, spec = _quantity(request.intent), facts.instrument
    if quantity is None or spec is None:
        return VOLUME.silent("no size to look at")
    if malformed(request.intent) is not None:
        return VOLUME.silent("a number is malformed")
    filled = facts.resting.filled_quantity if facts.resting is not None else ZERO
    if isinstance(request.intent, ModifyIntent) and quantity <= filled:
        return VOLUME.refuses(
            Code.INVALID_VOLUME,
            f"{plain(filled)} lots of the order have filled already",
            fix=f"send more than {plain(filled)} lots, or cancel what is left of it",
            value=quantity,
        )
    if isinstance(request.intent, CloseIntent):
        whole = facts.position is not None and quantity == facts.position.quantity
        most = quantity  # the venue's maximum slices a close, it does not refuse one
    else:
        whole, most = False, spec.lot_max
    if whole or (spec.lot_min <= quantity <= most and is_multiple(quantity, spec.lot_step)):
        return VOLUME.passes()
    near = min(max(round_down(quantity, spec.lot_step), spec.lot_min), spec.lot_max)
    return VOLUME.refuses(
        Code.INVALID_VOLUME,
        f"{plain(quantity)} lots is no size of {spec.symbol}: {plain(spec.lot_min)} to "
        f"{plain(spec.lot_max)} in steps of {plain(spec.lot_step)}",
        fix=f"send {plain(near)} lots",
        value=quantity,
    )


def price_ticks(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a price between two ticks."""
    spec = facts.instrument
    if spec is None or malformed(request.intent) is not None:
        return TICKS.silent("no price to look at")
    for name, price in _prices(request.intent):
        if not is_multiple(price, spec.tick_size):
            return TICKS.refuses(
                Code.INVALID_PRICE,
                f"{name} {plain(price)} is not a multiple of the tick {plain(spec.tick_size)}",
                fix=f"send {name} {_near_ticks(price, spec)}",
                value=price,
            )
    return TICKS.passes()


def trigger_side(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a stop order whose trigger the market has already passed."""
    order, quote = facts.order, facts.quote
    if order is None or order.stop_price is None:
        return TRIGGER.silent("no trigger")
    if order.order_type not in (OrderType.STOP, OrderType.STOP_LIMIT):
        return TRIGGER.silent("no trigger")
    if quote is None:
        return TRIGGER.lacks(f"the price of {facts.symbol}")
    reference = reference_price(order.side, quote)
    buys = order.side is Side.BUY
    if order.stop_price > reference if buys else order.stop_price < reference:
        return TRIGGER.passes()
    where = "above the ask" if buys else "below the bid"
    return TRIGGER.refuses(
        Code.INVALID_PRICE,
        f"a {order.side.value} stop must trigger {where} {plain(reference)}; "
        f"{plain(order.stop_price)} would trigger at once",
        fix=f"send a trigger {where}, or a market or limit order",
        value=order.stop_price,
    )


def expiry(request: Request, facts: Facts) -> RuleVerdict:
    """Refuse a good-till that is missing, unneeded or over (venue clock)."""
    intent = request.intent
    if not isinstance(intent, PlaceIntent):
        return EXPIRY.silent("no time in force")
    gtd, till = intent.time_in_force is TimeInForce.GTD, intent.good_till
    if till is None:
        if not gtd:
            return EXPIRY.passes()
        return _no_expiry("a GTD order needs good_till", "send good_till as a time with a zone")
    if not gtd:
        return _no_expiry(
            "good_till goes with GTD alone", "send time_in_force gtd, or no good_till"
        )
    if till.tzinfo is None or till <= facts.venue_now:
        now = f"{facts.venue_now:%Y-%m-%dT%H:%M:%SZ}"
        return _no_expiry("good_till is over", f"send a time after {now}, the venue's clock")
    return EXPIRY.passes()


def _no_expiry(message: str, fix: str) -> RuleVerdict:
    return EXPIRY.refuses(Code.INVALID_ARGUMENT, message, fix=fix)


def _change(intent: ModifyIntent) -> RuleVerdict:
    order_terms = (intent.limit_price, intent.stop_price, intent.quantity)
    if all(isinstance(term, Keep) for term in (*order_terms, intent.stop_loss, intent.take_profit)):
        return FIELDS.refuses(
            Code.INVALID_ARGUMENT, "the request changes nothing", fix="send a new stop or target"
        )
    if intent.position_id is not None and not all(isinstance(term, Keep) for term in order_terms):
        return FIELDS.refuses(
            Code.INVALID_ARGUMENT,
            "a position has a stop and a target, no price and no size to change",
            fix="send stop_loss or take_profit; close a part to make it smaller",
        )
    return FIELDS.passes()


def _names_position(intent: ModifyIntent | CancelIntent) -> bool:
    return isinstance(intent, ModifyIntent) and intent.position_id is not None


def _quantity(intent: Intent) -> Decimal | None:
    quantity = getattr(intent, "quantity", None)
    return quantity if isinstance(quantity, Decimal) else None


def _prices(intent: Intent) -> Iterator[tuple[str, Decimal]]:
    for name in _PRICE_FIELDS:
        price = getattr(intent, name, None)
        if isinstance(price, Decimal):
            yield name, price


def _near_ticks(price: Decimal, spec: Instrument) -> str:
    below = round_floor(price, spec.tick_size)
    return f"{plain(below)} or {plain(below + spec.tick_size)}"
