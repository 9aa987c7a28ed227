"""What was asked: the key reserved and the intent journaled, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ordergate.model.errors import InvalidArgument
from ordergate.model.orders import Intent, OrderState
from ordergate.model.principals import Principal
from ordergate.model.records import OrderRecord
from ordergate.model.values import IdempotencyKey, OrderId
from ordergate.order.intent.idempotency import (
    KEY_MAX,
    Sameness,
    compare,
    diverged,
    fingerprint,
    intent_hash,
)
from ordergate.order.journal.record import Record
from ordergate.ports.journal import JournalTx
from ordergate.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted request: its order, and whether it is new work."""

    order: OrderRecord
    fresh: bool  # False: the key was known and the stored order stands


class Accept:
    def __init__(self, *, record: Record, ids: Ids, clock: Clock) -> None:
        self._record = record
        self._ids = ids
        self._clock = clock

    def accept(
        self,
        tx: JournalTx,
        intent: Intent,
        *,
        key: IdempotencyKey | None,
        asker: Principal,
        draft_until: datetime | None = None,
        drafting: bool = False,
    ) -> Receipt:
        """Journal an intent as PROPOSED (or DRAFT), or find what its key stands for already.

        `drafting` opens no next attempt: that is the placing call's, which also sends it. Raises
        KeyDiverged when the key was used for another body.
        """
        if key is not None and not 1 <= len(key) <= KEY_MAX:
            raise InvalidArgument(
                f"idempotency_key has {len(key)} characters; 1 to {KEY_MAX} are allowed",
                fix="send a shorter key, or none: one is made and returned",
            )
        printed = fingerprint(intent)
        stored = tx.order_for_key(asker.id, key) if key is not None else None
        match compare(stored, printed):
            case Sameness.DIVERGED:
                raise diverged()
            case Sameness.REPLAY if stored is not None:
                return Receipt(stored, fresh=False)
            case Sameness.NEXT_ATTEMPT if stored is not None and drafting:
                return Receipt(stored, fresh=False)
            case Sameness.NEXT_ATTEMPT if stored is not None:
                moved = self._record.move(tx, stored, "asked_again", actor=asker.id)
                return Receipt(moved, fresh=True)
        order = self.new(intent, key=key, asker=asker, draft_until=draft_until)
        event = "proposed" if draft_until is None else "drafted"
        return Receipt(self._record.new_order(tx, order, event, actor=asker.id), fresh=True)

    def new(
        self,
        intent: Intent,
        *,
        key: IdempotencyKey | None,
        asker: Principal,
        draft_until: datetime | None = None,
    ) -> OrderRecord:
        """Return the order of an intent that is asked for the first time; nothing is stored."""
        now = self._clock.now()
        used = key if key is not None else IdempotencyKey(self._ids.new_id())
        return OrderRecord(
            order_id=OrderId(self._ids.new_id()),
            ver=0,
            state=OrderState.PROPOSED,
            action=intent.action,
            lane=None,
            principal=asker.id,
            principal_kind=asker.kind,
            drafted_by=None,
            key=used,
            fingerprint=fingerprint(intent),
            intent_hash=intent_hash(intent, principal=asker.id, key=used, nonce=self._ids.new_id()),
            intent=intent,
            account=intent.account,
            venue=intent.venue,
            symbol=intent.symbol,
            created_at=now,
            updated_at=now,
            expires_at=draft_until,
        )
