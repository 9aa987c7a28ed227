"""Everything only the operator may do: answer asks, submit drafts, release halts, resolve."""

from __future__ import annotations

from typing import Final

from ordergate.model.errors import Forbidden, IllegalState, InvalidArgument, NotFound
from ordergate.model.orders import AttemptState, OrderState
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import HaltRecord, TicketRecord, TicketState
from ordergate.model.values import AttemptId, OrderId, TicketId
from ordergate.model.views import OrderView, TicketView
from ordergate.order.approval.approve import Approve
from ordergate.order.books import PAGE_MAX
from ordergate.order.dispatch.send import Claim, Look, Send
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.halt import Halt
from ordergate.order.journal.record import Instance
from ordergate.order.reconcile.settle import Settle
from ordergate.ports.journal import JournalTx

REASON_MIN: Final = 3


class Desk:
    """The operator's acts, reached from the operator's console alone."""

    def __init__(
        self,
        *,
        instance: Instance,
        gateway: Gateway,
        approve: Approve,
        send: Send,
        settle: Settle,
        halt: Halt,
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._gateway = gateway
        self._approve = approve
        self._send = send
        self._settle = settle
        self._halt = halt

    async def waiting(self) -> tuple[TicketView, ...]:
        """Return the open asks, oldest first."""
        tickets = await self._journal.read(
            lambda tx: tuple(tx.tickets_in(frozenset({TicketState.OPEN})))
        )
        return tuple([await self.ticket(ticket.ticket_id) for ticket in tickets])

    async def ticket(self, ticket_id: TicketId) -> TicketView:
        """Return an ask and its order."""
        return await self._gateway.ticket(ticket_id, asker=GATEWAY)

    async def approve(
        self, ticket_id: TicketId, *, fingerprint: str, operator: Principal, method: str
    ) -> OrderView:
        """Say yes to exactly what was shown; redeemed at once on fresh facts, or asked anew.

        Raises InvalidApproval when the order is not what was shown or was answered before. When the
        price has left the band nothing is sent: the view's code is NEEDS_REAPPROVAL and it carries
        the new ask.
        """
        _require_operator(operator)

        def claimed(tx: JournalTx, look: Look) -> Claim:
            ticket = _known(tx.ticket(ticket_id))
            order = tx.order(ticket.order_id)
            if order is None:
                raise NotFound("no such order")
            ticket = self._approve.yes(
                tx, ticket, order, shown=fingerprint, operator=operator, method=method
            )
            order = self._record.move(
                tx,
                order,
                "yes",
                actor=operator.id,
                code=None,
                detail={"ticket": ticket_id, "fingerprint": fingerprint, "method": method},
            )
            asker = Principal(order.principal, order.principal_kind, order.principal)
            return self._send.claim(tx, order, look, asker=asker, approved=ticket)

        return await self._gateway.redeem(claimed)

    async def deny(self, ticket_id: TicketId, *, reason: str, operator: Principal) -> OrderView:
        """Say no; the first answer counts."""
        _require_operator(operator)

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
        _require_operator(operator)

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
            return self._send.claim(tx, order, look, asker=operator, own=True)

        return await self._gateway.redeem(claimed)

    async def discard_draft(self, order_id: OrderId, *, operator: Principal) -> OrderView:
        """Throw a draft away."""
        _require_operator(operator)
        return await self._gateway.withdraw(order_id, asker=operator)

    async def halts(self) -> tuple[HaltRecord, ...]:
        """Return the halts in force."""
        return await self._journal.read(lambda tx: tuple(tx.halts()))

    async def release(self, halt_id: str, *, reason: str, operator: Principal) -> HaltRecord:
        """End a halt or the kill switch, with a typed reason."""
        _require_operator(operator)
        _require_reason(reason)

        def work(tx: JournalTx) -> HaltRecord:
            halt = next((one for one in tx.halts() if one.halt_id == halt_id), None)
            if halt is None:
                raise NotFound("no such halt in force", fix="`ordergate halt status` lists them")
            return self._halt.release(tx, halt, by=operator.id, reason=reason)

        released = await self._journal.write(work)
        self._halt.forget(halt_id)
        return released

    async def resolve(
        self, attempt_id: AttemptId, *, placed: bool, reason: str, operator: Principal
    ) -> OrderView:
        """Settle a PARKED attempt by hand, after the settle window and a fresh negative scan."""
        _require_operator(operator)
        _require_reason(reason)
        window = self._settle.window
        await self._settle.scan()

        def work(tx: JournalTx) -> OrderId:
            attempt = tx.attempt(attempt_id)
            if attempt is None:
                raise NotFound("no such attempt")
            if attempt.state is not AttemptState.PARKED:
                raise IllegalState(f"the attempt is {attempt.state}, not parked")
            if self._clock.now() - attempt.claimed_at < window:
                raise IllegalState(
                    f"the settle window of {window.total_seconds():g} s is not over",
                    fix="wait; the order may still arrive at the venue",
                )
            event = "resolved_gone" if placed else "resolved_not_placed"
            order, _ = self._record.book(
                tx, attempt, event, actor=operator.id, detail={"reason": reason}
            )
            return order.order_id

        return await self._told(await self._journal.write(work), operator)

    async def _told(self, order_id: OrderId, operator: Principal) -> OrderView:
        view = await self._gateway.status(order_id, asker=operator)
        self._gateway.announce(view.order, view.attempt)
        return view


def _known(ticket: TicketRecord | None) -> TicketRecord:
    if ticket is None:
        raise NotFound("no such approval", fix="`ordergate approvals list` shows what waits")
    return ticket


def _require_operator(operator: Principal) -> None:
    if operator.kind is not Kind.OPERATOR:
        raise Forbidden("only the operator may do this")


def _require_reason(reason: str) -> None:
    if len(reason.strip()) < REASON_MIN:
        raise InvalidArgument("a reason must be typed", fix="say in words why this is safe")
