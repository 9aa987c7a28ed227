"""Episodes at a plain exchange: stop and target rest as orders of their own, and nothing is bound.

The gate's own workers run beside the story, on a loop that skips every wait. The market takes legs
of the bracket whole, in part, and both at once: what that opens must be closed and told of.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from chaos import venue_books
from chaos.episode import PLACES, Episode, Tally, Trapped, _position, _said
from chaos.venue_books import Held, Watch
from ordergate.model.errors import IllegalState, NotFound, NotReady, NotSupported, Refused
from ordergate.model.orders import CancelIntent, CloseIntent, Intent, OrderType, PlaceIntent, Side
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import Symbol, VenueOrderId
from ordergate.model.views import OrderView
from support import plain_gate
from support.full_disk import fill, free
from support.gate import Gate
from support.order_records import AGENT, OPERATOR
from support.skipping_loop import LoopClock

SHARE = 0.125  # of all episodes: one costs three of the others
TOLD = "exits exceeded the position"
IN_TIME_S = 2.0
AFTER_LOSSES_S = 20.0  # answers that were lost, and books, are tried again one by one
FOUND_OUT_S = 8.0  # then a close is still in doubt, and the operator is asked
LOST_MAX = 6  # requests of one kind that the wire loses at most
LOOKS = 40  # while waiting
SLICES_MAX = 40
SWEEP_S = 6.0  # books that failed are tried again within it
GONE = 0  # the number of no position: nothing is held, and nothing rests
KEPT = frozenset({"approval_required", "rejected", "denied"})


def is_plain(seed: int) -> bool:
    return random.Random(f"market {seed}").random() < SHARE


class PlainEpisode(Episode):
    """One bracket and its way out, where the venue links and bounds nothing."""

    def __init__(self, seed: int, folder: Path) -> None:
        super().__init__(seed, folder)
        self.tally.plain = 1
        lots = Decimal(self.lot)
        cap = self.chance.choice((None, None, lots / 2, lots / 5))
        self.terms = dataclasses.replace(plain_gate.PLAIN, fill_cap=cap)
        self.bracket = self.chance.random() < 0.8
        self.early = self.chance.random() < 0.3
        self.doubled = False
        self.full = False
        self.filled_before = 0
        self._levels: dict[bool, int] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.watch: Watch | None = None

    async def play(self) -> Tally:
        loop = asyncio.get_running_loop()
        self.clock = LoopClock(loop)
        self.watch = Watch(
            self.file,
            self.symbol,
            self._way,
            now=lambda: loop.time() + time.perf_counter(),  # what is waited and what is worked
        )
        try:
            return await super().play()
        finally:
            self.watch.end()
            self.tally.naked += self.watch.spells["naked"]
            self.tally.excess += self.watch.spells["excess"]

    @property
    def _way(self) -> int:
        return 1 if self.side is Side.BUY else -1

    @property
    def _within_s(self) -> float:
        return AFTER_LOSSES_S if self.weather & {"lost", "disk"} else IN_TIME_S

    async def _start(self) -> Gate:
        gate = await super()._start()
        sound = gate.venue._core.land

        def land(work: object) -> None:
            sound(work)  # type: ignore[arg-type]  # the venue's own
            assert self.watch is not None
            self.watch.look()

        gate.venue._core.land = land  # type: ignore[method-assign]  # seen, not changed
        self.tasks = plain_gate.at_work(gate)
        return gate

    async def _stop(self) -> None:
        await plain_gate.home(self.tasks)
        await super()._stop()

    # good weather

    async def _open(self) -> Held:
        price = Decimal(self.ask if self.side is Side.BUY else self.bid)
        far = Decimal(self.far) * self._way
        full_first = self.early and "disk" in self.weather  # no book ever hears of the fill
        away = far / 50 if full_first else Decimal(0)
        reached = (Decimal(self.bid) - away, Decimal(self.ask) - away)
        entry = PlaceIntent(
            **PLACES,
            symbol=Symbol(self.symbol),
            side=self.side,
            order_type=OrderType.LIMIT if full_first else OrderType.MARKET,
            quantity=Decimal(self.lot),
            limit_price=price - away / 2 if full_first else None,
            stop_loss=price - far,
            take_profit=price + far if self.bracket else None,
        )
        await self.gate.line.gateway.submit(entry, key=None, asker=AGENT)
        if full_first:
            await fill(self.gate.store)
        lots = int(Decimal(self.lot) / self._step())
        for _ in range(SLICES_MAX):
            if sum(row.steps for row in self._books().held) >= lots:
                break
            self.market.set(self.symbol, *reached)
            await self.clock.sleep(0.01)
        self.market.set(self.symbol, self.bid, self.ask)
        (held,) = self._books().held
        if held.steps != lots:
            raise AssertionError(f"{held.steps} of {lots} were opened")
        self.resting = False
        if not self.early:
            await self._in_order(held.number)
            await self._rest_an_opening(price - far)
        self.filled_before = venue_books.last_fill(self.file)
        return held

    async def _trouble(self, held: Held) -> None:
        await super()._trouble(held)
        self.full = "disk" in self.weather

    # exits

    def _acts(self) -> tuple[Callable[[Held], Awaitable[None]], ...]:
        return (*super()._acts(), self._cancel_stop, self._target_taken, self._stop_taken)

    async def _tighten(self, held: Held) -> None:
        if held.stop == 0:
            return
        if self.full:  # the venue has no such request, and a plan is kept in the books
            with suppress(NotReady):
                await self._strip(held)
            return
        await super()._tighten(held)

    async def _strip(self, held: Held) -> None:
        if held.stop:
            with suppress(NotSupported):  # only ever brought nearer
                await super()._strip(held)

    async def _reduce(self, held: Held) -> None:
        """Try to sell beside the stop: that may be refused, and must not open anything."""
        if self.netting:
            sale = PlaceIntent(
                **self._named(held),  # type: ignore[arg-type]  # the words of a request
                side=Side.SELL if held.side > 0 else Side.BUY,
                order_type=OrderType.MARKET,
                quantity=held.steps * self._step(),
                reduce_only=True,
            )
            with suppress(Refused):  # on a full disk there is no order to answer with
                await self._ask(sale)

    async def _cancel_stop(self, held: Held) -> None:
        """Try to take the stop away under the name of a cancel."""
        stops = [leg for leg in self._legs(held) if leg.stop]
        if not stops:
            return
        self.tally.hostile += 1
        leg = self.chance.choice(stops)
        cancel = CancelIntent(
            **self._named(held),  # type: ignore[arg-type]  # the words of a request
            venue_order_id=VenueOrderId(f"O{leg.number}"),
        )
        with suppress(NotReady):
            view = await self._ask(cancel)
            if view.status not in KEPT:
                raise AssertionError(f"a stop was stripped by a cancel: {_said(view)}")

    async def _target_taken(self, held: Held) -> None:
        """Let the market reach the target, for one slice."""
        if not self.night and any(not leg.stop for leg in self._legs(held)):
            self.tally.legs["target"] += 1
            self._reach(held, stop=False)
            await self.clock.sleep(self.chance.choice((0.0, 0.01, 0.5)))
            self._recover_price()

    async def _stop_taken(self, held: Held) -> None:
        if not self.night and held.stop:
            self.tally.legs["stop"] += 1
            self._reach(held, stop=True)
            await self.clock.sleep(self.chance.choice((0.0, 0.01, 0.5)))
            self._recover_price()

    async def _get_flat(self, opened: Held) -> None:
        held = self._held(opened.number)
        if held is not None and self.chance.random() < 0.6:
            await self._both_taken(held)
        await super()._get_flat(opened)

    async def _both_taken(self, held: Held) -> None:
        """Let the market take stop and target in one breath, before anybody can cancel the other.

        What that opens must be gone, told of and halted for within the time of a naked position.
        """
        kinds = {leg.stop for leg in self._legs(held)}
        if self.night or len(kinds) < 2:
            return
        first = self.chance.random() < 0.5
        for stop in (first, not first):
            for _ in range(self.chance.randint(1, 6)):
                self._reach(held, stop=stop)
        self._recover_price()
        await self.clock.sleep(0.0)
        opened = venue_books.opened_after(self.file, self.filled_before)
        self.tally.legs["both"] += 1
        if opened:
            self.tally.double_fills += 1
            self.doubled = True
        await self._in_order(held.number)
        if self.doubled and not self.full:
            await self._require_told()

    async def _require_told(self) -> None:
        alarms = [change.body.get("alarm") for change in self.gate.changes]
        halts = (await self.gate.line.gateway.safety()).halts
        if TOLD not in alarms:
            raise AssertionError("both legs filled, and nobody was told")
        # A halt of the account that stood already (a lost day, chaos) is not made twice.
        if not any((one.kind, one.scope) == (HaltKind.HALT, ScopeKind.ACCOUNT) for one in halts):
            raise AssertionError(f"both legs filled, and new risk goes on: {halts}")

    def _reach(self, held: Held, *, stop: bool) -> None:
        """Let the market trade two ticks beyond the stops, or the targets, of a position."""
        legs = [leg.at for leg in self._legs(held) if leg.stop is stop]
        ticks = self._levels.setdefault(stop, legs[0] if legs else 0)
        tick, spread = self._tick(), Decimal(self.ask) - Decimal(self.bid)
        price = (ticks + (-2 if stop else 2) * self._way) * tick
        if self.side is Side.BUY:
            self.market.set(self.symbol, price, price + spread)
        else:
            self.market.set(self.symbol, price - spread, price)

    def _recover_price(self) -> None:
        self._levels.clear()
        self.market.set(self.symbol, self.bid, self.ask)

    async def _make_room(self) -> None:
        if self.full:
            await free(self.gate.store)
            self.full = False
            await self.clock.sleep(SWEEP_S)
            if self.gate.spool.held().bodies:
                raise AssertionError("the disk has room, and an exit is not in the books")
        await self._in_order(GONE)
        if self.doubled:
            await self._require_told()

    async def _find_out(self) -> None:
        await self.clock.sleep(1.0)  # the workers find it out

    async def _ask(self, intent: Intent) -> OrderView:
        """Ask as an agent; where a close is in doubt for long, let the operator close."""
        try:
            return await super()._ask(intent)
        except IllegalState:
            if not isinstance(intent, CloseIntent) or "lost" not in self.weather:
                raise
        await self.clock.sleep(FOUND_OUT_S)
        try:
            return await super()._ask(intent)
        except IllegalState:
            return await self._operator_closes(intent)

    async def _operator_closes(self, intent: CloseIntent) -> OrderView:
        self.tally.by_operator += 1
        try:
            return await self.gate.line.desk.close(
                intent.position_id, reason="chaos", operator=OPERATOR
            )
        except NotFound:  # it has gone meanwhile: ask like anybody
            return await super()._ask(intent)

    # what must hold

    async def _in_order(self, number: int) -> None:
        """Wait until what rests fits what is held: in time, or as soon as lost answers are found.

        On a full disk what an exit has opened stays until there is room; all else is held to fit.
        """
        if await self._fits(number):
            return
        # A close that was lost is never repeated by itself where it could turn a position round:
        # only the operator may accept that, as often as it is lost.
        for _ in range(LOST_MAX if "lost" in self.weather else 0):
            for held in self._books().held:
                if held.number != number:
                    close = CloseIntent(**self._named(held), position_id=_position(held))
                    await self._operator_closes(close)
            if await self._fits(number):
                return
        faults = "; ".join(self._unfit(number))
        raise Trapped(f"after {self._within_s:.0f} s: {faults}")

    async def _fits(self, number: int) -> bool:
        until = self.clock.monotonic() + self._within_s
        while self._unfit(number):
            if self.clock.monotonic() >= until:
                return False
            await self.clock.sleep(self._within_s / LOOKS)
        return True

    def _unfit(self, number: int) -> list[str]:
        faults = venue_books.unfit(self.file, number)
        return [one for one in faults if not (self.full and "besides" in one)]

    def _look_back(self, before_trouble: int) -> None:
        wrong = venue_books.overclosed(self.file) + venue_books.executed_twice(self.file)
        if not self.doubled and "lost" not in self.weather:
            wrong += venue_books.opened_after(self.file, before_trouble)
        if wrong:
            raise AssertionError("; ".join(wrong))

    def _looser(self, before: Held, after: Held) -> bool:
        return before.stop != 0 and super()._looser(before, after)

    # short words

    def _held(self, number: int) -> Held | None:
        """Return the position with the farthest of its stops, where they cover all of it."""
        held = super()._held(number)
        if held is None or held.resting_stop < held.steps:
            return held
        return dataclasses.replace(held, stop=held.resting_at)

    def _legs(self, held: Held) -> list[venue_books.Leg]:
        return [leg for leg in venue_books.legs(self.file) if leg.position == held.number]
