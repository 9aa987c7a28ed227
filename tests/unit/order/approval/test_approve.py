"""An ask is opened once, answered once, by the right person, over exactly what was shown."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordergate.adapters.system import SystemIds
from ordergate.model.errors import GateError, IllegalState, InvalidApproval
from ordergate.model.orders import Lane
from ordergate.model.principals import Principal
from ordergate.model.proofs import Method, Proof
from ordergate.model.records import OrderRecord, TicketRecord, TicketState
from ordergate.model.values import OrderId, TicketId
from ordergate.model.verdicts import Decision, Judgement, Verb
from ordergate.order.approval.approve import ApprovalExpired, Approve, asked
from ordergate.order.approval.ticket import Yes
from ordergate.order.journal.record import Record
from ordergate.order.standing import yes_to
from support.manual_clock import ManualClock
from support.memory_journal import Books, MemoryTx
from support.order_records import AGENT, OPERATOR, an_order, buy
from support.sealed_log import seal_of

D = Decimal
ORDER = an_order(buy())
JUDGED = Judgement(
    decision=Decision(verb=Verb.ASK, lane=Lane.OPEN, verdicts=()),
    exposure=None,
    reference_price=D("1.0851"),
    band_low=D("1.0799"),
    band_high=D("1.0905"),
    facts_json="{}",
    policy_hash="p" * 64,
)
TTL_S = 300


class Desk:
    """The approvals over books in memory, with an ask opened for ORDER."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.books = Books()
        self.tx = MemoryTx(self.books)
        record = Record(seal=seal_of(self.clock), clock=self.clock)
        self.approve = Approve(record=record, ids=SystemIds(), clock=self.clock)
        self.ticket = self.approve.issue(self.tx, ORDER, JUDGED, ttl_s=TTL_S)

    def yes(
        self,
        *,
        by: Principal = OPERATOR,
        method: Method = Method.TOTP,
        over: str | None = None,
        live: bool = False,
        shown: str | None = None,
        order: OrderRecord = ORDER,
    ) -> TicketRecord:
        proof = Proof(method=method, at=self.clock.now(), over=over)
        shown = self.ticket.fingerprint if shown is None else shown
        return self.approve.yes(
            self.tx, self.ticket, order, Yes(shown=shown, by=by, proof=proof), live=live
        )

    def sealed(self, kind: str) -> dict[str, Any]:
        (row,) = [row for row in self.books.audit if row.kind == kind]
        said: dict[str, Any] = json.loads(row.body)
        return said


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_ask_holds_price_band_and_time_and_is_sealed(desk: Desk) -> None:
    ticket = desk.ticket
    assert ticket == desk.tx.ticket(ticket.ticket_id)
    assert (ticket.ver, ticket.state, ticket.order_id) == (1, TicketState.OPEN, ORDER.order_id)
    assert (ticket.reference_price, ticket.band_low, ticket.band_high) == (
        D("1.0851"),
        D("1.0799"),
        D("1.0905"),
    )
    assert ticket.fingerprint == asked(ORDER, JUDGED)
    assert ticket.expires_at == ticket.opened_at + timedelta(seconds=TTL_S)
    said = desk.sealed("ticket.opened")
    assert (said["actor"], said["corr"]) == (ORDER.principal, ORDER.order_id)
    assert said["body"] == {
        "ticket": ticket.ticket_id,
        "fingerprint": ticket.fingerprint,
        "reference": "1.0851",
        "band": ["1.0799", "1.0905"],
        "expires_at": "2026-01-07T14:05:00.000000Z",
    }


@pytest.mark.parametrize("missing", ["reference_price", "band_low", "band_high"])
def test_without_a_price_nobody_is_asked(desk: Desk, missing: str) -> None:
    blind = dataclasses.replace(JUDGED, **{missing: None})
    with pytest.raises(IllegalState, match="without a price"):
        desk.approve.issue(desk.tx, ORDER, blind, ttl_s=TTL_S)


def test_a_yes_is_recorded_with_who_and_how(desk: Desk) -> None:
    desk.clock.advance(10)
    decided = desk.yes()
    assert decided == desk.tx.ticket(desk.ticket.ticket_id)
    assert (decided.state, decided.ver) == (TicketState.APPROVED, 2)
    assert (decided.decided_by, decided.decided_at) == (OPERATOR.id, desk.clock.now())
    assert decided.method == "totp"
    assert desk.tx.fact(yes_to(ORDER.principal)) is not None
    said = desk.sealed("ticket.approved")
    assert (said["actor"], said["corr"]) == (OPERATOR.id, ORDER.order_id)
    assert said["body"] == {"ticket": decided.ticket_id, "method": "totp", "reason": ""}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"by": AGENT}, IllegalState),
        ({"by": AGENT, "live": True}, IllegalState),
        # A signature makes an operator's own order good with real money, and there alone.
        ({"by": AGENT, "method": Method.PASSKEY, "over": "the ask"}, IllegalState),
        ({"by": AGENT, "method": Method.PASSKEY, "over": "f" * 64, "live": True}, IllegalState),
        ({"shown": "0" * 64}, InvalidApproval),
        ({"order": dataclasses.replace(ORDER, order_id=OrderId("o2"))}, InvalidApproval),
        ({"live": True}, InvalidApproval),
        ({"live": True, "method": Method.PASSKEY}, InvalidApproval),
        ({"live": True, "method": Method.PASSKEY, "over": "f" * 64}, InvalidApproval),
        ({"live": True, "method": Method.TOTP, "over": "the ask"}, InvalidApproval),
    ],
)
def test_a_yes_that_is_not_good_changes_nothing(
    desk: Desk, changes: dict[str, Any], error: type[GateError]
) -> None:
    over = desk.ticket.fingerprint if changes.get("over") == "the ask" else changes.get("over")
    with pytest.raises(error):
        desk.yes(**{**changes, "over": over})
    assert desk.tx.ticket(desk.ticket.ticket_id) == desk.ticket
    assert desk.tx.fact(yes_to(ORDER.principal)) is None


@pytest.mark.parametrize("by", [OPERATOR, AGENT])
def test_with_real_money_a_signature_over_this_very_ask_is_a_yes(desk: Desk, by: Principal) -> None:
    signed = desk.yes(by=by, live=True, method=Method.PASSKEY, over=desk.ticket.fingerprint)
    assert (signed.state, signed.method) == (TicketState.APPROVED, "passkey")


def test_a_yes_counts_until_the_asks_time_is_over(desk: Desk) -> None:
    desk.clock.advance(TTL_S)
    with pytest.raises(ApprovalExpired):
        desk.yes()


def test_the_first_answer_counts(desk: Desk) -> None:
    decided = desk.yes()
    desk.ticket = decided
    with pytest.raises(InvalidApproval, match="approved already") as again:
        desk.yes()
    assert again.value.details == {"ticket_state": "approved", "decided_by": OPERATOR.id}
    with pytest.raises(InvalidApproval, match="approved already") as no:
        desk.approve.no(desk.tx, decided, operator=OPERATOR, reason="too late")
    assert no.value.details == {"ticket_state": "approved", "decided_by": OPERATOR.id}
    assert desk.tx.ticket(decided.ticket_id) == decided


def test_a_no_is_recorded_with_its_reason(desk: Desk) -> None:
    denied = desk.approve.no(desk.tx, desk.ticket, operator=OPERATOR, reason="too large")
    assert (denied.state, denied.ver, denied.method) == (TicketState.DENIED, 2, "console")
    assert denied.decided_by == OPERATOR.id
    assert desk.sealed("ticket.denied")["body"] == {
        "ticket": denied.ticket_id,
        "method": "console",
        "reason": "too large",
    }


def test_an_open_ask_ends_with_its_order_and_a_decided_one_stays(desk: Desk) -> None:
    order = dataclasses.replace(ORDER, ticket_id=desk.ticket.ticket_id)
    desk.approve.end_open(desk.tx, order, TicketState.WITHDRAWN, by=AGENT.id)
    ended = desk.tx.ticket(desk.ticket.ticket_id)
    assert ended is not None
    assert (ended.state, ended.decided_by, ended.method) == (TicketState.WITHDRAWN, AGENT.id, None)
    desk.approve.end_open(desk.tx, order, TicketState.EXPIRED, by=OPERATOR.id)
    assert desk.tx.ticket(desk.ticket.ticket_id) == ended


@pytest.mark.parametrize("ticket_id", [None, TicketId("gone")])
def test_an_order_without_an_ask_ends_none(desk: Desk, ticket_id: TicketId | None) -> None:
    order = dataclasses.replace(ORDER, ticket_id=ticket_id)
    desk.approve.end_open(desk.tx, order, TicketState.EXPIRED, by=AGENT.id)
    assert desk.tx.ticket(desk.ticket.ticket_id) == desk.ticket
