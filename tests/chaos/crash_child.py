"""One life of the gateway: the production house on its own files, an agent that asks, an end.

It runs in a forked child. All of the house is production code but the market, the clock's offset
and the venue's adapter; the venue itself lives in the parent. What was asked in an earlier life is
asked again with its key, as an agent does whose call was cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import structlog

from chaos import crash_steps
from chaos.crash_broken import BROKEN
from chaos.crash_steps import Crash
from chaos.crash_wire import WireVenue
from ordergate.adapters.storage.store import SqlStore
from ordergate.adapters.system import SystemClock
from ordergate.bootstrap import house
from ordergate.bootstrap.house import House, build
from ordergate.identity.factors.passkeys import Site
from ordergate.model.errors import GateError
from ordergate.model.orders import CancelIntent, ModifyIntent, OrderType, PlaceIntent, Side
from ordergate.model.proofs import Method, Proof
from ordergate.model.records import HaltKind, ScopeKind
from ordergate.model.values import AccountId, IdempotencyKey, PositionId, Symbol, VenueName
from ordergate.model.views import OrderView
from ordergate.settings.load import Settings, load
from support.full_disk import fill, free
from support.gate import a_market
from support.order_records import AGENT, OPERATOR, buy
from support.plain_gate import a_close

STOP, NEARER, TARGET = Decimal("1.08000"), Decimal("1.08200"), Decimal("1.09500")
FAR, FAR_STOP = Decimal("1.07000"), Decimal("1.06500")
ASKS_MAX = 5
ROUNDS_MAX = 24
ROUND_S = 75.0  # the clock of a round in which everything comes to rest; > 60 s: PARKED is due
REST_S = 8.0


@dataclass(frozen=True, kw_only=True)
class Life:
    """What the parent wants of one child."""

    folder: Path
    number: int
    tasks: tuple[dict[str, Any], ...]
    step: str | None
    nth: int
    last: bool
    offset_s: float
    broken: str | None


class ShiftedClock(SystemClock):
    """The machine's clocks, moved on together: an hour of waiting takes no time."""

    offset_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.offset_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.offset_s


def settings_of(folder: Path) -> Settings:
    return load(
        {
            "ORDERGATE_CONFIG_DIR": str(folder / "config"),
            "ORDERGATE_DATA_DIR": str(folder / "data"),
        }
    )


def live(life: Life, wire: socket.socket, control: int) -> None:
    """Live to the end, or to the step at which this process kills itself."""

    def say(words: dict[str, Any]) -> None:
        os.write(control, json.dumps(words).encode() + b"\n")

    structlog.configure(processors=[_unheard])
    gc.disable()  # a short life
    crash = Crash(life.step, life.nth, say)
    if life.broken is not None:
        BROKEN[life.broken].patch()
    crash_steps.install(crash)
    wire.setblocking(False)
    asyncio.run(Living(life, wire, crash, say).run())


def _unheard(*_: object) -> str:
    raise structlog.DropEvent


@dataclass
class Living:
    life: Life
    end: socket.socket
    crash: Crash
    say: Callable[[dict[str, Any]], None]
    house: House = field(init=False)
    venue: WireVenue = field(init=False)

    async def run(self) -> None:
        self.house = await self._built()
        stop = asyncio.Event()
        line = self.house.line
        workers = [
            asyncio.create_task(work(stop))
            for work in (line.settle.run, line.upkeep.run, line.guarding.run)
        ]
        self.say({"say": "ready"})
        await self._release_incidents()
        await asyncio.gather(*(self._told(task) for task in self.life.tasks))
        if self.life.last:
            await self._come_to_rest()
        else:
            await self.house.anchoring.keep()
        self.crash.at("restored")
        self.say({"say": "done"})
        if not self.life.last:
            await asyncio.sleep(REST_S)  # the parent ends it
        stop.set()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self.house.close()

    async def _built(self) -> House:
        market = self.market = a_market()
        self.venue = WireVenue(self.end, market, self.crash)
        ShiftedClock.offset_s = self.life.offset_s

        async def given(*_: object) -> Any:
            return house._Place(
                feed=None,  # type: ignore[arg-type]
                market=market,  # type: ignore[arg-type]
                venue=self.venue,  # type: ignore[arg-type]
                listen=self.venue.listen,
            )

        house._trading_place = given
        house.SystemClock = ShiftedClock  # type: ignore[misc]
        return await build(
            settings_of(self.life.folder),
            site=Site("ordergate.localhost", ()),
            approve_url=lambda ticket: f"http://ordergate.localhost:8030/approve/{ticket}",
            publish=lambda change: None,
        )

    async def _release_incidents(self) -> None:
        """Let the operator end what an incident has halted; never the kill switch."""
        for halt in await self.house.line.desk.halts():
            if halt.kind is HaltKind.HALT:
                await self.house.line.desk.release(halt.halt_id, reason="seen", operator=OPERATOR)

    async def _told(self, task: dict[str, Any]) -> None:
        """Do a task; a refusal is an answer, anything else is a defect and told as one."""
        try:
            await getattr(self, f"_{task['do']}")(task)
        except GateError as error:
            self.say({"say": "refused", "key": task["key"], "code": error.code})
        except Exception as error:
            self.say(
                {"say": "error", "key": task["key"], "what": f"{type(error).__name__}: {error}"}
            )
            raise

    # what an agent does

    async def _enter(self, task: dict[str, Any], **more: Any) -> OrderView:
        intent = buy(quantity=Decimal(task["lots"]), stop_loss=STOP, **more)
        return await self._submit(task, intent)

    _partial = _lost = _requote = _enter

    async def _submit(self, task: dict[str, Any], intent: PlaceIntent) -> OrderView:
        gateway, key = self.house.line.gateway, IdempotencyKey(task["key"])

        async def ask() -> OrderView:
            return await gateway.submit(intent, key=key, asker=AGENT)

        view = await self._answered(task, ask)
        for _ in range(ASKS_MAX):
            if view.status != "requoted":
                break
            view = await self._answered(task, ask)
        return view

    async def _answered(
        self, task: dict[str, Any], ask: Callable[[], Coroutine[Any, Any, OrderView]]
    ) -> OrderView:
        """Ask, some agents twice at once; tell the parent which order the key stands for."""
        views = await asyncio.gather(*(ask() for _ in range(2 if task["doubled"] else 1)))
        for view in views:
            self.say({"say": "answer", "key": task["key"], "order": view.order.order_id})
        return views[0]

    async def _leave(self, task: dict[str, Any]) -> None:
        view = await self._enter(task)
        position = await self._position(view)
        if position is not None:
            await self._closed(task, position)

    async def _closed(self, task: dict[str, Any], position: PositionId) -> None:
        key = IdempotencyKey(f"{task['key']}-close")
        await self.house.line.gateway.close(a_close(position), key=key, asker=AGENT)

    async def _position(self, view: OrderView) -> PositionId | None:
        """Return the position an entry has opened, found out where its answer was lost."""
        for _ in range(3):
            attempt = view.attempt
            if attempt is not None and attempt.position_id is not None:
                return attempt.position_id
            await self.house.line.settle.scan()
            view = await self.house.line.gateway.status(view.order.order_id, asker=AGENT)
        return None

    async def _tighten(self, task: dict[str, Any]) -> None:
        position = await self._position(await self._enter(task))
        if position is None:
            return
        await self.house.line.guarding.look()
        change = ModifyIntent(
            account=AccountId("paper-1"),
            venue=VenueName("paper"),
            symbol=Symbol("EURUSD"),
            position_id=position,
            stop_loss=NEARER,
        )
        key = IdempotencyKey(f"{task['key']}-nearer")
        await self.house.line.gateway.modify(change, key=key, asker=AGENT)

    async def _trail(self, task: dict[str, Any]) -> None:
        """A position of its own symbol: the gate trails the stop of one position."""
        gateway = self.house.line.gateway
        terms = {"symbol": Symbol("USDJPY"), "quantity": Decimal(task["lots"])}
        entry = buy(stop_loss=Decimal("149.000"), **terms)
        position = await self._position(await self._submit(task, entry))
        if position is None:
            return
        trailing = buy(
            **terms,
            side=Side.SELL,
            order_type=OrderType.TRAILING_STOP,
            trail_amount=Decimal("0.500"),
            stop_loss=None,
            reduce_only=True,
        )
        key = IdempotencyKey(f"{task['key']}-trail")
        await gateway.submit(trailing, key=key, asker=AGENT)
        self.market.set("USDJPY", "151.000", "151.010")
        await self.house.line.guarding.look()

    async def _bracket(self, task: dict[str, Any]) -> None:
        """Both legs of a bracket fill in one fast move, once, before either is cancelled."""
        position = await self._position(await self._enter(task, take_profit=TARGET))
        if position is None:
            return
        await self.house.line.guarding.look()
        if task["from"] == self.life.number:
            await self.venue.both_legs(position)
            self.crash.at("both_legs")
        await self.house.line.settle.scan()

    async def _rest(self, task: dict[str, Any]) -> None:
        """An opening that rests, and its cancel; one of unknown fate is cancelled again."""
        view = await self._submit(task, self._resting(task))
        for _ in range(2):
            attempt = view.attempt
            if attempt is None or attempt.venue_order_id is None or view.status != "working":
                return
            cancel = CancelIntent(
                account=view.order.account,
                venue=view.order.venue,
                symbol=view.order.symbol,
                venue_order_id=attempt.venue_order_id,
                target_order_id=view.order.order_id,
            )
            await self.house.line.gateway.cancel(cancel, key=None, asker=AGENT)
            await self.house.line.settle.scan()
            view = await self.house.line.gateway.status(view.order.order_id, asker=AGENT)

    def _resting(self, task: dict[str, Any]) -> PlaceIntent:
        return buy(
            quantity=Decimal(task["lots"]),
            order_type=OrderType.LIMIT,
            limit_price=FAR,
            stop_loss=FAR_STOP,
        )

    async def _draft(self, task: dict[str, Any]) -> None:
        intent = buy(quantity=Decimal(task["lots"]), stop_loss=STOP)
        key = IdempotencyKey(task["key"])
        await self._answered(
            task, lambda: self.house.line.gateway.draft(intent, key=key, asker=AGENT)
        )

    async def _ask(self, task: dict[str, Any]) -> None:
        """An order that a human must say yes to, and the human who does."""
        view = await self._enter(task)
        ticket = view.ticket
        if view.status != "approval_required" or ticket is None:
            return
        await self.house.line.desk.approve(
            ticket.ticket_id,
            fingerprint=ticket.fingerprint,
            operator=OPERATOR,
            proof=Proof(method=Method.PASSWORD, at=datetime.now(UTC)),
        )

    async def _kill(self, task: dict[str, Any]) -> None:
        """An ask waits, an opening rests: and the kill switch is engaged."""
        with contextlib.suppress(GateError):
            await self._enter(task)
        with contextlib.suppress(GateError):
            rest = {**task, "key": task["key"] + "-rest", "lots": task["rest"]}
            await self._submit(rest, self._resting(rest))
        burst = [
            {**task, "key": f"{task['key']}-{lots}", "lots": lots} for lots in task.get("burst", ())
        ]
        await asyncio.gather(
            self._engaged(), *(self._told({**one, "do": "enter"}) for one in burst)
        )

    async def _engaged(self) -> None:
        await self.house.line.gateway.engage(
            scope=ScopeKind.GLOBAL, target="", reason="drill", asker=AGENT
        )
        self.say({"say": "killed"})  # on a full disk, too: then it is on the emergency record

    async def _disk(self, task: dict[str, Any]) -> None:
        """The disk fills up under a position: no opening leaves, the exit does."""
        store = self.house.store
        position = await self._position(await self._enter(task))
        if position is None or not isinstance(store, SqlStore):
            return
        if task["from"] == self.life.number:
            await fill(store)
            try:
                more = {**task, "key": task["key"] + "-more", "lots": task["rest"]}
                view = await self._enter(more)
                self.say({"say": "error", "key": more["key"], "what": f"opened: {view.status}"})
            except GateError:
                pass
        try:
            await self._closed(task, position)
        finally:
            await free(store)
        await self.house.line.settle.scan()

    # the end

    async def _come_to_rest(self) -> None:
        """Let time pass until nothing moves; what should be gone by then, the operator closes."""
        for number in range(ROUNDS_MAX):
            before = self.house.store.sealed()
            await self._round()
            if number:
                await self._let_out()
            if number and before == self.house.store.sealed():
                return
        self.say({"say": "restless"})

    async def _round(self) -> None:
        line = self.house.line
        await line.settle.scan()
        await line.guarding.look()
        ShiftedClock.offset_s += ROUND_S
        await line.settle.scan()
        await line.guarding.look()
        await line.upkeep.tick()

    async def _let_out(self) -> None:
        leaving = {Decimal(t["lots"]) for t in self.life.tasks if t["do"] in ("leave", "disk")}
        snapshot = await self.venue.snapshot()
        for position in snapshot.positions:
            tags = [position.tag] if position.tag is not None else []
            (attempt,) = await self.house.store.read(
                lambda tx, tags=tags: tx.attempts_tagged(tags)
            ) or (None,)
            excess = attempt is not None and not attempt.opening
            entered = position.quantity if attempt is None else attempt.quantity
            if entered not in leaving and not excess:
                continue
            with contextlib.suppress(GateError):
                await self.house.line.desk.close(
                    position.position_id, reason="out", operator=OPERATOR
                )
        for task in self.life.tasks:
            if task["do"] == "rest":
                with contextlib.suppress(GateError):
                    await self._rest(task)
