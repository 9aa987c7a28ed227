"""What a request is about: what it names, what it comes to, what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ordergate.model.accounts import Position, VenueOrderState, VenueSnapshot
from ordergate.model.instruments import Instrument
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    PlaceIntent,
    Side,
)
from ordergate.model.records import AttemptRecord
from ordergate.model.values import ZERO, VenueOrderId, round_ceiling, round_floor
from ordergate.model.verdicts import Decision, Exposure
from ordergate.order.policy.exposure import (
    is_exit,
    reached_price,
    reference_price,
)
from ordergate.order.policy.facts import Facts, protects


@dataclass(frozen=True, slots=True)
class Target:
    """What the request names: a position, a resting order, and our own attempt behind it."""

    position: Position | None
    resting: VenueOrderState | None
    attempt: AttemptRecord | None

    def opens(self, spec: Instrument | None, snapshot: VenueSnapshot | None) -> bool | None:
        """Say whether the named order adds risk, by the venue's books or else by ours."""
        if self.resting is None:
            return None if self.attempt is None else self.attempt.opening
        if is_exit(self.resting):
            return False
        if self.attempt is not None:
            return self.attempt.opening
        return not protects(self.resting, () if snapshot is None else snapshot.positions, spec)

    def exit(self) -> tuple[Side, str | None] | None:
        """Return side and position of the resting exit, by the venue's books or else by ours."""
        resting, attempt = self.resting, self.attempt
        if resting is not None:
            return (resting.side, resting.position_id) if resting.reduce_only else None
        if attempt is None or attempt.opening or attempt.side is None:
            return None
        return attempt.side, attempt.position_id


def order_named(intent: Intent) -> VenueOrderId | None:
    """Return the resting order a request names."""
    return intent.venue_order_id if isinstance(intent, ModifyIntent | CancelIntent) else None


def target(intent: Intent, snapshot: VenueSnapshot | None, attempt: AttemptRecord | None) -> Target:
    """Return what a request names; `attempt` is ours behind the order it names."""
    position_id = intent.position_id if isinstance(intent, ModifyIntent | CloseIntent) else None
    order_id = order_named(intent)
    positions = () if snapshot is None or position_id is None else snapshot.positions
    orders = () if snapshot is None or order_id is None else snapshot.open_orders
    return Target(
        position=next((row for row in positions if row.position_id == position_id), None),
        resting=next((row for row in orders if row.venue_order_id == order_id), None),
        attempt=None if attempt is None or attempt.symbol != intent.symbol else attempt,
    )


def group(intent: Intent, snapshot: VenueSnapshot | None) -> tuple[VenueOrderState, ...]:
    """Return what rests in the OCO group a new order would join."""
    if snapshot is None or not isinstance(intent, PlaceIntent) or intent.oco_group is None:
        return ()
    return tuple(row for row in snapshot.open_orders if row.oco_group == intent.oco_group)


def opposing(
    intent: Intent, named: Target, order: PlaceIntent | None, resting: Iterable[VenueOrderState]
) -> tuple[VenueOrderState, ...]:
    """Return the openings at rest, with a limit, that the request could trade with."""
    if order is not None:
        side = order.side
    elif isinstance(intent, CloseIntent) and named.position is not None:
        side = named.position.side.opposite
    else:
        return ()
    return tuple(
        row
        for row in resting
        if row.symbol == intent.symbol and row.side is not side and row.limit_price is not None
    )


def exposure(decision: Decision, facts: Facts) -> Exposure | None:
    """Return what the request adds; a widened stop adds no size, only its price is of interest."""
    if decision.lane is not Lane.OPEN:
        return None
    if facts.valued is not None:
        order, quote = facts.order, facts.quote
        return Exposure(
            notional=facts.valued.worst_notional,
            risk=facts.valued.risk,
            reference_price=facts.valued.reference,
            worst_price=facts.valued.worst,
            reached=None if order is None or quote is None else reached_price(order, quote),
        )
    price = _reference(facts)
    if price is None or facts.order is not None:
        return None
    return Exposure(notional=ZERO, risk=None, reference_price=price, worst_price=price)


def band(facts: Facts) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the market's price and those between which a yes stays good, whole ticks, outwards."""
    price = _reference(facts)
    if price is None or facts.instrument is None:
        return None, None, None
    away, tick = price * facts.limits.approval_band_fraction, facts.instrument.tick_size
    return price, round_floor(price - away, tick), round_ceiling(price + away, tick)


def _reference(facts: Facts) -> Decimal | None:
    if facts.quote is None:
        return None
    side = Side.BUY if facts.order is None else facts.order.side
    return reference_price(side, facts.quote)
