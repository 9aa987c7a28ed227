"""An exit that went out without the books: its records in the emergency journal, and back.

One record before the wire write, one with what came of it. The second may be absent: then nobody
knows, and the venue's books are asked by the tag.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.canonical import canonical, decode_intent, encode_intent, from_iso
from ordergate.model.errors import Refused
from ordergate.model.orders import AttemptState, Lane, OrderState, Side
from ordergate.model.outcomes import Outcome
from ordergate.model.principals import Kind
from ordergate.model.records import AttemptRecord, OrderRecord
from ordergate.model.values import (
    AttemptId,
    IdempotencyKey,
    OrderId,
    PrincipalId,
    Tag,
    VenueOrderId,
)
from ordergate.model.verdicts import Judgement
from ordergate.order.dispatch.attempt import fields_of
from ordergate.order.dispatch.evidence import event_of
from ordergate.order.intent.idempotency import magic
from ordergate.order.journal.lifecycle import ATTEMPT_ENDED, PLACING, advance_attempt

# What the outcome itself proves for good. The rest is found out at the venue, with its fills.
PROVEN: Final = frozenset({"refused", "unsent", "applied"})


@dataclass(frozen=True, slots=True)
class Unbooked:
    """One exit outside the books: its order, its attempt, and the event that ended the sending."""

    order: OrderRecord
    attempt: AttemptRecord  # as its outcome left it
    event: str | None = None  # None: no outcome is on record

    def ended(self, outcome: Outcome, at: datetime) -> Unbooked:
        """Return the exit with what came of its wire write."""
        event = event_of(outcome, self.attempt.action)
        return self._moved(event, at, fields_of(outcome, self.attempt))

    def lost(self) -> Unbooked:
        """Return the exit as one of unknown fate, where no outcome is on record."""
        if self.event is not None:
            return self
        at = self.attempt.claimed_at
        moved = self._moved("lost_sight", at, {"code": "no outcome on record"})
        return dataclasses.replace(moved, event=None)

    def _moved(self, event: str, at: datetime, fields: dict[str, Any]) -> Unbooked:
        placing = self.attempt.action in PLACING
        state = advance_attempt(self.attempt.state, event, placing=placing)
        over = state in ATTEMPT_ENDED
        attempt = dataclasses.replace(
            self.attempt, state=state, updated_at=at, ended_at=at if over else None, **fields
        )
        order = dataclasses.replace(
            self.order, state=OrderState.DONE if over else OrderState.ACTIVE, updated_at=at
        )
        return Unbooked(order, attempt, event)


def exit_record(exit_: Unbooked) -> str:
    """Return what is on the disk before a byte leaves."""
    order, attempt = exit_.order, exit_.attempt
    return canonical(
        {
            "what": "exit",
            "order_id": order.order_id,
            "principal": order.principal,
            "principal_kind": order.principal_kind,
            "key": order.key,
            "fingerprint": order.fingerprint,
            "intent_hash": order.intent_hash,
            "intent": encode_intent(order.intent),
            "lane": order.lane,
            "at": order.created_at,
            "attempt_id": attempt.attempt_id,
            "tag": attempt.tag,
            "side": attempt.side,
            "quantity": attempt.quantity,
            "venue_day": attempt.venue_day,
            "owner": attempt.owner,
            "epoch": attempt.epoch,
        }
    )


def outcome_record(exit_: Unbooked) -> str:
    """Return what is on the disk once the venue has answered, or has not."""
    attempt = exit_.attempt
    return canonical(
        {
            "what": "outcome",
            "attempt_id": attempt.attempt_id,
            "event": exit_.event,
            "at": attempt.updated_at,
            "code": attempt.code,
            "venue_order_id": attempt.venue_order_id,
            "position_id": attempt.position_id,
            "filled_quantity": attempt.filled_quantity,
            "average_price": attempt.average_price,
        }
    )


def read_records(bodies: Iterable[str]) -> tuple[Unbooked, ...]:
    """Return the exits of a run of records, each with its outcome where it has one."""
    found: dict[str, Unbooked] = {}
    for body in bodies:
        said = json.loads(body)
        attempt_id = said.get("attempt_id")
        if said["what"] == "exit":
            found[attempt_id] = _exit(said)
        elif said["what"] == "outcome" and attempt_id in found:
            found[attempt_id] = found[attempt_id]._moved(
                said["event"], from_iso(said["at"]), _outcome(said)
            )
    return tuple(found.values())


def _exit(said: dict[str, Any]) -> Unbooked:
    intent, at = decode_intent(said["intent"]), from_iso(said["at"])
    order = OrderRecord(
        order_id=OrderId(said["order_id"]),
        ver=0,
        state=OrderState.ACTIVE,
        action=intent.action,
        lane=Lane(said["lane"]),
        principal=PrincipalId(said["principal"]),
        principal_kind=Kind(said["principal_kind"]),
        drafted_by=None,
        key=IdempotencyKey(said["key"]),
        fingerprint=said["fingerprint"],
        intent_hash=said["intent_hash"],
        intent=intent,
        account=intent.account,
        venue=intent.venue,
        symbol=intent.symbol,
        created_at=at,
        updated_at=at,
        attempts=1,
    )
    attempt = AttemptRecord(
        attempt_id=AttemptId(said["attempt_id"]),
        order_id=order.order_id,
        n=1,
        ver=0,
        state=AttemptState.SENDING,
        action=intent.action,
        tag=Tag(said["tag"]),
        magic=magic(Tag(said["tag"])),
        account=intent.account,
        venue=intent.venue,
        symbol=intent.symbol,
        side=None if said["side"] is None else Side(said["side"]),
        quantity=_decimal(said["quantity"]),
        opening=False,
        claimed_at=at,
        venue_day=date.fromisoformat(said["venue_day"]),
        owner=said["owner"],
        epoch=said["epoch"],
    )
    return Unbooked(order, attempt)


def _outcome(said: dict[str, Any]) -> dict[str, Any]:
    at_venue = said["venue_order_id"]
    return {
        "code": said["code"],
        "venue_order_id": None if at_venue is None else VenueOrderId(at_venue),
        "position_id": said["position_id"],
        "filled_quantity": _decimal(said["filled_quantity"]),
        "average_price": _decimal(said["average_price"]),
    }


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def unstored(judgement: Judgement) -> Refused:
    """Return the answer to an exit that the rules refuse while no book takes it: no order exists.

    An id that nobody could look up would be made up, and the key stays free.
    """
    failed = judgement.decision.failed
    assert failed is not None
    assert failed.code is not None
    return Refused(
        failed.code,
        f"{failed.message}; nothing was stored or sent",
        fix=failed.fix,
        details={
            name: getattr(failed, name)
            for name in ("rule", "control", "limit_name", "value", "limit", "headroom", "unit")
        },
    )
