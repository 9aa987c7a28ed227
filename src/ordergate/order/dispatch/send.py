"""The sole holder of the power to trade: the claim on disk, one wire write, what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.canonical import plain_data
from ordergate.model.errors import Code, DataUnavailable
from ordergate.model.orders import (
    CloseIntent,
    Intent,
    Lane,
    OrderType,
    PlaceIntent,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.outcomes import Acked, NotSent, Outcome, Rejected
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import (
    AttemptRecord,
    OrderRecord,
    TicketRecord,
    TicketState,
    Usage,
)
from ordergate.model.values import AttemptId, OrderId, PrincipalId
from ordergate.model.verdicts import Judgement, Verb
from ordergate.order.accounts import Accounts
from ordergate.order.approval.approve import Approve, asked
from ordergate.order.approval.ticket import in_band
from ordergate.order.dispatch.attempt import (
    Owner,
    attempt_of,
    fields_of,
    recent_of,
    reservation_of,
)
from ordergate.order.dispatch.evidence import event_of, evidence
from ordergate.order.dispatch.look import Look
from ordergate.order.dispatch.wire import Wire, to_wire
from ordergate.order.halt import Halt
from ordergate.order.intent.idempotency import tag
from ordergate.order.journal.lifecycle import PLACING
from ordergate.order.journal.record import Instance, Step
from ordergate.order.policy.decision import recorded, told
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.on_live import ask_life_s
from ordergate.order.policy.tightenings import EVERYONE, Scope
from ordergate.ports.journal import JournalTx
from ordergate.ports.venue_trade import VenueTrader

POLICY: Final = "policy_hash"
SEND_WITHIN_S: Final = 2.0  # between claim and first byte
WIRE_TIMEOUT_S: Final = 10.0
TAG_TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claim came to: a denial, an ask, or an attempt on disk and what to write."""

    order: OrderRecord
    judgement: Judgement
    ticket: TicketRecord | None = None
    attempt: AttemptRecord | None = None
    wire: Wire | None = None
    send_by: float = 0.0


class Send:
    def __init__(
        self,
        *,
        instance: Instance,
        judge: Judge,
        approve: Approve,
        halt: Halt,
        accounts: Accounts,
        trader: VenueTrader,
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._ids = instance.ids
        self._instance = instance.name
        self._epoch = instance.epoch
        self._judge = judge
        self._approve = approve
        self._halt = halt
        self._accounts = accounts
        self._trader = trader

    @property
    def refuses_over_close(self) -> bool:
        """Whether the venue itself refuses to close more than there is."""
        return self._accounts.own.capabilities().refuses_over_close

    async def look(self, mark: int) -> Look:
        """Read every account once; an unreadable one is a missing fact, not an error."""
        read_at = self._clock.monotonic()
        snapshot, others = await self._accounts.read()
        return Look(snapshot=snapshot, others=others, read_at=read_at, mark=mark)

    def judged(
        self,
        tx: JournalTx,
        intent: Intent,
        look: Look,
        asker: Principal,
        *,
        order_id: OrderId | None = None,
    ) -> Judgement:
        """Return the whole checklist on what was looked at; nothing is stored."""
        return self._judge.judge(
            tx,
            intent,
            asker=asker,
            snapshot=look.snapshot,
            others=look.others,
            read_at=look.read_at,
            mark=look.mark,
            order_id=order_id,
        )

    def claim(
        self,
        tx: JournalTx,
        order: OrderRecord,
        look: Look,
        *,
        asker: Principal,
        approved: TicketRecord | None = None,
    ) -> Claim:
        """Judge on fresh facts and, where allowed, put the attempt on disk; one transaction.

        `approved` is a yes given in this same transaction; an operator's own order is its own yes,
        but with real money every opening order waits for a signed one. Neither lifts a hard limit.
        """
        judgement = self.judged(tx, order.intent, look, asker, order_id=order.order_id)
        self._note_policy(tx, order, judgement.policy_hash)
        decision = judgement.decision
        actor = asker.id
        if decision.verb is Verb.DENY:
            event = "claim_denied" if approved is not None else "judged_deny"
            code = decision.failed.code if decision.failed is not None else None
            order = self._record.move(
                tx,
                order,
                event,
                actor=actor,
                detail=told(judgement),
                code=code,
                **_kept(judgement),
            )
            return Claim(order=order, judgement=judgement)
        opens = decision.lane is Lane.OPEN  # a change that meanwhile only protects needs no yes
        if opens and approved is not None and not _still_stands(approved, order, judgement):
            return self._ask_again(tx, order, look, approved, judgement)
        own = asker.kind is Kind.OPERATOR and not look.live
        waits = decision.verb is Verb.ASK or (look.live and opens)
        if waits and approved is None and not own:
            ticket = self._issue(tx, order, look, judgement)
            order = self._record.move(
                tx,
                order,
                "judged_ask",
                actor=actor,
                detail=told(judgement),
                code=None,
                ticket_id=ticket.ticket_id,
                **_kept(judgement),
            )
            return Claim(order=order, judgement=judgement, ticket=ticket)
        return self._open_attempt(tx, order, look, judgement, actor=actor, approved=approved)

    async def write(self, claim: Claim) -> tuple[OrderRecord, AttemptRecord]:
        """Make the one wire write of a durable claim, then journal what it proves."""
        if claim.attempt is None or claim.wire is None:
            raise ValueError("nothing was claimed")
        outcome = await self._once(claim)
        attempt, actor = claim.attempt, claim.attempt.owner
        event = event_of(outcome, attempt.action)
        fields = fields_of(outcome, attempt)
        # What a change brought about are fills of the order it names: the next scan books them.
        placed = attempt.action in PLACING
        fills = outcome.fills if placed and isinstance(outcome, Acked) else ()

        def work(tx: JournalTx) -> tuple[OrderRecord, AttemptRecord]:
            return self._record.book(
                tx,
                attempt,
                event,
                actor=actor,
                fills=fills,
                requote=isinstance(outcome, Rejected) and outcome.requote,
                detail={"outcome": plain_data(outcome), "kind": type(outcome).__name__},
                **fields,
            )

        return await self._journal.write(work)

    async def exit(self, claim: Claim) -> Outcome:
        """Make the one wire write of an exit that stands in the emergency journal alone."""
        if claim.attempt is None or claim.attempt.opening:
            raise ValueError("only exits go out without the books")
        return await self._once(claim)

    async def _once(self, claim: Claim) -> Outcome:
        assert claim.attempt is not None
        opening = claim.attempt.opening
        if opening and self._halt.stops(claim.order):
            return NotSent("halted before the wire")
        if self._clock.monotonic() >= claim.send_by:
            return NotSent("too late to send")
        try:
            async with asyncio.timeout(WIRE_TIMEOUT_S):
                match claim.wire:
                    case VenueOrder():
                        return await self._trader.submit(claim.wire)
                    case VenueModify():
                        return await self._trader.modify(claim.wire)
                    case VenueCancel():
                        return await self._trader.cancel(claim.wire)
                    case None:
                        return NotSent("nothing to send")
        except Exception as error:  # noqa: BLE001 - evidence decides what the failure proves
            return evidence(error)

    def _open_attempt(
        self,
        tx: JournalTx,
        order: OrderRecord,
        look: Look,
        judgement: Judgement,
        *,
        actor: PrincipalId,
        approved: TicketRecord | None,
    ) -> Claim:
        snapshot = look.snapshot
        if snapshot is None and isinstance(order.intent, PlaceIntent | CloseIntent):
            raise DataUnavailable(
                "the venue cannot be read, so what this order comes to is not known",
                fix="ask again with the same idempotency_key; nothing was stored or sent",
            )
        lane = judgement.decision.lane
        attempt = self._attempt(tx, order, snapshot, lane)
        steps = [Step("claimed", self._instance, None if approved is None else told(judgement))]
        if approved is None:
            steps.insert(0, Step("judged_allow", actor, told(judgement)))
        order = self._record.walk(
            tx, order, steps, attempts=attempt.n, code=None, **_kept(judgement)
        )
        attached = self._accounts.own.capabilities().attached_stops
        wire = to_wire(order.intent, attempt, attached=attached)
        attempt = self._record.new_attempt(
            tx,
            attempt,
            "claimed",
            actor=self._instance,
            detail={"policy": judgement.policy_hash, "wire": plain_data(wire)},
        )
        self._record.mark_cancel(tx, order, "cancel_requested", actor=self._instance)
        self._use(tx, order, attempt, judgement)
        return Claim(
            order=order,
            judgement=judgement,
            ticket=approved,
            attempt=attempt,
            wire=wire,
            send_by=self._clock.monotonic() + SEND_WITHIN_S,
        )

    def _attempt(
        self, tx: JournalTx, order: OrderRecord, snapshot: VenueSnapshot | None, lane: Lane
    ) -> AttemptRecord:
        first = order.attempts + 1
        for n in range(first, first + TAG_TRIES):
            tagged = tag(order.intent_hash, n)
            if not tx.attempts_tagged([tagged]):
                break
        owner = Owner(
            name=self._instance,
            epoch=self._epoch,
            attempt_id=AttemptId(self._ids.new_id()),
            now=self._clock.now(),
        )
        return attempt_of(order, tagged, n=n, owner=owner, snapshot=snapshot, lane=lane)

    def _use(
        self,
        tx: JournalTx,
        order: OrderRecord,
        attempt: AttemptRecord,
        judgement: Judgement,
    ) -> None:
        exposure = judgement.exposure
        tx.add_recent(recent_of(order, attempt, judgement))
        held = reservation_of(order, attempt, exposure) if _reserves(attempt) else None
        if held is not None:
            tx.add_reservation(held)
        if held is None or held.reduces or exposure is None:
            return
        tx.add_usage(
            order.account,
            order.principal,
            attempt.venue_day,
            Usage(orders=1, notional=exposure.notional),
        )

    def _ask_again(
        self,
        tx: JournalTx,
        order: OrderRecord,
        look: Look,
        approved: TicketRecord,
        judgement: Judgement,
    ) -> Claim:
        self._approve.end(tx, approved, TicketState.SUPERSEDED, by=PrincipalId(self._instance))
        ticket = self._issue(tx, order, look, judgement)
        order = self._record.move(
            tx,
            order,
            "price_left_band",
            actor=self._instance,
            code=Code.NEEDS_REAPPROVAL,
            detail=told(judgement),
            ticket_id=ticket.ticket_id,
            **_kept(judgement),
        )
        return Claim(order=order, judgement=judgement, ticket=ticket)

    def _issue(
        self, tx: JournalTx, order: OrderRecord, look: Look, judgement: Judgement
    ) -> TicketRecord:
        intent = order.intent
        resting = isinstance(intent, PlaceIntent) and intent.order_type is OrderType.LIMIT
        ttl_s = ask_life_s(self._judge.effective(tx), live=look.live, limit_order=resting)
        return self._approve.issue(tx, order, judgement, ttl_s=ttl_s)

    def _note_policy(self, tx: JournalTx, order: OrderRecord, judged_by: str) -> None:
        """Seal that other limits are in force than at the judgement before, for all or for one."""
        whole = self._judge.policy_hash(tx)
        if tx.fact(POLICY) != whole:
            self._seal_limits(tx, POLICY, whole, EVERYONE)
        scope = Scope(venue=order.venue, account=order.account, principal=order.principal)
        if judged_by != whole and tx.fact(f"{POLICY}:{order.principal}") != judged_by:
            self._seal_limits(tx, f"{POLICY}:{order.principal}", judged_by, scope)

    def _seal_limits(self, tx: JournalTx, name: str, policy: str, scope: Scope) -> None:
        before = tx.fact(name)
        tx.put_fact(name, policy)
        limits = {view.name: view.value for view in self._judge.views(tx, scope)}
        self._record.note(
            tx,
            "limits.in_force",
            actor=self._instance,
            corr=policy,
            body={"before": before, "now": policy, "limits": limits},
        )


def _kept(judgement: Judgement) -> dict[str, object]:
    """Return what stands on the order's row of a judgement."""
    decision = judgement.decision
    return {"lane": decision.lane, "decision_json": recorded(decision)}


def _still_stands(ticket: TicketRecord, order: OrderRecord, judgement: Judgement) -> bool:
    """A yes is good for the order, its subject, the policy and the price band of the ask."""
    price = judgement.reference_price
    same = ticket.fingerprint == asked(order, judgement)
    return same and price is not None and in_band(ticket, price)


def _reserves(attempt: AttemptRecord) -> bool:
    return attempt.opening or attempt.action in PLACING
