"""An order's view into an answer: what happened, what to do next, or the coded no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ordergate.model.errors import Code, Refused
from ordergate.model.orders import CloseIntent, PlaceIntent
from ordergate.model.views import OrderView
from ordergate.surfaces.catalogue.rendering import (
    Source,
    approval_item,
    checklist,
    optional_time,
    order_fields,
    placed,
    targets,
    text,
    untrusted,
)
from ordergate.surfaces.catalogue.results import OrderResult, VerdictItem

# What a status comes to when the order names no code.
_CODES: Final[Mapping[str, Code]] = {
    "rejected": Code.REJECTED_BY_SERVER,
    "denied": Code.APPROVAL_DENIED,
    "blocked": Code.HALTED,
    "killed": Code.KILL_SWITCH_ACTIVE,
    "not_sent": Code.NOT_READY,
    "not_applied": Code.REJECTED_BY_SERVER,
    "requoted": Code.REQUOTE,
}
_REASONS: Final[Mapping[str, str]] = {
    "rejected": "the order was refused",
    "denied": "the operator said no",
    "blocked": "a halt stood in the way at the last moment",
    "killed": "the kill switch ended it",
    "not_sent": "nothing was sent: the venue could not be reached",
    "not_applied": "the venue did not apply the change",
    "requoted": "the venue's price had moved",
}
_FIXES: Final[Mapping[str, str]] = {
    "requoted": "Repeat the call with the same idempotency_key; it is judged again.",
    "not_sent": "Repeat the call with the same idempotency_key, or place it anew later.",
    "denied": "Do not send it again; ask the user.",
    "killed": "Ask the user: only the operator releases the kill switch.",
    "blocked": "Ask the user: only the operator releases a halt. Closing stays possible.",
}
_MESSAGES: Final[Mapping[str, str]] = {
    "draft": "Drafted. A human submits it in the console or with `ordergate order submit-draft`.",
    "approval_required": "Waiting for the operator. Give the user approve_url and the number;"
    " then call wait_order. Only the operator can approve.",
    "sending": "On its way. Call wait_order.",
    "approved": "Approved and about to be sent. Call wait_order.",
    "proposed": "Being judged. Call wait_order.",
    "working": "Resting at the venue.",
    "partial": "Partly filled; the rest is working.",
    "filled": "Filled.",
    "canceled": "Canceled.",
    "expired": "Expired.",
    "withdrawn": "Withdrawn.",
    "unknown": "The venue has not said what became of it. Do not send it again: the gate is"
    " finding out. Call wait_order.",
    "parked": "The venue has no trace of it yet. Do not send it again; the operator decides.",
    "applied": "Applied.",
}

_OF_A_FAILURE: Final = (
    "rule",
    "control",
    "limit_name",
    "value",
    "limit",
    "headroom",
    "unit",
    "source",
)


def order_result(view: OrderView, *, source: Source, approve_url: str | None) -> OrderResult:
    """Return everything an agent needs to know of its order."""
    order = view.order
    terms = placed(order)
    intent_note = order.intent.note
    return OrderResult.model_validate(
        {
            **order_fields(order, view),
            "message": _message(view),
            "idempotency_key": order.key,
            "replayed": view.replayed,
            "lane": None if order.lane is None else order.lane.value,
            "time_in_force": None if terms is None else terms.time_in_force.value,
            "good_till": None if terms is None else optional_time(terms.good_till),
            "reduce_only": None if terms is None else terms.reduce_only,
            "expires_at": optional_time(
                view.ticket.expires_at if view.ticket else order.expires_at
            ),
            "approve_url": approve_url,
            "approval": None if view.ticket is None else approval_item(view.ticket, approve_url),
            "checklist": checklist(view),
            "note": untrusted(order.principal, intent_note),
            "source": source.name,
            "synthetic": source.synthetic,
        }
    )


def _message(view: OrderView) -> str:
    words = _MESSAGES.get(view.status) or _REASONS.get(view.status) or view.status
    return f"{targets(view.order)}: {words}"


def refusal(view: OrderView) -> Refused | None:
    """Return the error this view is for the one who asked for the act; None when it went on."""
    if view.status not in _CODES:
        return None
    verdicts = checklist(view)
    failed = _failed(view, verdicts)
    code = view.code or _CODES[view.status]
    details: dict[str, object] = {
        "order_id": view.order.order_id,
        "status": view.status,
        "venue_code": view.venue_code,
        "idempotency_key": view.order.key,
        "replayed": view.replayed,
        "checklist": [item.model_dump(exclude_unset=True) for item in verdicts],
    }
    if failed is not None:
        for name in _OF_A_FAILURE:
            details[name] = getattr(failed, name)
    if failed is not None and failed.message:
        return Refused(code, failed.message, fix=failed.fix or "", details=details)
    reason = f"{targets(view.order)}: {_REASONS[view.status]}"
    return Refused(code, reason, fix=_FIXES.get(view.status, ""), details=details)


def _failed(view: OrderView, verdicts: list[VerdictItem]) -> VerdictItem | None:
    """Return the first refusing rule, where a rule refused."""
    if view.attempt is not None and view.status != "blocked":
        return None  # the venue's no, not a rule's
    refusing = [item for item in verdicts if item.finding == "refuse"]
    return refusing[0] if refusing else None


def size_of(view: OrderView) -> str | None:
    """Return the size asked for, where the order has one."""
    intent = view.order.intent
    return text(intent.quantity) if isinstance(intent, PlaceIntent | CloseIntent) else None
