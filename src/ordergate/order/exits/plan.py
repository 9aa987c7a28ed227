"""The plan of an exit: from what is held and what rests at the venue to the next step.

A plan is no list that a crash could leave half done: every step is found anew from the venue's
books and the guard's row, so a restart goes on where the venue stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Position, VenueOrderState, VenueSnapshot
from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import OrderType, Side
from ordergate.model.records import Guard
from ordergate.model.values import ZERO, PositionId, VenueOrderId, round_ceiling, round_floor

STOP_KINDS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
PERCENT: Final = Decimal(100)
RATCHET: Final = Decimal("0.1")  # of the trailing distance: smaller moves are not worth an order


@dataclass(frozen=True, slots=True)
class Leg:
    """A resting exit of the position: a stop, or a target."""

    venue_order_id: VenueOrderId
    stop: bool
    price: Decimal
    lots: Decimal  # not yet filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that decides the next step of one position."""

    side: Side  # of the position
    held: Decimal  # lots; 0 = it is gone
    legs: tuple[Leg, ...]
    stop: Decimal | None
    target: Decimal | None
    keep: Decimal | None  # lots that a close under way leaves
    closing_in_doubt: bool  # a close was sent and nobody knows what became of it
    nearest: Decimal | None  # where the venue takes a stop now at the nearest; None = no price
    most: Decimal  # lots of one order


@dataclass(frozen=True, slots=True)
class Put:
    """Let an exit rest at the venue."""

    stop: bool
    lots: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Drop:
    """Cancel a resting exit, because another covers its lots or they are about to be closed."""

    venue_order_id: VenueOrderId


@dataclass(frozen=True, slots=True)
class Reduce:
    """Send the close: nothing that rests would exceed what it leaves."""

    lots: Decimal


@dataclass(frozen=True, slots=True)
class Closed:
    """The close under way has left what it was to leave."""


@dataclass(frozen=True, slots=True)
class End:
    """The position is gone and nothing rests for it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Everything is as it should be."""


Step = Put | Drop | Reduce | Closed | End | Rest


def held_of(position_id: PositionId, snapshot: VenueSnapshot) -> Position | None:
    """Return the position as the venue holds it; None when it is gone."""
    return next((row for row in snapshot.positions if row.position_id == position_id), None)


def next_step(scene: Scene) -> Step:
    """Return the one next step; the same scene gives the same step.

    Protecting, the stop comes first; closing, it goes last. A new stop rests before the one it
    replaces goes.
    """
    if scene.held == ZERO:
        return Drop(scene.legs[0].venue_order_id) if scene.legs else End()
    closing = scene.keep is not None and not scene.closing_in_doubt
    cover = min(scene.keep, scene.held) if closing and scene.keep is not None else scene.held
    turns = (_targets, _stops) if closing else (_stops, _targets)
    for turn in turns:
        step = turn(scene, cover)
        if step is not None:
            return step
    if scene.keep is not None and scene.held <= scene.keep:
        return Closed()
    return Reduce(scene.held - cover) if closing else Rest()


def protected(scene: Scene) -> bool:
    """Say whether stops rest for every lot that is held, as far as a stop is wanted."""
    return scene.stop is None or _lots(_of(scene, stop=True)) >= scene.held


def nearer(side: Side, one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the stop that protects more; any is more than none."""
    if one is None or other is None:
        return one if other is None else other
    return max(one, other) if side is Side.BUY else min(one, other)


def farther(side: Side, one: Decimal, other: Decimal) -> Decimal:
    """Return the stop that is farther from the market."""
    return min(one, other) if side is Side.BUY else max(one, other)


def trailed(guard: Guard, quote: Quote | None, spec: Instrument | None) -> Decimal | None:
    """Return the guard's stop after the market's move: nearer by a worthwhile step, or as it is."""
    if quote is None or spec is None:
        return guard.stop
    market = quote.bid if guard.side is Side.BUY else quote.ask
    if guard.trail_amount is not None:
        distance = guard.trail_amount
    elif guard.trail_percent is not None:
        distance = market * guard.trail_percent / PERCENT
    else:
        return guard.stop
    level = first_trail(guard.side, market, distance, tick=spec.tick_size)
    if level <= ZERO:
        return guard.stop
    if guard.stop is not None:
        gain = level - guard.stop if guard.side is Side.BUY else guard.stop - level
        if gain < max(distance * RATCHET, spec.tick_size):
            return guard.stop
    return level


def first_trail(side: Side, market: Decimal, distance: Decimal, *, tick: Decimal) -> Decimal:
    """Return the stop of a position of `side` that trails the market, never closer than asked."""
    if side is Side.BUY:
        return round_floor(market - distance, tick)
    return round_ceiling(market + distance, tick)


def nearest_stop(
    side: Side, quote: Quote | None, spec: Instrument | None, *, refused: int = 0
) -> Decimal | None:
    """Return the price nearest to the market at which the venue takes a stop now.

    Each refusal before makes the distance one time wider: the venue's own may have grown.
    """
    if quote is None or spec is None:
        return None
    away = max(1, spec.stops_level_ticks) * spec.tick_size * (1 + refused)
    if side is Side.BUY:
        return round_floor(quote.bid - away, spec.tick_size)
    return round_ceiling(quote.ask + away, spec.tick_size)


def legs_of(position: Position | None, guard: Guard, snapshot: VenueSnapshot) -> tuple[Leg, ...]:
    """Return the resting exits of the guard's position.

    One that names no position belongs to the only position on its other side.
    """
    rivals = [
        row for row in snapshot.positions if (row.symbol, row.side) == (guard.symbol, guard.side)
    ]
    alone = rivals in ([], [position])
    return tuple(
        leg
        for order in snapshot.open_orders
        if order.reduce_only
        and (order.symbol, order.side) == (guard.symbol, guard.side.opposite)
        and (order.position_id == guard.position_id or (order.position_id is None and alone))
        and (leg := _leg(order)) is not None
    )


def resting_stop(side: Side, legs: Iterable[Leg]) -> Decimal | None:
    """Return the farthest stop among the legs: what a plan puts back when its close fails."""
    level: Decimal | None = None
    for leg in legs:
        if leg.stop:
            level = leg.price if level is None else farther(side, level, leg.price)
    return level


def covered(snapshot: VenueSnapshot) -> VenueSnapshot:
    """Return the snapshot with each position's stop and target as they rest in orders of theirs."""
    return replace(
        snapshot, positions=tuple(_shown(one, snapshot.open_orders) for one in snapshot.positions)
    )


def _shown(position: Position, orders: Sequence[VenueOrderState]) -> Position:
    legs = [
        leg
        for order in orders
        if order.reduce_only
        and order.position_id == position.position_id
        and order.side is not position.side
        and (leg := _leg(order)) is not None
    ]
    stops = [leg for leg in legs if leg.stop]
    targets = [leg for leg in legs if not leg.stop]
    whole = _lots(stops) >= position.quantity
    return replace(
        position,
        stop_loss=resting_stop(position.side, stops) if whole else position.stop_loss,
        take_profit=targets[0].price
        if targets and _lots(targets) >= position.quantity
        else position.take_profit,
    )


def _stops(scene: Scene, cover: Decimal) -> Step | None:
    legs = _of(scene, stop=True)
    level = _level(scene)
    good = [leg for leg in legs if level is None or holds(scene.side, leg.price, level)]
    missing = cover - _lots(good)
    if missing > ZERO and level is not None:
        return Put(True, min(missing, scene.most), level)
    return _trimmed(scene, legs, good, cover=cover, level=level)


def _targets(scene: Scene, cover: Decimal) -> Step | None:
    legs, level = _of(scene, stop=False), scene.target
    good = [leg for leg in legs if level is None or leg.price == level]
    step = _trimmed(scene, legs, good, cover=cover, level=level)
    missing = cover - _lots(good)
    if step is None and missing > ZERO and level is not None:
        return Put(False, min(missing, scene.most), level)
    return step


def _trimmed(
    scene: Scene, legs: list[Leg], good: list[Leg], *, cover: Decimal, level: Decimal | None
) -> Step | None:
    """Return the step that takes away what is too much, the rest staying covered."""
    for leg in legs:
        if leg not in good:
            return Drop(leg.venue_order_id)
    excess = _lots(good) - cover
    if excess <= ZERO:
        return None
    spare = [leg for leg in good if leg.lots <= excess]
    if spare:
        return Drop(max(spare, key=lambda leg: leg.lots).venue_order_id)
    # All are larger than what is too much: a smaller one rests before the larger one goes.
    least = min(good, key=lambda leg: leg.lots)
    price = level if level is not None else least.price
    if least.stop and scene.nearest is not None:
        price = farther(scene.side, price, scene.nearest)
    return Put(least.stop, least.lots - excess, price)


def _level(scene: Scene) -> Decimal | None:
    """Return where a stop is to rest now: as wanted, or as near as the venue takes it."""
    if scene.stop is None or scene.nearest is None:
        return scene.stop
    return farther(scene.side, scene.stop, scene.nearest)


def holds(side: Side, price: Decimal, level: Decimal) -> bool:
    """Say whether a stop at `price` protects as much as one at `level`."""
    return price >= level if side is Side.BUY else price <= level


def _of(scene: Scene, *, stop: bool) -> list[Leg]:
    return [leg for leg in scene.legs if leg.stop is stop]


def _lots(legs: Iterable[Leg]) -> Decimal:
    return sum((leg.lots for leg in legs), ZERO)


def _leg(order: VenueOrderState) -> Leg | None:
    lots = order.quantity - order.filled_quantity
    stop = order.order_type in STOP_KINDS
    price = order.stop_price if stop else order.limit_price
    if price is None or lots <= ZERO:
        return None
    return Leg(order.venue_order_id, stop, price, lots)
