"""The order line, wired once: every stage gets what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ordergate import __version__
from ordergate.audit.seal import Seal
from ordergate.model.values import TicketId
from ordergate.model.views import Change
from ordergate.order.accounts import Accounts
from ordergate.order.approval.approve import Approve
from ordergate.order.books import Sources
from ordergate.order.daybook import Daybook
from ordergate.order.desk import Desk
from ordergate.order.dispatch.send import Send
from ordergate.order.gateway import Gateway, Line
from ordergate.order.halt import Halt
from ordergate.order.intent.accept import Accept
from ordergate.order.journal.record import Instance, Record
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.limits import Limits
from ordergate.order.radar import Radar
from ordergate.order.reconcile.settle import Settle
from ordergate.order.upkeep import Upkeep
from ordergate.ports.feed import Pace
from ordergate.ports.journal import Journal, JournalTx
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock, Ids
from ordergate.ports.venue_read import VenueReader
from ordergate.ports.venue_trade import VenueTrader


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the order line is given: its books, its venue, its market, its clock."""

    journal: Journal
    reader: VenueReader
    trader: VenueTrader
    markets: MarketFacts
    limits: Callable[[], Limits]
    clock: Clock
    ids: Ids
    sign: Callable[[bytes], bytes]
    draft_end: Callable[[datetime], datetime]
    approve_url: Callable[[TicketId], str]
    publish: Callable[[Change], None]
    pace: Pace | None = None  # of a recording; None = the prices are none
    others: tuple[VenueReader, ...] = ()  # further accounts of the book, only read
    book: BookTerms = BookTerms()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    gateway: Gateway
    desk: Desk
    settle: Settle
    upkeep: Upkeep
    halt: Halt
    seal: Seal

    async def recover(self, journal: Journal) -> None:
        """Find out what became of everything before anything new opens (reliability.md 2.5)."""
        await journal.read(self.halt.load)
        await self.settle.recover()
        await self.upkeep.resume()


async def order_line(world: World) -> OrderLine:
    """Wire the order line over its world, as a new instance with an epoch of its own."""
    log_id, epoch = await world.journal.write(lambda tx: begin(tx, world.ids))
    clock, ids = world.clock, world.ids
    seal = Seal(sign=world.sign, log_id=log_id, epoch=epoch, clock=clock, version=__version__)
    record = Record(seal=seal, clock=clock)
    instance = Instance(
        name=f"gateway-{epoch}",
        epoch=epoch,
        journal=world.journal,
        record=record,
        clock=clock,
        ids=ids,
    )
    accounts = Accounts(world.reader, world.others)
    judge = Judge(markets=world.markets, limits=world.limits, clock=clock, terms=world.book)
    approve = Approve(record=record, ids=ids, clock=clock)
    halt = Halt(record=record, ids=ids, clock=clock)
    send = Send(
        instance=instance,
        judge=judge,
        approve=approve,
        halt=halt,
        accounts=accounts,
        trader=world.trader,
    )
    radar = Radar(instance=instance, halt=halt, reader=world.reader, publish=world.publish)
    settle = Settle(
        instance=instance,
        halt=halt,
        reader=world.reader,
        changed=lambda order, attempt: gateway.announce(order, attempt),
        scanned=radar.look,
    )
    stages = Line(
        record=record,
        accept=Accept(record=record, ids=ids, clock=clock),
        approve=approve,
        send=send,
        settle=settle,
        halt=halt,
        draft_end=world.draft_end,
        publish=world.publish,
    )
    gateway = Gateway(_sources(world, judge), stages)
    return OrderLine(
        gateway=gateway,
        desk=Desk(instance=instance, gateway=gateway, line=stages, judge=judge, pace=world.pace),
        settle=settle,
        upkeep=Upkeep(
            instance=instance,
            gateway=gateway,
            approve=approve,
            markets=world.markets,
            daybook=_daybook(world, instance, accounts, judge),
        ),
        halt=halt,
        seal=seal,
    )


def _daybook(world: World, instance: Instance, accounts: Accounts, judge: Judge) -> Daybook:
    return Daybook(
        instance=instance,
        accounts=accounts,
        markets=world.markets,
        judge=judge,
        terms=world.book,
    )


def _sources(world: World, judge: Judge) -> Sources:
    return Sources(
        journal=world.journal,
        judge=judge,
        reader=world.reader,
        markets=world.markets,
        clock=world.clock,
        approve_url=world.approve_url,
    )


def begin(tx: JournalTx, ids: Ids) -> tuple[str, int]:
    """Take the log's id, made once, and the next instance epoch."""
    epoch = int(tx.fact("epoch") or "0") + 1
    tx.put_fact("epoch", str(epoch))
    return log_of(tx, ids), epoch


def log_of(tx: JournalTx, ids: Ids) -> str:
    """Return the log's id, made once."""
    log_id = tx.fact("log_id")
    if log_id is None:
        log_id = ids.new_id()
        tx.put_fact("log_id", log_id)
    return log_id
