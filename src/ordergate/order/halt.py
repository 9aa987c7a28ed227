"""Kill switch and halts: durable, read by policy and again before the wire, never by exits."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Final

from ordergate.model.canonical import canonical, from_iso, iso
from ordergate.model.records import HaltKind, HaltRecord, OrderRecord, ScopeKind
from ordergate.model.values import AccountId, PrincipalId, Symbol
from ordergate.order.journal.record import Record
from ordergate.order.standing import release_of
from ordergate.ports.journal import JournalTx
from ordergate.ports.system import Clock, Ids

STOP: Final = "stop"


class Halt:
    """The halts in force. Memory is set before the disk and cleared after it: never open early."""

    def __init__(self, *, record: Record, ids: Ids, clock: Clock) -> None:
        self._record = record
        self._ids = ids
        self._clock = clock
        self._memory: dict[str, HaltRecord] = {}
        self._unwritten: dict[str, HaltRecord] = {}

    def load(self, tx: JournalTx) -> None:
        """Take the durable halts into memory at start."""
        self._memory = {halt.halt_id: halt for halt in tx.halts()}

    def prepare(
        self,
        *,
        kind: HaltKind,
        scope: ScopeKind,
        target: str,
        reason: str,
        by: PrincipalId,
    ) -> HaltRecord:
        """Make a halt that holds in memory at once, before anything is written."""
        halt = HaltRecord(
            halt_id=self._ids.new_id(),
            kind=kind,
            scope=scope,
            target=target,
            reason=reason,
            engaged_by=by,
            engaged_at=self._clock.now(),
        )
        self._memory[halt.halt_id] = self._unwritten[halt.halt_id] = halt
        return halt

    def unwritten(self) -> tuple[HaltRecord, ...]:
        """Return the halts that hold in memory alone: their write failed or is under way."""
        return tuple(self._unwritten.values())

    def engage(self, tx: JournalTx, halt: HaltRecord) -> HaltRecord:
        """Make a halt durable; the same stop engaged twice stays one."""
        for standing in tx.halts():
            if _same(standing, halt):
                return standing
        tx.add_halt(halt)
        self._record.note(
            tx,
            "halt.engaged",
            actor=halt.engaged_by,
            corr=halt.halt_id,
            body={"kind": halt.kind, "scope": halt.scope, "target": halt.target}
            | {"reason": halt.reason},
        )
        if halt.kind is HaltKind.KILL:
            self._record.checkpoint(tx)
        return halt

    def settle(self, prepared: HaltRecord, durable: HaltRecord) -> None:
        """Know a halt as durable; drop the prepared twin of one that stood already."""
        self._unwritten.pop(prepared.halt_id, None)
        if durable.halt_id != prepared.halt_id:
            self._memory.pop(prepared.halt_id, None)
            self._memory[durable.halt_id] = durable

    def release(
        self, tx: JournalTx, halt: HaltRecord, *, by: PrincipalId, reason: str
    ) -> HaltRecord:
        """End a halt by an operator's act, with the reason they typed."""
        released = dataclasses.replace(
            halt, released_by=by, released_at=self._clock.now(), release_reason=reason
        )
        tx.put_halt(released)
        tx.put_fact(release_of(halt.scope, halt.target), iso(self._clock.now()))
        self._record.note(tx, "halt.released", actor=by, corr=halt.halt_id, body={"reason": reason})
        return released

    def forget(self, halt_id: str) -> None:
        """Clear a released halt from memory, after its release is durable."""
        self._memory.pop(halt_id, None)

    def stops(self, order: OrderRecord) -> bool:
        """Say, from memory, whether an opening order of this scope may not leave now."""
        return any(
            in_scope(halt, account=order.account, principal=order.principal, symbol=order.symbol)
            for halt in self._memory.values()
        )


def halt_record(halt: HaltRecord) -> str:
    """Return what the emergency journal keeps of a stop that the books did not take."""
    return canonical(
        {
            "what": STOP,
            "halt_id": halt.halt_id,
            "kind": halt.kind,
            "scope": halt.scope,
            "target": halt.target,
            "reason": halt.reason,
            "engaged_by": halt.engaged_by,
            "engaged_at": halt.engaged_at,
        }
    )


def read_halts(bodies: Iterable[str]) -> tuple[HaltRecord, ...]:
    """Return the stops of a run of records, in order."""
    said = (json.loads(body) for body in bodies)
    return tuple(
        HaltRecord(
            halt_id=one["halt_id"],
            kind=HaltKind(one["kind"]),
            scope=ScopeKind(one["scope"]),
            target=one["target"],
            reason=one["reason"],
            engaged_by=PrincipalId(one["engaged_by"]),
            engaged_at=from_iso(one["engaged_at"]),
        )
        for one in said
        if one["what"] == STOP
    )


def in_scope(
    halt: HaltRecord, *, account: AccountId, principal: PrincipalId, symbol: Symbol
) -> bool:
    """Say whether a halt covers an order of this account, principal and symbol."""
    match halt.scope:
        case ScopeKind.GLOBAL:
            return True
        case ScopeKind.ACCOUNT:
            return halt.target == account
        case ScopeKind.AGENT:
            return halt.target == principal
        case ScopeKind.SYMBOL:
            return halt.target == symbol


def covering(
    halts: Iterable[HaltRecord], *, account: AccountId, principal: PrincipalId, symbol: Symbol
) -> tuple[HaltRecord, ...]:
    """Return the halts in whose scope a request falls."""
    return tuple(
        halt
        for halt in halts
        if in_scope(halt, account=account, principal=principal, symbol=symbol)
    )


def killed(halts: Iterable[HaltRecord]) -> bool:
    """Say whether a kill switch is engaged anywhere."""
    return any(halt.kind is HaltKind.KILL for halt in halts)


def _same(one: HaltRecord, other: HaltRecord) -> bool:
    return (one.kind, one.scope, one.target) == (other.kind, other.scope, other.target)
