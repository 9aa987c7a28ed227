"""Everything only the operator may do: answer asks, submit drafts, release, resolve, loosen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from ordergate.audit.checkpoint import size_and_root
from ordergate.model.errors import (
    IllegalState,
    InvalidArgument,
    NotFound,
    NotSupported,
)
from ordergate.model.orders import AttemptState, CloseIntent, OrderState
from ordergate.model.principals import Grant, Principal
from ordergate.model.proofs import Proof
from ordergate.model.records import (
    AttemptRecord,
    ExternalRecord,
    HaltRecord,
    TicketRecord,
    TicketState,
)
from ordergate.model.values import OrderId, PositionId, TicketId, plain
from ordergate.model.views import Difference, OrderView, Page, SafetyView, TicketView
from ordergate.order.approval.changed import asks, limits_changed, limits_in, terms_changed
from ordergate.order.approval.ticket import Yes, in_band
from ordergate.order.arming import Armings
from ordergate.order.books import PAGE_MAX
from ordergate.order.desk_terms import DeskTerms, require_operator, require_reason
from ordergate.order.dispatch.look import Look
from ordergate.order.dispatch.send import Claim
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.journal.record import Instance
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.limits import spec_named
from ordergate.order.policy.tightenings import Scope
from ordergate.order.stages import Line
from ordergate.ports.feed import SPEED_MAX, Pace
from ordergate.ports.journal import JournalTx

HISTORY_MAX: Final = 1000  # sealed records of one order


class Desk(DeskTerms):
    """The operator's acts, reached from the operator's console alone."""

    def __init__(
        self,
        *,
        instance: Instance,
        gateway: Gateway,
        line: Line,
        judge: Judge,
        armings: Armings,
        pace: Pace | None,
    ) -> None:
        super().__init__(instance=instance, gateway=gateway, armings=armings)
        self._approve = line.approve
        self._send = line.send
        self._settle = line.settle
        self._halt = line.halt
        self._loosen = line.loosen
        self._judge = judge
        self._pace = pace

    async def waiting(self) -> tuple[TicketView, ...]:
        """Return the open asks, oldest first."""
        tickets = await self._journal.read(
            lambda tx: tuple(tx.tickets_in(frozenset({TicketState.OPEN})))
        )
        return tuple([await self.ticket(ticket.ticket_id) for ticket in tickets])

    async def ticket(self, ticket_id: TicketId) -> TicketView:
        """Return an ask and its order."""
        return await self._gateway.ticket(ticket_id, asker=GATEWAY)

    async def anchor(self) -> str:
        """Return `size:root` of the newest checkpoint, its root shortened; empty before the first.

        Who approves sees it: a record that says otherwise later was rewritten.
        """
        return size_and_root(await self._journal.read(lambda tx: tx.last_checkpoint()))

    async def changes(self, ticket_id: TicketId) -> tuple[Difference, ...]:
        """Return what this ask says otherwise than the one it took the place of; none for a first.

        Both are read from the sealed record: it keeps what was shown.
        """

        def work(tx: JournalTx) -> tuple[Difference, ...]:
            ticket = _known(tx.ticket(ticket_id))
            made = asks(tx.audit_rows(after=0, limit=HISTORY_MAX, corr=ticket.order_id))
            place = next((n for n, one in enumerate(made) if one.ticket_id == ticket_id), 0)
            if place == 0:
                return ()
            was, now = made[place - 1], made[place]
            limits = limits_changed(_limits(tx, was.policy), _limits(tx, now.policy))
            return (*terms_changed(was, now), *limits)

        return await self._journal.read(work)

    async def changes_since(self, ticket_id: TicketId) -> tuple[Difference, ...]:
        """Return what is otherwise by now than this ask says: a yes to it will ask anew."""
        view = await self.ticket(ticket_id)
        ticket, price = view.ticket, view.now.price
        moved: tuple[Difference, ...] = ()
        if price is not None and not in_band(ticket, price):
            moved = (Difference("Price", plain(ticket.reference_price), plain(price)),)

        def work(tx: JournalTx) -> tuple[Difference, ...]:
            order = view.order
            scope = Scope(venue=order.venue, account=order.account, principal=order.principal)
            if self._judge.hash_for(tx, scope) == ticket.policy_hash:
                return ()
            now = {one.name: one.value for one in self._judge.views(tx, scope)}
            return limits_changed(_limits(tx, ticket.policy_hash), now)

        return (*moved, *await self._journal.read(work))

    async def approve(
        self, ticket_id: TicketId, *, fingerprint: str, operator: Principal, proof: Proof
    ) -> OrderView:
        """Say yes to exactly what was shown; redeemed at once on fresh facts, or asked anew.

        Raises InvalidApproval when the order is not what was shown or was answered before. When the
        price has left the band nothing is sent: the view's code is NEEDS_REAPPROVAL and it carries
        the new ask.
        """
        require_operator(operator)

        def claimed(tx: JournalTx, look: Look) -> Claim:
            ticket = _known(tx.ticket(ticket_id))
            order = tx.order(ticket.order_id)
            if order is None:
                raise NotFound("no such order")
            ticket = self._approve.yes(
                tx,
                ticket,
                order,
                Yes(shown=fingerprint, by=operator, proof=proof),
                live=look.live,
            )
            order = self._record.move(
                tx,
                order,
                "yes",
                actor=operator.id,
                code=None,
                detail={"ticket": ticket_id, "fingerprint": fingerprint, "method": proof.method},
            )
            asker = Principal(
                order.principal,
                order.principal_kind,
                order.principal,
                frozenset({Grant.LIVE}),  # held when the ask was opened: without it there is none
            )
            return self._send.claim(tx, order, look, asker=asker, approved=ticket)

        return await self._gateway.redeem(claimed)

    async def deny(self, ticket_id: TicketId, *, reason: str, operator: Principal) -> OrderView:
        """Say no; the first answer counts."""
        require_operator(operator)

        def work(tx: JournalTx) -> OrderId:
            ticket = self._approve.no(
                tx, _known(tx.ticket(ticket_id)), operator=operator, reason=reason
            )
            order = tx.order(ticket.order_id)
            if order is None:
                raise NotFound("no such order")
            self._record.move(
                tx,
                order,
                "no",
                actor=operator.id,
                code="APPROVAL_DENIED",
                detail={"reason": reason},
            )
            return order.order_id

        return await self._told(await self._journal.write(work), operator)

    async def drafts(self) -> tuple[OrderView, ...]:
        """Return the drafts that wait for a human, newest first."""
        page = await self._gateway.orders(
            states=frozenset({OrderState.DRAFT}),
            symbol=None,
            limit=PAGE_MAX,
            cursor=None,
            asker=GATEWAY,
        )
        return page.items

    async def submit_draft(self, order_id: OrderId, *, operator: Principal) -> OrderView:
        """Submit an agent's draft as the operator's own order, judged as usual."""
        require_operator(operator)

        def claimed(tx: JournalTx, look: Look) -> Claim:
            order = tx.order(order_id)
            if order is None:
                raise NotFound("no such draft")
            if order.state is not OrderState.DRAFT:
                raise IllegalState(f"the order is {order.state}, not a draft")
            order = self._record.move(
                tx,
                order,
                "submitted",
                actor=operator.id,
                drafted_by=order.principal,
                principal=operator.id,
                principal_kind=operator.kind,
                expires_at=None,
            )
            return self._send.claim(tx, order, look, asker=operator)

        return await self._gateway.redeem(claimed)

    async def discard_draft(self, order_id: OrderId, *, operator: Principal) -> OrderView:
        """Throw a draft away."""
        require_operator(operator)
        return await self._gateway.withdraw(order_id, asker=operator)

    async def halts(self) -> tuple[HaltRecord, ...]:
        """Return the halts in force."""
        return await self._journal.read(lambda tx: tuple(tx.halts()))

    async def release(self, halt_id: str, *, reason: str, operator: Principal) -> HaltRecord:
        """End a halt or the kill switch, with a typed reason."""
        require_operator(operator)
        require_reason(reason)

        def work(tx: JournalTx) -> HaltRecord:
            halt = next((one for one in tx.halts() if one.halt_id == halt_id), None)
            if halt is None:
                raise NotFound("no such halt in force", fix="`ordergate halt status` lists them")
            return self._halt.release(tx, halt, by=operator.id, reason=reason)

        released = await self._journal.write(work)
        self._halt.forget(halt_id)
        return released

    async def parked(self) -> tuple[OrderView, ...]:
        """Return the orders whose fate the venue's books do not tell, oldest first."""
        states = frozenset({AttemptState.PARKED})
        attempts = await self._journal.read(lambda tx: tuple(tx.attempts_in(states)))
        oldest_first = sorted(attempts, key=lambda attempt: attempt.claimed_at)
        return tuple(
            [await self._gateway.status(one.order_id, asker=GATEWAY) for one in oldest_first]
        )

    async def resolve(
        self, order_id: OrderId, *, placed: bool, reason: str, operator: Principal
    ) -> OrderView:
        """Settle a parked order by hand, after the settle window and a fresh negative scan."""
        require_operator(operator)
        require_reason(reason)
        window = self._settle.window
        await self._settle.scan()

        def work(tx: JournalTx) -> None:
            attempt = _last_parked(tx, order_id)
            if self._clock.now() - attempt.claimed_at < window:
                raise IllegalState(
                    f"the settle window of {window.total_seconds():g} s is not over",
                    fix="wait; the order may still arrive at the venue",
                )
            event = "resolved_gone" if placed else "resolved_not_placed"
            self._record.book(tx, attempt, event, actor=operator.id, detail={"reason": reason})

        await self._journal.write(work)
        return await self._told(order_id, operator)

    async def close(
        self, position_id: PositionId, *, reason: str, operator: Principal
    ) -> OrderView:
        """Close a position though an earlier close of it is in doubt: the overshoot is accepted.

        Where the venue does not refuse a second close, both may execute and turn the position
        round; what that opens is closed at once and reported.
        """
        require_operator(operator)
        require_reason(reason)
        account = await self._gateway.account(asker=operator)
        held = {row.position_id: row for row in account.positions}.get(position_id)
        if held is None:
            raise NotFound("no such position", fix="read the account again; it may be closed")
        await self._journal.write(
            lambda tx: self._record.note(
                tx,
                "exit.overshoot_accepted",
                actor=operator.id,
                corr=position_id,
                body={"position": position_id, "reason": reason},
            )
        )
        intent = CloseIntent(
            account=account.identity.account,
            venue=account.identity.venue,
            symbol=held.symbol,
            position_id=position_id,
        )
        return await self._gateway.close(intent, key=None, asker=operator)

    async def loosen(self, limit_name: str, *, reason: str, operator: Principal) -> SafetyView:
        """Take back the tightenings of one limit, after the delay: the file's number, never more.

        What is made stricter meanwhile stays.
        """
        require_operator(operator)
        require_reason(reason)
        spec = spec_named(limit_name)
        await self._journal.write(
            lambda tx: self._loosen.ask(tx, spec, by=operator.id, reason=reason)
        )
        return await self._gateway.safety()

    async def withdraw_loosening(
        self, limit_name: str, *, reason: str, operator: Principal
    ) -> SafetyView:
        """Call off what would make a limit looser, the file's and the desk's, before it counts."""
        require_operator(operator)
        require_reason(reason)
        spec = spec_named(limit_name)
        await self._journal.write(
            lambda tx: self._loosen.withdraw(tx, spec, by=operator.id, reason=reason)
        )
        return await self._gateway.safety()

    async def externals(self, *, limit: int, cursor: str | None) -> Page[ExternalRecord]:
        """Return what was made around the gate, newest found first."""
        return await self._gateway.externals(limit=limit, cursor=cursor)

    async def set_pace(
        self, *, paused: bool | None, speed: Decimal | None, operator: Principal
    ) -> Pace:
        """Hold, let go or speed up the recording that prices come from; None leaves as it is."""
        require_operator(operator)
        pace = self._pace
        if pace is None:
            raise NotSupported(
                "these prices are no recording: their pace is not to be set",
                fix="`ordergate up --replay FILE` plays one",
            )
        if speed is not None and not (speed.is_finite() and 0 < speed <= SPEED_MAX):
            raise InvalidArgument(f"speed must be above 0 and at most {SPEED_MAX}")
        wanted = {
            "paused": pace.paused if paused is None else paused,
            "speed": plain(pace.speed if speed is None else speed),
        }
        await self._journal.write(
            lambda tx: self._record.note(
                tx, "feed.paced", actor=operator.id, corr="feed", body=wanted
            )
        )
        if speed is not None:
            pace.set_speed(speed)
        if paused is not None:
            (pace.pause if paused else pace.resume)()
        return pace

    async def _told(self, order_id: OrderId, operator: Principal) -> OrderView:
        view = await self._gateway.status(order_id, asker=operator)
        self._gateway.announce(view.order, view.attempt)
        return view


def _known(ticket: TicketRecord | None) -> TicketRecord:
    if ticket is None:
        raise NotFound("no such approval", fix="`ordergate approvals list` shows what waits")
    return ticket


def _limits(tx: JournalTx, policy: str) -> Mapping[str, str]:
    """Return the numbers that a policy's hash stands for, as they were sealed."""
    rows = tx.audit_rows(after=0, limit=1, kind="limits.in_force", corr=policy)
    return limits_in(rows[0]) if rows else {}


def _last_parked(tx: JournalTx, order_id: OrderId) -> AttemptRecord:
    attempts = tx.attempts(order_id)
    if not attempts:
        raise NotFound("no order of this id was ever sent")
    parked = [attempt for attempt in attempts if attempt.state is AttemptState.PARKED]
    if not parked:
        raise IllegalState(f"the order is {attempts[-1].state}, not parked")
    return parked[-1]
