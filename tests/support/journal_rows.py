"""Rows for the suites of the books: valid, distinct, easy to vary."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    OrderState,
    OrderType,
    PlaceIntent,
    Side,
    TimeInForce,
)
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.principals import Kind
from ordergate.model.records import (
    AttemptRecord,
    HaltKind,
    HaltRecord,
    OrderRecord,
    RecentOrder,
    Reservation,
    ScopeKind,
    TicketRecord,
    TicketState,
)
from support.manual_clock import START

ACCOUNT = "paper-1"
AGENT = "local-agent"
DAY = date(2026, 1, 7)


def place_intent(**fields: Any) -> PlaceIntent:
    base: dict[str, Any] = {
        "account": ACCOUNT,
        "venue": "paper",
        "symbol": "EURUSD",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.10"),
        "limit_price": Decimal("1.08510"),
        "stop_loss": Decimal("1.08"),
        "note": "Zürich ☕ \u0000 'quoted'",
    }
    return PlaceIntent(**base | fields)


def every_intent() -> tuple[Intent, ...]:
    target = {"account": ACCOUNT, "venue": "paper", "symbol": "EURUSD"}
    return (
        place_intent(
            time_in_force=TimeInForce.GTD, good_till=START + timedelta(days=1), reduce_only=True
        ),
        ModifyIntent(**target, venue_order_id="v-1", stop_loss=None, limit_price=Decimal("1.2")),
        CancelIntent(**target, venue_order_id="v-1", target_order_id="o-1"),
        CloseIntent(**target, position_id="p-1", quantity=Decimal("0.01")),
    )


def an_order(n: int, **fields: Any) -> OrderRecord:
    intent = fields.pop("intent", None) or place_intent()
    at = START + timedelta(milliseconds=n)
    base: dict[str, Any] = {
        "order_id": f"order-{n:06}",
        "ver": 1,
        "state": OrderState.PROPOSED,
        "action": intent.action,
        "lane": None,
        "principal": AGENT,
        "principal_kind": Kind.AGENT,
        "drafted_by": None,
        "key": f"key-{n}",
        "fingerprint": hashlib.sha256(str(intent).encode()).hexdigest(),
        "intent_hash": hashlib.sha256(f"{n}".encode()).hexdigest(),
        "intent": intent,
        "account": intent.account,
        "venue": intent.venue,
        "symbol": intent.symbol,
        "created_at": at,
        "updated_at": at,
    }
    return OrderRecord(**base | fields)


def an_attempt(n: int, **fields: Any) -> AttemptRecord:
    base: dict[str, Any] = {
        "attempt_id": f"attempt-{n:06}",
        "order_id": f"order-{n:06}",
        "n": 1,
        "ver": 1,
        "state": AttemptState.SENDING,
        "action": Action.PLACE,
        "tag": f"tag-{n}",
        "magic": 2**52 + n,
        "account": ACCOUNT,
        "venue": "paper",
        "symbol": "EURUSD",
        "side": Side.BUY,
        "quantity": Decimal("0.10"),
        "opening": True,
        "claimed_at": START + timedelta(milliseconds=n),
        "venue_day": DAY,
        "owner": "gate-1",
        "epoch": 1,
    }
    return AttemptRecord(**base | fields)


def a_fill(n: int, **fields: Any) -> Fill:
    base: dict[str, Any] = {
        "trade_id": f"trade-{n}",
        "venue_order_id": f"v-{n}",
        "tag": f"tag-{n}",
        "symbol": "EURUSD",
        "side": Side.BUY,
        "quantity": Decimal("0.1"),
        "price": Decimal("1.0851"),
        "commission": Decimal("-0.35"),
        "realised": Decimal(0),
        "time": START,
        "position_id": f"p-{n}",
        "effect": FillEffect.OPENING,
    }
    return Fill(**base | fields)


def a_reservation(n: int, **fields: Any) -> Reservation:
    base: dict[str, Any] = {
        "attempt_id": f"attempt-{n:06}",
        "order_id": f"order-{n:06}",
        "account": ACCOUNT,
        "venue": "paper",
        "principal": AGENT,
        "symbol": "EURUSD",
        "side": Side.BUY,
        "quantity": Decimal("0.1"),
        "notional": Decimal("10851"),
        "risk": None,
    }
    return Reservation(**base | fields)


def a_ticket(n: int, **fields: Any) -> TicketRecord:
    base: dict[str, Any] = {
        "ticket_id": f"ticket-{n}",
        "order_id": f"order-{n:06}",
        "ver": 1,
        "state": TicketState.OPEN,
        "fingerprint": "f" * 64,
        "policy_hash": "a" * 64,
        "reference_price": Decimal("1.0851"),
        "band_low": Decimal("1.08"),
        "band_high": Decimal("1.09"),
        "number": 42,
        "opened_at": START + timedelta(seconds=n),
        "expires_at": START + timedelta(seconds=300 + n),
    }
    return TicketRecord(**base | fields)


def a_halt(n: int, **fields: Any) -> HaltRecord:
    base: dict[str, Any] = {
        "halt_id": f"halt-{n}",
        "kind": HaltKind.KILL,
        "scope": ScopeKind.GLOBAL,
        "target": "",
        "reason": "test",
        "engaged_by": AGENT,
        "engaged_at": START + timedelta(seconds=n),
    }
    return HaltRecord(**base | fields)


def a_recent(n: int, **fields: Any) -> RecentOrder:
    base: dict[str, Any] = {
        "order_id": f"order-{n:06}",
        "principal": AGENT,
        "account": ACCOUNT,
        "symbol": "EURUSD",
        "side": None,
        "action": Action.PLACE,
        "lane": Lane.OPEN,
        "terms": "{}",
        "claimed_at": START + timedelta(seconds=n),
    }
    return RecentOrder(**base | fields)
