"""Requests that take more than one order where the venue attaches, links and bounds nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import Capabilities, Position, VenueSnapshot
from ordergate.model.errors import DataUnavailable, IllegalState, NotReady, NotSupported
from ordergate.model.orders import (
    KEEP,
    CancelIntent,
    CloseIntent,
    Intent,
    Keep,
    ModifyIntent,
    OrderState,
    OrderType,
    PlaceIntent,
)
from ordergate.model.principals import Kind, Principal
from ordergate.model.records import Guard, OrderRecord
from ordergate.model.values import ZERO, IdempotencyKey, OrderId, PositionId
from ordergate.model.verdicts import Verb
from ordergate.model.views import OrderView
from ordergate.order.emergency import HeldOutside
from ordergate.order.errands import Errands
from ordergate.order.exits import plan, steps
from ordergate.order.exits.plan import Drop, Leg, Put
from ordergate.order.exits.protect import DOUBT_S, Means, Protect
from ordergate.order.opened import news
from ordergate.ports.journal import JournalTx

ROUNDS: Final = 5  # of a close whose way is not clear yet; the workers go on after them
_TAKEN: Final = frozenset({"working", "partial", "filled", "unknown", "applied"})


class ExitPlans:
    """Implements ports.managed_exits.ManagedExits: the request is the plan's first order."""

    def __init__(self, means: Means, protect: Protect) -> None:
        self._means = means
        self._protect = protect
        self._gateway = means.gateway
        self._journal = means.journal
        self._errands = Errands[OrderView]()

    def manages(self, intent: Intent) -> bool:
        """Say whether the venue cannot do it in one order by itself."""
        can = self._means.reader.capabilities()
        match intent:
            case CloseIntent():
                return not can.refuses_over_close
            case ModifyIntent():
                return not can.attached_stops
            case PlaceIntent():
                return _trails(intent, can)
            case CancelIntent():
                return False

    async def walk(
        self, intent: Intent, *, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Walk the plan to its end, even when the caller goes away."""

        async def plan() -> OrderView:
            try:
                return await self._walk(intent, key, asker)
            except HeldOutside:  # the books began to fail, or went well again, with this request
                return await self._gateway.one_order(intent, key=key, asker=asker)

        return await self._errands.run(plan())

    async def _walk(
        self, intent: Intent, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        match intent:
            case CloseIntent():
                async with self._protect.lock(intent.position_id):
                    return await self._close(intent, key, asker)
            case ModifyIntent():
                return await self._modify(intent, key, asker)
            case PlaceIntent():
                return await self._trail(intent, key, asker)
            case CancelIntent():
                return await self._gateway.one_order(intent, key=key, asker=asker)

    async def _close(
        self, intent: CloseIntent, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Journal the close with its plan, clear its way, send it, go on until it is done.

        One that would be refused takes nothing from the position.
        """
        stored = await self._stored(key, asker)
        snapshot = await self._protect.snapshot()
        position = None if snapshot is None else plan.held_of(intent.position_id, snapshot)
        if stored is not None and isinstance(stored.intent, CloseIntent):
            again = replace(intent, limit_price=stored.intent.limit_price)
            return await self._gateway.one_order(again, key=key, asker=asker)
        if snapshot is None or position is None or stored is not None:
            return await self._gateway.one_order(intent, key=key, asker=asker)
        judgement = await self._gateway.check(intent, asker=asker)
        if judgement.decision.verb is not Verb.ALLOW:
            return await self._gateway.one_order(intent, key=key, asker=asker)
        known = await self._protect.guard(intent.position_id)
        await self._require_no_doubt(known, asker)
        guard = known or await self._bare(position, asker)
        if guard.stop is None:
            stop = plan.resting_stop(guard.side, plan.legs_of(position, guard, snapshot))
            guard = replace(guard, stop=stop)
        asked = intent
        intent = replace(intent, limit_price=self._protect.rung_price(intent.symbol, guard, 0))
        keep = ZERO if intent.quantity is None else position.quantity - intent.quantity

        def also(tx: JournalTx, order: OrderRecord) -> None:
            now = _as_it_stands(tx, guard)
            stop = guard.stop if now.stop is None else now.stop
            closing = {"keep": keep, "close_order": order.order_id, "rung": 0, "stop": stop}
            self._protect.put(tx, now, "closing", **closing)

        try:
            order = await self._gateway.propose(intent, key=key, asker=asker, also=also)
        except NotReady as error:
            if isinstance(error, HeldOutside) or not self._gateway.exits_only:
                raise
            # The books began to take nothing with this very close.
            return await self._gateway.one_order(asked, key=key, asker=asker)
        for _ in range(ROUNDS):
            await self._protect.walk(intent.position_id)
            answer = self._protect.answer(order.order_id)
            if answer is not None or not await self._waits(order.order_id):
                break
            if self._gateway.exits_only:  # no plan goes on without books: out, as another ask would
                return await self._gateway.one_order(asked, key=self._protect.key(), asker=asker)
            await self._means.clock.sleep(DOUBT_S)
        return answer or await self._gateway.status(order.order_id, asker=asker)

    async def _waits(self, order_id: OrderId) -> bool:
        """Say whether the close is still to be sent: its way could not be cleared so far."""
        order = await self._journal.read(lambda tx: tx.order(order_id))
        return order is not None and order.state is OrderState.PROPOSED

    async def _require_no_doubt(self, guard: Guard | None, asker: Principal) -> None:
        """Let the operator alone close again while an earlier close may still execute."""
        if guard is None or guard.keep is None or asker.kind is Kind.OPERATOR:
            return
        if await self._protect.close_in_doubt(guard):
            raise IllegalState(
                f"a close of {guard.position_id} is in doubt, and this venue does not refuse a"
                " second one: it could turn the position round",
                fix="wait until it is found out, or let the operator close it: only they may accept"
                " the overshoot",
            )

    async def _modify(
        self, intent: ModifyIntent, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Bring a stop nearer, or set a target, by an order that replaces the one at rest."""
        stored = await self._stored(key, asker)
        if stored is not None and isinstance(stored.intent, ModifyIntent):
            return await self._gateway.one_order(intent, key=key, asker=asker)
        snapshot = await self._protect.snapshot()
        found = None if snapshot is None else await self._named(intent, snapshot)
        if found is None or snapshot is None:
            return await self._gateway.one_order(intent, key=key, asker=asker)
        position, stop, target = found
        async with self._protect.lock(position.position_id):
            known = await self._protect.guard(position.position_id)
            guard = known or await self._bare(position, asker)
            _require_nearer(guard, stop)
            legs = plan.legs_of(position, guard, snapshot)
            order = _changed(guard, position, stop, target, legs)
            if order is None:
                return await self._gateway.one_order(intent, key=key, asker=asker)
            fields: dict[str, object] = {}
            if isinstance(stop, Decimal):
                fields["stop"] = stop
            if not isinstance(target, Keep):
                fields["target"] = target
            return await self._instead(order, guard, fields, key=key, asker=asker)

    async def _named(
        self, intent: ModifyIntent, snapshot: VenueSnapshot
    ) -> tuple[Position, Decimal | Keep | None, Decimal | Keep | None] | None:
        """Return the position a request is about, with its new stop and target."""
        if intent.position_id is not None:
            position = plan.held_of(intent.position_id, snapshot)
            if position is None or position.symbol != intent.symbol:
                return None
            return position, intent.stop_loss, intent.take_profit
        if intent.quantity is not KEEP:
            return None
        resting = next(
            (row for row in snapshot.open_orders if row.venue_order_id == intent.venue_order_id),
            None,
        )
        if resting is None or not resting.reduce_only or resting.position_id is None:
            return None
        position = plan.held_of(PositionId(resting.position_id), snapshot)
        if position is None or position.symbol != intent.symbol:
            return None
        if resting.order_type in plan.STOP_KINDS:
            return position, intent.stop_price, KEEP
        return position, KEEP, intent.limit_price

    async def _trail(
        self, intent: PlaceIntent, key: IdempotencyKey | None, asker: Principal
    ) -> OrderView:
        """Let a stop rest where the trail begins; from then on it is only ever brought nearer."""
        snapshot = await self._protect.snapshot()
        held = [
            row
            for row in (() if snapshot is None else snapshot.positions)
            if (row.symbol, row.side) == (intent.symbol, intent.side.opposite)
        ]
        if len(held) != 1:
            raise NotSupported(
                f"{len(held)} positions of {intent.symbol} could be meant: this venue has no"
                " trailing stops, and the gate trails the stop of one position",
                fix="trail where one position of the symbol and side is open",
            )
        quote = self._means.markets.quote(intent.symbol)
        spec = self._means.markets.instrument(intent.symbol)
        if quote is None or spec is None:
            raise DataUnavailable(
                f"there is no price of {intent.symbol} to trail", fix="ask again with a price"
            )
        (position,) = held
        async with self._protect.lock(position.position_id):
            known = await self._protect.guard(position.position_id)
            guard = known or await self._bare(position, asker)
            trail: dict[str, object] = {
                "trail_amount": intent.trail_amount,
                "trail_percent": intent.trail_percent,
            }
            trailing = replace(
                guard,
                stop=None,
                trail_amount=intent.trail_amount,
                trail_percent=intent.trail_percent,
            )
            standing = plan.nearer(guard.side, guard.stop, position.stop_loss)
            level = plan.nearer(guard.side, standing, plan.trailed(trailing, quote, spec))
            if level is None:
                return await self._gateway.one_order(intent, key=key, asker=asker)
            order: PlaceIntent | ModifyIntent = replace(
                steps.put_of(Put(True, intent.quantity, level), guard),
                note=intent.note,
                strategy=intent.strategy,
            )
            if self._means.reader.capabilities().attached_stops:
                order = replace(steps.stop_at(guard, level), note=intent.note)
            return await self._instead(order, guard, {**trail, "stop": level}, key=key, asker=asker)

    async def _instead(
        self,
        order: PlaceIntent | CancelIntent | ModifyIntent,
        guard: Guard,
        fields: dict[str, object],
        *,
        key: IdempotencyKey | None,
        asker: Principal,
    ) -> OrderView:
        """Journal the replacing order with the guard's new terms, send it, drop what it replaces.

        Refused by the venue, the guard's terms are as they were.
        """
        stored = await self._stored(key, asker)
        if stored is not None and _same_terms(stored.intent, order):
            order = stored.intent  # type: ignore[assignment]  # of the same kind, as it was sent
        managed = Principal(asker.id, Kind.GATEWAY, asker.name)
        before: dict[str, object] = {}

        def also(tx: JournalTx, _: OrderRecord) -> None:
            now = _as_it_stands(tx, guard)
            before.update({name: getattr(now, name) for name in fields})
            _require_nearer(now, fields.get("stop", KEEP))  # type: ignore[arg-type]  # a guard's own field
            self._protect.put(tx, now, "retargeted", **fields)

        proposed = await self._gateway.propose(order, key=key, asker=managed, also=also)
        view = await self._gateway.resume(proposed.order_id)
        if not view.replayed and view.status not in _TAKEN:
            changed = await self._protect.guard(guard.position_id)
            if changed is not None:
                await self._protect.change(changed, "retarget_refused", **before)
        await self._protect.walk(guard.position_id)
        return view

    async def _stored(self, key: IdempotencyKey | None, asker: Principal) -> OrderRecord | None:
        if key is None:
            return None
        return await self._journal.read(lambda tx: tx.order_for_key(asker.id, key))

    async def _bare(self, position: Position, asker: Principal) -> Guard:
        """Return a guard, not written yet, over a position that has none.

        One that has only just been opened is held under its order's own terms: a change of them
        that is refused falls back to those.
        """
        now, position_id = self._means.clock.now(), position.position_id
        account = self._gateway.account_id
        fresh = await self._journal.read(lambda tx: news(tx, account).watched)
        guard = Guard(
            guard_id=self._means.ids.new_id(),
            ver=0,
            account=self._gateway.account_id,
            venue=self._gateway.venue,
            symbol=position.symbol,
            position_id=position_id,
            side=position.side,
            principal=asker.id,
            parent=None,
            stop=None,
            target=None,
            trail_amount=None,
            trail_percent=None,
            keep=None,
            close_order=None,
            rung=0,
            alarmed=False,
            created_at=now,
            updated_at=now,
        )
        for opened, intent, order in fresh:
            if opened == position_id:
                guard = steps.enlarged(replace(guard, parent=order.order_id), intent)
        return guard


def _trails(intent: PlaceIntent, can: Capabilities) -> bool:
    missing = intent.order_type not in can.order_types
    return intent.order_type is OrderType.TRAILING_STOP and missing and intent.reduce_only


def _as_it_stands(tx: JournalTx, guard: Guard) -> Guard:
    """Return the guard as it is now: one may have come to stand since, or have moved."""
    return tx.guard(guard.account, guard.position_id) or guard


def _require_nearer(guard: Guard, stop: Decimal | Keep | None) -> None:
    if isinstance(stop, Keep) or guard.stop is None:
        return
    if stop is None or not plan.holds(guard.side, stop, guard.stop):
        raise NotSupported(
            f"the stop rests as an order of its own here, at {guard.stop}: it is only ever brought"
            " nearer",
            fix="send a nearer stop, or close the position: both pass at once",
        )


def _changed(
    guard: Guard,
    position: Position,
    stop: Decimal | Keep | None,
    target: Decimal | Keep | None,
    legs: tuple[Leg, ...],
) -> PlaceIntent | CancelIntent | None:
    """Return the order that carries the change out; None where there is nothing to send."""
    if isinstance(stop, Decimal):
        return steps.put_of(Put(True, position.quantity, stop), guard)
    if isinstance(target, Decimal):
        return steps.put_of(Put(False, position.quantity, target), guard)
    if target is None:
        for leg in legs:
            if not leg.stop:
                return steps.drop_of(Drop(leg.venue_order_id), guard)
    return None


def _same_terms(stored: Intent, asked: PlaceIntent | CancelIntent | ModifyIntent) -> bool:
    """Say whether a key's stored order is this one, but for what the market and fills decide."""
    if isinstance(stored, ModifyIntent) and isinstance(asked, ModifyIntent):
        return replace(asked, stop_loss=stored.stop_loss) == stored
    if not isinstance(stored, PlaceIntent) or not isinstance(asked, PlaceIntent):
        return stored == asked
    trails = stored.note == asked.note and stored.strategy == asked.strategy
    return trails and replace(
        asked, quantity=stored.quantity, stop_price=stored.stop_price
    ) == replace(stored)
