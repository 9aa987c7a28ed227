"""Orders: draft, place, change, cancel, close, withdraw, and how they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ordergate.model.errors import GateError, InvalidArgument, NotFound
from ordergate.model.orders import (
    KEEP,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderState,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.records import TicketState
from ordergate.model.values import IdempotencyKey, OrderId, Symbol, TicketId, parse_decimal
from ordergate.model.views import OrderView, TicketView
from ordergate.surfaces.catalogue import requests
from ordergate.surfaces.catalogue.account import source_of
from ordergate.surfaces.catalogue.fields import decimal_or_none, read_time
from ordergate.surfaces.catalogue.market import known
from ordergate.surfaces.catalogue.outcome import order_result, refusal
from ordergate.surfaces.catalogue.rendering import (
    approval_item,
    optional_time,
    order_fields,
    order_item,
    seconds,
    targets,
    text,
)
from ordergate.surfaces.catalogue.results import (
    ApprovalResult,
    OrderItem,
    OrderResult,
    OrdersResult,
)
from ordergate.surfaces.catalogue.whereabouts import one_of, position_target, resting_target

if TYPE_CHECKING:
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services

_OPEN: Final = frozenset(
    {
        OrderState.DRAFT,
        OrderState.PROPOSED,
        OrderState.AWAITING_APPROVAL,
        OrderState.APPROVED,
        OrderState.ACTIVE,
        OrderState.REQUOTED,
    }
)
_SCOPES: Final[dict[str, frozenset[OrderState] | None]] = {
    "open": _OPEN,
    "draft": frozenset({OrderState.DRAFT}),
    "waiting": frozenset({OrderState.AWAITING_APPROVAL}),
    "ended": frozenset(OrderState) - _OPEN,
    "all": None,
}
_TICKET_MESSAGES: Final = {
    TicketState.OPEN: "Waiting for the operator. Give the user approve_url and the number.",
    TicketState.APPROVED: "Approved; see the order's status.",
    TicketState.DENIED: "The operator said no. Do not send it again; ask the user.",
    TicketState.EXPIRED: "Nobody answered in time. Place the order again if it is still wanted.",
    TicketState.WITHDRAWN: "Withdrawn.",
    TicketState.SUPERSEDED: "The price left the band; the order has a new approval to wait for.",
}


def place_intent(services: Services, terms: requests.Terms, note: str | None) -> PlaceIntent:
    """Return the intent of a new order; raise SymbolNotFound with the nearest names."""
    require_venue(services, terms.venue)
    return PlaceIntent(
        account=services.gateway.account_id,
        venue=services.gateway.venue,
        symbol=known(services.market, terms.symbol).symbol,
        side=Side(terms.side),
        order_type=OrderType(terms.order_type),
        quantity=parse_decimal(terms.quantity),
        limit_price=decimal_or_none(terms.limit_price),
        stop_price=decimal_or_none(terms.stop_price),
        trail_amount=decimal_or_none(terms.trail_amount),
        trail_percent=decimal_or_none(terms.trail_percent),
        time_in_force=TimeInForce(terms.time_in_force),
        good_till=None if terms.good_till is None else read_time(terms.good_till),
        stop_loss=decimal_or_none(terms.stop_loss),
        take_profit=decimal_or_none(terms.take_profit),
        reduce_only=terms.reduce_only,
        oco_group=terms.oco_group,
        strategy=terms.strategy,
        note=note,
    )


def require_venue(services: Services, named: str | None) -> None:
    """Raise InvalidArgument where a request names a venue that is not the gate's."""
    here = services.gateway.venue
    if named not in (None, here):
        raise InvalidArgument(
            f"this gate trades {here}, not {named}",
            fix="leave venue out, or ask the gate that trades there",
            details={"venue": here},
        )


def _key(text: str | None) -> IdempotencyKey | None:
    return None if text is None else IdempotencyKey(text)


async def shown(services: Services, asker: Principal, view: OrderView) -> OrderResult:
    """Return the picture of an order, with the link while an approval is awaited."""
    url = None
    if view.ticket is not None and view.ticket.state is TicketState.OPEN:
        url = (await services.gateway.ticket(view.ticket.ticket_id, asker=asker)).approve_url
    return order_result(view, source=source_of(services), approve_url=url)


async def _acted(services: Services, asker: Principal, view: OrderView) -> OrderResult:
    no: GateError | None = refusal(view)
    if no is not None:
        raise no
    return await shown(services, asker, view)


async def draft(services: Services, asker: Principal, request: requests.Order) -> OrderResult:
    intent = place_intent(services, request, request.note)
    key = _key(request.idempotency_key)
    return await _acted(services, asker, await services.gateway.draft(intent, key=key, asker=asker))


async def place(services: Services, asker: Principal, request: requests.Order) -> OrderResult:
    intent = place_intent(services, request, request.note)
    key = _key(request.idempotency_key)
    return await _acted(
        services, asker, await services.gateway.submit(intent, key=key, asker=asker)
    )


async def modify(services: Services, asker: Principal, request: requests.Modify) -> OrderResult:
    require_venue(services, request.venue)
    sent = request.model_fields_set
    if request.position_id is not None or not (request.order_id or request.venue_order_id):
        position = await position_target(services, asker, request.position_id, request.symbol)
        symbol, position_id, venue_order_id = position.symbol, position.position_id, None
    else:
        resting = await resting_target(services, asker, request)
        symbol, position_id, venue_order_id = resting.symbol, None, resting.venue_order_id
    stop_loss, take_profit = request.stop_loss, request.take_profit
    intent = ModifyIntent(
        account=services.gateway.account_id,
        venue=services.gateway.venue,
        symbol=symbol,
        venue_order_id=venue_order_id,
        position_id=position_id,
        stop_loss=decimal_or_none(stop_loss) if "stop_loss" in sent else KEEP,
        take_profit=decimal_or_none(take_profit) if "take_profit" in sent else KEEP,
        limit_price=KEEP if request.limit_price is None else parse_decimal(request.limit_price),
        stop_price=KEEP if request.stop_price is None else parse_decimal(request.stop_price),
        quantity=KEEP if request.quantity is None else parse_decimal(request.quantity),
        note=request.note,
    )
    key = _key(request.idempotency_key)
    return await _acted(
        services, asker, await services.gateway.modify(intent, key=key, asker=asker)
    )


async def cancel(services: Services, asker: Principal, request: requests.Cancel) -> OrderResult:
    require_venue(services, request.venue)
    target = await resting_target(services, asker, request)
    intent = CancelIntent(
        account=services.gateway.account_id,
        venue=services.gateway.venue,
        symbol=target.symbol,
        venue_order_id=target.venue_order_id,
        target_order_id=target.order_id,
        note=request.note,
    )
    key = _key(request.idempotency_key)
    return await _acted(
        services, asker, await services.gateway.cancel(intent, key=key, asker=asker)
    )


async def close(services: Services, asker: Principal, request: requests.Close) -> OrderResult:
    require_venue(services, request.venue)
    position = await position_target(services, asker, request.position_id, request.symbol)
    intent = CloseIntent(
        account=services.gateway.account_id,
        venue=services.gateway.venue,
        symbol=position.symbol,
        position_id=position.position_id,
        quantity=decimal_or_none(request.quantity),
        note=request.note,
    )
    key = _key(request.idempotency_key)
    return await _acted(services, asker, await services.gateway.close(intent, key=key, asker=asker))


async def withdraw(services: Services, asker: Principal, request: requests.OneOrder) -> OrderResult:
    view = await services.gateway.withdraw(OrderId(request.order_id), asker=asker)
    return await shown(services, asker, view)


async def one(services: Services, asker: Principal, request: requests.OneOrder) -> OrderResult:
    view = await services.gateway.status(OrderId(request.order_id), asker=asker)
    return await shown(services, asker, view)


async def wait(services: Services, asker: Principal, request: requests.Wait) -> OrderResult:
    view = await services.gateway.wait(
        OrderId(request.order_id), timeout_s=Decimal(request.timeout_s), asker=asker
    )
    return await shown(services, asker, view)


async def many(services: Services, asker: Principal, request: requests.Orders) -> OrdersResult:
    page = await services.gateway.orders(
        states=_SCOPES[request.scope],
        symbol=None if request.symbol is None else Symbol(request.symbol),
        limit=request.limit,
        cursor=request.cursor,
        asker=asker,
    )
    return OrdersResult(
        orders=[order_item(view) for view in page.items], next_cursor=page.next_cursor
    )


async def approval(
    services: Services, asker: Principal, request: requests.Approval
) -> ApprovalResult:
    ticket_id = request.approval_id
    if ticket_id is None:
        ticket_id = await _ticket_of(services, asker, request.order_id)
    view = await services.gateway.ticket(TicketId(ticket_id), asker=asker)
    return _approval(view)


async def _ticket_of(services: Services, asker: Principal, order_id: str | None) -> str:
    if order_id is None:
        raise one_of("approval_id", "order_id")
    order = (await services.gateway.status(OrderId(order_id), asker=asker)).order
    if order.ticket_id is None:
        raise NotFound(
            f"{targets(order)}: no approval was asked for it", fix="get_order says how it stands."
        )
    return order.ticket_id


def _approval(view: TicketView) -> ApprovalResult:
    item = approval_item(view.ticket, view.approve_url)
    return ApprovalResult(
        **item.model_dump(),
        order=OrderItem.model_validate(order_fields(view.order, None)),
        price_now=text(view.now.price),
        message=_TICKET_MESSAGES[view.ticket.state],
        source=view.now.source,
        synthetic=view.now.synthetic,
        as_of=optional_time(view.now.as_of),
        age_s=None if view.now.age_s is None else seconds(view.now.age_s),
    )
