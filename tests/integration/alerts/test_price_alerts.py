"""Price alerts over the real books: fired once, told once, over kills, restarts and full disks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.system import SystemIds
from ordergate.alerts.pace import Rhythm
from ordergate.alerts.push import Line, Push
from ordergate.market.alerts.watch import ARMED_MAX, FIRED, KEPT_MAX, LISTS_MAX, Watch
from ordergate.model.alerts import Delivery, Message
from ordergate.model.errors import DataUnavailable, IllegalState, NotFound
from ordergate.model.price_alerts import AlertState, ConditionKind, Wish
from ordergate.model.values import PrincipalId, Symbol
from ordergate.model.views import Change
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock

EURUSD = Symbol("EURUSD")
ME, OTHER = PrincipalId("agent-1"), PrincipalId("agent-2")


class Phone:
    """Implements ports.notify.Notifier: a phone that shows what came."""

    channels = ("phone",)

    def __init__(self) -> None:
        self.shown: list[Message] = []

    async def send(self, message: Message) -> list[Delivery]:
        self.shown.append(message)
        return [Delivery(channel="phone", problem=None)]


class Scene:
    def __init__(self, gate: Gate, clock: ManualClock) -> None:
        self.gate, self.clock = gate, clock
        self.phone, self.told = Phone(), list[Change]()
        self.watch, self.push = self.begun()

    def begun(self, store: Any = None) -> tuple[Watch, Push]:
        """Return the two as a start makes them; whatever was held in memory before is gone."""

        async def mode() -> None:
            return None

        watch = Watch(
            store=store or self.gate.store,
            seal=self.gate.line.seal,
            market=self.gate.market,  # type: ignore[arg-type]  # the same questions, answered by hand
            clock=self.clock,
            ids=SystemIds(),
            publish=self.told.append,
        )
        line = Line(notifier=self.phone, rhythm=Rhythm(), console="http://console", mode=mode)
        push = Push(
            store=self.gate.store,
            seal=self.gate.line.seal,
            clock=self.clock,
            ids=SystemIds(),
            line=line,
        )
        return watch, push

    def restart(self) -> None:
        self.watch, self.push = self.begun()

    def price(self, mid: str) -> None:
        half = Decimal("0.00005")
        self.gate.market.set("EURUSD", Decimal(mid) - half, Decimal(mid) + half)

    async def look(self) -> int:
        fired = await self.watch.tick()
        for _ in range(2):
            await self.push.tick()
            await self.push.settle()
        return fired

    async def sealed(self) -> int:
        rows = await self.gate.store.read(
            lambda tx: tx.audit_tail(limit=1_000, kind=FIRED, corr=None)
        )
        return len(rows)


def wish(level: str = "1.09", kind: str = "price_above", **more: Any) -> Wish:
    return Wish(
        **{
            "principal": ME,
            "symbol": EURUSD,
            "kind": ConditionKind(kind),
            "level": Decimal(level),
            **more,
        }
    )


def play(path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(path, clock=clock) as gate:
            await story(Scene(gate, clock))

    asyncio.run(run())


def test_a_price_that_comes_is_told_once_to_the_stream_and_the_human(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        made = await scene.watch.create(wish(note="go to evil.example/x"))
        assert await scene.look() == 0
        scene.price("1.0900")
        assert await scene.look() == 1
        assert [(one.topic, one.principal) for one in scene.told] == [("alerts", ME)]
        assert scene.told[0].body["price"] == "1.09"
        (message,) = scene.phone.shown
        assert message.title == "EURUSD at or above 1.09"
        assert "Asked for by agent-1" in message.text
        assert "evil.example" not in message.text
        for mid in ("1.0950", "1.0800", "1.0950"):
            scene.price(mid)
            scene.clock.advance(120)
            assert await scene.look() == 0
        assert len(scene.phone.shown) == 1
        (kept,) = await scene.watch.listed(ME)
        assert (kept.alert_id, kept.state, kept.fired) == (made.alert_id, AlertState.DONE, 1)

    play(tmp_path, story)


def test_killed_between_firing_and_telling_it_is_told_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.watch.create(wish())
        scene.price("1.0950")
        assert await scene.watch.tick() == 1  # the transaction is durable; nobody was told yet
        scene.restart()
        assert await scene.look() == 0
        assert [one.title for one in scene.phone.shown] == ["EURUSD at or above 1.09"]
        scene.restart()
        assert await scene.look() == 0
        assert (len(scene.phone.shown), await scene.sealed()) == (1, 1)

    play(tmp_path, story)


class CutOff:
    """The books until the commit of a write, which never comes: the process was killed."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.read = store.read

    async def write(self, work: Callable[[Any], Any]) -> Any:
        def undone(tx: Any) -> None:
            work(tx)
            raise JournalUnwritable("killed before the commit")

        return await self._store.write(undone)


def test_killed_before_the_commit_it_fires_again_and_is_told_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.watch.create(wish())
        scene.price("1.0950")
        dying, _ = scene.begun(CutOff(scene.gate.store))
        with pytest.raises(JournalUnwritable):
            await dying.tick()
        assert (scene.told, await scene.sealed()) == ([], 0)
        scene.restart()
        assert await scene.look() == 1
        assert (len(scene.phone.shown), await scene.sealed(), len(scene.told)) == (1, 1, 1)

    play(tmp_path, story)


def test_books_that_cannot_be_written_hold_it_back_and_lose_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.watch.create(wish())
        held, _ = scene.begun(CutOff(scene.gate.store))
        scene.price("1.0950")
        for _ in range(3):
            with pytest.raises(JournalUnwritable):
                await held.tick()
        assert scene.told == []
        held._store = scene.gate.store
        assert await held.tick() == 1
        assert len(scene.told) == 1

    play(tmp_path, story)


def test_a_level_crossed_while_the_gateway_was_down_is_told_after_it(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.price("1.0850")
        await scene.watch.create(wish("1.09", "price_crosses"))
        scene.price("1.0950")
        scene.restart()
        assert await scene.look() == 1
        assert scene.phone.shown[0].title == "EURUSD crossed 1.09"

    play(tmp_path, story)


def test_one_that_repeats_is_told_each_time_even_when_nobody_could_be_told(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.watch.create(wish(repeats=True, hysteresis_percent=Decimal("0.1")))
        for _ in range(3):
            scene.price("1.0950")
            assert await scene.watch.tick() == 1
            scene.price("1.0850")
            assert await scene.watch.tick() == 0
            scene.clock.advance(61)
            assert await scene.watch.tick() == 0  # armed again, and nobody is told of that
        await scene.look()
        assert (len(scene.phone.shown), await scene.sealed()) == (3, 3)

    play(tmp_path, story)


def test_a_change_is_measured_within_its_window(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.watch.create(wish("1", "change_percent", window_s=60))
        scene.price("1.0000")
        assert await scene.look() == 0
        scene.gate.market._now += timedelta(seconds=61)
        scene.price("1.0101")
        assert await scene.look() == 0  # the low is out of the window
        scene.gate.market._now += timedelta(seconds=30)
        scene.price("0.9999")
        assert await scene.look() == 1
        assert scene.phone.shown[0].title == "EURUSD moved 1 % within 60 s"

    play(tmp_path, story)


def test_each_principal_has_its_own_and_no_more_than_its_share(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        mine = [await scene.watch.create(wish("9")) for _ in range(ARMED_MAX)]
        with pytest.raises(IllegalState):
            await scene.watch.create(wish("9"))
        theirs = await scene.watch.create(wish("9", principal=OTHER))
        assert [one.alert_id for one in await scene.watch.listed(OTHER)] == [theirs.alert_id]
        with pytest.raises(NotFound):
            await scene.watch.delete(OTHER, mine[0].alert_id)
        await scene.watch.delete(ME, mine[0].alert_id)
        assert len(await scene.watch.listed(ME)) == ARMED_MAX - 1
        scene.price("10")
        assert await scene.watch.tick() == ARMED_MAX
        for _ in range(ARMED_MAX):
            await scene.watch.create(wish("99"))
        scene.price("100")
        await scene.watch.tick()
        await scene.watch.create(wish("999"))
        await scene.watch.create(wish("999"))
        assert len(await scene.watch.listed(ME)) == KEPT_MAX

    play(tmp_path, story)


def test_a_crossing_needs_a_price_to_cross_from(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(DataUnavailable):
            await scene.watch.create(wish("1", "price_crosses", symbol=Symbol("GBPUSD")))

    play(tmp_path, story)


def test_watchlists_are_kept_by_name_bounded_and_ones_own(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        first = await scene.watch.keep_list(ME, "majors", [EURUSD])
        scene.clock.advance(5)
        again = await scene.watch.keep_list(ME, "majors", [EURUSD, Symbol("USDJPY")])
        assert (again.created_at, again.symbols) == (first.created_at, "EURUSD USDJPY")
        assert await scene.watch.watchlists(OTHER) == []
        with pytest.raises(NotFound):
            await scene.watch.delete_list(OTHER, "majors")
        for number in range(LISTS_MAX - 1):
            await scene.watch.keep_list(ME, f"l{number}", [EURUSD])
        with pytest.raises(IllegalState):
            await scene.watch.keep_list(ME, "one-more", [EURUSD])
        await scene.watch.keep_list(ME, "majors", [EURUSD])
        await scene.watch.delete_list(ME, "majors")
        assert len(await scene.watch.watchlists(ME)) == LISTS_MAX - 1

    play(tmp_path, story)
