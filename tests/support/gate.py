"""A whole order line in one process: real store, real paper venue, a market moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ordergate.adapters.emergency_file import EmergencyJournal
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.store import SqliteStore
from ordergate.adapters.system import SystemClock, SystemIds
from ordergate.adapters.venues.paper.faults import Fault
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.bootstrap.line import OrderLine, World, order_line
from ordergate.model.arming import OFF, Switches
from ordergate.model.views import Change
from ordergate.order.emergency import Spare
from ordergate.order.exits.protect import Unprotected
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.limits import Limits
from ordergate.ports.feed import Pace
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock
from ordergate.ports.venue_read import VenueReader
from ordergate.ports.venue_trade import VenueTrader
from support.fresh_books import open_books
from support.manual_market import ManualMarket

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass
class Gate:
    line: OrderLine
    store: SqliteStore
    venue: PaperVenue
    market: ManualMarket
    world: World
    spool: EmergencyJournal
    blank: FrozenBooks
    changes: list[Change] = field(default_factory=list)

    async def stop(self) -> None:
        await self.venue.close()
        await self.store.close()
        self.spool.close_now()
        self.blank.close_now()


def a_market() -> ManualMarket:
    market = ManualMarket()
    for symbol, bid, ask in (
        ("EURUSD", "1.08500", "1.08510"),
        ("USDJPY", "150.000", "150.010"),
        ("XAUUSD", "2000.00", "2000.30"),
        ("AAPL", "200.00", "200.02"),
        ("BTCUSD", "50000.00", "50010.00"),
    ):
        market.set(symbol, bid, ask)
    return market


async def start_gate(
    folder: Path,
    *,
    market: ManualMarket | None = None,
    limits: Limits | None = None,
    faults: Sequence[Fault] = (),
    clock: Clock | None = None,
    terms: PaperTerms | None = None,
    pace: Pace | None = None,
    seen: MarketFacts | None = None,
    others: Sequence[VenueReader] = (),
    book: BookTerms | None = None,
    unprotected: Unprotected = "alarm",
    switches: Switches = OFF,
    dead_man: timedelta | None = None,
    wired: Callable[[VenueTrader], VenueTrader] = lambda trader: trader,
    other_venue: Callable[[ManualMarket, SqliteStore], Any] | None = None,
) -> Gate:
    """Start a line on a folder's files, recovered as bootstrap does it.

    `seen` is the market as the gate sees it, where that is not what the venue trades on; `wired`
    puts something between the gate and what trades. `other_venue` makes a venue of its own kind
    in the place of the paper venue.
    """
    market = market or a_market()
    clock = clock or SystemClock()
    effective = limits or Limits()
    store = open_books(folder / "gate.db")
    venue: Any
    if other_venue is None:
        venue = PaperVenue(
            path=folder / "paper.db",
            markets=market,
            clock=clock,
            terms=terms or PaperTerms(commission=False, swap=False),
            faults=tuple(faults),
        )
        market.listen(venue.on_slice)
    else:
        venue = other_venue(market, store)
    changes: list[Change] = []
    spool = EmergencyJournal(folder / "emergency.journal", new_id=SystemIds().new_id)
    blank = FrozenBooks.blank(reason="blank")
    world = World(
        journal=store,
        reader=venue,
        trader=wired(venue),
        markets=seen or market,
        limits=lambda: effective,
        clock=clock,
        ids=SystemIds(),
        sign=KEY.sign,
        draft_end=_next_day,
        approve_url=lambda ticket: f"http://ordergate.localhost:8030/approve/{ticket}",
        publish=changes.append,
        spare=Spare(file=spool, blank=blank),
        pace=pace,
        others=tuple(others),
        book=book or BookTerms(),
        unprotected=unprotected,
        switches=switches,
        dead_man=dead_man,
    )
    line = await order_line(world)
    if other_venue is None:
        venue.listen(line.settle.nudge)
    await line.recover(store)
    return Gate(line, store, venue, market, world, spool, blank, changes)


@asynccontextmanager
async def a_gate(folder: Path, **how: object) -> AsyncIterator[Gate]:
    gate = await start_gate(folder, **how)  # type: ignore[arg-type]  # start_gate's own keywords
    try:
        yield gate
    finally:
        await gate.stop()


def _next_day(at: datetime) -> datetime:
    return at + timedelta(days=1)
