"""The core's pictures as the doors show them: plain strings, modes, sources and ages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import AccountIdentity, Mode, Position, VenueOrderState
from ordergate.model.orders import CloseIntent, Keep, ModifyIntent, PlaceIntent
from ordergate.model.records import OrderRecord, TicketRecord
from ordergate.model.values import plain
from ordergate.model.verdicts import RuleVerdict
from ordergate.model.views import FillView, OrderView
from ordergate.order.standing import closed
from ordergate.surfaces.catalogue.results import (
    ApprovalItem,
    FillItem,
    OrderItem,
    PositionItem,
    RestingOrderItem,
    UntrustedText,
    VerdictItem,
)

LIVE_WARNING: Final = "LIVE: this account trades real money."
UNTRUSTED_MAX: Final = 500
_HIDDEN: Final = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]"
)
_LINK: Final = re.compile(r"(?:https?|ftp|file|javascript|data):\S*", re.IGNORECASE)
_MARKUP: Final = re.compile(r"[\[\]<>`*_#|~]")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an account's prices come from, and by which clock it is now."""

    name: str
    synthetic: bool
    now: datetime

    def age(self, at: datetime) -> str:
        """Return seconds of the venue's clock since `at`, never negative."""
        return seconds(max(Decimal(0), Decimal(str((self.now - at).total_seconds()))))


def seconds(value: Decimal) -> str:
    return plain(value.quantize(Decimal("0.001")))


def text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def time_text(at: datetime) -> str:
    """Write a time with milliseconds: 2026-01-07T14:00:00.000Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def optional_time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def live_warning(mode: Mode | None) -> str | None:
    """Return the words that stand with everything that is real money."""
    return LIVE_WARNING if mode is Mode.LIVE else None


def masked(account: str, mode: Mode | None) -> str:
    """Show a paper account as it is, of any other the last four characters."""
    return account if mode is Mode.PAPER else f"...{account[-4:]}"


def cleaned(words: str) -> str:
    """Strip control, bidi and zero-width characters, links and markup; cut at 500."""
    plain_words = _MARKUP.sub("", _LINK.sub("(link)", _HIDDEN.sub("", words)))
    return plain_words[:UNTRUSTED_MAX]


def untrusted(source: str, words: str | None) -> UntrustedText | None:
    return UntrustedText(source=source, text=cleaned(words)) if words else None


def verdict_item(verdict: RuleVerdict) -> VerdictItem:
    """Return a rule's word with only the fields that say something."""
    said: dict[str, str | None] = {
        "code": verdict.code,
        "limit_name": verdict.limit_name,
        "value": text(verdict.value),
        "limit": text(verdict.limit),
        "headroom": text(verdict.headroom),
        "unit": verdict.unit,
        "source": verdict.source,
        "message": verdict.message,
        "fix": verdict.fix,
    }
    return VerdictItem(
        rule=verdict.rule,
        control=verdict.control,
        finding=verdict.finding.value,
        **{name: str(value) for name, value in said.items() if value},
    )


def checklist(view: OrderView) -> list[VerdictItem]:
    """Return the judgement of this call, else the one on record."""
    if view.judgement is not None:
        return [verdict_item(verdict) for verdict in view.judgement.decision.verdicts]
    return recorded_checklist(view.order)


def recorded_checklist(order: OrderRecord) -> list[VerdictItem]:
    if order.decision_json is None:
        return []
    return [_recorded(item) for item in json.loads(order.decision_json).get("verdicts", [])]


def _recorded(item: dict[str, object]) -> VerdictItem:
    known = {
        name: str(item[name])
        for name in VerdictItem.model_fields
        if item.get(name) not in (None, "")
    }
    return VerdictItem.model_validate(known)


def order_item(view: OrderView) -> OrderItem:
    return OrderItem.model_validate(order_fields(view.order, view))


def order_fields(order: OrderRecord, view: OrderView | None) -> dict[str, str | None]:
    """Return what every picture of an order shows."""
    attempt = None if view is None else view.attempt
    mode = None if view is None else view.mode
    ticket = None if view is None else view.ticket
    terms = _terms(order)
    return {
        "order_id": order.order_id,
        "status": order.state.value if view is None else view.status,
        "action": order.action.value,
        "symbol": order.symbol,
        "side": terms.get("side") or (attempt.side.value if attempt and attempt.side else None),
        "order_type": terms.get("order_type"),
        "quantity": terms.get("quantity") or (text(attempt.quantity) if attempt else None),
        "filled_quantity": text(attempt.filled_quantity) if attempt else None,
        "average_price": text(attempt.average_price) if attempt else None,
        "limit_price": terms.get("limit_price"),
        "stop_price": terms.get("stop_price"),
        "stop_loss": terms.get("stop_loss"),
        "take_profit": terms.get("take_profit"),
        "venue_order_id": (attempt.venue_order_id if attempt else None)
        or terms.get("venue_order_id"),
        "position_id": (attempt.position_id if attempt else None) or terms.get("position_id"),
        "approval_id": ticket.ticket_id if ticket else order.ticket_id,
        "code": closed(order.code) if view is None else view.code,
        "venue_code": None if view is None else view.venue_code,
        "mode": None if mode is None else mode.value,
        "warning": live_warning(mode),
        "venue": order.venue,
        "account": masked(order.account, mode),
        "principal": order.principal,
        "created_at": time_text(order.created_at),
        "updated_at": time_text(order.updated_at),
    }


def _terms(order: OrderRecord) -> dict[str, str | None]:
    names = (
        "side",
        "order_type",
        "quantity",
        "limit_price",
        "stop_price",
        "stop_loss",
        "take_profit",
        "venue_order_id",
        "position_id",
    )
    found: dict[str, str | None] = {}
    for name in names:
        value = getattr(order.intent, name, None)
        if isinstance(value, Decimal):
            found[name] = plain(value)
        elif value is not None and not isinstance(value, Keep):
            found[name] = str(value)
    return found


def approval_item(ticket: TicketRecord, approve_url: str | None) -> ApprovalItem:
    return ApprovalItem(
        approval_id=ticket.ticket_id,
        status=ticket.state.value,
        number=ticket.number,
        reference_price=plain(ticket.reference_price),
        band_low=plain(ticket.band_low),
        band_high=plain(ticket.band_high),
        expires_at=time_text(ticket.expires_at),
        approve_url=approve_url,
    )


def position_item(
    position: Position, *, identity: AccountIdentity, external: bool, source: Source
) -> PositionItem:
    return PositionItem(
        position_id=position.position_id,
        symbol=position.symbol,
        side=position.side.value,
        quantity=plain(position.quantity),
        open_price=plain(position.open_price),
        current_price=text(position.current_price),
        stop_loss=text(position.stop_loss),
        take_profit=text(position.take_profit),
        open_pnl=text(position.open_pnl),
        swap=plain(position.swap),
        opened_at=time_text(position.opened_at),
        external=external,
        mode=identity.mode.value,
        warning=live_warning(identity.mode),
        venue=identity.venue,
        account=masked(identity.account, identity.mode),
        source=source.name,
        synthetic=source.synthetic,
        as_of=time_text(source.now),
        age_s="0",
    )


def resting_item(
    order: VenueOrderState, *, identity: AccountIdentity, external: bool
) -> RestingOrderItem:
    return RestingOrderItem(
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side.value,
        order_type=order.order_type.value,
        quantity=plain(order.quantity),
        filled_quantity=plain(order.filled_quantity),
        limit_price=text(order.limit_price),
        stop_price=text(order.stop_price),
        stop_loss=text(order.stop_loss),
        take_profit=text(order.take_profit),
        time_in_force=order.time_in_force.value,
        reduce_only=order.reduce_only,
        position_id=order.position_id,
        status=order.status.value,
        external=external,
        mode=identity.mode.value,
        warning=live_warning(identity.mode),
        venue=identity.venue,
        account=masked(identity.account, identity.mode),
    )


def fill_items(
    views: Iterable[FillView], *, identity: AccountIdentity, source: Source
) -> list[FillItem]:
    return [
        FillItem(
            trade_id=fill.trade_id,
            venue_order_id=fill.venue_order_id,
            position_id=fill.position_id,
            symbol=fill.symbol,
            side=fill.side.value,
            quantity=plain(fill.quantity),
            price=plain(fill.price),
            commission=plain(fill.commission),
            realised=plain(fill.realised),
            effect=fill.effect.value,
            reason=fill.reason,
            origin=view.origin,
            time=time_text(fill.time),
            mode=identity.mode.value,
            venue=identity.venue,
            account=masked(identity.account, identity.mode),
            source=source.name,
            synthetic=source.synthetic,
        )
        for view in views
        for fill in (view.fill,)
    ]


def placed(order: OrderRecord) -> PlaceIntent | None:
    return order.intent if isinstance(order.intent, PlaceIntent) else None


def targets(order: OrderRecord) -> str:
    """Say in words what an order acts on."""
    match order.intent:
        case PlaceIntent() as intent:
            return f"{intent.side.value} {plain(intent.quantity)} {intent.symbol}"
        case CloseIntent() as intent:
            return f"close of {intent.symbol} position {intent.position_id}"
        case ModifyIntent() as intent:
            return f"change of {intent.symbol} {intent.position_id or intent.venue_order_id}"
        case intent:
            return f"cancel of {intent.symbol} order {intent.venue_order_id}"
