"""The venue's rows in the words of the model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from ordergate.adapters.venues.paper import mapping
from ordergate.adapters.venues.paper.book import (
    PARTIAL,
    WORKING,
    CashRow,
    FillRow,
    OrderRow,
    PositionRow,
    RefusalRow,
)
from ordergate.adapters.venues.paper.mapping import Spec
from ordergate.model.accounts import CashKind, CashLine, Position, VenueOrderState
from ordergate.model.orders import OrderType, Side, TimeInForce
from ordergate.model.outcomes import Acked, Fill, FillEffect, VenueStatus
from ordergate.model.values import PositionId, Symbol, Tag, VenueOrderId

SpecOf = Callable[[str], Spec]


def side_of(sign: int) -> Side:
    return Side.BUY if sign > 0 else Side.SELL


def order_id(number: int) -> VenueOrderId:
    return VenueOrderId(f"O{number}")


def position_id(number: int) -> PositionId | None:
    return PositionId(f"P{number}") if number else None


def order_state(row: OrderRow, spec_of: SpecOf) -> VenueOrderState:
    spec = spec_of(row.symbol)
    status = PARTIAL if row.status == WORKING and row.filled else row.status
    return VenueOrderState(
        venue_order_id=order_id(row.number),
        tag=Tag(row.tag),
        symbol=Symbol(row.symbol),
        side=side_of(row.side),
        order_type=OrderType(row.kind),
        quantity=spec.quantity(row.steps),
        filled_quantity=spec.quantity(row.filled),
        average_price=spec.average(row.cost, row.filled) if row.filled else None,
        status=VenueStatus(status),
        time_in_force=TimeInForce(row.time_in_force),
        limit_price=spec.price_or_none(row.limit),
        stop_price=spec.price_or_none(row.stop),
        stop_loss=spec.price_or_none(row.stop_loss),
        take_profit=spec.price_or_none(row.take_profit),
        reduce_only=bool(row.reduce_only or row.closes),
        position_id=position_id(row.position),
        oco_group=row.oco_group or None,
        placed_at=mapping.moment(row.placed_at),
        done_at=mapping.moment(row.done_at) if row.done_at else None,
        code=row.code or None,
    )


def refused_state(row: RefusalRow) -> VenueOrderState:
    at = mapping.moment(row.at)
    return VenueOrderState(
        venue_order_id=VenueOrderId(f"R{row.number}"),
        tag=Tag(row.tag),
        symbol=Symbol(row.symbol),
        side=Side(row.side),
        order_type=OrderType(row.kind),
        quantity=Decimal(row.quantity),
        filled_quantity=Decimal(0),
        average_price=None,
        status=VenueStatus.REJECTED,
        time_in_force=TimeInForce(row.time_in_force),
        placed_at=at,
        done_at=at,
        code=row.code,
    )


def fill(row: FillRow, spec_of: SpecOf) -> Fill:
    spec = spec_of(row.symbol)
    return Fill(
        trade_id=f"T{row.number}",
        venue_order_id=VenueOrderId(row.venue_order_id),
        tag=Tag(row.tag) if row.tag else None,
        symbol=Symbol(row.symbol),
        side=side_of(row.side),
        quantity=spec.quantity(row.steps),
        price=spec.price(row.price),
        commission=mapping.amount(row.commission),
        realised=mapping.amount(row.realised),
        time=mapping.moment(row.time),
        position_id=position_id(row.position),
        effect=FillEffect(row.effect),
        reason=row.reason,
    )


def cash(row: CashRow, spec_of: SpecOf) -> CashLine:
    return CashLine(
        line_id=f"C{row.number}",
        kind=CashKind(row.kind),
        amount=mapping.amount(row.amount),
        time=mapping.moment(row.at),
        symbol=Symbol(row.symbol) if row.symbol else None,
        quantity=spec_of(row.symbol).quantity(row.steps) if row.steps else Decimal(0),
        note=row.note,
    )


def position(
    row: PositionRow, spec: Spec, *, mark: int | None, open_profit: int | None
) -> Position:
    return Position(
        position_id=PositionId(f"P{row.number}"),
        symbol=Symbol(row.symbol),
        side=side_of(row.side),
        quantity=spec.quantity(row.steps),
        open_price=spec.average(row.cost, row.steps),
        current_price=None if mark is None else spec.price(mark),
        stop_loss=spec.price_or_none(row.stop_loss),
        take_profit=spec.price_or_none(row.take_profit),
        open_pnl=None if open_profit is None else mapping.amount(open_profit),
        swap=mapping.amount(row.swap),
        opened_at=mapping.moment(row.opened_at),
        tag=Tag(row.tag) if row.tag else None,
    )


def acked(row: OrderRow, fills: Iterable[FillRow], *, at: int, spec_of: SpecOf) -> Acked:
    """Return the answer to a request that left `row` as it stands."""
    state = order_state(row, spec_of)
    return Acked(
        venue_order_id=state.venue_order_id,
        status=state.status,
        filled_quantity=state.filled_quantity,
        average_price=state.average_price,
        position_id=state.position_id,
        fills=tuple(fill(each, spec_of) for each in fills),
        venue_time=mapping.moment(at),
    )
