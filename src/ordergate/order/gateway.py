"""Everything an agent may do with orders, the flow on one screen: accept, judge, claim, send."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ordergate.model.errors import IllegalState, NotFound
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    ModifyIntent,
    OrderState,
    PlaceIntent,
)
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import (
    AttemptRecord,
    HaltKind,
    HaltRecord,
    OrderRecord,
    ScopeKind,
    TicketState,
)
from ordergate.model.values import IdempotencyKey, OrderId, PrincipalId
from ordergate.model.verdicts import Judgement
from ordergate.model.views import Change, OrderView, SafetyView
from ordergate.order.books import Books, Sources, ask_news, may_see, order_news
from ordergate.order.clearing import clear_the_way
from ordergate.order.dispatch.look import Look
from ordergate.order.dispatch.send import Claim
from ordergate.order.emergency import Held
from ordergate.order.errands import Errands
from ordergate.order.halt import killed
from ordergate.order.intent.drafting import hopeless
from ordergate.order.intent.idempotency import Asked
from ordergate.order.journal.lifecycle import RESTING
from ordergate.order.kill import Kill, Ways, target_in, target_of
from ordergate.order.ownership import require_own
from ordergate.order.policy.decision import recorded, told
from ordergate.order.stages import Line
from ordergate.ports.journal import JournalTx, JournalUnwritable
from ordergate.ports.managed_exits import ManagedExits

GATEWAY: Final = Principal(PrincipalId("gateway"), Kind.GATEWAY, "the gateway")


class Gateway(Books):
    """The one way to an order, for agents, operators and the gate's own exits alike."""

    def __init__(self, sources: Sources, line: Line) -> None:
        super().__init__(sources)
        self._record = line.record
        self._accept = line.accept
        self._approve = line.approve
        self._send = line.send
        self._settle = line.settle
        self._halt = line.halt
        self._emergency = line.emergency
        self._loosen = line.loosen
        self._draft_end = line.draft_end
        self._publish = line.publish
        self.kill = Kill(
            journal=sources.journal,
            record=line.record,
            approve=line.approve,
            halt=line.halt,
            ways=Ways(
                cancel=lambda cancel, key: self.one_order(cancel, key=key, asker=GATEWAY),
                announce=self.announce,
                spare=line.emergency.keep_stop,
            ),
        )
        self._exits: ManagedExits | None = None
        self._errands = Errands[OrderView]()
        self._sending: dict[OrderId, asyncio.Task[OrderView]] = {}

    async def status(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        """Return an order with its last attempt, also one that is not in the books yet."""
        held = self._emergency.held(order_id)
        if held is not None and may_see(held.exit.order, asker):
            return self._picture(held.exit.order, held.exit.attempt, None)
        return await super().status(order_id, asker=asker)

    async def submit(
        self, intent: PlaceIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Place an order: journaled, judged, then sent at most once, refused, or put to a human."""
        return await self._ask(intent, key=key, asker=asker)

    async def modify(
        self, intent: ModifyIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Change a resting order, or a position's stop and target; widening waits for a human."""
        return await self._ask(intent, key=key, asker=asker)

    async def cancel(
        self, intent: CancelIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Cancel a resting order. Taking away a position's stop is widening, whatever its name."""
        return await self._ask(intent, key=key, asker=asker)

    async def close(
        self, intent: CloseIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Close a position or a part of it; never held up by limits, halts or the kill switch."""
        return await self._ask(intent, key=key, asker=asker)

    async def check(self, intent: Intent, *, asker: Principal) -> Judgement:
        """Judge an intent on fresh facts; nothing is stored and nothing is sent."""
        look = await self._look()
        return await self._journal.read(lambda tx: self._send.judged(tx, intent, look, asker))

    async def draft(
        self, intent: PlaceIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Keep a proposal for a human to submit, until the venue's day ends.

        It is judged: what could never be sent is refused now; what a better hour may cure (a closed
        market, a halt) only stands in the answer.
        """
        look = await self._look()
        until = self._draft_end(self._markets.venue_now())

        def work(tx: JournalTx) -> OrderView:
            judgement = self._send.judged(tx, intent, look, asker)
            refusal = hopeless(judgement)
            ends = until if refusal is None else None
            receipt = self._accept.accept(
                tx, intent, key=key, asker=asker, draft_until=ends, drafting=True
            )
            order = receipt.order
            if not receipt.fresh:
                return self._view(tx, order, replayed=True)
            if refusal is not None:
                order = self._record.move(
                    tx,
                    order,
                    "judged_deny",
                    actor=asker.id,
                    code=refusal.code,
                    lane=judgement.decision.lane,
                    decision_json=recorded(judgement.decision),
                    detail=told(judgement),
                )
            return self._picture(order, None, None, judgement=judgement)

        view = await self._commit(work)
        self.announce(view.order, None)
        return view

    async def withdraw(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        """Take back a draft or an order that still waits for a human."""

        def work(tx: JournalTx) -> OrderView:
            order = self._seen(tx, order_id, asker).order
            if order.state is OrderState.DRAFT:
                order = self._record.move(tx, order, "discarded", actor=asker.id)
            elif order.state is OrderState.PROPOSED and asker.kind is Kind.GATEWAY:
                order = self._record.move(tx, order, "withdrawn", actor=asker.id)
            elif order.state is OrderState.AWAITING_APPROVAL:
                self._approve.end_open(tx, order, TicketState.WITHDRAWN, by=asker.id)
                order = self._record.move(tx, order, "withdrawn", actor=asker.id)
            else:
                raise IllegalState(
                    f"the order is {order.state}; only a draft or a waiting order is withdrawn",
                    fix="cancel_order cancels an order that rests at the venue",
                )
            return self._view(tx, order)

        view = await self._commit(work)
        self.announce(view.order, None)
        return view

    async def engage(
        self, *, scope: ScopeKind, target: str, reason: str, asker: Principal
    ) -> HaltRecord:
        """Engage the kill switch for a scope: no new risk from here on; engaged twice it stays.

        Waiting orders of the scope are KILLED, resting opening orders are cancelled by explicit
        ids, protective ones stay. Raises for a target that would stop nothing.
        """
        target = target_of(
            scope,
            target,
            account=self.account_id,
            is_symbol=lambda symbol: self._markets.instrument(symbol) is not None,
        )
        return await self._stop(HaltKind.KILL, scope, target, reason=reason, by=asker.id)

    async def keep_stops(self) -> None:
        """Make the stops that hold in memory durable, and end what has come under one since."""
        await self.kill.keep()

    async def safety(self, *, asker: Principal | None = None) -> SafetyView:
        """Return halts, unwritten ones too, effective limits with their sources, tightenings."""
        view = await super().safety(asker=asker)
        written = {halt.halt_id for halt in view.halts}
        held = (halt for halt in self._halt.unwritten() if halt.halt_id not in written)
        halts = (*view.halts, *held)
        return dataclasses.replace(view, halts=halts, killed=killed(halts))

    async def watch_day(self) -> HaltRecord | None:
        """Halt the account when a loss has reached its limit, also when nobody asks for more."""
        snapshot = await self._snapshot()
        lost = await self._journal.read(lambda tx: self._judge.lost(tx, snapshot))
        return None if lost is None else await self.halt(lost.scope, self.account_id, lost.rule)

    async def halt(self, scope: ScopeKind, target: str, reason: str) -> HaltRecord:
        """Stop new risk in a scope until an operator releases it."""
        return await self._stop(HaltKind.HALT, scope, target, reason=reason, by=GATEWAY.id)

    async def _stop(
        self, kind: HaltKind, scope: ScopeKind, target: str, *, reason: str, by: PrincipalId
    ) -> HaltRecord:
        prepared = self._halt.prepare(kind=kind, scope=scope, target=target, reason=reason, by=by)
        halt = await self.kill.engage(prepared)
        if halt.halt_id == prepared.halt_id:
            self._publish(Change(topic="activity", principal=None, body={"halt": halt.halt_id}))
        return halt

    async def tighten(
        self, limit_name: str, value: Decimal, *, reason: str, asker: Principal
    ) -> SafetyView:
        """Make a limit stricter from the next judgement on; loosening is the operator's."""

        await self._commit(
            lambda tx: self._loosen.tighten(tx, limit_name, value, reason=reason, by=asker)
        )
        return await self.safety()

    async def resume(self, order_id: OrderId) -> OrderView:
        """Judge and send an order that was accepted before a restart and never claimed."""

        def work(tx: JournalTx, look: Look) -> Claim | OrderRecord:
            order = tx.order(order_id)
            if order is None:
                raise NotFound("no such order")
            if order.state is not OrderState.PROPOSED:
                return order
            asker = Principal(order.principal, order.principal_kind, order.principal)
            return self._send.claim(tx, order, look, asker=asker)

        return await self._to_its_end(work)

    def announce(self, order: OrderRecord, attempt: AttemptRecord | None) -> None:
        """Tell the streams, and whoever waits, that an order has moved."""
        self._publish(order_news(self._picture(order, attempt, None)))
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def redeem(self, work: Callable[[JournalTx, Look], Claim]) -> OrderView:
        """Run a human's act as one claim on fresh facts, and send what it allowed."""
        return await self._to_its_end(work)

    @property
    def exits_only(self) -> bool:
        """Say whether the books take nothing: exits go out on the emergency record."""
        return self._emergency.trouble is not None

    def books_failed(self, error: JournalUnwritable) -> None:
        """Stop new risk: the managed exits could not write."""
        self._emergency.alarm(str(error))

    def managed_by(self, exits: ManagedExits) -> None:
        """Let the managed exits walk what takes more than one order at this venue."""
        self._exits = exits

    async def _ask(
        self, intent: Intent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        exits = self._exits
        # A plan is kept in the books: where they take nothing, one order on the emergency record.
        if exits is not None and not self.exits_only and exits.manages(intent):
            return await exits.walk(intent, key=key, asker=asker)
        return await self.one_order(intent, key=key, asker=asker)

    async def propose(
        self,
        intent: Intent,
        *,
        key: IdempotencyKey | None,
        asker: Principal,
        also: Callable[[JournalTx, OrderRecord], None],
    ) -> OrderRecord:
        """Journal a request with what belongs to it; `resume` judges and sends it.

        Raises HeldOutside where its key stands for an exit that went out without the books.
        """

        def work(tx: JournalTx) -> OrderRecord:
            receipt = self._accept.accept(tx, intent, key=key, asker=asker)
            if receipt.fresh:
                also(tx, receipt.order)
            return receipt.order

        async with self._emergency.turn(Asked(intent=intent, key=key, asker=asker)):
            return await self._commit(work)

    async def one_order(
        self, intent: Intent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Make one order of a request: journaled, judged, sent at most once."""

        def work(tx: JournalTx, look: Look) -> Claim | OrderRecord:
            require_own(tx, intent, look, asker)
            order = self._accept.accept(tx, intent, key=key, asker=asker).order
            if order.state is not OrderState.PROPOSED:
                return order
            return self._send.claim(tx, order, look, asker=asker)

        return await self._to_its_end(work, Asked(intent=intent, key=key, asker=asker))

    async def _to_its_end(
        self, work: Callable[[JournalTx, Look], Claim | OrderRecord], asked: Asked | None = None
    ) -> OrderView:
        """Look, claim and send, even when the caller goes away: a claim must not lie unsent."""
        return await self._errands.run(self._answer(work, asked))

    async def _answer(
        self, work: Callable[[JournalTx, Look], Claim | OrderRecord], asked: Asked | None
    ) -> OrderView:
        look = await self._look()
        found: Claim | Held | OrderRecord
        if asked is None:
            found = await self._commit(lambda tx: work(tx, look))
        else:
            found = await self._emergency.claimed(asked, look, lambda tx: work(tx, look))
        match found:
            case Claim():
                return await self._finish(found)
            case Held():
                return await self._exit(found)
            case OrderRecord():
                return await self._replay(found)

    async def _exit(self, held: Held) -> OrderView:
        """Send an exit that the books could not take, or answer its key as it stands."""
        fresh = await self._emergency.send(held)
        order, attempt = held.exit.order, held.exit.attempt
        if fresh:
            self.announce(order, attempt)
        judgement = held.judgement if fresh else None
        return self._picture(order, attempt, None, replayed=not fresh, judgement=judgement)

    async def _replay(self, order: OrderRecord) -> OrderView:
        """Answer a known key with the stored order; wait for it where it is on the wire now."""
        sending = self._sending.get(order.order_id)
        if sending is not None:
            return dataclasses.replace(await asyncio.shield(sending), replayed=True)
        return await self._journal.read(lambda tx: self._view(tx, order, replayed=True))

    async def _finish(self, claim: Claim) -> OrderView:
        if claim.attempt is None:
            for halting in claim.judgement.halt_reasons:
                target = target_in(claim.order, halting.scope)
                await self.halt(halting.scope, target, halting.rule)
            self.announce(claim.order, None)
            if claim.ticket is not None:
                self._publish(ask_news(claim.order, claim.ticket))
            return self._picture(claim.order, None, claim.ticket, judgement=claim.judgement)
        own = asyncio.current_task()
        assert own is not None
        self._sending[claim.order.order_id] = own
        try:
            await clear_the_way(claim.attempt, claim.judgement.clear_first, cancel=self.kill.cancel)
            return await self._wire(claim, claim.attempt)
        finally:
            self._sending = {one: at for one, at in self._sending.items() if at is not own}

    async def _wire(self, claim: Claim, attempt: AttemptRecord) -> OrderView:
        order = claim.order
        self.announce(order, attempt)
        try:
            order, attempt = await self._send.write(claim)
        except JournalUnwritable as error:
            # It was sent and the outcome is not on disk: the next scan finds it out.
            self._emergency.alarm(str(error))
            attempt = dataclasses.replace(attempt, state=AttemptState.UNKNOWN)
        lost = attempt.state is AttemptState.UNKNOWN  # its stop waits for what is found out
        # What rests may have filled while its answer was on the way, unseen by the scan of then.
        if lost or attempt.state in RESTING or order.action in (Action.CANCEL, Action.MODIFY):
            self._settle.nudge()
        self.announce(order, attempt)
        if attempt.opening and self._halt.stops(order):
            await self.keep_stops()  # it was on the wire when the stop was engaged
        return self._picture(order, attempt, claim.ticket, judgement=claim.judgement)

    async def _look(self) -> Look:
        """Read the account, after the mark: what is released later still counts as held."""
        look = await self._send.look(self._journal.sealed())
        if look.snapshot is not None:
            self._mode = look.snapshot.identity.mode
        return look
