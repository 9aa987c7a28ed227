"""Requests as the package takes them, and what can be seen to be wrong before one is sent. Pure.

A modification replaces every field, so that what is left out here is filled in from what stands.
Floats appear where the package wants them, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from ordergate.adapters.venues.mt5 import codes, mapping
from ordergate.adapters.venues.mt5.mapping import refusal
from ordergate.model.orders import (
    Keep,
    OrderType,
    Side,
    TimeInForce,
    VenueModify,
    VenueOrder,
)
from ordergate.model.values import is_multiple

COMMENT_MAX: Final = 31
_EXPIRY_BIT: Final = {
    TimeInForce.GTC: 1,
    TimeInForce.DAY: 2,
    TimeInForce.GTD: 4,
}
_ORDER_BIT: Final = {
    OrderType.MARKET: 1,
    OrderType.LIMIT: 2,
    OrderType.STOP: 4,
    OrderType.STOP_LIMIT: 8,
}
_AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})

Request = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a request is made for: the symbol, its newest quote, and how it is dealt in."""

    info: Any
    tick: Any | None
    ahead: timedelta | None  # the broker's clock less UTC; None = not known
    deviation: int = 10  # points
    refused_fillings: frozenset[int] = frozenset()

    def points(self, distance: Decimal) -> Decimal:
        return distance / mapping.number(self.info.point, 10)

    def price(self, value: float) -> Decimal:
        return mapping.number(value, self.info.digits)


def fillings(info: Any, time_in_force: TimeInForce) -> tuple[int, ...]:
    """Return the filling modes a market order may use, the preferred one first."""
    allowed = []
    if info.filling_mode & codes.MASK_FOK and time_in_force is not TimeInForce.IOC:
        allowed.append(codes.FILLING_FOK)
    if info.filling_mode & codes.MASK_IOC and time_in_force is not TimeInForce.FOK:
        allowed.append(codes.FILLING_IOC)
    free = time_in_force not in _AT_ONCE and info.trade_exemode != codes.EXECUTION_MARKET
    return (*allowed, codes.FILLING_RETURN) if free else tuple(allowed)


def place(order: VenueOrder, scene: Scene) -> Request:
    """Return the request for an opening order; raises VenueRefusal for what cannot be sent."""
    if order.order_type not in _ORDER_BIT:
        raise refusal("NOT_OFFERED", "no trailing stops at the server: the gate moves the stop")
    _check_size(order, scene, whole=None)
    _check_prices(order, scene)
    if not scene.info.order_mode & _ORDER_BIT[order.order_type]:
        raise refusal("INVALID_ORDER")
    request = _named(order)
    request |= {"sl": _float(order.stop_loss), "tp": _float(order.take_profit)}
    if order.order_type is OrderType.MARKET:
        return request | _at_market(order, scene)
    return request | _resting(order, scene)


def close(order: VenueOrder, scene: Scene, position: Any) -> Request:
    """Return the request that takes `order.quantity` off a position."""
    collared = order.order_type is OrderType.LIMIT and order.time_in_force in _AT_ONCE
    if order.order_type is not OrderType.MARKET and not collared:
        # Executed now it would close what it is to protect.
        raise refusal("NOT_OFFERED", "an exit that rests is the position's own stop or target")
    side = Side.BUY if position.type == codes.BUY else Side.SELL
    if position.symbol != order.symbol or side is order.side:
        raise refusal("INVALID_SIDE")
    held = mapping.number(position.volume)
    if order.quantity > held:
        raise refusal("INVALID_CLOSE_VOLUME", f"the position holds {held} lots")
    _check_size(order, scene, whole=held)
    request = _named(order) | _at_market(order, scene) | {"position": position.ticket}
    limit = order.limit_price
    if limit is not None:
        worst = Decimal(1 if order.side is Side.BUY else -1)
        if (scene.price(request["price"]) - limit) * worst > 0:
            raise refusal("PRICE_CHANGED", f"the market is worse than {limit}")
    return request


def protect(change: VenueModify, position: Any, scene: Scene) -> Request:
    """Return the request for a position's stop and target, both as they are to stand."""
    stop, target = _standing(change, position, scene)
    long = position.type == codes.BUY
    out = None if scene.tick is None else scene.price(scene.tick.bid if long else scene.tick.ask)
    if out is not None:
        side = 1 if long else -1
        moved = (
            stop if isinstance(change.stop_loss, Decimal) else None,
            target if isinstance(change.take_profit, Decimal) else None,
        )
        _check_distance(scene, side, out, moved)
        _check_frozen(scene, out, (position.sl, position.tp))
    return {
        "action": codes.ACTION_SLTP,
        "symbol": position.symbol,
        "position": position.ticket,
        "sl": _float(stop),
        "tp": _float(target),
    }


def replace_terms(change: VenueModify, resting: Any, scene: Scene) -> Request:
    """Return the request for a pending order's new terms; what is kept is sent as it stands."""
    if isinstance(change.quantity, Decimal):
        raise refusal("NOT_OFFERED", "the size of a pending order cannot be changed: cancel it")
    stop, target = _standing(change, resting, scene)
    trigger, limit = resting.price_open, resting.price_stoplimit
    if mapping.KINDS[resting.type] is OrderType.LIMIT:
        trigger = _new(change.limit_price, trigger, scene)
    else:
        trigger = _new(change.stop_price, trigger, scene)
        limit = _new(change.limit_price, limit, scene) if limit else limit
    if scene.tick is not None:
        buys = mapping.side_of(resting.type) is Side.BUY
        pays = scene.price(scene.tick.ask if buys else scene.tick.bid)
        _check_frozen(scene, pays, (resting.price_open,))
    request: Request = {
        "action": codes.ACTION_MODIFY,
        "order": resting.ticket,
        "symbol": resting.symbol,
        "price": trigger,
        "sl": _float(stop),
        "tp": _float(target),
        "type_time": resting.type_time,
    }
    if limit:
        request["stoplimit"] = limit
    if resting.time_expiration:
        request["expiration"] = resting.time_expiration
    return request


def remove(ticket: int, symbol: str) -> Request:
    return {"action": codes.ACTION_REMOVE, "order": ticket, "symbol": symbol}


def stands_as_asked(change: VenueModify, row: Any, scene: Scene) -> bool:
    """Say whether an order or position shows every term a modification asked for."""
    pairs: list[tuple[Decimal | Keep | None, float]] = [
        (change.stop_loss, row.sl),
        (change.take_profit, row.tp),
    ]
    if change.position_id is None:
        limit = mapping.KINDS[row.type] is OrderType.LIMIT
        pairs.append((change.limit_price, row.price_open if limit else row.price_stoplimit))
        pairs.append((change.stop_price, row.price_open))
    return all(
        mapping.price(shown, scene.info.digits) == (asked and asked + Decimal(0))
        for asked, shown in pairs
        if not isinstance(asked, Keep)
    )


def _named(order: VenueOrder) -> Request:
    return {
        "symbol": order.symbol,
        "volume": float(order.quantity),
        "type": mapping.NUMBERS[
            OrderType.MARKET if order.position_id else order.order_type, order.side
        ],
        "magic": order.magic,
        "comment": order.tag[:COMMENT_MAX],
    }


def _at_market(order: VenueOrder, scene: Scene) -> Request:
    if scene.tick is None:
        raise refusal("PRICE_OFF")
    modes = fillings(scene.info, order.time_in_force)
    left = [mode for mode in modes if mode not in scene.refused_fillings] or list(modes)
    if not left:
        raise refusal("NOT_OFFERED", f"no {order.time_in_force} orders in {order.symbol}")
    return {
        "action": codes.ACTION_DEAL,
        "price": scene.tick.ask if order.side is Side.BUY else scene.tick.bid,
        "deviation": scene.deviation,
        "type_filling": left[0],
        "type_time": codes.TIME_GTC,
    }


def _resting(order: VenueOrder, scene: Scene) -> Request:
    if order.time_in_force in _AT_ONCE:
        raise refusal("NOT_OFFERED", "a pending order rests: it cannot be IOC or FOK")
    if not scene.info.expiration_mode & _EXPIRY_BIT[order.time_in_force]:
        raise refusal("INVALID_EXPIRATION", f"no {order.time_in_force} orders in {order.symbol}")
    stop_limit = order.order_type is OrderType.STOP_LIMIT
    price = order.limit_price if order.order_type is OrderType.LIMIT else order.stop_price
    request: Request = {
        "action": codes.ACTION_PENDING,
        "price": _float(price),
        "type_filling": codes.FILLING_RETURN,
        "type_time": _TIMES[order.time_in_force],
    }
    if stop_limit:
        request["stoplimit"] = _float(order.limit_price)
    if order.time_in_force is TimeInForce.GTD:
        if order.good_till is None or scene.ahead is None:
            raise refusal("INVALID_EXPIRATION", "the broker's clock is not known yet")
        request["expiration"] = mapping.broker_s(order.good_till, scene.ahead)
    return request


_TIMES: Final[Mapping[TimeInForce, int]] = {
    TimeInForce.GTC: codes.TIME_GTC,
    TimeInForce.DAY: codes.TIME_DAY,
    TimeInForce.GTD: codes.TIME_SPECIFIED,
}


def _check_size(order: VenueOrder, scene: Scene, *, whole: Decimal | None) -> None:
    info, size = scene.info, order.quantity
    if not size.is_finite() or size <= 0:
        raise refusal("INVALID_VOLUME")
    if size == whole:
        return  # all of it is always valid, residue included
    step = mapping.number(info.volume_step)
    low, high = mapping.number(info.volume_min), mapping.number(info.volume_max)
    if not is_multiple(size, step) or not low <= size <= high:
        raise refusal("INVALID_VOLUME", f"{low} to {high} lots in steps of {step}")


def _check_prices(order: VenueOrder, scene: Scene) -> None:
    """Refuse prices that are missing, superfluous or off the tick, and stops too near."""
    kind = order.order_type
    wants_limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    wants_stop = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    given = (order.limit_price is not None, order.stop_price is not None)
    if given != (wants_limit, wants_stop):
        raise refusal("INVALID_PRICE", f"a {kind} order has its own prices and no others")
    tick = mapping.number(scene.info.trade_tick_size or scene.info.point, 10)
    for price in (order.limit_price, order.stop_price, order.stop_loss, order.take_profit):
        if price is not None and (
            not price.is_finite() or price <= 0 or not is_multiple(price, tick)
        ):
            raise refusal("INVALID_PRICE", f"prices are whole multiples of {tick}")
    reference = order.limit_price or order.stop_price
    side = 1 if order.side is Side.BUY else -1
    if reference is None and scene.tick is not None:
        buys = order.side is Side.BUY
        reference = scene.price(scene.tick.bid if buys else scene.tick.ask)
    if reference is not None:
        _check_distance(scene, side, reference, (order.stop_loss, order.take_profit))


def _check_distance(
    scene: Scene, side: int, reference: Decimal, levels: tuple[Decimal | None, Decimal | None]
) -> None:
    """Refuse a stop or target that is not beyond `reference` by the symbol's stops level."""
    least = max(1, scene.info.trade_stops_level)
    stop, target = levels
    near = stop is not None and scene.points(reference - stop) * side < least
    near |= target is not None and scene.points(target - reference) * side < least
    if near:
        raise refusal("INVALID_STOPS", f"{least} points beyond {reference} at least")


def _check_frozen(scene: Scene, market: Decimal, levels: tuple[float, ...]) -> None:
    """Refuse to change what the market has come nearer to than the freeze level."""
    freeze = scene.info.trade_freeze_level
    for level in levels:
        if freeze and level and abs(scene.points(market - scene.price(level))) < freeze:
            raise refusal("FROZEN", f"within {freeze} points of the market nothing is changed")


def _standing(change: VenueModify, row: Any, scene: Scene) -> tuple[Decimal | None, Decimal | None]:
    """Return stop and target as they are to stand: asked for, or as they are."""
    tick = mapping.number(scene.info.trade_tick_size or scene.info.point, 10)
    for asked in (change.stop_loss, change.take_profit):
        if isinstance(asked, Decimal) and not is_multiple(asked, tick):
            raise refusal("INVALID_PRICE", f"prices are whole multiples of {tick}")
    digits = scene.info.digits
    stop = mapping.price(row.sl, digits) if change.stop_loss is Keep.KEEP else change.stop_loss
    target = (
        mapping.price(row.tp, digits) if change.take_profit is Keep.KEEP else change.take_profit
    )
    return stop, target


def _new(asked: Decimal | Keep, standing: float, scene: Scene) -> float:
    if isinstance(asked, Keep):
        return standing
    tick = mapping.number(scene.info.trade_tick_size or scene.info.point, 10)
    if asked <= 0 or not is_multiple(asked, tick):
        raise refusal("INVALID_PRICE", f"prices are whole multiples of {tick}")
    return float(asked)


def _float(price: Decimal | None) -> float:
    return 0.0 if price is None else float(price)
