"""What time ends, and what a restart must finish: asks, drafts, requotes, half-done requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from ordergate.model.errors import Code
from ordergate.model.orders import Action, OrderState
from ordergate.model.records import OrderRecord, ScopeKind, TicketState
from ordergate.order.daybook import Daybook
from ordergate.order.deadman import DeadMan
from ordergate.order.gateway import GATEWAY, Gateway
from ordergate.order.journal.record import Instance
from ordergate.order.stages import Line
from ordergate.ports.journal import JournalTx, OrderFilter
from ordergate.ports.market_facts import MarketFacts

FRESH: Final = timedelta(seconds=10)  # an opening left PROPOSED is claimed while this young
REQUOTE_LIFE: Final = timedelta(seconds=60)
TICK_S: Final = 1.0
WATCH_TICKS: Final = 5
BATCH: Final = 500

_log = structlog.get_logger("ordergate.upkeep")

_HALF_DONE: Final = frozenset({OrderState.PROPOSED, OrderState.APPROVED})
_EXITS: Final = frozenset({Action.CLOSE, Action.CANCEL})


class Upkeep:
    """Runs beside the gateway; the venue's clock ends drafts, the wall clock ends asks."""

    def __init__(
        self,
        *,
        instance: Instance,
        gateway: Gateway,
        line: Line,
        markets: MarketFacts,
        daybook: Daybook,
        dead_man: DeadMan,
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._clock = instance.clock
        self._gateway = gateway
        self._approve = line.approve
        self._loosen = line.loosen
        self._markets = markets
        self._daybook = daybook
        self._dead_man = dead_man

    async def resume(self) -> None:
        """Finish what was accepted and not claimed (X2, X4): exits at once, openings if fresh."""
        where = OrderFilter(states=_HALF_DONE)
        left = await self._journal.read(lambda tx: tuple(tx.orders(where, limit=BATCH)))
        for order in left:
            if order.action in _EXITS or self._clock.now() - order.created_at <= FRESH:
                await self._gateway.resume(order.order_id)
            else:
                await self._end(order, "good_till_passed")

    async def keep_limits(self) -> None:
        """Take over what the limits file says now: at once what is stricter, else after a delay."""
        await self._loosen.keep()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick once a second until stopped; what cannot be written now is tried again."""
        ticks = 0
        while not stop.is_set():
            try:
                await self.tick()
                if ticks % WATCH_TICKS == 0:
                    await self._dead_man.look()
                    await self.watch_days()
            except Exception as error:  # noqa: BLE001 - exits need the gateway up: it is tried again
                _log.error("upkeep.failed", reason=f"{type(error).__name__}: {error}")
            ticks += 1
            await self._clock.sleep(TICK_S)

    async def watch_days(self) -> None:
        """Keep what losses are measured from; halt the account, or everything, at a lost day."""
        if await self._daybook.keep():
            await self._gateway.halt(ScopeKind.GLOBAL, "", "book_daily_loss")
        await self._gateway.watch_day()

    async def tick(self) -> None:
        """End what is due: asks, drafts past the venue's day, requotes nobody repeated.

        What is under a stop is ended first.
        """
        await self._gateway.keep_stops()
        await self.keep_limits()
        for order, event in await self._journal.read(self._due):
            await self._end(order, event)

    def _due(self, tx: JournalTx) -> list[tuple[OrderRecord, str]]:
        now, venue_now = self._clock.now(), self._markets.venue_now()
        due: list[tuple[OrderRecord, str]] = []
        for ticket in tx.tickets_in(frozenset({TicketState.OPEN})):
            order = tx.order(ticket.order_id)
            if order is not None and now >= ticket.expires_at:
                due.append((order, "ask_expired"))
        for order in tx.orders(OrderFilter(states=frozenset({OrderState.DRAFT})), limit=BATCH):
            if order.expires_at is not None and venue_now >= order.expires_at:
                due.append((order, "day_ended"))
        for order in tx.orders(OrderFilter(states=frozenset({OrderState.REQUOTED})), limit=BATCH):
            if now - order.updated_at >= REQUOTE_LIFE:
                due.append((order, "requote_over"))
        return due

    async def _end(self, order: OrderRecord, event: str) -> None:
        def work(tx: JournalTx) -> OrderRecord | None:
            current = tx.order(order.order_id)
            if current is None or current.ver != order.ver:
                return None  # it moved meanwhile
            if event == "ask_expired":
                self._approve.end_open(tx, current, TicketState.EXPIRED, by=GATEWAY.id)
                if current.state is not OrderState.AWAITING_APPROVAL:
                    return None  # adopted while it waited: its ask ends, the order does not
            code = Code.APPROVAL_EXPIRED if event == "ask_expired" else current.code
            return self._record.move(tx, current, event, actor=GATEWAY.id, code=code)

        moved = await self._journal.write(work)
        if moved is not None:
            self._gateway.announce(moved, None)
