"""A MetaTrader 5 account as the house's venue: a local terminal, or the simulated one for trying.

The simulated terminal is a test double that is shipped on purpose: it is reached from here alone,
after a human asked for it by name, and every answer says that it is simulated (ADR 0040).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.adapters.venues.mt5.checkup import Check, checkup
from ordergate.adapters.venues.mt5.client import Client, Package, Sign, package
from ordergate.adapters.venues.mt5.feed import Mt5Feed
from ordergate.adapters.venues.mt5.link import Link, proof
from ordergate.adapters.venues.mt5.venue import Mt5Venue
from ordergate.model.errors import NotSupported
from ordergate.model.orders import AttemptState, VenueCancel, VenueModify
from ordergate.model.values import AccountId, Tag
from ordergate.order.dispatch.wire import to_wire
from ordergate.ports.journal import Journal, JournalTx
from ordergate.ports.system import Clock
from ordergate.settings.load import Settings
from ordergate.settings.outside import Mt5

SIMULATED_FILE: Final = "simulated-terminal.json"
PUMP_MAX: Final = 1_000
_OPEN_CHANGES: Final = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A way to a terminal: its package, its clock, and what moves its prices."""

    load: Callable[[], Package]
    now: Callable[[], datetime]
    before: Callable[[], None]
    symbols: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mt5Side:
    venue: Mt5Venue
    feed: Mt5Feed


async def mt5_side(settings: Settings, journal: Journal, clock: Clock) -> Mt5Side:
    """Attach to the terminal; raises GateError where it cannot be: nothing takes its place."""
    wanted = settings.mt5
    terminal = _terminal(settings, clock)
    client = _client(wanted, terminal)
    link = _link(wanted, terminal, client)
    who = await proof(link)
    feed = Mt5Feed(
        link,
        server="simulated" if terminal.simulated else who.account,
        synthetic=terminal.simulated,
        before=terminal.before,
    )
    await feed.start()
    venue = Mt5Venue(
        link,
        account=who.account,
        recall=_recall(journal),
        deviation=wanted.deviation_points,
    )
    venue.doubt(await journal.read(lambda tx: in_doubt(tx, who.account)))
    return Mt5Side(venue=venue, feed=feed)


def in_doubt(tx: JournalTx, account: AccountId) -> list[VenueModify | VenueCancel]:
    """Return the changes whose fate is open: the server keeps no record of them by tag."""
    found = []
    for attempt in tx.attempts_in(_OPEN_CHANGES, account=account):
        order = tx.order(attempt.order_id)
        wire = None if order is None else to_wire(order.intent, attempt)
        if isinstance(wire, VenueModify | VenueCancel):
            found.append(wire)
    return found


def examine(settings: Settings, clock: Clock) -> list[Check]:
    """Look at the local terminal for `doctor`; nothing where no terminal is configured."""
    wanted = settings.mt5
    if wanted.terminal == "off":
        return []
    if wanted.terminal == "simulated":
        return [
            Check("WARN", "MetaTrader 5", "the terminal is simulated: a rehearsal, no broker", "")
        ]
    terminal = _terminal(settings, clock)
    client = _client(wanted, terminal)
    link = _link(wanted, terminal, client)
    try:
        return asyncio.run(checkup(link, login=wanted.login))
    finally:
        client.close()


def _link(wanted: Mt5, terminal: Terminal, client: Client) -> Link:
    minutes = wanted.broker_utc_offset_minutes
    return Link(
        client,
        now=terminal.now,
        symbols=terminal.symbols,
        offset=None if minutes is None else timedelta(minutes=minutes),
        simulated=terminal.simulated,
    )


def _client(wanted: Mt5, terminal: Terminal) -> Client:
    password = wanted.password
    return Client(
        terminal.load,
        Sign(
            login=wanted.login,
            password=None if password is None else password.get_secret_value(),
            server=wanted.server,
            path=None if wanted.path is None else str(wanted.path),
        ),
    )


def _recall(journal: Journal) -> Callable[[Sequence[int]], Any]:
    async def recall(magics: Sequence[int]) -> Mapping[int, Tag]:
        found = await journal.read(lambda tx: tx.attempts_numbered(magics))
        return {attempt.magic: attempt.tag for attempt in found}

    return recall


def _terminal(settings: Settings, clock: Clock) -> Terminal:
    wanted = settings.mt5
    if wanted.terminal == "simulated":
        return _simulated(wanted, settings, clock)
    return Terminal(
        load=package,
        now=clock.now,
        before=lambda: None,
        symbols=wanted.symbols,
        simulated=False,
    )


def _simulated(wanted: Mt5, settings: Settings, clock: Clock) -> Terminal:
    """Start the simulated server where it was left, on the simulated market's prices."""
    from ordergate.testing.mt5.book import AccountTerms
    from ordergate.testing.mt5.keeping import Kept
    from ordergate.testing.mt5.server import Server
    from ordergate.testing.mt5.terminal import SimulatedTerminal

    modes = {"demo": 0, "real": 2}
    server = Server(
        AccountTerms(
            trade_mode=modes[wanted.simulated_account],
            balance=int(settings.paper.balance),
        )
    )
    kept = Kept(_place(settings), server)
    resumed = kept.open()
    prices = SimulatedFeed(
        clock=clock, seed=settings.feed.seed, start=resumed or settings.feed.start
    )
    known = {spec.symbol for spec in prices.instruments()} & server.specs.keys()
    symbols = tuple(name for name in wanted.symbols if name in known)
    if not symbols:
        raise NotSupported(
            f"the simulated terminal has none of {', '.join(wanted.symbols)}",
            fix=f"mt5.symbols from {', '.join(sorted(known))}",
        )

    def pump() -> None:
        for piece in prices.advance(PUMP_MAX):
            if piece.symbol in known:
                at = int(piece.end.timestamp() * 1000)
                server.tick(piece.symbol, float(piece.bid_close), float(piece.ask_close), at)

    pump()
    terminal = SimulatedTerminal(server)
    return Terminal(
        load=lambda: terminal,
        now=prices.venue_now,
        before=pump,
        symbols=symbols,
        simulated=True,
    )


def _place(settings: Settings) -> Path:
    return settings.directories.data / SIMULATED_FILE
