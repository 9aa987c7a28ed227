"""Who said yes: tickets opened, answered once, expired; always inside the caller's transaction."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from ordergate.model.canonical import iso
from ordergate.model.errors import Code, GateError, IllegalState, InvalidApproval
from ordergate.model.principals import Principal
from ordergate.model.records import OrderRecord, TicketRecord, TicketState
from ordergate.model.values import PrincipalId, TicketId
from ordergate.model.verdicts import Judgement
from ordergate.order.approval.ticket import Answerable, Yes, answerable, fingerprint, match_number
from ordergate.order.journal.record import Record
from ordergate.order.standing import yes_to
from ordergate.ports.journal import JournalTx
from ordergate.ports.system import Clock, Ids


class ApprovalExpired(GateError):
    """The ask's time is over; the agent may propose again."""

    code = Code.APPROVAL_EXPIRED


def asked(order: OrderRecord, judgement: Judgement) -> str:
    """Return the fingerprint a yes must bear to be good for this order as it is judged now."""
    return fingerprint(order, policy_hash=judgement.policy_hash, subject=judgement.subject)


class Approve:
    def __init__(self, *, record: Record, ids: Ids, clock: Clock) -> None:
        self._record = record
        self._ids = ids
        self._clock = clock

    def issue(
        self, tx: JournalTx, order: OrderRecord, judgement: Judgement, *, ttl_s: int
    ) -> TicketRecord:
        """Open an ask for this order at the price it was judged at."""
        reference, low, high = judgement.reference_price, judgement.band_low, judgement.band_high
        if reference is None or low is None or high is None:
            raise IllegalState("without a price there is nothing to put to a human")
        now = self._clock.now()
        ticket_id = TicketId(self._ids.new_id())
        ticket = TicketRecord(
            ticket_id=ticket_id,
            order_id=order.order_id,
            ver=1,
            state=TicketState.OPEN,
            fingerprint=asked(order, judgement),
            policy_hash=judgement.policy_hash,
            reference_price=reference,
            band_low=low,
            band_high=high,
            number=match_number(ticket_id),
            opened_at=now,
            expires_at=now + timedelta(seconds=ttl_s),
        )
        tx.add_ticket(ticket)
        self._record.note(
            tx,
            "ticket.opened",
            actor=order.principal,
            corr=order.order_id,
            body={
                "ticket": ticket_id,
                "fingerprint": ticket.fingerprint,
                "reference": ticket.reference_price,
                "band": [ticket.band_low, ticket.band_high],
                "expires_at": ticket.expires_at,
            },
        )
        return ticket

    def yes(
        self,
        tx: JournalTx,
        ticket: TicketRecord,
        order: OrderRecord,
        answer: Yes,
        *,
        live: bool,
    ) -> TicketRecord:
        """Record a human's yes to exactly what was shown; it is redeemed in this transaction.

        With real money (`live`) the yes is a passkey's assertion over the ask's own hash; so is an
        operator's yes to an order of their own. Raises InvalidApproval when it is not, when the
        ticket was decided, or order or policy are not what was shown; ApprovalExpired when its time
        is over, IllegalState when the answerer asked it.
        """
        signed = answer.proof.is_over(ticket.fingerprint)
        operator = answer.by
        if operator.id == order.principal and not (live and signed):
            raise IllegalState("who proposed an order cannot approve it")
        match answerable(ticket, shown=answer.shown, now=self._clock.now()):
            case Answerable.DECIDED:
                raise InvalidApproval(
                    f"this ask is {ticket.state} already; the first answer counts",
                    details={"ticket_state": ticket.state, "decided_by": ticket.decided_by},
                )
            case Answerable.EXPIRED:
                raise ApprovalExpired("the ask's time is over", fix="the agent may propose again")
            case Answerable.CHANGED:
                raise InvalidApproval(
                    "the order or the policy is not what was shown",
                    fix="open the ask again and read it",
                )
            case Answerable.YES:
                pass
        if order.order_id != ticket.order_id:
            raise InvalidApproval("the order is not the one the ask was opened for")
        if live and not signed:
            raise InvalidApproval(
                "with real money a yes is a passkey's signature, user verified, over this order",
                fix="open the ask in the console and sign it there",
            )
        tx.put_fact(yes_to(order.principal), iso(self._clock.now()))
        return self._decide(
            tx, ticket, TicketState.APPROVED, by=operator.id, method=answer.proof.method
        )

    def no(
        self, tx: JournalTx, ticket: TicketRecord, *, operator: Principal, reason: str
    ) -> TicketRecord:
        """Record a human's no."""
        if ticket.state is not TicketState.OPEN:
            raise InvalidApproval(
                f"this ask is {ticket.state} already; the first answer counts",
                details={"ticket_state": ticket.state, "decided_by": ticket.decided_by},
            )
        return self._decide(
            tx, ticket, TicketState.DENIED, by=operator.id, method="console", reason=reason
        )

    def end(
        self, tx: JournalTx, ticket: TicketRecord, state: TicketState, *, by: PrincipalId
    ) -> TicketRecord:
        """End an ask without an answer: expired, withdrawn or superseded."""
        return self._decide(tx, ticket, state, by=by, method=None)

    def end_open(
        self, tx: JournalTx, order: OrderRecord, state: TicketState, *, by: PrincipalId
    ) -> None:
        """End the order's ask, where one is open."""
        ticket = tx.ticket(order.ticket_id) if order.ticket_id is not None else None
        if ticket is not None and ticket.state is TicketState.OPEN:
            self.end(tx, ticket, state, by=by)

    def _decide(
        self,
        tx: JournalTx,
        ticket: TicketRecord,
        state: TicketState,
        *,
        by: PrincipalId,
        method: str | None,
        reason: str = "",
    ) -> TicketRecord:
        decided = dataclasses.replace(
            ticket,
            state=state,
            ver=ticket.ver + 1,
            decided_by=by,
            decided_at=self._clock.now(),
            method=method,
        )
        tx.put_ticket(decided)
        self._record.note(
            tx,
            f"ticket.{state}",
            actor=by,
            corr=ticket.order_id,
            body={"ticket": ticket.ticket_id, "method": method, "reason": reason},
        )
        return decided
