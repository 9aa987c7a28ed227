"""Which position or resting order a request means, by whichever name it gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ordergate.model.errors import IllegalState, InvalidArgument, NotFound
from ordergate.model.orders import OrderState
from ordergate.model.values import OrderId, PositionId, Symbol, VenueOrderId

if TYPE_CHECKING:
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services


@dataclass(frozen=True, slots=True)
class PositionTarget:
    position_id: PositionId
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class RestingTarget:
    venue_order_id: VenueOrderId
    symbol: Symbol
    order_id: OrderId | None


class NamesAnOrder(Protocol):
    @property
    def order_id(self) -> str | None: ...
    @property
    def venue_order_id(self) -> str | None: ...
    @property
    def symbol(self) -> str | None: ...


def one_of(*names: str) -> InvalidArgument:
    """Return the error for a request that names nothing to act on."""
    return InvalidArgument(
        f"needs one of {', '.join(names)}", fix=f"Send {names[0]}.", details={"one_of": list(names)}
    )


async def position_target(
    services: Services, asker: Principal, position_id: str | None, symbol: str | None
) -> PositionTarget:
    """Return the position of that id, or the only one of that symbol.

    Both names given need no look at the account: a close must not wait for what it can do without.
    """
    if position_id is not None and symbol is not None:
        return PositionTarget(PositionId(position_id), Symbol(symbol))
    if position_id is None and symbol is None:
        raise one_of("position_id", "symbol")
    held = (await services.gateway.account(asker=asker)).positions
    found = [item for item in held if position_id == item.position_id or symbol == item.symbol]
    if not found:
        raise NotFound("there is no such open position", fix="get_positions lists what is open.")
    if len(found) > 1:
        raise InvalidArgument(
            f"{len(found)} positions of {found[0].symbol} are open",
            fix="Send the position_id of one of them.",
            details={"position_ids": [item.position_id for item in found]},
        )
    return PositionTarget(found[0].position_id, found[0].symbol)


async def resting_target(
    services: Services, asker: Principal, named: NamesAnOrder
) -> RestingTarget:
    """Return the order resting at the venue, by our id or by the venue's."""
    if named.order_id is not None:
        return await _ours(services, asker, OrderId(named.order_id))
    if named.venue_order_id is None:
        raise one_of("order_id", "venue_order_id")
    if named.symbol is not None:
        return RestingTarget(VenueOrderId(named.venue_order_id), Symbol(named.symbol), None)
    resting = (await services.gateway.account(asker=asker)).open_orders
    for item in resting:
        if item.venue_order_id == named.venue_order_id:
            return RestingTarget(item.venue_order_id, item.symbol, None)
    raise NotFound(
        "no such order rests at the venue", fix='get_account with section "orders" lists them.'
    )


async def _ours(services: Services, asker: Principal, order_id: OrderId) -> RestingTarget:
    view = await services.gateway.status(order_id, asker=asker)
    order, attempt = view.order, view.attempt
    if attempt is not None and attempt.venue_order_id is not None:
        return RestingTarget(attempt.venue_order_id, order.symbol, order_id)
    if order.state in (OrderState.DRAFT, OrderState.AWAITING_APPROVAL):
        raise IllegalState(
            f"the order is {view.status}; it has not been sent", fix="Use withdraw_order."
        )
    raise IllegalState(
        f"the order is {view.status}; the venue has given it no id",
        fix="Call wait_order, then try again.",
    )
