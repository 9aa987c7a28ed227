"""The order line, wired once: every stage gets what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ordergate import __version__
from ordergate.audit.seal import Seal
from ordergate.model.accounts import Capabilities, VenueHistory, VenueSnapshot
from ordergate.model.arming import OFF, Switches
from ordergate.model.errors import NotReady
from ordergate.model.records import AttemptRecord, OrderRecord
from ordergate.model.values import AccountId, TicketId, VenueName
from ordergate.model.views import Change
from ordergate.order.accounts import Accounts
from ordergate.order.approval.approve import Approve
from ordergate.order.arming import Armings
from ordergate.order.books import Sources
from ordergate.order.daybook import Daybook
from ordergate.order.deadman import DeadMan
from ordergate.order.desk import Desk
from ordergate.order.dispatch.send import Send
from ordergate.order.emergency import Emergency, Spare
from ordergate.order.exit_plans import ExitPlans
from ordergate.order.exits import plan
from ordergate.order.exits.protect import Means, Protect, Unprotected
from ordergate.order.gateway import Gateway
from ordergate.order.guarding import Guarding
from ordergate.order.halt import Halt
from ordergate.order.intent.accept import Accept
from ordergate.order.journal.record import Instance, Record
from ordergate.order.lapse import Lapse
from ordergate.order.loosen import Loosen
from ordergate.order.policy.baselines import BookTerms
from ordergate.order.policy.judge import Around, Judge
from ordergate.order.policy.limits import Limits
from ordergate.order.policy.on_live import RealMoney
from ordergate.order.policy.surroundings import ReleaseAway, unknown
from ordergate.order.pulse import Pulse
from ordergate.order.radar import Radar
from ordergate.order.reconcile.settle import Settle
from ordergate.order.stages import Line
from ordergate.order.upkeep import Upkeep
from ordergate.ports.feed import Pace
from ordergate.ports.journal import Journal, JournalTx, JournalUnwritable
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock, Ids
from ordergate.ports.venue_read import VenueReader
from ordergate.ports.venue_trade import VenueTrader

Moved = Callable[[OrderRecord, AttemptRecord], None]  # told of every attempt that moved


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
    unprotected: Unprotected = "alarm"
    spare: Spare  # what exits go by when the journal takes nothing
    epoch_lost: int = 0  # the newest that books older than their anchor have forgotten
    pace: Pace | None = None  # of a recording; None = the prices are none
    others: tuple[VenueReader, ...] = ()  # further accounts of the book, only read
    book: BookTerms = BookTerms()  # noqa: RUF009 - frozen
    switches: Switches = OFF  # of live trading, as a human set them before the start
    release_away_s: ReleaseAway = unknown
    dead_man: timedelta | None = None  # a silence of the venue that ends resting openings


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    gateway: Gateway
    desk: Desk
    settle: Settle
    upkeep: Upkeep
    guarding: Guarding
    approve: Approve
    instance: Instance
    halt: Halt
    pulse: Pulse
    emergency: Emergency
    lapse: Lapse
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
            await self.upkeep.keep_limits()
            await self.emergency.take_in()
            await self.settle.recover()
            await self.guarding.recover()
            await self.lapse.after_restart()
            await self.upkeep.resume()
        except JournalUnwritable as error:
            self.emergency.alarm(str(error))


async def order_line(world: World) -> OrderLine:
    """Wire the order line over its world, as a new instance with an epoch of its own."""
    if not world.reader.capabilities().attached_stops:
        world = replace(world, reader=Covered(world.reader))
    instance, seal = await _instance(world)
    clock, ids, record = world.clock, world.ids, instance.record
    accounts = Accounts(world.reader, world.others)
    pulse = Pulse(clock=clock, writable=lambda: emergency.trouble is None)
    armings = Armings(instance=instance, switches=world.switches)
    judge = _judge(world, pulse, armings)
    loosen = Loosen(instance=instance, judge=judge, limits=world.limits)
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
    accept = Accept(record=record, ids=ids, clock=clock)
    emergency = _emergency(world, instance, accept, send, halt)
    settle = _settle(world, instance, halt, emergency, lambda *moved: gateway.announce(*moved))
    stages = Line(
        record=record,
        accept=accept,
        approve=approve,
        send=send,
        settle=settle,
        halt=halt,
        emergency=emergency,
        loosen=loosen,
        draft_end=world.draft_end,
        publish=lambda change: _publish(change, world, guarding),
    )
    gateway = Gateway(_sources(world, judge, emergency), stages)
    guarding = _managed_exits(world, gateway, record, judge)
    daybook = _daybook(world, instance, accounts, judge)
    return OrderLine(
        gateway=gateway,
        desk=Desk(
            instance=instance,
            gateway=gateway,
            line=stages,
            judge=judge,
            armings=armings,
            pace=world.pace,
        ),
        settle=settle,
        upkeep=_upkeep(world, instance, stages, gateway, daybook),
        guarding=guarding,
        approve=approve,
        instance=instance,
        halt=halt,
        pulse=pulse,
        emergency=emergency,
        lapse=Lapse(instance=instance, gateway=gateway, approve=approve, judge=judge),
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


def _judge(world: World, pulse: Pulse, armings: Armings) -> Judge:
    return Judge(
        markets=world.markets,
        limits=world.limits,
        clock=world.clock,
        around=Around(machine=pulse.read, release_away_s=world.release_away_s),
        terms=world.book,
        real=RealMoney(
            armed_until=armings.until,
            stops_rest=lambda: world.reader.capabilities().attached_stops,
        ),
    )


def _emergency(
    world: World, instance: Instance, accept: Accept, send: Send, halt: Halt
) -> Emergency:
    return Emergency(
        instance=instance,
        accept=accept,
        send=send,
        halt=halt,
        spare=world.spare,
        publish=world.publish,
    )


def _settle(
    world: World, instance: Instance, halt: Halt, emergency: Emergency, changed: Moved
) -> Settle:
    """Let the venue's books tell what became of orders, and what stands there besides them."""
    radar = Radar(instance=instance, halt=halt, reader=world.reader, publish=world.publish)
    return Settle(
        instance=instance,
        halt=halt,
        reader=world.reader,
        changed=changed,
        scanned=radar.look,
        outside=emergency,
    )


def _upkeep(
    world: World, instance: Instance, stages: Line, gateway: Gateway, daybook: Daybook
) -> Upkeep:
    return Upkeep(
        instance=instance,
        gateway=gateway,
        line=stages,
        markets=world.markets,
        daybook=daybook,
        dead_man=DeadMan(
            instance=instance, reader=world.reader, gateway=gateway, after=world.dead_man
        ),
    )


def _daybook(world: World, instance: Instance, accounts: Accounts, judge: Judge) -> Daybook:
    return Daybook(
        instance=instance,
        accounts=accounts,
        markets=world.markets,
        judge=judge,
        terms=world.book,
    )


def _managed_exits(world: World, gateway: Gateway, record: Record, judge: Judge) -> Guarding:
    """Let the gate protect, trail and close by plans of its own, through the gateway."""
    means = Means(
        gateway=gateway,
        journal=world.journal,
        reader=world.reader,
        markets=world.markets,
        clock=world.clock,
        ids=world.ids,
        note=record.note,
        publish=world.publish,
        limits=world.limits,
        unwritten=judge.unwritten,
        unprotected=world.unprotected,
    )
    protect = Protect(means)
    gateway.managed_by(ExitPlans(means, protect))
    return Guarding(means, protect)


def _publish(change: Change, world: World, guarding: Guarding) -> None:
    """Tell the streams, and have protection looked at as soon as an order has moved."""
    world.publish(change)
    if change.topic == "orders":
        guarding.nudge()


class Covered:
    """A venue reader whose positions show the stop and target that rest in orders of their own."""

    def __init__(self, reader: VenueReader) -> None:
        self._reader = reader

    @property
    def venue(self) -> VenueName:
        return self._reader.venue

    @property
    def account(self) -> AccountId:
        return self._reader.account

    def capabilities(self) -> Capabilities:
        return self._reader.capabilities()

    async def snapshot(self) -> VenueSnapshot:
        return plan.covered(await self._reader.snapshot())

    async def history(self, since: datetime) -> VenueHistory:
        return await self._reader.history(since)


def _sources(world: World, judge: Judge, emergency: Emergency) -> Sources:
    def failed(error: JournalUnwritable) -> NotReady:
        emergency.alarm(str(error))
        return emergency.not_ready()

    return Sources(
        failed=failed,
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
