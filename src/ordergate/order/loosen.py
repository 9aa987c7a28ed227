"""Tighten at once, loosen late: what may be looser is announced, waits, and is sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from decimal import Decimal

from ordergate.model.errors import IllegalState
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import Loosening, Tightening
from ordergate.model.values import PrincipalId
from ordergate.order.journal.record import Instance
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.limits import Limits, LimitSpec
from ordergate.order.policy.loosening import (
    KEPT_FACT,
    TIGHTENING,
    WAITING_FACT,
    Plan,
    Step,
    cells,
    kept_text,
    plan,
    read_kept,
    read_waiting,
    taken_back,
    waiting_text,
)
from ordergate.order.policy.tightenings import accepted_tightening
from ordergate.ports.journal import JournalTx


class Loosen:
    """Keeps what is in force; it alone lets a looser number in."""

    def __init__(self, *, instance: Instance, judge: Judge, limits: Callable[[], Limits]) -> None:
        self._name = instance.name
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._judge = judge
        self._limits = limits

    async def keep(self) -> None:
        """Take the file's tightenings over, announce its loosenings, let in those that are due."""
        if await self._journal.read(lambda tx: self._due(tx) is not None):
            await self._journal.write(self._settle)

    def tighten(
        self, tx: JournalTx, name: str, value: Decimal, *, reason: str, by: Principal
    ) -> None:
        """Make a limit stricter from the next judgement on; raise InvalidArgument where not."""
        limits = self._judge.effective(tx)
        spec = accepted_tightening(limits, name, value, by_agent=by.kind is Kind.AGENT)
        row = Tightening(
            limit_name=spec.name,
            value=value,
            set_by=by.id,
            set_at=self._clock.now(),
            reason=reason,
        )
        tx.add_tightening(row)
        body = {"limit": spec.name, "value": value, "reason": reason}
        self._record.note(tx, "limit.tightened", actor=by.id, corr=spec.name, body=body)

    def ask(self, tx: JournalTx, spec: LimitSpec, *, by: PrincipalId, reason: str) -> Loosening:
        """Announce that the tightenings of a limit are taken back; asked twice, it waits once."""
        if not any(row.limit_name == spec.name for row in tx.tightenings()):
            raise IllegalState(
                f"{spec.name} is not tightened", fix="its number stands in ordergate.toml"
            )
        waiting = read_waiting(tx.fact(WAITING_FACT))
        for row in waiting:
            if (row.source, row.limit_name) == (TIGHTENING, spec.name):
                return row
        row = taken_back(
            spec,
            self._judge.effective(tx),
            self._judge.untightened(tx).value(spec),
            now=self._clock.now(),
            by=by,
        )
        row = dataclasses.replace(row, reason=reason)
        tx.put_fact(WAITING_FACT, waiting_text((*waiting, row)))
        self._seal(tx, Step("announced", row))
        return row

    def withdraw(self, tx: JournalTx, spec: LimitSpec, *, by: PrincipalId, reason: str) -> None:
        """Let the looser number of a limit never count, until the file asks for another one."""
        waiting = read_waiting(tx.fact(WAITING_FACT))
        mine = [row for row in waiting if row.limit_name == spec.name and not row.withdrawn]
        if not mine:
            raise IllegalState(
                f"no loosening of {spec.name} waits", fix="`ordergate risk limits` lists them"
            )
        left = [row for row in waiting if row not in mine]
        for row in mine:
            said = dataclasses.replace(row, withdrawn=True, by=by, reason=reason)
            self._seal(tx, Step("withdrawn", said))
            if row.source != TIGHTENING:
                left.append(said)
        tx.put_fact(WAITING_FACT, waiting_text(left))

    def _due(self, tx: JournalTx) -> Plan | None:
        """Return what must be written now; None when nothing has changed."""
        file, text = self._limits(), tx.fact(KEPT_FACT)
        if file.broken:
            return None
        if text is None:  # the first start: there is nothing that could be loosened
            return Plan(cells(file), ())
        waiting = read_waiting(tx.fact(WAITING_FACT))
        found = plan(file, read_kept(text), waiting, now=self._clock.now(), by=self._name)
        same = kept_text(found.kept) == text and not found.steps
        same = same and set(found.waiting) == set(waiting)
        return None if same else found

    def _settle(self, tx: JournalTx) -> None:
        found = self._due(tx)
        if found is None:
            return
        for step in found.steps:
            self._let_in(tx, step)
            self._seal(tx, step)
        tx.put_fact(KEPT_FACT, kept_text(found.kept))
        tx.put_fact(WAITING_FACT, waiting_text(_ordered(found.waiting)))

    def _let_in(self, tx: JournalTx, step: Step) -> None:
        row = step.loosening
        if step.kind == "loosened" and row.source == TIGHTENING:
            tx.lift_tightenings(
                row.limit_name,
                by=PrincipalId(row.by),
                at=self._clock.now(),
                set_until=row.announced_at,
            )

    def _seal(self, tx: JournalTx, step: Step) -> None:
        row = step.loosening
        kind = "limit.loosened" if step.kind == "loosened" else f"limit.loosening_{step.kind}"
        self._record.note(
            tx,
            kind,
            actor=row.by,
            corr=row.limit_name,
            body={
                "limit": row.limit_name,
                "source": row.source,
                "from": row.old,
                "to": row.new,
                "reason": row.reason,
                "announced_at": row.announced_at,
                "effective_at": row.effective_at,
            },
        )


def _ordered(waiting: Iterable[Loosening]) -> list[Loosening]:
    return sorted(waiting, key=lambda row: (row.announced_at, row.limit_name, row.source))
