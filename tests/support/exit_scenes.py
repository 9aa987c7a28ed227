"""Scenes of managed exits, and a venue in four lines that carries their steps out."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordergate.model.orders import Side
from ordergate.model.records import Guard
from ordergate.model.values import (
    AccountId,
    OrderId,
    PositionId,
    PrincipalId,
    Symbol,
    VenueName,
    VenueOrderId,
)
from ordergate.order.exits.plan import Drop, Leg, Put, Scene, Step

D = Decimal
AT = datetime(2026, 1, 7, 14, tzinfo=UTC)


def leg(name: str, lots: str, price: str, *, stop: bool = True) -> Leg:
    return Leg(VenueOrderId(name), stop, D(price), D(lots))


def scene(**changes: Any) -> Scene:
    """Return a long position of one lot whose stop is wanted at 90, the market near 100."""
    usual = Scene(
        side=Side.BUY,
        held=D(1),
        legs=(),
        stop=D(90),
        target=None,
        keep=None,
        closing_in_doubt=False,
        nearest=D(99),
        most=D(100),
    )
    return dataclasses.replace(usual, **changes)


def carried_out(step: Step, seen: Scene, number: int) -> Scene:
    """Return the scene after the venue did as it was told."""
    match step:
        case Put():
            rests = Leg(VenueOrderId(f"n{number}"), step.stop, step.price, step.lots)
            return dataclasses.replace(seen, legs=(*seen.legs, rests))
        case Drop():
            left = tuple(one for one in seen.legs if one.venue_order_id != step.venue_order_id)
            return dataclasses.replace(seen, legs=left)
        case _:
            return seen


def a_guard(**changes: Any) -> Guard:
    usual = Guard(
        guard_id="g1",
        ver=1,
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        position_id=PositionId("P1"),
        side=Side.BUY,
        principal=PrincipalId("local-agent"),
        parent=OrderId("o1"),
        stop=D("1.08"),
        target=None,
        trail_amount=None,
        trail_percent=None,
        keep=None,
        close_order=None,
        rung=0,
        alarmed=False,
        created_at=AT,
        updated_at=AT,
    )
    return dataclasses.replace(usual, **changes)
