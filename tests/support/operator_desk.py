"""A desk and a gateway with state but without a market, for the operator's console."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from ordergate.model.accounts import Mode
from ordergate.model.canonical import canonical
from ordergate.model.errors import (
    Code,
    DataUnavailable,
    Forbidden,
    IllegalState,
    InvalidApproval,
    NotFound,
)
from ordergate.model.orders import AttemptState, Lane, OrderState
from ordergate.model.principals import Kind, Principal
from ordergate.model.proofs import Proof
from ordergate.model.records import (
    HaltKind,
    HaltRecord,
    Loosening,
    ScopeKind,
    TicketRecord,
    TicketState,
    Tightening,
)
from ordergate.model.values import OrderId, TicketId
from ordergate.model.verdicts import Decision, Finding, RuleVerdict, Verb
from ordergate.model.views import (
    Difference,
    LimitView,
    OrderView,
    PriceView,
    SafetyView,
    TicketView,
)
from support.manual_clock import ManualClock
from support.order_records import AGENT, an_attempt, an_order, buy

DECISION = Decision(
    verb=Verb.ASK,
    lane=Lane.OPEN,
    verdicts=(
        RuleVerdict(
            rule="order_notional",
            control="C3",
            finding=Finding.PASS,
            limit_name="limits.order_notional_fraction",
            value=Decimal("54255"),
            limit=Decimal("100000"),
            headroom=Decimal("100000"),
            unit="USD",
            message="54255 USD of at most 100000",
        ),
        RuleVerdict(
            rule="risk_per_trade",
            control="C3",
            finding=Finding.PASS,
            value=Decimal("255"),
            limit=Decimal("1000"),
            headroom=Decimal("1000"),
            unit="USD",
        ),
        RuleVerdict(
            rule="approval",
            control="C23",
            finding=Finding.ASK,
            code=Code.EXCEEDS_LOCAL_LIMIT,
            value=Decimal("54255"),
            limit=Decimal("20000"),
            headroom=Decimal("20000"),
            unit="USD",
            message="above what is approved without a human",
        ),
    ),
)


class FakeGate:
    """Answers as Desk and Gateway do; every change it was asked for is in `done`."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.mode: Mode | None = Mode.PAPER
        self.price_now = Decimal("1.0851")
        self.orders: dict[str, OrderView] = {}
        self.tickets: dict[str, TicketRecord] = {}
        self.standing: list[HaltRecord] = []
        self.tight: list[Tightening] = []
        self.loosenings: list[Loosening] = []
        self.done: list[tuple[str, str, str]] = []

    # set up by a test

    def ask(self, order_id: str = "o1", *, note: str | None = None) -> TicketRecord:
        """Put an order before the operator."""
        ticket = self._ticket(order_id, 1)
        order = an_order(
            buy(quantity=Decimal("0.50"), note=note),
            order_id=OrderId(order_id),
            state=OrderState.AWAITING_APPROVAL,
            ticket_id=ticket.ticket_id,
            decision_json=canonical(DECISION),
        )
        self.orders[order_id] = self._view(order, "approval_required", ticket)
        return ticket

    def draft(self, order_id: str = "d1", *, note: str | None = None) -> None:
        order = an_order(buy(note=note), order_id=OrderId(order_id), state=OrderState.DRAFT)
        self.orders[order_id] = self._view(order, "draft", None)

    def park(self, order_id: str = "x1", *, strategy: str | None = None) -> None:
        """Leave an order behind whose fate nobody knows."""
        order = an_order(buy(strategy=strategy), order_id=OrderId(order_id))
        attempt = an_attempt(order_id=OrderId(order_id), state=AttemptState.PARKED)
        view = self._view(order, "parked", None)
        self.orders[order_id] = dataclasses.replace(view, attempt=attempt, code=Code.ORDER_UNKNOWN)

    def tighten(self, limit_name: str, value: str, *, reason: str = "") -> None:
        self.tight.append(
            Tightening(
                limit_name=limit_name,
                value=Decimal(value),
                set_by=AGENT.id,
                set_at=self.clock.now(),
                reason=reason,
            )
        )

    def move_price(self, price: str) -> None:
        self.price_now = Decimal(price)

    # Desk

    async def waiting(self) -> tuple[TicketView, ...]:
        open_now = [one for one in self.tickets.values() if one.state is TicketState.OPEN]
        return tuple([await self.ticket(one.ticket_id) for one in open_now])

    async def ticket(self, ticket_id: TicketId) -> TicketView:
        ticket = self._known(self.tickets, ticket_id)
        url = f"http://ordergate.localhost:8030/approve/{ticket_id}"
        order = self.orders[ticket.order_id].order
        return TicketView(ticket=ticket, order=order, approve_url=url, now=self.price("EURUSD"))

    async def anchor(self) -> str:
        return "256:0123abcd"

    async def changes(self, ticket_id: TicketId) -> tuple[Difference, ...]:
        order = self.orders[self.tickets[ticket_id].order_id].order
        every = [one for one in self.tickets.values() if one.order_id == order.order_id]
        place = [one.ticket_id for one in every].index(ticket_id)
        if place == 0:
            return ()
        prices = [str(one.reference_price.normalize()) for one in every[place - 1 : place + 1]]
        return (Difference("Price", *prices),)

    async def changes_since(self, ticket_id: TicketId) -> tuple[Difference, ...]:
        ticket = self.tickets[ticket_id]
        if ticket.band_low <= self.price_now <= ticket.band_high:
            return ()
        return (Difference("Price", str(ticket.reference_price), str(self.price_now)),)

    async def approve(
        self, ticket_id: TicketId, *, fingerprint: str, operator: Principal, proof: Proof
    ) -> OrderView:
        self._require(operator)
        ticket = self._known(self.tickets, ticket_id)
        if ticket.state is not TicketState.OPEN:
            raise InvalidApproval("the first answer counts")
        if fingerprint != ticket.fingerprint:
            raise InvalidApproval("the order is not what was shown")
        view = self.orders[ticket.order_id]
        if not ticket.band_low <= self.price_now <= ticket.band_high:
            self._decide(ticket, TicketState.SUPERSEDED, operator)
            new = self._ticket(ticket.order_id, int(ticket.ticket_id[-1]) + 1)
            changed = dataclasses.replace(
                view.order, code=Code.NEEDS_REAPPROVAL, ticket_id=new.ticket_id
            )
            return self._keep(self._view(changed, "approval_required", new))
        decided = self._decide(ticket, TicketState.APPROVED, operator)
        self.done.append(("approve", ticket_id, proof.method))
        order = dataclasses.replace(view.order, state=OrderState.DONE)
        return self._keep(self._view(order, "filled", decided))

    async def deny(self, ticket_id: TicketId, *, reason: str, operator: Principal) -> OrderView:
        self._require(operator)
        ticket = self._known(self.tickets, ticket_id)
        if ticket.state is not TicketState.OPEN:
            raise InvalidApproval("the first answer counts")
        decided = self._decide(ticket, TicketState.DENIED, operator)
        self.done.append(("deny", ticket_id, reason))
        order = dataclasses.replace(
            self.orders[ticket.order_id].order,
            state=OrderState.DENIED,
            code=Code.APPROVAL_DENIED,
        )
        return self._keep(self._view(order, "denied", decided))

    async def drafts(self) -> tuple[OrderView, ...]:
        return tuple(one for one in self.orders.values() if one.order.state is OrderState.DRAFT)

    async def submit_draft(self, order_id: OrderId, *, operator: Principal) -> OrderView:
        return self._end_draft(order_id, operator, "submit", OrderState.DONE, "filled")

    async def discard_draft(self, order_id: OrderId, *, operator: Principal) -> OrderView:
        return self._end_draft(order_id, operator, "discard", OrderState.WITHDRAWN, "withdrawn")

    async def halts(self) -> tuple[HaltRecord, ...]:
        return tuple(self.standing)

    async def release(self, halt_id: str, *, reason: str, operator: Principal) -> HaltRecord:
        self._require(operator)
        halt = self._known({one.halt_id: one for one in self.standing}, halt_id)
        self.standing.remove(halt)
        self.done.append(("release", halt_id, reason))
        return dataclasses.replace(
            halt,
            released_by=operator.id,
            released_at=self.clock.now(),
            release_reason=reason,
        )

    async def parked(self) -> tuple[OrderView, ...]:
        return tuple(one for one in self.orders.values() if one.status == "parked")

    async def resolve(
        self, order_id: OrderId, *, placed: bool, reason: str, operator: Principal
    ) -> OrderView:
        self._require(operator)
        view = self._known(self.orders, order_id)
        self.done.append(("resolve", order_id, f"{placed} {reason}"))
        return self._keep(dataclasses.replace(view, status="canceled" if placed else "not_sent"))

    async def loosen(self, limit_name: str, *, reason: str, operator: Principal) -> SafetyView:
        self._require(operator)
        kept = [one for one in self.tight if one.limit_name != limit_name]
        if len(kept) == len(self.tight):
            raise IllegalState(f"{limit_name} is not tightened")
        self.tight = kept
        self.done.append(("loosen", limit_name, reason))
        return await self.safety()

    async def withdraw_loosening(
        self, limit_name: str, *, reason: str, operator: Principal
    ) -> SafetyView:
        self._require(operator)
        if not any(one.limit_name == limit_name for one in self.loosenings):
            raise IllegalState(f"no loosening of {limit_name} waits")
        self.loosenings = [one for one in self.loosenings if one.limit_name != limit_name]
        self.done.append(("withdraw", limit_name, reason))
        return await self.safety()

    async def set_pace(
        self, *, paused: bool | None, speed: Decimal | None, operator: Principal
    ) -> SimpleNamespace:
        self._require(operator)
        self.done.append(("pace", str(paused), str(speed)))
        return SimpleNamespace(paused=bool(paused), speed=speed or Decimal(1))

    # Gateway

    def price(self, symbol: str) -> PriceView:
        return PriceView(
            price=self.price_now,
            source="simulated",
            synthetic=True,
            as_of=self.clock.now(),
            age_s=Decimal("1.5"),
        )

    async def status(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        return self._known(self.orders, order_id)

    async def account(self, *, asker: Principal) -> SimpleNamespace:
        if self.mode is None:
            raise DataUnavailable("the venue cannot be read")
        return SimpleNamespace(identity=SimpleNamespace(mode=self.mode))

    async def safety(self, *, asker: Principal | None = None) -> SafetyView:
        killed = any(halt.kind is HaltKind.KILL for halt in self.standing)
        return SafetyView(
            killed=killed,
            halts=tuple(self.standing),
            limits=tuple(
                LimitView(
                    name=one.limit_name,
                    value=str(one.value),
                    unit="orders",
                    source=f"tightened by {one.set_by}",
                    meaning="",
                    agents_may_tighten=True,
                )
                for one in self.tight
            ),
            loosenings=tuple(self.loosenings),
            tightenings=tuple(self.tight),
            policy_hash="p",
        )

    async def engage(
        self, *, scope: ScopeKind, target: str, reason: str, asker: Principal
    ) -> HaltRecord:
        halt = HaltRecord(
            halt_id=f"h{len(self.standing) + 1}",
            kind=HaltKind.KILL,
            scope=scope,
            target=target,
            reason=reason,
            engaged_by=asker.id,
            engaged_at=self.clock.now(),
        )
        self.standing.append(halt)
        return halt

    # private

    def _ticket(self, order_id: str, n: int) -> TicketRecord:
        ticket = TicketRecord(
            ticket_id=TicketId(f"t-{order_id}-{n}"),
            order_id=OrderId(order_id),
            ver=1,
            state=TicketState.OPEN,
            fingerprint=f"fingerprint-{order_id}-{n}",
            policy_hash="p",
            reference_price=self.price_now,
            band_low=self.price_now - Decimal("0.0050"),
            band_high=self.price_now + Decimal("0.0050"),
            number=47,
            opened_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(seconds=300),
        )
        self.tickets[ticket.ticket_id] = ticket
        return ticket

    def _decide(
        self, ticket: TicketRecord, state: TicketState, operator: Principal
    ) -> TicketRecord:
        decided = dataclasses.replace(
            ticket, state=state, decided_by=operator.id, decided_at=self.clock.now()
        )
        self.tickets[ticket.ticket_id] = decided
        return decided

    def _end_draft(
        self, order_id: OrderId, operator: Principal, act: str, state: OrderState, status: str
    ) -> OrderView:
        self._require(operator)
        view = self._known(self.orders, order_id)
        if view.order.state is not OrderState.DRAFT:
            raise IllegalState("not a draft")
        self.done.append((act, order_id, operator.id))
        order = dataclasses.replace(view.order, state=state)
        return self._keep(self._view(order, status, None))

    def _view(self, order: object, status: str, ticket: TicketRecord | None) -> OrderView:
        return OrderView(order=order, attempt=None, ticket=ticket, mode=self.mode, status=status)

    def _keep(self, view: OrderView) -> OrderView:
        self.orders[view.order.order_id] = view
        return view

    def _require(self, operator: Principal) -> None:
        if operator.kind is not Kind.OPERATOR:
            raise Forbidden("only the operator may do this")

    def _known(self, rows: dict, row_id: str) -> object:
        if row_id not in rows:
            raise NotFound("nothing has this id")
        return rows[row_id]
