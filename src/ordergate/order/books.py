"""All that may be read of orders, asks, fills, halts and limits; nothing here changes anything."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from ordergate.model.accounts import Mode, VenueSnapshot
from ordergate.model.canonical import from_iso, iso
from ordergate.model.errors import DataUnavailable, InvalidArgument, NotFound, NotReady
from ordergate.model.orders import OrderState, PlaceIntent, Side
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import AttemptRecord, ExternalRecord, OrderRecord, TicketRecord
from ordergate.model.values import AccountId, OrderId, Symbol, TicketId, VenueName
from ordergate.model.verdicts import Judgement
from ordergate.model.views import (
    AccountView,
    Change,
    FillView,
    OrderView,
    Page,
    PriceView,
    SafetyView,
    TicketView,
)
from ordergate.order.accounts import READ_TIMEOUT_S
from ordergate.order.halt import killed
from ordergate.order.policy.exposure import reference_price
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.loosening import WAITING_FACT, read_waiting
from ordergate.order.policy.tightenings import EVERYONE, Scope
from ordergate.order.reconcile.outside import origin
from ordergate.order.standing import public_code, status_word, venue_code
from ordergate.ports.journal import Journal, JournalTx, JournalUnwritable, OrderFilter
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock
from ordergate.ports.venue_read import VenueReader

T = TypeVar("T")

WAIT_MAX_S: Final = Decimal(120)
PAGE_MAX: Final = 200
SEES_ALL: Final = frozenset({Kind.OPERATOR, Kind.READ_ONLY, Kind.GATEWAY})
PENDING: Final = frozenset(
    {"proposed", "approval_required", "approved", "sending", "unknown", "working", "partial"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the books are read from."""

    journal: Journal
    judge: Judge
    reader: VenueReader
    markets: MarketFacts
    clock: Clock
    approve_url: Callable[[TicketId], str]
    failed: Callable[[JournalUnwritable], NotReady]  # told of a failed commit; what to answer


class Books:
    """The gate's books as its callers may see them: an agent sees its own orders."""

    def __init__(self, sources: Sources) -> None:
        self._journal = sources.journal
        self._judge = sources.judge
        self._reader = sources.reader
        self._markets = sources.markets
        self._clock = sources.clock
        self._approve_url = sources.approve_url
        self._failed = sources.failed
        self._mode: Mode | None = None
        self._moved = asyncio.Event()

    @property
    def venue(self) -> VenueName:
        return self._reader.venue

    @property
    def account_id(self) -> AccountId:
        return self._reader.account

    async def status(self, order_id: OrderId, *, asker: Principal) -> OrderView:
        """Return an order with its last attempt; NotFound for what the asker may not see."""
        return await self._journal.read(lambda tx: self._seen(tx, order_id, asker))

    async def wait(self, order_id: OrderId, *, timeout_s: Decimal, asker: Principal) -> OrderView:
        """Return when the order has left the pending states, or as it is when the time is over."""
        until = self._clock.monotonic() + float(min(timeout_s, WAIT_MAX_S))
        while True:
            moved = self._moved
            view = await self.status(order_id, asker=asker)
            left = until - self._clock.monotonic()
            if view.status not in PENDING or left <= 0:
                return view
            try:
                async with asyncio.timeout(left):
                    await moved.wait()
            except TimeoutError:
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
        """Return orders newest first, a page at a time; an agent's own only."""
        limit = max(1, min(limit, PAGE_MAX))
        where = OrderFilter(
            principal=None if asker.kind in SEES_ALL else asker.id,
            states=states,
            symbol=symbol,
            before=_order_cursor(cursor) if cursor is not None else None,
        )

        def work(tx: JournalTx) -> Page[OrderView]:
            rows = tx.orders(where, limit=limit + 1)
            views = tuple(self._view(tx, row) for row in rows[:limit])
            last = views[-1].order if len(rows) > limit else None
            after = None if last is None else f"{iso(last.created_at)}_{last.order_id}"
            return Page(views, after)

        return await self._journal.read(work)

    async def fills(self, *, limit: int, cursor: str | None, asker: Principal) -> Page[FillView]:
        """Return the account's fills, newest first, a page at a time."""
        del asker  # every principal that may read the account may read all of its fills
        limit = max(1, min(limit, PAGE_MAX))
        if cursor is not None and not cursor.isdigit():
            raise InvalidArgument("cursor is not one of ours", fix="omit it to start at the newest")

        def work(tx: JournalTx) -> Page[FillView]:
            rows = tx.fills(self.account_id, before=cursor, limit=limit + 1)
            after = rows[limit - 1][0] if len(rows) > limit else None
            views = (
                FillView(fill, origin(fill, booked_to_us=attempt_id is not None))
                for _, attempt_id, fill in rows[:limit]
            )
            return Page(tuple(views), after)

        return await self._journal.read(work)

    async def externals(self, *, limit: int, cursor: str | None) -> Page[ExternalRecord]:
        """Return what was made around the gate, newest found first, a page at a time."""
        limit = max(1, min(limit, PAGE_MAX))
        if cursor is not None and not cursor.isdigit():
            raise InvalidArgument("cursor is not one of ours", fix="omit it to start at the newest")

        def work(tx: JournalTx) -> Page[ExternalRecord]:
            rows = tx.externals(self.account_id, before=cursor, limit=limit + 1)
            after = rows[limit - 1][0] if len(rows) > limit else None
            return Page(tuple(row for _, row in rows[:limit]), after)

        return await self._journal.read(work)

    async def ticket(self, ticket_id: TicketId, *, asker: Principal) -> TicketView:
        """Return an ask and its order; reading it decides nothing."""

        def work(tx: JournalTx) -> TicketView:
            ticket = tx.ticket(ticket_id)
            if ticket is None:
                raise _no_ticket()
            return self._ticket_view(self._seen(tx, ticket.order_id, asker).order, ticket)

        return await self._journal.read(work)

    def price(self, symbol: Symbol) -> PriceView:
        """Return a symbol's price with its source and age."""
        quote = self._markets.quote(symbol)
        return PriceView(
            price=None if quote is None else quote.mid,
            source=self._markets.source,
            synthetic=self._markets.synthetic,
            as_of=None if quote is None else quote.time,
            age_s=self._markets.quality(symbol).age_s,
        )

    async def account(self, *, asker: Principal) -> AccountView:
        """Return the account as the venue shows it, and which of it was made around the gate."""
        del asker
        snapshot = await self._snapshot()

        def work(tx: JournalTx) -> frozenset[str]:
            account = self.account_id
            positions = (
                one.position_id
                for one in snapshot.positions
                if tx.attempt_for_position(account, one.position_id) is None
            )
            orders = (
                one.venue_order_id
                for one in snapshot.open_orders
                if tx.attempt_for_venue_order(account, one.venue_order_id) is None
            )
            return frozenset((*positions, *orders))

        return AccountView(
            identity=snapshot.identity,
            state=snapshot.account,
            positions=snapshot.positions,
            open_orders=snapshot.open_orders,
            external=await self._journal.read(work),
            source=self._markets.source,
            synthetic=self._markets.synthetic,
        )

    async def safety(self, *, asker: Principal | None = None) -> SafetyView:
        """Return halts, limits with their sources as they stand for the asker, and tightenings."""
        scope = EVERYONE if asker is None else self._scope(asker.id)

        def work(tx: JournalTx) -> SafetyView:
            halts = tuple(tx.halts())
            return SafetyView(
                killed=killed(halts),
                halts=halts,
                limits=self._judge.views(tx, scope),
                tightenings=tuple(tx.tightenings()),
                policy_hash=self._judge.policy_hash(tx),
                loosenings=read_waiting(tx.fact(WAITING_FACT)),
            )

        return await self._journal.read(work)

    def _scope(self, principal: str = "") -> Scope:
        return Scope(venue=self.venue, account=self.account_id, principal=principal)

    async def _snapshot(self) -> VenueSnapshot:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                snapshot = await self._reader.snapshot()
        except Exception as error:  # whatever the adapter raises, the fact is missing
            raise DataUnavailable(
                f"the venue {self.venue} cannot be read ({type(error).__name__})",
                fix="try again shortly; `ordergate doctor` tells what is wrong",
            ) from error
        self._mode = snapshot.identity.mode
        return snapshot

    async def _commit(self, work: Callable[[JournalTx], T]) -> T:
        try:
            return await self._journal.write(work)
        except JournalUnwritable as error:
            raise self._failed(error) from error

    def _seen(self, tx: JournalTx, order_id: OrderId, asker: Principal) -> OrderView:
        order = tx.order(order_id)
        if order is None or not may_see(order, asker):
            raise NotFound("no such order of yours", fix="list_orders shows the orders you may see")
        return self._view(tx, order)

    def _view(
        self,
        tx: JournalTx,
        order: OrderRecord,
        *,
        replayed: bool = False,
        judgement: Judgement | None = None,
    ) -> OrderView:
        attempts = tx.attempts(order.order_id) if order.attempts else ()
        ticket = tx.ticket(order.ticket_id) if order.ticket_id is not None else None
        last = attempts[-1] if attempts else None
        return self._picture(order, last, ticket, replayed=replayed, judgement=judgement)

    def _picture(
        self,
        order: OrderRecord,
        attempt: AttemptRecord | None,
        ticket: TicketRecord | None,
        *,
        replayed: bool = False,
        judgement: Judgement | None = None,
    ) -> OrderView:
        return OrderView(
            order=order,
            attempt=attempt,
            ticket=ticket,
            mode=self._mode,
            status=status_word(order, attempt),
            code=public_code(order, attempt, self._reader.capabilities().refusals),
            venue_code=venue_code(order, attempt),
            replayed=replayed,
            judgement=judgement,
        )

    def _ticket_view(self, order: OrderRecord, ticket: TicketRecord) -> TicketView:
        return TicketView(
            ticket=ticket,
            order=order,
            approve_url=self._approve_url(ticket.ticket_id),
            now=self._price_asked(order),
        )

    def _price_asked(self, order: OrderRecord) -> PriceView:
        """Return the price on the side that the ask's own reference is of: they are compared."""
        quote = self._markets.quote(order.symbol)
        if quote is None:
            return self.price(order.symbol)
        side = order.intent.side if isinstance(order.intent, PlaceIntent) else Side.BUY
        return dataclasses.replace(self.price(order.symbol), price=reference_price(side, quote))


def order_news(view: OrderView) -> Change:
    """Return what the streams hear of an order that has moved."""
    order = view.order
    body = {
        "order_id": order.order_id,
        "status": view.status,
        "symbol": order.symbol,
        "action": order.action,
        "code": view.code,
    }
    return Change(topic="orders", principal=order.principal, body=body)


def ask_news(order: OrderRecord, ticket: TicketRecord) -> Change:
    """Return what the streams hear of an order that waits for a yes."""
    body = {"approval_id": ticket.ticket_id, "order_id": order.order_id}
    return Change(topic="approvals", principal=order.principal, body=body)


def may_see(order: OrderRecord, asker: Principal) -> bool:
    """Say whether an order is one that the asker may know of."""
    return asker.kind in SEES_ALL or asker.id in (order.principal, order.drafted_by)


def _no_ticket() -> NotFound:
    return NotFound("no such approval", fix="list_orders shows which orders wait for one")


def _order_cursor(text: str) -> tuple[datetime, OrderId]:
    at, _, order_id = text.partition("_")
    try:
        return from_iso(at), OrderId(order_id)
    except ValueError:
        raise InvalidArgument(
            "cursor is not one of ours", fix="omit it to start at the newest"
        ) from None
