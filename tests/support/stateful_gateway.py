"""A small stateful gateway for the doors' tests: real answers, no policy, no disk, no venue.

It fills market orders at once, rests the others, refuses what a test tells it to refuse, and asks
for approval above a size. The real gateway takes its place in the integration tests.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from ordergate.model.accounts import (
    AccountIdentity,
    AccountState,
    Mode,
    Position,
    VenueOrderState,
)
from ordergate.model.canonical import encode_intent, sha256_hex
from ordergate.model.errors import Code, IllegalState, InvalidArgument, KeyDiverged, NotFound
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    Intent,
    Lane,
    ModifyIntent,
    OrderState,
    OrderType,
    PlaceIntent,
)
from ordergate.model.outcomes import Fill, FillEffect, VenueStatus
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import (
    AttemptRecord,
    HaltKind,
    HaltRecord,
    OrderRecord,
    ScopeKind,
    TicketRecord,
    TicketState,
    Tightening,
)
from ordergate.model.values import (
    AccountId,
    AttemptId,
    IdempotencyKey,
    OrderId,
    PositionId,
    Symbol,
    Tag,
    TicketId,
    VenueName,
    VenueOrderId,
)
from ordergate.model.verdicts import Decision, Exposure, Finding, Judgement, RuleVerdict, Verb
from ordergate.model.views import (
    AccountView,
    Change,
    FillView,
    LimitView,
    OrderView,
    Page,
    PriceView,
    SafetyView,
    TicketView,
)
from ordergate.order.standing import closed
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket

ASK_ABOVE = Decimal(1)
REFUSE_ABOVE = Decimal(5)


class FakeGateway:
    def __init__(self, market: ManualMarket, clock: ManualClock) -> None:
        self._market = market
        self._clock = clock
        self._orders: dict[OrderId, OrderView] = {}
        self._keys: dict[tuple[str, str], OrderId] = {}
        self._positions: dict[PositionId, Position] = {}
        self._resting: dict[VenueOrderId, VenueOrderState] = {}
        self._fills: list[Fill] = []
        self._halts: list[HaltRecord] = []
        self._tightenings: list[Tightening] = []
        self._moved = asyncio.Event()
        self._numbers = 0
        self.calls: list[str] = []
        self.break_with: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.publish: Callable[[Change], None] = lambda change: None

    @property
    def venue(self) -> VenueName:
        return VenueName("paper")

    @property
    def account_id(self) -> AccountId:
        return AccountId("paper-1")

    async def draft(
        self, intent: PlaceIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        return await self._accept(intent, key, asker, draft=True)

    async def submit(
        self, intent: PlaceIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        return await self._accept(intent, key, asker)

    async def modify(
        self, intent: ModifyIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        return await self._accept(intent, key, asker)

    async def cancel(
        self, intent: CancelIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        return await self._accept(intent, key, asker)

    async def close(
        self, intent: CloseIntent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        return await self._accept(intent, key, asker)

    async def check(self, intent: Intent, *, asker: Principal) -> Judgement:
        self.calls.append("check")
        return self._judge(intent)

    async def withdraw(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        view = await self.status(order_id, asker=asker)
        if view.order.state not in (OrderState.DRAFT, OrderState.AWAITING_APPROVAL):
            raise IllegalState(f"the order is {view.status}")
        return self._keep(view, state=OrderState.WITHDRAWN, status="withdrawn")

    async def status(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        await self._pass()
        view = self._orders.get(order_id)
        if view is None or (asker.kind is Kind.AGENT and view.order.principal != asker.id):
            raise NotFound("no such order of yours", fix="list_orders shows the orders you may see")
        return view

    async def wait(self, order_id: OrderId, *, timeout_s: Decimal, asker: Principal) -> OrderView:
        view = await self.status(order_id, asker=asker)
        if view.status == "approval_required":
            try:
                async with asyncio.timeout(float(timeout_s)):
                    await self._moved.wait()
            except TimeoutError:
                pass
        return await self.status(order_id, asker=asker)

    async def orders(
        self,
        *,
        states: frozenset[OrderState] | None,
        symbol: Symbol | None,
        limit: int,
        cursor: str | None,
        asker: Principal,
    ) -> Page[OrderView]:
        await self._pass()
        rows = [
            view
            for view in reversed(self._orders.values())
            if (states is None or view.order.state in states)
            and symbol in (None, view.order.symbol)
            and (asker.kind is not Kind.AGENT or view.order.principal == asker.id)
        ]
        start = 0 if cursor is None else int(cursor)
        page = tuple(rows[start : start + limit])
        more = start + limit < len(rows)
        return Page(page, str(start + limit) if more else None)

    async def fills(self, *, limit: int, cursor: str | None, asker: Principal) -> Page[FillView]:
        newest = tuple(reversed(self._fills))[:limit]
        return Page(tuple(FillView(fill, "gate") for fill in newest), None)

    async def ticket(self, ticket_id: TicketId, *, asker: Principal) -> TicketView:
        for view in self._orders.values():
            if view.ticket is not None and view.ticket.ticket_id == ticket_id:
                await self.status(view.order.order_id, asker=asker)
                url = f"http://ordergate.localhost:8030/approve/{ticket_id}"
                return TicketView(
                    ticket=view.ticket,
                    order=view.order,
                    approve_url=url,
                    now=self.price(view.order.symbol),
                )
        raise NotFound("no such approval")

    def price(self, symbol: Symbol) -> PriceView:
        quote = self._market.quote(symbol)
        return PriceView(
            price=None if quote is None else quote.mid,
            source=self._market.source,
            synthetic=self._market.synthetic,
            as_of=None if quote is None else quote.time,
            age_s=self._market.quality(symbol).age_s,
        )

    async def account(self, *, asker: Principal) -> AccountView:
        await self._pass()
        now = self._market.venue_now()
        return AccountView(
            identity=AccountIdentity(self.account_id, self.venue, Mode.PAPER, "embedded"),
            state=AccountState(
                currency="USD",
                balance=Decimal(100_000),
                equity=Decimal(100_000),
                margin_used=Decimal(0),
                margin_free=Decimal(100_000),
                open_pnl=Decimal(0),
                day=now.date(),
                day_start_equity=Decimal(100_000),
                realised_today=Decimal(0),
                time=now,
            ),
            positions=tuple(self._positions.values()),
            open_orders=tuple(self._resting.values()),
            external=frozenset(),
            source=self._market.source,
            synthetic=self._market.synthetic,
        )

    async def safety(self, *, asker: Principal | None = None) -> SafetyView:
        await self._pass()
        return SafetyView(
            killed=bool(self._halts),
            halts=tuple(self._halts),
            limits=(
                LimitView(
                    name="risk_per_trade_fraction",
                    value="0.01",
                    unit="of equity",
                    source="profile",
                    meaning="loss at the stop",
                    agents_may_tighten=True,
                ),
            ),
            tightenings=tuple(self._tightenings),
            policy_hash="0" * 64,
        )

    async def engage(
        self, *, scope: ScopeKind, target: str, reason: str, asker: Principal
    ) -> HaltRecord:
        self.calls.append("engage")
        halt = HaltRecord(
            halt_id=self._id(),
            kind=HaltKind.KILL,
            scope=scope,
            target=target,
            reason=reason,
            engaged_by=asker.id,
            engaged_at=self._clock.now(),
        )
        self._halts.append(halt)
        self.publish(Change(topic="activity", principal=None, body={"halt": halt.halt_id}))
        return halt

    async def tighten(
        self, limit_name: str, value: Decimal, *, reason: str, asker: Principal
    ) -> SafetyView:
        if limit_name != "risk_per_trade_fraction" or value >= Decimal("0.01"):
            raise InvalidArgument("that would not be tighter")
        self._tightenings.append(
            Tightening(
                limit_name=limit_name,
                value=value,
                set_by=asker.id,
                set_at=self._clock.now(),
                reason=reason,
            )
        )
        return await self.safety()

    def approve(self, ticket_id: str) -> None:
        """Say yes as an operator would, and fill the order."""
        for view in list(self._orders.values()):
            if view.ticket is not None and view.ticket.ticket_id == ticket_id:
                ticket = dataclasses.replace(view.ticket, state=TicketState.APPROVED)
                self._execute(dataclasses.replace(view, ticket=ticket))
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _pass(self) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if self.break_with is not None:
            raise self.break_with

    def _id(self) -> str:
        self._numbers += 1
        return f"{self._numbers:032x}"

    async def _accept(
        self,
        intent: Intent,
        key: IdempotencyKey | None,
        asker: Principal,
        *,
        draft: bool = False,
    ) -> OrderView:
        self.calls.append(intent.action.value)
        await self._pass()
        order_id = OrderId(self._id())
        key = key or IdempotencyKey(f"key-{order_id}")
        fingerprint = sha256_hex(encode_intent(intent))
        known = self._keys.get((asker.id, key))
        if known is not None:
            view = self._orders[known]
            if view.order.fingerprint != fingerprint:
                raise KeyDiverged("the key was used for another order", fix="Use a fresh key.")
            return dataclasses.replace(view, replayed=True, judgement=None)
        self._keys[asker.id, key] = order_id
        judgement = self._judge(intent)
        now = self._clock.now()
        order = OrderRecord(
            order_id=order_id,
            ver=1,
            state=OrderState.PROPOSED,
            action=intent.action,
            lane=judgement.decision.lane,
            principal=asker.id,
            principal_kind=asker.kind,
            drafted_by=None,
            key=key,
            fingerprint=fingerprint,
            intent_hash=fingerprint,
            intent=intent,
            account=self.account_id,
            venue=self.venue,
            symbol=intent.symbol,
            created_at=now,
            updated_at=now,
        )
        view = OrderView(
            order=order,
            attempt=None,
            ticket=None,
            mode=Mode.PAPER,
            status="proposed",
            judgement=judgement,
        )
        return self._decide(view, judgement, draft=draft)

    def _decide(self, view: OrderView, judgement: Judgement, *, draft: bool) -> OrderView:
        decision = judgement.decision
        if decision.verb is Verb.DENY:
            assert decision.failed is not None
            code = decision.failed.code
            return self._keep(view, state=OrderState.POLICY_REJECTED, status="rejected", code=code)
        if draft:
            return self._keep(view, state=OrderState.DRAFT, status="draft")
        if decision.verb is Verb.ASK:
            ticket = self._ticket(view)
            waiting = dataclasses.replace(view, ticket=ticket)
            return self._keep(
                waiting, state=OrderState.AWAITING_APPROVAL, status="approval_required"
            )
        return self._execute(view)

    def _ticket(self, view: OrderView) -> TicketRecord:
        now = self._clock.now()
        return TicketRecord(
            ticket_id=TicketId(self._id()),
            order_id=view.order.order_id,
            ver=1,
            state=TicketState.OPEN,
            fingerprint=view.order.fingerprint,
            policy_hash="0" * 64,
            reference_price=Decimal("1.0851"),
            band_low=Decimal("1.08"),
            band_high=Decimal("1.09"),
            number=42,
            opened_at=now,
            expires_at=now + timedelta(seconds=300),
        )

    def _judge(self, intent: Intent) -> Judgement:
        passed = RuleVerdict(rule="lot_step", control="C1", finding=Finding.PASS)
        failed = None
        verb = Verb.ALLOW
        if isinstance(intent, PlaceIntent):
            if intent.stop_loss is None:
                verb = Verb.DENY
                failed = RuleVerdict(
                    rule="stop_required",
                    control="C19",
                    finding=Finding.REFUSE,
                    code=Code.STOP_REQUIRED,
                    message="an opening order needs a stop",
                    fix="Add stop_loss below the market.",
                )
            elif intent.quantity > REFUSE_ABOVE:
                verb = Verb.DENY
                failed = RuleVerdict(
                    rule="order_notional",
                    control="C3",
                    finding=Finding.REFUSE,
                    code=Code.EXCEEDS_LOCAL_LIMIT,
                    limit_name="order_notional_max",
                    value=intent.quantity * 100_000,
                    limit=REFUSE_ABOVE * 100_000,
                    headroom=REFUSE_ABOVE * 100_000,
                    unit="USD",
                    message="the order is larger than the limit",
                    fix="Make it smaller.",
                )
            elif intent.quantity > ASK_ABOVE:
                verb = Verb.ASK
                failed = RuleVerdict(
                    rule="auto_approval",
                    control="C23",
                    finding=Finding.ASK,
                    code=Code.NEEDS_REAPPROVAL,
                    message="a human must say yes",
                )
        verdicts = (passed,) if failed is None else (passed, failed)
        lane = Lane.OPEN if isinstance(intent, PlaceIntent) else Lane.CLOSE
        return Judgement(
            decision=Decision(verb=verb, lane=lane, verdicts=verdicts, failed=failed),
            exposure=Exposure(
                notional=Decimal(5425),
                risk=Decimal(75),
                reference_price=Decimal("1.0851"),
                worst_price=Decimal("1.0852"),
            ),
            band_low=None,
            band_high=None,
            facts_json="{}",
            policy_hash="0" * 64,
            reference_price=Decimal("1.0851"),
        )

    def _execute(self, view: OrderView) -> OrderView:
        intent = view.order.intent
        now = self._market.venue_now()
        state, status = AttemptState.FILLED, "filled"
        venue_order_id = VenueOrderId(f"v{self._numbers}")
        position_id: str | None = None
        price = Decimal("1.0851")
        if isinstance(intent, PlaceIntent) and intent.order_type is not OrderType.MARKET:
            state, status = AttemptState.WORKING, "working"
            self._resting[venue_order_id] = VenueOrderState(
                venue_order_id=venue_order_id,
                tag=None,
                symbol=intent.symbol,
                side=intent.side,
                order_type=intent.order_type,
                quantity=intent.quantity,
                filled_quantity=Decimal(0),
                average_price=None,
                status=VenueStatus.WORKING,
                time_in_force=intent.time_in_force,
                limit_price=intent.limit_price,
            )
        elif isinstance(intent, PlaceIntent):
            position_id = f"p{self._numbers}"
            self._positions[PositionId(position_id)] = Position(
                position_id=PositionId(position_id),
                symbol=intent.symbol,
                side=intent.side,
                quantity=intent.quantity,
                open_price=price,
                current_price=price,
                stop_loss=intent.stop_loss,
                take_profit=intent.take_profit,
                open_pnl=Decimal(0),
                swap=Decimal(0),
                opened_at=now,
                tag=None,
            )
            self._fills.append(
                Fill(
                    trade_id=f"t{self._numbers}",
                    venue_order_id=venue_order_id,
                    tag=None,
                    symbol=intent.symbol,
                    side=intent.side,
                    quantity=intent.quantity,
                    price=price,
                    commission=Decimal(0),
                    realised=Decimal(0),
                    time=now,
                    position_id=PositionId(position_id),
                    effect=FillEffect.OPENING,
                )
            )
        elif isinstance(intent, CloseIntent):
            position_id = intent.position_id
            self._positions.pop(intent.position_id, None)
        elif isinstance(intent, CancelIntent):
            state, status = AttemptState.APPLIED, "applied"
            self._resting.pop(intent.venue_order_id, None)
        else:
            state, status = AttemptState.APPLIED, "applied"
        attempt = AttemptRecord(
            attempt_id=AttemptId(self._id()),
            order_id=view.order.order_id,
            n=1,
            ver=1,
            state=state,
            action=intent.action,
            tag=Tag("OG" + "0" * 12),
            magic=1,
            account=self.account_id,
            venue=self.venue,
            symbol=intent.symbol,
            side=intent.side if isinstance(intent, PlaceIntent) else None,
            quantity=intent.quantity if isinstance(intent, PlaceIntent) else None,
            opening=intent.action is Action.PLACE,
            claimed_at=now,
            venue_day=now.date(),
            owner="test",
            epoch=1,
            venue_order_id=venue_order_id,
            position_id=position_id,
            filled_quantity=intent.quantity
            if isinstance(intent, PlaceIntent) and status == "filled"
            else Decimal(0),
            average_price=price if status == "filled" else None,
        )
        active = OrderState.ACTIVE if status == "working" else OrderState.DONE
        return self._keep(dataclasses.replace(view, attempt=attempt), state=active, status=status)

    def _keep(
        self, view: OrderView, *, state: OrderState, status: str, code: str | None = None
    ) -> OrderView:
        order = dataclasses.replace(view.order, state=state, code=code, ver=view.order.ver + 1)
        if view.ticket is not None:
            order = dataclasses.replace(order, ticket_id=view.ticket.ticket_id)
        kept = dataclasses.replace(view, order=order, status=status, code=closed(code))
        self._orders[order.order_id] = kept
        self.publish(
            Change(
                topic="orders",
                principal=order.principal,
                body={"order_id": order.order_id, "status": status, "symbol": order.symbol},
            )
        )
        if status == "approval_required" and view.ticket is not None:
            body = {"approval_id": view.ticket.ticket_id, "order_id": order.order_id}
            self.publish(Change(topic="approvals", principal=order.principal, body=body))
        return kept
