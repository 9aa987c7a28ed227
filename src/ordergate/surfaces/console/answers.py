"""The operator's JSON: one envelope, and the shapes of orders, asks, halts and tokens."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse

from ordergate.model.canonical import plain_data
from ordergate.model.errors import GateError
from ordergate.model.records import AttemptRecord, OrderRecord, TokenRecord
from ordergate.model.views import OrderView, PriceView, TicketView
from ordergate.order.standing import closed
from ordergate.surfaces.catalogue.envelope import failure


def answer(content: object) -> JSONResponse:
    return JSONResponse({"ok": True, "data": content, "error": None})


def refusal(error: GateError) -> JSONResponse:
    """Return the envelope of a "no", with Retry-After where the wait is known."""
    envelope = failure(error)
    response = JSONResponse(plain_data(envelope.body()), status_code=envelope.status)
    if "retry_after_s" in error.details:
        response.headers["retry-after"] = str(error.details["retry_after_s"])
    return response


def status_of(error: GateError) -> int:
    return failure(error).status


def order_shape(view: OrderView) -> dict[str, Any]:
    """Return an order with its last attempt, its ask and the recorded checklist."""
    return {
        "order_id": view.order.order_id,
        "status": view.status,
        "code": view.code,
        "venue_code": view.venue_code,
        "mode": view.mode,
        "order": record_shape(view.order),
        "attempt": None if view.attempt is None else attempt_shape(view.attempt),
        "ticket": plain_data(view.ticket),
        "replayed": view.replayed,
    }


def ticket_shape(view: TicketView) -> dict[str, Any]:
    """Return an ask with its order, the link to its page and the price now."""
    return {
        "ticket_id": view.ticket.ticket_id,
        "ticket": plain_data(view.ticket),
        "order": record_shape(view.order),
        "approve_url": view.approve_url,
        **price_shape(view.now),
    }


def price_shape(now: PriceView) -> dict[str, Any]:
    """Return a price with its source, its age and whether it is made up."""
    return {
        "price_now": plain_data(now.price),
        "source": now.source,
        "synthetic": now.synthetic,
        "price_as_of": plain_data(now.as_of),
        "price_age_s": plain_data(now.age_s),
    }


def token_shape(record: TokenRecord) -> dict[str, Any]:
    """Return what may be shown of a token: everything but its digest."""
    shape: dict[str, Any] = plain_data(record)
    del shape["digest"]
    return shape


def record_shape(order: OrderRecord) -> dict[str, Any]:
    """Return the order's row; its code stands where one of the closed list is known."""
    shape: dict[str, Any] = plain_data(order)
    del shape["decision_json"]
    shape["code"] = closed(order.code)
    shape["decision"] = json.loads(order.decision_json) if order.decision_json else None
    return shape


def attempt_shape(attempt: AttemptRecord) -> dict[str, Any]:
    """Return the attempt's row; what the venue or the wire said of it is no code of ours."""
    shape: dict[str, Any] = plain_data(attempt)
    shape["said"] = shape.pop("code")
    return shape
