"""Write before act: every change of an order or attempt and its sealed record together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ordergate.audit.seal import Seal
from ordergate.model.canonical import plain_data
from ordergate.model.hours import trading_day
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    Lane,
    ModifyIntent,
    OrderState,
)
from ordergate.model.outcomes import Fill, FillEffect
from ordergate.model.records import AttemptRecord, OrderRecord, Usage
from ordergate.model.values import ZERO, AccountId, AttemptId, PrincipalId
from ordergate.order.journal.crediting import shares
from ordergate.order.journal.lifecycle import (
    ATTEMPT_ENDED,
    INCIDENTS,
    OPENING_ONLY,
    PLACING,
    RESTING,
    IllegalTransition,
    advance_attempt,
    advance_order,
)
from ordergate.ports.journal import Journal, JournalTx
from ordergate.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One run of the gateway: its name and epoch, and what every acting stage works with."""

    name: str
    epoch: int
    journal: Journal
    record: Record
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Step:
    """One event of an order's table, as it is sealed."""

    event: str
    actor: str
    detail: Mapping[str, object] | None = None


class Record:
    """The journal's pen. All methods run inside a transaction of the caller's."""

    def __init__(self, *, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock

    def note(
        self, tx: JournalTx, kind: str, *, actor: str, corr: str, body: Mapping[str, object]
    ) -> int:
        """Seal a record that belongs to no order's state; return its sequence number."""
        return self._seal.append(tx, kind, actor=actor, corr=corr, body=body)

    def checkpoint(self, tx: JournalTx) -> None:
        """Seal a checkpoint at once: from here on a rewrite shows to whoever saw it."""
        self._seal.checkpoint(tx)

    def new_order(
        self, tx: JournalTx, order: OrderRecord, event: str, *, actor: str
    ) -> OrderRecord:
        """Insert an order in the state its first event gives."""
        order = dataclasses.replace(order, state=advance_order(None, event), ver=1)
        tx.add_order(order)
        body = {
            "event": event,
            "to": order.state,
            "intent": plain_data(order.intent),
            "action": order.action,
            "key": order.key,
            "principal": order.principal,
            "principal_kind": order.principal_kind,
            "fingerprint": order.fingerprint,
            "intent_hash": order.intent_hash,
        }
        self._seal.append(tx, f"order.{event}", actor=actor, corr=order.order_id, body=body)
        return order

    def move(
        self,
        tx: JournalTx,
        order: OrderRecord,
        event: str,
        *,
        actor: str,
        detail: Mapping[str, object] | None = None,
        **fields: Any,
    ) -> OrderRecord:
        """Take an order along its table by compare-and-set; raise Stale or IllegalTransition."""
        return self.walk(tx, order, (Step(event, actor, detail),), **fields)

    def walk(
        self, tx: JournalTx, order: OrderRecord, steps: Sequence[Step], **fields: Any
    ) -> OrderRecord:
        """Take an order several steps at once: each is sealed, its row is written once."""
        lane = fields.get("lane", order.lane)
        code = fields.get("code", order.code)
        state = order.state
        for step in steps:
            if step.event in OPENING_ONLY and lane not in (Lane.OPEN, None):
                raise IllegalTransition(f"order: {step.event} exists for the open lane only")
            before, state = state, advance_order(state, step.event)
            body = {"event": step.event, "from": before, "to": state, **(step.detail or {})}
            if code is not None:
                body.setdefault("code", code)
            kind = f"order.{step.event}"
            self._seal.append(tx, kind, actor=step.actor, corr=order.order_id, body=body)
        moved = dataclasses.replace(
            order, state=state, ver=order.ver + 1, updated_at=self._clock.now(), **fields
        )
        tx.put_order(moved)
        return moved

    def new_attempt(
        self,
        tx: JournalTx,
        attempt: AttemptRecord,
        event: str,
        *,
        actor: str,
        detail: Mapping[str, object],
    ) -> AttemptRecord:
        """Insert an attempt with its unique tag: from here on one wire write may follow."""
        state = advance_attempt(None, event, placing=attempt.action in PLACING)
        attempt = dataclasses.replace(
            attempt,
            state=state,
            ver=1,
            updated_at=attempt.claimed_at,
            ended_at=attempt.claimed_at if state in ATTEMPT_ENDED else None,
        )
        tx.add_attempt(attempt)
        body = {
            "event": event,
            "to": attempt.state,
            "attempt": attempt.attempt_id,
            "n": attempt.n,
            "tag": attempt.tag,
            "owner": attempt.owner,
            "epoch": attempt.epoch,
            **detail,
        }
        self._seal.append(tx, f"attempt.{event}", actor=actor, corr=attempt.order_id, body=body)
        return attempt

    def move_attempt(
        self,
        tx: JournalTx,
        attempt: AttemptRecord,
        event: str,
        *,
        actor: str,
        detail: Mapping[str, object] | None = None,
        **fields: Any,
    ) -> AttemptRecord:
        """Take an attempt along its table by compare-and-set; mark incidents."""
        state = advance_attempt(attempt.state, event, placing=attempt.action in PLACING)
        now = self._clock.now()
        if event in INCIDENTS:
            fields.setdefault("incident", event)
        moved = dataclasses.replace(
            attempt,
            state=state,
            ver=attempt.ver + 1,
            updated_at=now,
            ended_at=now if state in ATTEMPT_ENDED else None,
            **fields,
        )
        tx.put_attempt(moved)
        body = {
            "event": event,
            "from": attempt.state,
            "to": state,
            "attempt": attempt.attempt_id,
            "tag": attempt.tag,
            "filled": moved.filled_quantity,
            **(detail or {}),
        }
        if moved.code is not None:
            body.setdefault("code", moved.code)
        self._seal.append(tx, f"attempt.{event}", actor=actor, corr=attempt.order_id, body=body)
        return moved

    def book(
        self,
        tx: JournalTx,
        attempt: AttemptRecord,
        event: str,
        *,
        actor: str,
        fills: Sequence[Fill] = (),
        requote: bool = False,
        detail: Mapping[str, object] | None = None,
        **fields: Any,
    ) -> tuple[OrderRecord, AttemptRecord]:
        """Book what is known of an attempt: its state, its fills, its reservation, its order.

        A reservation is released by ended evidence alone, stamped with the audit sequence, so that
        a judge whose snapshot is older still counts it.
        """
        for fill in fills:
            self.book_fill(tx, attempt.account, attempt.attempt_id, fill)
        attempt = self.move_attempt(tx, attempt, event, actor=actor, detail=detail, **fields)
        order = self._order_of(tx, attempt)
        if attempt.state in ATTEMPT_ENDED:
            if event == "applied":
                self._take_new_terms(tx, order)
            elif attempt.action is Action.CANCEL:
                self.mark_cancel(tx, order, "cancel_not_applied", actor=actor)
            self._release(tx, attempt)
            if order.state is OrderState.ACTIVE:
                ended = "requoted" if requote else "attempt_ended"
                order = self.move(tx, order, ended, actor=actor, code=attempt.code)
        elif attempt.state is AttemptState.UNKNOWN and not attempt.opening:
            self._release(tx, attempt)  # an exit in doubt locks nothing
        elif order.state is not OrderState.ACTIVE:
            order = self.move(tx, order, "adopted", actor=actor, code=None)
        return order, attempt

    def book_fill(
        self, tx: JournalTx, account: AccountId, attempt_id: AttemptId | None, fill: Fill
    ) -> None:
        """Book a fill once, and what it brought with those who opened its position."""
        if not tx.add_fill(account, attempt_id, fill):
            return
        day, result = trading_day(fill.time), fill.realised - fill.commission
        opening = fill.effect is FillEffect.OPENING
        attempt = tx.attempt(attempt_id) if opening and attempt_id is not None else None
        order = None if attempt is None else tx.order(attempt.order_id)
        if order is not None:
            openers: Sequence[tuple[PrincipalId, Decimal]] = [(order.principal, fill.quantity)]
        else:
            held = [] if fill.position_id is None else [fill.position_id]
            openers = next(iter(tx.openers(account, held).values()), [])
        for principal, part in shares(openers, of=result):
            tx.add_usage(account, principal, day, Usage(orders=0, notional=ZERO, result=part))

    def mark_cancel(self, tx: JournalTx, change: OrderRecord, event: str, *, actor: str) -> None:
        """Mark the order that a cancel names: "cancel_requested", or "cancel_not_applied"."""
        if not isinstance(change.intent, CancelIntent):
            return
        target = tx.attempt_for_venue_order(change.account, change.intent.venue_order_id)
        if target is not None and target.state in RESTING:
            pending = event == "cancel_requested"
            self.move_attempt(tx, target, event, actor=actor, cancel_pending=pending)

    def _order_of(self, tx: JournalTx, attempt: AttemptRecord) -> OrderRecord:
        order = tx.order(attempt.order_id)
        if order is None:
            raise IllegalTransition(f"attempt {attempt.attempt_id} without an order")
        return order

    def _take_new_terms(self, tx: JournalTx, change: OrderRecord) -> None:
        """Let a modified resting order hold what its new terms come to."""
        if not isinstance(change.intent, ModifyIntent) or change.intent.venue_order_id is None:
            return
        target = tx.attempt_for_venue_order(change.account, change.intent.venue_order_id)
        held = tx.reservation(target.attempt_id) if target is not None else None
        last = tx.attempts(change.order_id)[-1]
        new = tx.reservation(last.attempt_id)
        if held is None or new is None or held.released_seq is not None:
            return
        tx.put_reservation(
            dataclasses.replace(held, quantity=new.quantity, notional=new.notional, risk=new.risk)
        )

    def _release(self, tx: JournalTx, attempt: AttemptRecord) -> None:
        held = tx.reservation(attempt.attempt_id)
        if held is not None and held.released_seq is None:
            tx.put_reservation(dataclasses.replace(held, released_seq=self._seal.size(tx)))
