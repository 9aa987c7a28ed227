"""The gate over its adapters: books, keys, market, paper venue and order line, from settings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from ordergate.adapters.anchor_file import Anchors
from ordergate.adapters.emergency_file import EmergencyJournal
from ordergate.adapters.feeds.ccxt_public.feed import CcxtFeed
from ordergate.adapters.keys import Keys, load_keys, presence, verifier
from ordergate.adapters.seed_file import SeedFile
from ordergate.adapters.storage.databases import books_at
from ordergate.adapters.storage.frozen import FrozenBooks
from ordergate.adapters.storage.link import Database
from ordergate.adapters.storage.segments import Segments
from ordergate.adapters.system import SystemClock, SystemIds, random_bytes
from ordergate.adapters.venues.mt5.feed import Mt5Feed
from ordergate.adapters.venues.mt5.venue import Mt5Venue
from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PaperVenue, last_venue_time
from ordergate.audit.seal import Seal
from ordergate.bootstrap.anchoring import Anchoring
from ordergate.bootstrap.archiving import Archiving
from ordergate.bootstrap.line import OrderLine, World, order_line
from ordergate.bootstrap.lost import void
from ordergate.bootstrap.mt5 import mt5_side
from ordergate.bootstrap.opening import Books, Opened, open_books
from ordergate.bootstrap.outlook import Outlook, Standing, outlook
from ordergate.bootstrap.prices import feed_of, outside_of, pace_of, require_same_prices
from ordergate.bootstrap.rotating import finish_rotation
from ordergate.identity import tokens
from ordergate.identity.bearers.recognise import LOCAL_AGENT
from ordergate.identity.factors.passkeys import Site
from ordergate.identity.sign_in import SignIn
from ordergate.market.feed.subscribe import Market
from ordergate.model.hours import day_end
from ordergate.model.market import Slice
from ordergate.model.principals import Kind
from ordergate.model.records import ScopeKind, TokenRecord
from ordergate.model.values import PrincipalId, TicketId
from ordergate.model.views import Change
from ordergate.order.emergency import Spare
from ordergate.order.gateway import GATEWAY
from ordergate.order.policy.baselines import BookTerms
from ordergate.ports.feed import Feed, Pace
from ordergate.ports.journal import JournalUnwritable
from ordergate.ports.system import Clock
from ordergate.settings.load import Settings
from ordergate.settings.sections import Fault as FaultSetting

_log = structlog.get_logger("ordergate.house")

GATE_FILE: Final = "gate.db"
SEGMENTS: Final = "segments"
EMERGENCY_FILE: Final = "emergency.journal"
PAPER_FILE: Final = "paper.db"
TOKEN_FILE: Final = "agent.token"
CONSOLE_HOST: Final = "ordergate.localhost"
FIRST_PRICES_S: Final = 12.0  # a start waits so long for an exchange; then it goes on without


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """All that stands behind the doors."""

    settings: Settings
    clock: Clock
    ids: SystemIds
    store: Books
    market: Market
    venue: PaperVenue | Mt5Venue
    line: OrderLine
    sign_in: SignIn
    anchoring: Anchoring
    archiving: Archiving
    outlook: Outlook
    files: tuple[EmergencyJournal | FrozenBooks | CcxtFeed | Mt5Feed, ...]
    pace: Pace | None  # of a recording
    prove: Callable[[str, str], str]  # that a name is ours: (name, nonce) -> signature, hex

    async def close(self) -> None:
        """Seal a last checkpoint and close the files; the venue's first."""
        await self.venue.close()
        with contextlib.suppress(JournalUnwritable):
            await self.store.write(self.line.seal.checkpoint)
        await self.anchoring.keep()
        await self.store.close()
        for file in self.files:
            file.close_now()


async def build(
    settings: Settings,
    *,
    site: Site,
    approve_url: Callable[[TicketId], str],
    publish: Callable[[Change], None],
) -> House:
    """Open everything, recover, and return a house that is ready for its doors."""
    clock, ids = SystemClock(), SystemIds()
    finish_rotation(settings.directories.config, database_of(settings))
    keys = load_keys(settings.directories.config, chance=random_bytes)
    anchors = anchors_of(settings)
    opened = _opened(settings, keys, anchors, clock)
    books = opened.books
    here = await _trading_place(settings, books, clock)
    spool = _spool(settings, ids)
    blank = FrozenBooks.blank(reason="these books are never written")
    line = await order_line(
        World(
            journal=books,
            reader=here.venue,
            trader=here.venue,
            markets=here.market,
            limits=settings.limits.current,
            clock=clock,
            ids=ids,
            sign=keys.sign,
            draft_end=day_end,
            approve_url=approve_url,
            publish=publish,
            spare=Spare(file=spool, blank=blank),
            epoch_lost=0 if opened.lost is None else opened.lost.epoch,
            pace=pace_of(here.feed),
            book=_book_terms(settings),
            unprotected=settings.exits.on_unprotected,
            switches=settings.switches,
            dead_man=settings.link.dead_man,
        )
    )
    here.listen(line.settle.nudge)
    sign_in = sign_in_over(books, line.seal, settings, site=site)
    anchoring = Anchoring(books, anchors, checkpoint=line.seal.checkpoint, clock=clock)
    await _ready_books(opened, line, sign_in, settings)
    await anchoring.keep()
    return House(
        settings=settings,
        clock=clock,
        ids=ids,
        store=books,
        market=here.market,
        venue=here.venue,
        line=line,
        sign_in=sign_in,
        anchoring=anchoring,
        archiving=Archiving(segments_of(settings), clock=clock),
        outlook=_outlook(settings, books, line, here.market, publish),
        files=(spool, blank, *outside_of(here.feed)),
        pace=pace_of(here.feed),
        prove=lambda name, nonce: keys.sign(presence(name, nonce)).hex(),
    )


def _outlook(
    settings: Settings,
    books: Books,
    line: OrderLine,
    market: Market,
    publish: Callable[[Change], None],
) -> Outlook:
    clock, ids = SystemClock(), SystemIds()
    on = Standing(store=books, seal=line.seal, clock=clock, ids=ids, publish=publish)
    return outlook(settings.news, market, on)


def database_of(settings: Settings, *, alone: bool = False) -> Database:
    """Return where the books lie: a file in the data directory, or a PostgreSQL database."""
    url = settings.journal.database_url
    secret = None if url is None else url.get_secret_value()
    return books_at(settings.directories.data / GATE_FILE, secret, alone=alone)


def _opened(settings: Settings, keys: Keys, anchors: Anchors, clock: Clock) -> Opened:
    data = settings.directories.data
    return open_books(
        database_of(settings, alone=True),
        anchors=anchors,
        verify=verifier(keys.public),
        credentials=lambda tx: tx.add_token(_standing_token(data, keys.pepper, clock)),
        keyless=keys.lost,
    )


def anchors_of(settings: Settings) -> Anchors:
    """Return the places that keep the newest signed head."""
    where = settings.directories
    return Anchors(where.config, where.data, second=settings.journal.anchor_path)


def segments_of(settings: Settings) -> Segments:
    """Return where the closed parts of the record go."""
    data = settings.directories.data
    return Segments(database_of(settings), settings.journal.segments_path or data / SEGMENTS)


def _book_terms(settings: Settings) -> BookTerms:
    risk = settings.risk
    return BookTerms(currency=risk.book_currency or None, zone=risk.book_day_zone)


def _spool(settings: Settings, ids: SystemIds) -> EmergencyJournal:
    path = settings.journal.emergency_path or settings.directories.data / EMERGENCY_FILE
    return EmergencyJournal(path, new_id=ids.new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where is traded, and on which prices."""

    feed: Feed
    market: Market
    venue: PaperVenue | Mt5Venue
    listen: Callable[[Callable[[], None]], None]  # for what changes there unasked


async def _trading_place(settings: Settings, books: Books, clock: Clock) -> _Place:
    if settings.mt5.terminal == "off":
        return await _paper_market(settings, books, clock)
    side = await mt5_side(settings, books, clock)
    with contextlib.suppress(JournalUnwritable):
        await books.write(lambda tx: require_same_prices(tx, side.feed.source))
    market = Market(feed=side.feed, clock=clock)
    market.pump()
    return _Place(feed=side.feed, market=market, venue=side.venue, listen=side.feed.listen)


async def _paper_market(settings: Settings, books: Books, clock: Clock) -> _Place:
    """Open the source of prices where it was left, and the paper venue that lives on them."""
    _make_private(settings.directories.data / PAPER_FILE)
    resumed = last_venue_time(settings.directories.data / PAPER_FILE)
    feed = feed_of(settings, clock, resumed=resumed)
    if isinstance(feed, CcxtFeed):
        await asyncio.to_thread(lambda: feed.start(wait_s=FIRST_PRICES_S))
    with contextlib.suppress(JournalUnwritable):
        await books.write(lambda tx: require_same_prices(tx, feed.source))
    market = Market(feed=feed, clock=clock)
    venue = _venue(settings, market, clock)
    market.listen(_to_venue(venue))
    market.pump()
    return _Place(feed=feed, market=market, venue=venue, listen=venue.listen)


async def _ready_books(
    opened: Opened, line: OrderLine, sign_in: SignIn, settings: Settings
) -> None:
    """Void what was lost, recover, hand out the first token, stop if told so; then open."""
    if opened.lost is not None:
        _log.critical("record.rolled_back", anchored=opened.lost.size)
        await void(
            opened.books,
            opened.lost,
            instance=line.instance,
            halt=line.halt,
            approve=line.approve,
        )
    await line.recover(opened.books, damaged=opened.damaged)
    with contextlib.suppress(JournalUnwritable):
        await _first_token(sign_in, settings.directories.data)
    if settings.run.kill_at_start:
        await line.gateway.engage(
            scope=ScopeKind.GLOBAL, target="", reason="KILL_SWITCH_ACTIVE at start", asker=GATEWAY
        )


def _standing_token(data: Path, pepper: bytes, clock: Clock) -> TokenRecord:
    """Return the local agent's token as its file has it: who could read it may still exit."""
    path = data / TOKEN_FILE
    try:
        text = path.read_text(encoding="ascii").strip()
        token = tokens.parse(text)
    except (OSError, ValueError):
        raw = random_bytes(tokens.ID_BYTES + tokens.SECRET_BYTES)
        token = tokens.mint(
            Kind.AGENT, token_id=raw[: tokens.ID_BYTES], secret=raw[tokens.ID_BYTES :]
        )
        _write_private(path, tokens.write(token) + "\n")
    now = clock.now()
    return TokenRecord(
        token_id=token.token_id,
        principal=PrincipalId(LOCAL_AGENT),
        kind=Kind.AGENT,
        name=LOCAL_AGENT,
        digest=tokens.digest(token.secret, pepper=pepper),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def sign_in_over(store: Books, seal: Seal, settings: Settings, *, site: Site) -> SignIn:
    """Return the sign-in over these books, with the keys and seeds of the config directory."""
    config = settings.directories.config
    return SignIn(
        store=store,
        seal=seal,
        clock=SystemClock(),
        ids=SystemIds(),
        chance=random_bytes,
        pepper=load_keys(config, chance=random_bytes).pepper,
        seeds=SeedFile(config),
        site=site,
    )


def _venue(settings: Settings, market: Market, clock: Clock) -> PaperVenue:
    paper = settings.paper
    return PaperVenue(
        path=settings.directories.data / PAPER_FILE,
        markets=market,
        clock=clock,
        terms=PaperTerms(
            balance=paper.balance,
            slippage_ticks=paper.slippage_ticks,
            commission=paper.commission,
            swap=paper.swap,
            exits=paper.exits,
        ),
        faults=tuple(_fault(fault) for fault in paper.faults),
    )


def _to_venue(venue: PaperVenue) -> Callable[[Slice], None]:
    """Return a listener that keeps prices flowing when the venue's own file cannot be written."""

    def on_slice(slice_: Slice) -> None:
        try:
            venue.on_slice(slice_)
        except (sqlite3.Error, OSError) as error:
            # Its books are as they were before this price; the next one tries again.
            _log.error("paper.unwritable", symbol=slice_.symbol, reason=str(error))

    return on_slice


def _fault(fault: FaultSetting) -> Fault:
    return Fault(
        kind=FaultKind(fault.kind),
        operation=fault.operation,
        symbol=fault.symbol,
        count=fault.count,
        delay_s=fault.delay_s,
        code=fault.code or "REJECTED",
    )


async def _first_token(sign_in: SignIn, data: Path) -> None:
    """Write the paper-only agent's token the first time, readable by its owner alone."""
    text = await sign_in.first_agent_token()
    if text is not None:
        _write_private(data / TOKEN_FILE, text + "\n")


def _make_private(path: Path) -> None:
    """Create a file that its owner alone can read; a database keeps its mode, its log files too."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
