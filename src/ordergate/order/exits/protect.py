"""Protection follows the fill: stops seen at the venue, plans walked, and a human told if not."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, Protocol

import structlog

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.errors import GateError
from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import (
    Action,
    AttemptState,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderState,
    PlaceIntent,
)
from ordergate.model.records import AttemptRecord, Guard, ScopeKind
from ordergate.model.values import ZERO, IdempotencyKey, OrderId, PositionId, Symbol
from ordergate.model.views import Change, OrderView
from ordergate.order.accounts import read
from ordergate.order.exits import ladder, plan, steps
from ordergate.order.exits.plan import Closed, Drop, End, Put, Reduce, Rest, Scene
from ordergate.order.gateway import Gateway
from ordergate.order.policy.exposure import collar
from ordergate.order.policy.limits import Limits
from ordergate.ports.journal import Journal, JournalTx, JournalUnwritable, Stale
from ordergate.ports.market_facts import MarketFacts
from ordergate.ports.system import Clock, Ids
from ordergate.ports.venue_read import VenueReader

NAKED_MAX_S: Final = 2.0
DOUBT_S: Final = 1.0  # after a request of unknown fate, before the venue is asked again
STEPS_MAX: Final = 64
REFUSALS_TOLD: Final = 2
CANCELS_MAX: Final = 3
_IN_DOUBT: Final = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN, AttemptState.PARKED})
_MOVING: Final = ("stop", "target", "keep", "close_order", "rung", "alarmed", "ended_at")
_TAKEN: Final = frozenset({"working", "partial", "filled", "canceled", "applied"})

_log = structlog.get_logger("ordergate.exits")

Unprotected = Literal["alarm", "close"]


class Note(Protocol):
    def __call__(
        self, tx: JournalTx, kind: str, *, actor: str, corr: str, body: Mapping[str, object]
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """All that the managed exits act with: the gateway, and no stage behind it."""

    gateway: Gateway
    journal: Journal
    reader: VenueReader
    markets: MarketFacts
    clock: Clock
    ids: Ids
    note: Note  # seals a record in the transaction it is given
    publish: Callable[[Change], None]
    limits: Callable[[], Limits]
    unwritten: dict[PositionId, Guard]  # as they stand while no disk takes them
    unprotected: Unprotected = "alarm"


class Protect:
    """Keeps every guarded position as its guard says, one step and one fresh read at a time."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._gateway = means.gateway
        self._journal = means.journal
        self._clock = means.clock
        self._locks: defaultdict[PositionId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._naked: dict[PositionId, float] = {}
        self._refused: defaultdict[PositionId, int] = defaultdict(int)
        self._uncancelled: defaultdict[PositionId, int] = defaultdict(int)
        self._held_off: dict[PositionId, float] = {}
        self._answers: dict[OrderId, OrderView] = {}
        self._unwritten = means.unwritten

    async def tend(self, position_id: PositionId) -> None:
        """Walk one position's plan as far as it goes now; requests for it wait meanwhile."""
        async with self._locks[position_id]:
            await self.walk(position_id)

    def lock(self, position_id: PositionId) -> asyncio.Lock:
        """Return the lock of a position's plan: one walker at a time."""
        return self._locks[position_id]

    async def walk(self, position_id: PositionId) -> None:
        """Take step after step, each on a fresh read; the caller holds the position's lock."""
        attached = self._means.reader.capabilities().attached_stops
        try:
            for _ in range(STEPS_MAX):
                guard = await self.guard(position_id)
                snapshot = None if guard is None else await self.snapshot()
                if guard is None or snapshot is None:
                    return
                move = self._verify if attached else self._advance
                if await move(guard, snapshot):
                    return
        except (GateError, JournalUnwritable, Stale) as error:
            self._hold_off(position_id)
            _log.error("exits.step", position=position_id, reason=f"{error}")

    async def guard(self, position_id: PositionId) -> Guard | None:
        """Return the guard of a position; one that could not be written goes into the books now."""
        account = self._gateway.account_id
        stored = await self._journal.read(lambda tx: tx.guard(account, position_id))
        held = self._unwritten.get(position_id)
        if held is None:
            return stored
        if self._gateway.exits_only:
            return held if held.ended_at is None else None
        del self._unwritten[position_id]
        fields = {name: getattr(held, name) for name in _MOVING}
        # None is on file: the fill, which is in the books now, stands one.
        return None if stored is None else await self.change(stored, "written", **fields)

    async def guarded(self) -> tuple[PositionId, ...]:
        """Return the positions under guard, in the books or without them."""
        stored = await self._journal.read(lambda tx: tuple(tx.guards()))
        return tuple({*(guard.position_id for guard in stored), *self._unwritten})

    async def snapshot(self) -> VenueSnapshot | None:
        """Read the venue; None when it cannot be read: then nothing is known and nothing done."""
        snapshot = await read(self._means.reader)
        if snapshot is None:
            _log.warning("exits.unread")
        return snapshot

    async def change(self, guard: Guard, event: str, **fields: object) -> Guard:
        """Write a guard's next version and its sealed record; hold it where no disk takes it."""
        if guard.position_id not in self._unwritten:  # full, it may still take this
            try:
                return await self._journal.write(lambda tx: self.put(tx, guard, event, **fields))
            except JournalUnwritable as error:
                self._gateway.books_failed(error)
        return self.hold(self._next(guard, **fields))

    def hold(self, guard: Guard) -> Guard:
        """Keep a guard in memory: protection does not wait until the books have room."""
        self._unwritten[guard.position_id] = guard
        return guard

    def _next(self, guard: Guard, **fields: object) -> Guard:
        now = self._clock.now()
        return dataclasses.replace(guard, ver=guard.ver + 1, updated_at=now, **fields)  # type: ignore[arg-type]  # a guard's own fields

    def put(self, tx: JournalTx, guard: Guard, event: str, **fields: object) -> Guard:
        """Write a guard's next version inside a transaction; version 0 is a new one."""
        moved = self._next(guard, **fields)
        if guard.ver:
            tx.put_guard(moved)
        elif tx.guard(guard.account, guard.position_id) is not None:
            raise Stale(f"a guard stands over {guard.position_id} already")
        else:
            tx.add_guard(moved)
        body = {"position": guard.position_id, "symbol": guard.symbol, **fields}
        self._means.note(tx, f"exit.{event}", actor="gateway", corr=guard.guard_id, body=body)
        return moved

    def key(self) -> IdempotencyKey:
        """Return a key nobody can guess: one spent beforehand by an agent would trap the exit."""
        return IdempotencyKey(f"exit-{self._means.ids.new_id()}")

    def answer(self, order_id: OrderId) -> OrderView | None:
        """Hand out the view of a request that a plan has sent, once."""
        return self._answers.pop(order_id, None)

    def rung_price(self, symbol: Symbol, guard: Guard, rung: int) -> Decimal | None:
        """Return how far a step of a close may reach now; None = at the market."""
        quote, spec = self._market(symbol)
        if spec is None:
            return None
        _, fraction = collar(self._means.limits(), spec.asset_class)
        return ladder.rung_price(rung, guard.side.opposite, quote, spec, collar=fraction)

    def scene(self, guard: Guard, snapshot: VenueSnapshot, *, doubt: bool) -> Scene:
        """Return what decides the next step of a guard."""
        quote, spec = self._market(guard.symbol)
        position = plan.held_of(guard.position_id, snapshot)
        return Scene(
            side=guard.side,
            held=ZERO if position is None else position.quantity,
            legs=plan.legs_of(position, guard, snapshot),
            stop=guard.stop,
            target=guard.target,
            keep=guard.keep,
            closing_in_doubt=doubt,
            nearest=plan.nearest_stop(
                guard.side, quote, spec, refused=self._refused[guard.position_id]
            ),
            most=Decimal("Infinity") if spec is None else spec.lot_max,
        )

    async def close_in_doubt(self, guard: Guard) -> bool:
        """Say whether a close of the guard's position went out and nobody knows its fate.

        What an earlier request left in doubt, the operator who asked again has accepted.
        """

        def work(tx: JournalTx) -> bool:
            asked = None if guard.close_order is None else tx.order(guard.close_order)
            since = guard.created_at if asked is None else asked.created_at
            return any(
                attempt.action is Action.CLOSE
                and attempt.claimed_at >= since
                and _closes(tx, attempt, guard.position_id)
                for attempt in tx.attempts_in(_IN_DOUBT, account=guard.account)
            )

        return await self._journal.read(work)

    async def _advance(self, guard: Guard, snapshot: VenueSnapshot) -> bool:
        """Take one step where stops are orders of their own; say whether that is all for now."""
        guard = await self._ratcheted(guard)
        # Without books it may be out already, on a record that they do not hold yet.
        away = self._gateway.exits_only
        doubt = guard.keep is not None and (away or await self.close_in_doubt(guard))
        scene = self.scene(guard, snapshot, doubt=doubt)
        guard = await self._watch(guard, safe=plan.protected(scene))
        step = plan.next_step(dataclasses.replace(scene, keep=guard.keep))
        match step:
            case Rest():
                return True
            case End():
                await self._end(guard)
                return True
            case Closed():
                await self._withdraw(guard)
                await self.change(guard, "closed", keep=None, close_order=None, rung=0)
                return False
            case Reduce():
                return await self._reduce(guard, step.lots)
            case Put() | Drop():
                return await self._send(guard, steps.intent_of(step, guard))

    async def _ratcheted(self, guard: Guard) -> Guard:
        level = plan.trailed(guard, *self._market(guard.symbol))
        if level == guard.stop or guard.keep is not None:
            return guard
        return await self.change(guard, "ratcheted", stop=level)

    async def _verify(self, guard: Guard, snapshot: VenueSnapshot) -> bool:
        """See that the stop rests with its position, where the venue attaches it; else set it."""
        guard = await self._ratcheted(guard)
        position = plan.held_of(guard.position_id, snapshot)
        if position is None or guard.stop is None:
            await self._end(guard)
            return True
        quote, spec = self._market(guard.symbol)
        refused = self._refused[guard.position_id]
        nearest = plan.nearest_stop(guard.side, quote, spec, refused=refused)
        level = guard.stop if nearest is None else plan.farther(guard.side, guard.stop, nearest)
        held = position.stop_loss
        guard = await self._watch(guard, safe=held is not None)
        if held is not None and plan.holds(guard.side, held, level):
            if not steps.trails(guard):
                await self._end(guard)
            return True
        if guard.keep is not None:
            return await self._reduce(guard, position.quantity)
        return await self._send(guard, steps.stop_at(guard, level))

    async def _send(self, guard: Guard, intent: PlaceIntent | CancelIntent | ModifyIntent) -> bool:
        """Make one step an order of its own; hold off after one that was refused or is unknown."""
        position_id = guard.position_id
        until = self._held_off.get(position_id)
        if until is not None and self._clock.monotonic() < until:
            return True
        view = await self._order(guard, intent)
        if view.status in _TAKEN:
            for counted in (self._refused, self._uncancelled):
                counted.pop(position_id, None)
            return False
        if isinstance(intent, CancelIntent):
            self._uncancelled[position_id] += 1
            if self._uncancelled[position_id] < CANCELS_MAX:
                return False  # the next read tells whether it is gone; it may be cancelled again
            self._uncancelled.pop(position_id)
        elif view.status != "unknown":
            self._refused[position_id] += 1
            if self._refused[position_id] < REFUSALS_TOLD:
                return False  # at once again, at the distance the venue wants now
        self._hold_off(position_id)
        return True

    async def _reduce(self, guard: Guard, lots: Decimal) -> bool:
        """Send the close, or its next and wider step; give up what the venue refuses."""
        asked = guard.close_order
        order = None if asked is None else await self._journal.read(lambda tx: tx.order(asked))
        if order is not None and order.state is OrderState.PROPOSED:
            view = self._answers[order.order_id] = await self._gateway.resume(order.order_id)
            guard = await self.change(guard, "rung", rung=max(guard.rung, 1))
        elif ladder.spent(guard.rung):
            await self._give_up(guard, "every step of the ladder was tried")
            return False
        else:
            price = self.rung_price(guard.symbol, guard, guard.rung)
            intent = steps.close_of(guard, lots, price)
            guard = await self.change(guard, "rung", rung=guard.rung + 1)
            self._tell("activity", guard, {"exit": "close", "rung": guard.rung, "limit": price})
            view = await self._order(guard, intent)
            if view.attempt is not None and view.attempt.filled_quantity > ZERO:
                await self.change(guard, "rung", rung=guard.rung - 1)  # this far it fills
        if view.status in ("rejected", "not_sent", "approval_required"):
            await self._give_up(guard, f"{view.status}: {view.code}")
        return False

    async def _give_up(self, guard: Guard, reason: str) -> None:
        """End a close that does not go, so that the position is protected again."""
        guard = await self.change(guard, "close_failed", keep=None, close_order=None, rung=0)
        self._tell("alarm", guard, {"alarm": "close failed", "reason": reason})

    async def _watch(self, guard: Guard, *, safe: bool) -> Guard:
        """Count how long a position is unprotected; tell a human when that is too long."""
        position_id = guard.position_id
        if safe:
            self._naked.pop(position_id, None)
            if guard.alarmed:
                guard = await self.change(guard, "protected", alarmed=False)
            return guard
        now = self._clock.monotonic()
        since = self._naked.setdefault(position_id, now)
        late = now - since >= NAKED_MAX_S or self._refused[position_id] >= REFUSALS_TOLD
        if guard.alarmed or not late:
            return guard
        closing = guard.keep is None and self._means.unprotected == "close"
        fields = {"keep": ZERO, "close_order": None, "rung": 0} if closing else {}
        guard = await self.change(guard, "naked", alarmed=True, **fields)
        self._tell("alarm", guard, {"alarm": "naked position", "stop": guard.stop})
        await self._halt(f"incident: position {position_id} has no stop")
        return guard

    async def _halt(self, reason: str) -> None:
        await self._gateway.halt(ScopeKind.ACCOUNT, self._gateway.account_id, reason)

    async def _withdraw(self, guard: Guard) -> None:
        """Take back a close that was journaled and that nothing is left to send for."""
        asked = guard.close_order
        order = None if asked is None else await self._journal.read(lambda tx: tx.order(asked))
        if order is not None and order.state is OrderState.PROPOSED:
            await self._gateway.withdraw(order.order_id, asker=steps.principal_of(guard))

    async def _end(self, guard: Guard) -> None:
        await self._withdraw(guard)
        await self.change(guard, "ended", ended_at=self._clock.now())
        for memory in (self._naked, self._refused, self._uncancelled, self._held_off):
            memory.pop(guard.position_id, None)

    async def _order(
        self, guard: Guard, intent: PlaceIntent | CancelIntent | ModifyIntent | CloseIntent
    ) -> OrderView:
        return await self._gateway.one_order(
            intent, key=self.key(), asker=steps.principal_of(guard)
        )

    def _tell(self, topic: str, guard: Guard, body: Mapping[str, object]) -> None:
        owner = None if topic == "alarm" else guard.principal
        about = {"position_id": guard.position_id, "symbol": guard.symbol, **body}
        self._means.publish(Change(topic=topic, principal=owner, body=about))
        say = _log.error if topic == "alarm" else _log.info
        say(f"exits.{topic}", **{name: str(value) for name, value in about.items()})

    def _hold_off(self, position_id: PositionId) -> None:
        self._held_off[position_id] = self._clock.monotonic() + DOUBT_S

    def _market(self, symbol: Symbol) -> tuple[Quote | None, Instrument | None]:
        markets = self._means.markets
        return markets.quote(symbol), markets.instrument(symbol)

    @property
    def hurried(self) -> bool:
        """Say whether something is unprotected or holds off: the next look must come soon."""
        return bool(self._naked or self._held_off)


def _closes(tx: JournalTx, attempt: AttemptRecord, position_id: PositionId) -> bool:
    order = tx.order(attempt.order_id)
    intent = None if order is None else order.intent
    return isinstance(intent, CloseIntent) and intent.position_id == position_id
