"""The radar: what is made around the gate, shown and counted; what fits no class halts (C27)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from ordergate.model.accounts import CashKind, CashLine, VenueHistory, VenueSnapshot
from ordergate.model.canonical import from_iso, iso
from ordergate.model.orders import AttemptState
from ordergate.model.outcomes import Fill
from ordergate.model.records import ExternalRecord, HaltKind, ScopeKind
from ordergate.model.values import PrincipalId
from ordergate.model.views import Change
from ordergate.order.accounts import READ_TIMEOUT_S
from ordergate.order.halt import Halt
from ordergate.order.journal.record import Instance
from ordergate.order.reconcile.outside import outside
from ordergate.order.reconcile.tally import Drift, Tally, drifts, taken, unclassed
from ordergate.ports.journal import JournalTx
from ordergate.ports.venue_read import VenueReader

TALLY_S: Final = 30  # orders, executions and cash are looked at in every scan, at least every 5 s
PAGE: Final = 500
REMEMBERED: Final = 20_000
_UNSETTLED: Final = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})
_QUIET: Final = frozenset({CashKind.SWAP, CashKind.FEE})  # nightly, and in the venue's statement


class Radar:
    """Runs behind every scan of the venue's books, on what the scan has read."""

    def __init__(
        self,
        *,
        instance: Instance,
        halt: Halt,
        reader: VenueReader,
        publish: Callable[[Change], None],
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._actor = instance.name
        self._halt = halt
        self._reader = reader
        self._publish = publish
        self._known: dict[str, None] = {}
        self._tallied_at: float | None = None
        self._suspected: tuple[Drift, ...] = ()
        self._suspected_at = self._clock.monotonic()
        self._window_s = float(reader.capabilities().settle_window_s)

    async def look(self, history: VenueHistory) -> None:
        """Record what is not ours, book the venue's cash, and add the account up."""
        async with asyncio.timeout(READ_TIMEOUT_S):
            snapshot = await self._reader.snapshot()
        found = await self._journal.read(lambda tx: self._new(tx, history, snapshot))
        cash = [line for line in history.cash if f"cash:{line.line_id}" not in self._known]
        if found or cash:
            await self._journal.write(lambda tx: self._book(tx, found, cash))
            self._remember(found, cash)
        if self._due():
            await self._add_up(snapshot)

    def _new(
        self, tx: JournalTx, history: VenueHistory, snapshot: VenueSnapshot
    ) -> list[ExternalRecord]:
        account = self._reader.account
        ours = {
            position.position_id
            for position in snapshot.positions
            if tx.attempt_for_position(account, position.position_id) is not None
        }
        seen = outside(
            history,
            snapshot.positions,
            account=account,
            since=self._since(tx, history.venue_time),
            ours=ours,
            found_at=self._clock.now(),
        )
        return [row for row in seen if _name(row) not in self._known]

    def _since(self, tx: JournalTx, now: datetime) -> datetime:
        """Return when the gate first read this account: what ended before is not its business."""
        first = tx.fact(self._fact("first_read"))
        return now if first is None else from_iso(first)

    def _fact(self, name: str) -> str:
        return f"{name}:{self._reader.account}"

    def _book(
        self, tx: JournalTx, found: Sequence[ExternalRecord], cash: Sequence[CashLine]
    ) -> None:
        for row in found:
            if tx.add_external(row):
                self._record.note(
                    tx,
                    "external.found",
                    actor=self._actor,
                    corr=row.venue_id,
                    body={
                        "account": row.account,
                        "kind": row.kind,
                        "symbol": row.symbol,
                        "side": row.side,
                        "quantity": row.quantity,
                        "price": row.price,
                        "venue_time": iso(row.venue_time),
                    },
                )
        fresh = [line for line in cash if tx.add_cash(self._reader.account, line)]
        for line in fresh:
            if line.kind not in _QUIET:
                self._record.note(
                    tx,
                    f"cash.{line.kind.value}",
                    actor="venue",
                    corr=line.line_id,
                    body={"amount": line.amount, "symbol": line.symbol, "time": iso(line.time)},
                )
        for line in unclassed(fresh):
            self._incident(tx, f"a line of cash that fits no class: {line.line_id}")

    def _remember(self, found: Sequence[ExternalRecord], cash: Sequence[CashLine]) -> None:
        for row in found:
            self._known[_name(row)] = None
            self._publish(
                Change(
                    topic="activity",
                    principal=None,
                    body={"external": row.kind, "symbol": row.symbol, "venue_id": row.venue_id},
                )
            )
        self._known.update((f"cash:{line.line_id}", None) for line in cash)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _due(self) -> bool:
        """Say whether to add up now: a difference is looked at again in the very next scan."""
        now = self._clock.monotonic()
        last = self._tallied_at
        if last is not None and not self._suspected and now - last < TALLY_S:
            return False
        self._tallied_at = now
        return True

    async def _add_up(self, snapshot: VenueSnapshot) -> None:
        """Halt on a difference that stays the same for as long as the venue may lag behind itself.

        A difference seen once may be an execution between two reads.
        """
        seen = await self._journal.read(lambda tx: self._compared(tx, snapshot))
        if seen is None:
            return
        found, now = seen
        at = self._clock.monotonic()
        if found and found != self._suspected:
            self._suspected, self._suspected_at = found, at
        if found and at - self._suspected_at < self._window_s:
            return
        self._suspected = ()
        text = now.text()

        def work(tx: JournalTx) -> None:
            for one in found:
                self._incident(tx, f"{one.what}: {one.found} found, {one.expected} explained")
            if tx.fact(self._fact("first_read")) is None:
                tx.put_fact(self._fact("first_read"), iso(snapshot.venue_time))
            tx.put_fact(self._fact("tally"), text)

        if found or await self._journal.read(lambda tx: tx.fact(self._fact("tally"))) != text:
            await self._journal.write(work)

    def _compared(
        self, tx: JournalTx, snapshot: VenueSnapshot
    ) -> tuple[tuple[Drift, ...], Tally] | None:
        """Return what is not explained, and the tally now; None while an order is on its way."""
        account = self._reader.account
        if tx.attempts_in(_UNSETTLED, account=account):
            return None
        kept = tx.fact(self._fact("tally"))
        before = taken(snapshot, fills=0, cash=0) if kept is None else Tally.read(kept)
        fills = self._fills_after(tx, before.fills) if kept is not None else []
        cash = self._cash_after(tx, before.cash) if kept is not None else []
        last_fill, last_cash = self._cursors(tx)
        now = taken(snapshot, fills=last_fill, cash=last_cash)
        return drifts(before, snapshot, fills=fills, cash=cash), now

    def _fills_after(self, tx: JournalTx, cursor: int) -> list[Fill]:
        found: list[Fill] = []
        before: str | None = None
        while True:
            page = tx.fills(self._reader.account, before=before, limit=PAGE)
            found += [fill for at, _, fill in page if int(at) > cursor]
            if len(page) < PAGE or int(page[-1][0]) <= cursor:
                return found
            before = page[-1][0]

    def _cash_after(self, tx: JournalTx, cursor: int) -> list[CashLine]:
        found: list[CashLine] = []
        before: str | None = None
        while True:
            page = tx.cash(self._reader.account, before=before, limit=PAGE)
            found += [line for at, line in page if int(at) > cursor]
            if len(page) < PAGE or int(page[-1][0]) <= cursor:
                return found
            before = page[-1][0]

    def _cursors(self, tx: JournalTx) -> tuple[int, int]:
        fills = tx.fills(self._reader.account, before=None, limit=1)
        cash = tx.cash(self._reader.account, before=None, limit=1)
        return int(fills[0][0]) if fills else 0, int(cash[0][0]) if cash else 0

    def _incident(self, tx: JournalTx, reason: str) -> None:
        prepared = self._halt.prepare(
            kind=HaltKind.HALT,
            scope=ScopeKind.ACCOUNT,
            target=self._reader.account,
            reason=f"incident: {reason}",
            by=PrincipalId(self._actor),
        )
        self._halt.settle(prepared, self._halt.engage(tx, prepared))


def _name(row: ExternalRecord) -> str:
    return f"{row.kind.value}:{row.venue_id}"
