"""The order line, wired once: every stage gets what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ordergate import __version__
from ordergate.audit.seal import Seal
from ordergate.model.values import TicketId
from ordergate.model.views import Change
from ordergate.order.approval.approve import Approve
from ordergate.order.books import Sources
from ordergate.order.desk import Desk
from ordergate.order.dispatch.send import Send
from ordergate.order.emergency import Emergency, Spare
from ordergate.order.gateway import Gateway, Line
from ordergate.order.halt import Halt
from ordergate.order.intent.accept import Accept
from ordergate.order.journal.record import Instance, Record
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.limits import Limits
from ordergate.order.reconcile.settle import Settle
from ordergate.order.upkeep import Upkeep
from ordergate.ports.feed import Pace
from ordergate.ports.journal import Journal, JournalTx, JournalUnwritable
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
    spare: Spare  # what exits go by when the journal takes nothing
    epoch_lost: int = 0  # the newest that books older than their anchor have forgotten
    pace: Pace | None = None  # of a recording; None = the prices are none


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    gateway: Gateway
    desk: Desk
    settle: Settle
    upkeep: Upkeep
    approve: Approve
    instance: Instance
    halt: Halt
    emergency: Emergency
    seal: Seal

    async def recover(self, journal: Journal, *, damaged: str | None = None) -> None:
        """Find out what became of everything before anything new opens (reliability.md 2.5).

        Books that cannot be written, or prove nothing, leave a line that lets exits out alone.
        """
        await journal.read(self.halt.load)
        if damaged is not None:
            self.emergency.begin_damaged(damaged)
            return
        try:
            await self.emergency.take_in()
            await self.settle.recover()
            await self.upkeep.resume()
        except JournalUnwritable as error:
            self.emergency.alarm(str(error))


async def order_line(world: World) -> OrderLine:
    """Wire the order line over its world, as a new instance with an epoch of its own."""
    instance, seal = await _instance(world)
    clock, ids, record = world.clock, world.ids, instance.record
    judge = Judge(markets=world.markets, limits=world.limits, clock=clock)
    approve = Approve(record=record, ids=ids, clock=clock)
    halt = Halt(record=record, ids=ids, clock=clock)
    send = Send(
        instance=instance,
        judge=judge,
        approve=approve,
        halt=halt,
        reader=world.reader,
        trader=world.trader,
    )
    accept = Accept(record=record, ids=ids, clock=clock)
    emergency = Emergency(
        instance=instance,
        accept=accept,
        send=send,
        halt=halt,
        spare=world.spare,
        publish=world.publish,
    )
    settle = Settle(
        instance=instance,
        halt=halt,
        reader=world.reader,
        changed=lambda order, attempt: gateway.announce(order, attempt),
        outside=emergency,
    )
    stages = Line(
        record=record,
        accept=accept,
        approve=approve,
        send=send,
        settle=settle,
        halt=halt,
        emergency=emergency,
        draft_end=world.draft_end,
        publish=world.publish,
    )
    gateway = Gateway(_sources(world, judge), stages)
    return OrderLine(
        gateway=gateway,
        desk=Desk(instance=instance, gateway=gateway, line=stages, judge=judge, pace=world.pace),
        settle=settle,
        upkeep=Upkeep(instance=instance, gateway=gateway, approve=approve, markets=world.markets),
        approve=approve,
        instance=instance,
        halt=halt,
        emergency=emergency,
        seal=seal,
    )


async def _instance(world: World) -> tuple[Instance, Seal]:
    """Begin a run of the gateway: its epoch, its seal, its pen."""
    log_id, epoch = await _begun(world)
    clock = world.clock
    seal = Seal(sign=world.sign, log_id=log_id, epoch=epoch, clock=clock, version=__version__)
    record = Record(seal=seal, clock=clock)
    instance = Instance(
        name=f"gateway-{epoch}",
        epoch=epoch,
        journal=world.journal,
        record=record,
        clock=clock,
        ids=world.ids,
    )
    return instance, seal


def _sources(world: World, judge: Judge) -> Sources:
    return Sources(
        journal=world.journal,
        judge=judge,
        reader=world.reader,
        markets=world.markets,
        clock=world.clock,
        approve_url=world.approve_url,
    )


async def _begun(world: World) -> tuple[str, int]:
    """Return log and epoch; as far as they can be read where the books cannot be written."""
    try:
        return await world.journal.write(lambda tx: begin(tx, world.ids, beyond=world.epoch_lost))
    except JournalUnwritable:
        return await world.journal.read(lambda tx: (tx.fact("log_id") or "", _epoch_after(tx, 0)))


def begin(tx: JournalTx, ids: Ids, *, beyond: int = 0) -> tuple[str, int]:
    """Take the log's id, made once, and the next instance epoch, also after one that was lost."""
    epoch = _epoch_after(tx, beyond)
    tx.put_fact("epoch", str(epoch))
    return log_of(tx, ids), epoch


def _epoch_after(tx: JournalTx, beyond: int) -> int:
    return max(int(tx.fact("epoch") or "0"), beyond) + 1


def log_of(tx: JournalTx, ids: Ids) -> str:
    """Return the log's id, made once."""
    log_id = tx.fact("log_id")
    if log_id is None:
        log_id = ids.new_id()
        tx.put_fact("log_id", log_id)
    return log_id
