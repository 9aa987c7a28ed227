"""Intents, orders and attempts to start a test from; every field may be changed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ordergate.model.orders import (
    Action,
    AttemptState,
    Intent,
    Lane,
    OrderState,
    OrderType,
    PlaceIntent,
    Side,
)
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AttemptRecord, OrderRecord
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PrincipalId,
    Symbol,
    VenueName,
)
from ordergate.order.intent.idempotency import fingerprint, magic, tag

AT = datetime(2026, 1, 7, 15, tzinfo=UTC)
AGENT = Principal(PrincipalId("local-agent"), Kind.AGENT, "local agent")
OPERATOR = Principal(PrincipalId("operator"), Kind.OPERATOR, "operator")
READER = Principal(PrincipalId("reader"), Kind.READ_ONLY, "reader")


def buy(**changes: Any) -> PlaceIntent:
    """Return a small EURUSD market buy with its stop on the right side."""
    intent = PlaceIntent(
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.10"),
        stop_loss=Decimal("1.0800"),
    )
    return dataclasses.replace(intent, **changes)


def an_order(intent: Intent, **changes: Any) -> OrderRecord:
    order = OrderRecord(
        order_id=OrderId("o1"),
        ver=1,
        state=OrderState.ACTIVE,
        action=intent.action,
        lane=Lane.OPEN,
        principal=AGENT.id,
        principal_kind=AGENT.kind,
        drafted_by=None,
        key=IdempotencyKey("k1"),
        fingerprint=fingerprint(intent),
        intent_hash="h1",
        intent=intent,
        account=intent.account,
        venue=intent.venue,
        symbol=intent.symbol,
        created_at=AT,
        updated_at=AT,
        attempts=1,
    )
    return dataclasses.replace(order, **changes)


def an_attempt(**changes: Any) -> AttemptRecord:
    attempt = AttemptRecord(
        attempt_id=AttemptId("a1"),
        order_id=OrderId("o1"),
        n=1,
        ver=1,
        state=AttemptState.SENDING,
        action=Action.PLACE,
        tag=tag("h1", 1),
        magic=magic(tag("h1", 1)),
        account=AccountId("paper-1"),
        venue=VenueName("paper"),
        symbol=Symbol("EURUSD"),
        side=Side.BUY,
        quantity=Decimal("0.10"),
        opening=True,
        claimed_at=AT,
        venue_day=date(2026, 1, 7),
        owner="i1",
        epoch=1,
        updated_at=AT,
    )
    return dataclasses.replace(attempt, **changes)
