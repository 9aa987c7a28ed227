"""The push over the real books: told once, kept over a restart, never in an order's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.system import SystemIds
from ordergate.adapters.venues.paper.faults import Fault, FaultKind
from ordergate.alerts.pace import Rhythm
from ordergate.alerts.push import Line, Push
from ordergate.bootstrap.unanswered import Unanswered
from ordergate.model.accounts import Mode
from ordergate.model.alerts import AlertKind, Delivery, Message, Severity
from ordergate.model.errors import IllegalState, NotFound
from ordergate.model.records import ScopeKind
from ordergate.model.values import TicketId
from ordergate.model.views import Change, OrderView
from ordergate.order.gateway import GATEWAY
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy

LARGE = buy(quantity=Decimal("0.50"), stop_loss=Decimal("1.08100"))


@dataclass
class Phone:
    """Implements ports.notify.Notifier: a phone that shows what came, or is out of reach."""

    shown: list[Message] = field(default_factory=list)
    problem: str | None = None
    hangs: asyncio.Event | None = None
    names: tuple[str, ...] = ("phone",)

    @property
    def channels(self) -> tuple[str, ...]:
        return self.names

    async def send(self, message: Message) -> Sequence[Delivery]:
        if self.hangs is not None and message.severity is not Severity.CRITICAL:
            await self.hangs.wait()
        if self.problem is None:
            self.shown.append(message)
        return [Delivery(channel=name, problem=self.problem) for name in self.names]

    @property
    def titles(self) -> list[str]:
        return [one.title for one in self.shown]


@dataclass
class Scene:
    gate: Gate
    clock: ManualClock
    phone: Phone
    push: Push

    async def pass_time(self, seconds: float = 1) -> None:
        """Let the worker look, send and look again, `seconds` later."""
        self.clock.advance(seconds)
        await self.look()

    async def look(self) -> None:
        for _ in range(2):
            await self.push.tick()
            await self.push.settle()

    def again(self) -> Push:
        return a_push(self.gate, self.clock, self.phone)

    async def kill(self, reason: str = "test") -> str:
        halt = await self.gate.line.gateway.engage(
            scope=ScopeKind.GLOBAL, target="", reason=reason, asker=AGENT
        )
        return halt.halt_id

    async def ask(self) -> OrderView:
        return await self.gate.line.gateway.submit(LARGE, key=None, asker=AGENT)


def a_push(gate: Gate, clock: ManualClock, phone: Phone) -> Push:
    async def mode() -> Mode | None:
        return Mode.PAPER

    line = Line(notifier=phone, rhythm=Rhythm(), console="http://console", mode=mode)
    return Push(store=gate.store, seal=gate.line.seal, clock=clock, ids=SystemIds(), line=line)


@asynccontextmanager
async def a_scene(path: Path, **how: object) -> AsyncIterator[Scene]:
    clock, phone = ManualClock(), Phone()
    async with a_gate(path, clock=clock, **how) as gate:
        yield Scene(gate, clock, phone, a_push(gate, clock, phone))


def play(path: Path, story: object, **how: object) -> None:
    async def run() -> None:
        async with a_scene(path, **how) as scene:
            await story(scene)  # type: ignore[operator]

    asyncio.run(run())


def test_a_halt_is_told_at_once_repeated_and_its_release_told(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        halt = await scene.kill()
        await scene.look()
        assert scene.phone.titles == ["KILL: global"]
        await scene.pass_time(299)
        assert len(scene.phone.shown) == 1
        await scene.pass_time(1)
        assert len(scene.phone.shown) == 2
        assert "nobody acknowledged" in scene.phone.shown[-1].text
        await scene.pass_time(899)
        assert len(scene.phone.shown) == 2
        await scene.pass_time(1)
        assert len(scene.phone.shown) == 3
        await scene.gate.line.desk.release(halt, reason="seen", operator=OPERATOR)
        await scene.pass_time()
        assert scene.phone.titles[3:] == ["Released: KILL: global"]
        await scene.pass_time(5000)
        assert len(scene.phone.shown) == 4

    play(tmp_path, story)


def test_acknowledged_it_is_silent_sealed_and_still_in_force(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.kill()
        await scene.look()
        (alert,) = await scene.push.listed()
        await scene.push.acknowledge(alert.alert_id, operator=OPERATOR)
        await scene.pass_time(5000)
        assert len(scene.phone.shown) == 1
        assert await scene.gate.line.desk.halts()
        rows = await scene.gate.store.read(
            lambda tx: tx.audit_tail(limit=5, kind="alert.acknowledged")
        )
        assert [row.actor for row in rows] == [OPERATOR.id]
        with pytest.raises(IllegalState):
            await scene.push.acknowledge(alert.alert_id, operator=OPERATOR)
        with pytest.raises(NotFound):
            await scene.push.acknowledge("nothing", operator=OPERATOR)

    play(tmp_path, story)


def test_an_ask_and_its_outcome_and_nothing_of_an_ask_nobody_heard_of(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        view = await scene.ask()
        assert view.ticket is not None
        await scene.look()
        assert "ask" in scene.phone.titles[0]
        (alert,) = [one for one in await scene.push.listed() if one.kind is AlertKind.ASK]
        with pytest.raises(IllegalState):  # an ask is answered, not acknowledged
            await scene.push.acknowledge(alert.alert_id, operator=OPERATOR)
        ticket = TicketId(view.ticket.ticket_id)
        await scene.gate.line.desk.deny(ticket, reason="no", operator=OPERATOR)
        await scene.pass_time()
        assert "was denied by operator" in scene.phone.titles[1]
        scene.phone.problem = "down"
        second = await scene.ask()
        await scene.pass_time()
        assert second.ticket is not None
        unheard = TicketId(second.ticket.ticket_id)
        await scene.gate.line.desk.deny(unheard, reason="no", operator=OPERATOR)
        scene.phone.problem = None
        await scene.pass_time(60)
        await scene.pass_time(60)
        assert len(scene.phone.shown) == 2

    play(tmp_path, story)


def test_a_lost_order_is_told_and_found_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        view = await scene.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        assert view.status == "unknown"
        await scene.look()
        assert scene.phone.shown == []  # most are found within two seconds
        await scene.pass_time(2)
        assert scene.phone.titles[0].startswith("UNKNOWN")
        await scene.gate.line.settle.scan()
        await scene.pass_time()
        assert scene.phone.titles[1].startswith("Known again")

    play(tmp_path, story, faults=[Fault(FaultKind.LOST_REPLY, "submit")])


def test_a_lost_order_found_at_once_is_no_news(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        await scene.look()
        await scene.gate.line.settle.scan()
        await scene.pass_time(10)
        assert scene.phone.shown == []

    play(tmp_path, story, faults=[Fault(FaultKind.LOST_REPLY, "submit")])


def test_what_was_not_told_is_told_after_a_restart_and_what_was_is_not_told_twice(
    tmp_path: Path,
) -> None:
    async def story(scene: Scene) -> None:
        await scene.kill("first")
        await scene.look()
        scene.phone.problem = "down"
        await scene.gate.line.gateway.engage(
            scope=ScopeKind.SYMBOL, target="EURUSD", reason="second", asker=AGENT
        )
        await scene.look()
        scene.phone.problem = None
        scene.push = scene.again()
        await scene.pass_time(60)
        assert [one.title.split(":")[0] for one in scene.phone.shown] == ["KILL", "KILL"]
        assert "second" in scene.phone.shown[1].text

    play(tmp_path, story)


def test_an_unwritable_record_is_told_from_memory_and_so_is_a_halt_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        write = scene.gate.store.write

        async def full(work: object) -> None:
            raise JournalUnwritable("database or disk is full")

        scene.gate.store.write = full  # type: ignore[method-assign, assignment]
        await scene.pass_time(3)
        await scene.look()
        assert scene.phone.titles == ["ALARM: the record cannot be written"]
        scene.push.changed(
            Change(topic="alarm", principal=None, body={"alarm": "naked position", "symbol": "X"})
        )
        await scene.look()
        assert scene.phone.titles[1] == "ALARM: naked position"
        scene.push.changed(
            Change(topic="alarm", principal=None, body={"alarm": "naked position", "symbol": "X"})
        )
        await scene.pass_time(10)
        assert len(scene.phone.shown) == 2  # the same alarm is one
        scene.gate.store.write = write  # type: ignore[method-assign]
        await scene.pass_time(3)
        await scene.look()
        assert scene.phone.titles[2] == "Over: ALARM: the record cannot be written"
        kept = {one.title for one in await scene.again().listed()}
        assert "ALARM: naked position" in kept

    play(tmp_path, story)


def test_a_hanging_channel_does_not_hold_up_a_halt(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phone.hangs = asyncio.Event()
        for _ in range(6):
            await scene.ask()
            scene.clock.advance(11)  # past the window in which the same order is a twin
        for _ in range(3):
            await scene.push.tick()
            await asyncio.sleep(0)
        await scene.kill()
        await scene.push.tick()
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert scene.phone.titles == ["KILL: global"]
        scene.phone.hangs.set()
        await scene.look()

    play(tmp_path, story)


def test_without_a_channel_alerts_stand_in_the_list(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phone.names = ()
        await scene.kill()
        await scene.look()
        (alert,) = await scene.push.listed()
        assert (alert.told, alert.ended_at) == (0, None)

    play(tmp_path, story)


def test_a_channel_that_fails_is_named_until_it_works(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phone.problem = "it answered 500"
        await scene.kill()
        await scene.look()
        assert scene.push.problem() == "alerts do not reach you: phone: it answered 500"
        scene.phone.problem = None
        await scene.pass_time(60)
        assert scene.push.problem() is None
        assert scene.phone.titles == ["KILL: global"]

    play(tmp_path, story)


def test_a_halt_that_nobody_answers_engages_the_kill_switch_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        gateway = scene.gate.line.gateway
        engaged: list[str] = []

        async def engage(reason: str) -> None:
            engaged.append(reason)
            await gateway.engage(scope=ScopeKind.GLOBAL, target="", reason=reason, asker=GATEWAY)

        watch = Unanswered(
            store=scene.gate.store,
            clock=scene.clock,
            after=timedelta(minutes=30),
            engage=engage,
        )
        await gateway.halt(ScopeKind.SYMBOL, "EURUSD", "price_drift")
        await scene.look()
        scene.clock.advance(1799)
        await watch.look()
        assert engaged == []
        scene.clock.advance(1)
        await watch.look()
        assert engaged == ["no answer for 30 min to: HALT: symbol EURUSD"]
        assert (await gateway.safety()).killed
        await scene.look()
        for alert in await scene.push.listed():
            if alert.severity is Severity.CRITICAL:
                await scene.push.acknowledge(alert.alert_id, operator=OPERATOR)
        await scene.look()
        scene.clock.advance(3600)
        await watch.look()
        assert len(engaged) == 1

    play(tmp_path, story)
