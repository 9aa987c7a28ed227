"""The gate's process on simulated ground: production objects built anew at every start."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ordergate.bootstrap.line import OrderLine, World, order_line
from ordergate.model.errors import GateError
from ordergate.model.market import Quality, QuoteQuality
from ordergate.model.values import Symbol
from ordergate.model.views import Change, OrderView
from ordergate.order.emergency import Spare
from ordergate.order.policy.limits import Limits
from ordergate.ports.journal import JournalUnreadable, JournalUnwritable, Stale
from simulator.disk import BlankBooks, Disk, SimJournal, SimSpool
from simulator.network import Network, SimVenue, Weather, moment_of
from simulator.venue_side import VenueBooks
from simulator.virtual_loop import Process, VirtualLoop
from support.manual_market import ManualMarket, fx

START = datetime.fromisoformat("2026-01-07T14:00:00+00:00")
KEY = b"the simulator's key"
SPREAD = 10  # ticks
PRICES = {"EURUSD": 108_500, "GBPUSD": 127_000}
# Wide where a control would end the history early; the sum of all positions is the one that binds.
LIMITS = Limits(
    gross_exposure_fraction=Decimal("0.6"),
    net_exposure_fraction=Decimal(5),
    unknown_openings_symbol_max=Decimal(50),
    unknown_openings_max=Decimal(50),
    unknown_opening_age_max_s=Decimal(3600),
    hands_off_fills_max=Decimal(1000),
    losing_closes_max=Decimal(1000),
    repeat_orders_max=Decimal(1000),
    clock_skew_max_s=Decimal(60),
    duplicate_window_s=Decimal("0.001"),
)


@dataclass(frozen=True)
class Terms:
    """What one history is played on, drawn from its seed."""

    weather: Weather
    attached: bool
    refuses_over_close: bool
    spends_tags: bool
    refusing: float
    gross: Decimal


class SimClock:
    """Implements ports.system.Clock; the wall clock may leap, the other never does."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.leapt = timedelta()

    def now(self) -> datetime:
        return START + self.leapt + timedelta(microseconds=round(self._loop.time() * 1e6))

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SimIds:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def new_id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


class SimMarket(ManualMarket):
    """Prices set by the history, on the venue's clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(now=START, instruments=(fx("EURUSD"), fx("GBPUSD")))
        self._loop = loop
        self.stale = False

    def venue_now(self) -> datetime:
        return START + timedelta(microseconds=round(self._loop.time() * 1e6))

    def quality(self, symbol: Symbol) -> QuoteQuality:
        if self.stale:
            return QuoteQuality(Quality.STALE, Decimal(60))
        return super().quality(symbol)


class Ground:
    """One machine, one venue, one network, one clock: what outlives the gate."""

    def __init__(self, seed: object, terms: Terms, books: sqlite3.Connection, blank: object):
        self.loop = VirtualLoop()
        self.terms = terms
        self.chance = random.Random(f"{seed}/plan")
        self.disk = Disk(books)
        self._blank = blank
        self.venue = VenueBooks(
            random.Random(f"{seed}/venue"),
            later=lambda delay, act: self.network.later(delay, act),
            now=self.loop.time,
            attached=terms.attached,
            refuses_over_close=terms.refuses_over_close,
            spends_tags=terms.spends_tags,
            refusing=terms.refusing,
        )
        self.network = Network(
            self.loop, self.venue, random.Random(f"{seed}/network"), terms.weather
        )
        self.clock = SimClock(self.loop)
        self.market = SimMarket(self.loop)
        self.changes: list[Change] = []
        self._ids = SimIds(random.Random(f"{seed}/ids"))
        self._disk_chance = random.Random(f"{seed}/disk")
        self.process = Process("before the first")
        self.process.alive = False
        self.line: OrderLine | None = None
        self.limits = replace(LIMITS, gross_exposure_fraction=terms.gross)
        for symbol, bid in PRICES.items():
            self.quote(symbol, bid)

    def quote(self, symbol: str, bid: int) -> None:
        self.venue.tick(symbol, bid, bid + SPREAD)
        tick = Decimal("0.00001")
        self.market.set(symbol, bid * tick, (bid + SPREAD) * tick, self.market.venue_now())

    def start(self) -> asyncio.Task[None]:
        """Start the gate as a new process on what the last one left."""
        self.process = Process("gate")
        return self.in_gate(self._run())

    def crash(self) -> None:
        """End the gate between two instructions: nothing of it runs again, `finally` included."""
        self.process.alive = False
        self.line = None
        self.venue.listeners.clear()

    def in_gate(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.loop.create_task(work, context=self.process.context())

    async def _run(self) -> None:
        process = self.process
        journal = SimJournal(self.disk, self._disk_chance)
        venue = SimVenue(self.network, moment_of(START))
        world = World(
            journal=journal,
            reader=venue,
            trader=venue,
            markets=self.market,
            limits=lambda: self.limits,
            clock=self.clock,
            ids=self._ids,
            sign=lambda head: hmac.digest(KEY, head, hashlib.sha256),
            draft_end=lambda at: at + timedelta(days=1),
            approve_url=lambda ticket: f"http://ordergate.localhost:8030/approve/{ticket}",
            publish=self.changes.append,
            spare=Spare(file=SimSpool(self.disk), blank=BlankBooks(self._blank)),  # type: ignore[arg-type]
        )
        line = await self._recovered(world, journal)
        line.upkeep.keep_limits = _nothing  # type: ignore[method-assign]  # no history changes the file
        stop = asyncio.Event()
        for worker in (line.settle, line.upkeep, line.guarding, line.pulse):
            asyncio.get_running_loop().create_task(worker.run(stop))
        assert process.alive
        self.line = line

    async def _recovered(self, world: World, journal: SimJournal) -> OrderLine:
        """Wire and recover; a start that fails is tried again, as a service manager does."""
        while True:
            try:
                line = await order_line(world)
                self.venue.listeners[:] = [line.settle.nudge]
                await line.recover(journal)
            except (GateError, OSError, JournalUnwritable, TimeoutError):
                await asyncio.sleep(0.5)
            else:
                return line

    def ask(
        self,
        call: Callable[[OrderLine], Coroutine[Any, Any, OrderView]],
        told: Callable[[OrderView | Exception], None],
    ) -> bool:
        """Call the gate as a client of its own process; False where it is not up."""
        line = self.line
        if line is None:
            return False

        async def asked() -> None:
            try:
                told(await call(line))
            except (GateError, JournalUnwritable, JournalUnreadable, Stale, TimeoutError) as error:
                told(error)

        self.in_gate(asked())
        return True


async def _nothing() -> None:
    return None
