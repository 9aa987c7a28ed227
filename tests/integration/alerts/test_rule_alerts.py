"""Rules as alerts over the real books: told once a crossing, over restarts and missed bars."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.adapters.system import SystemIds
from ordergate.market.alerts.watch import FIRED, Watch
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Bar, Timeframe
from ordergate.model.price_alerts import AlertState, ConditionKind, PriceAlert, Wish
from ordergate.model.values import PrincipalId, Symbol
from ordergate.model.views import Change
from ordergate.ports.journal import JournalUnwritable
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.manual_market import WEDNESDAY, ManualMarket

ME = PrincipalId("agent-1")
EURUSD = Symbol("EURUSD")
H1 = timedelta(hours=1)


class Closes(ManualMarket):
    """Hourly bars of EURUSD with the closes of a list; the last of them ended just now."""

    def __init__(self) -> None:
        super().__init__()
        self.closes: list[str] = []
        self.down = False
        self.reads = 0
        self.begin = WEDNESDAY

    def add(self, *closes: str) -> None:
        for close in closes:
            self.closes.append(close)
            self._now = self.begin + len(self.closes) * H1

    async def bars(
        self, symbol: Symbol, timeframe: Timeframe, *, limit: int, before: Any = None
    ) -> tuple[Bar, ...]:
        self.reads += 1
        if self.down:
            raise DataUnavailable("the venue does not answer")
        made = []
        for number, close in enumerate(self.closes):
            at, price = self.begin + number * H1, Decimal(close)
            done = at + H1 <= self.venue_now()
            made.append(Bar(symbol, timeframe, at, price, price, price, price, None, done))
        return tuple(made[-limit:])


class Scene:
    def __init__(self, gate: Gate, clock: ManualClock) -> None:
        self.gate, self.clock = gate, clock
        self.market = Closes()
        self.told: list[Change] = []
        self.watch = self.begun()

    def begun(self, store: Any = None) -> Watch:
        return Watch(
            store=store or self.gate.store,
            seal=self.gate.line.seal,
            market=self.market,  # type: ignore[arg-type]
            clock=self.clock,
            ids=SystemIds(),
            publish=self.told.append,
        )

    async def ask(self, rule: str, **more: Any) -> PriceAlert:
        told = Wish(
            principal=ME,
            symbol=EURUSD,
            kind=ConditionKind.RULE,
            level=Decimal(0),
            rule=rule,
            timeframe="H1",
            **more,
        )
        return await self.watch.create(told)

    async def pass_by(self) -> int:
        """Let the gateway's clock go on: bars are read, alerts looked at."""
        self.clock.advance(61)
        await self.watch.tick()  # the alerts of the books are loaded
        await self.watch.look()
        return await self.watch.tick()

    async def sealed(self) -> int:
        rows = await self.gate.store.read(
            lambda tx: tx.audit_tail(limit=1_000, kind=FIRED, corr=None)
        )
        return len(rows)


def play(path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(path, clock=clock) as gate:
            await story(Scene(gate, clock))

    asyncio.run(run())


def test_a_crossing_is_told_once_and_the_next_one_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08", "1.08", "1.09")
        made = await scene.ask("close > 1.1", repeats=True, note="look")
        assert await scene.pass_by() == 0
        scene.market.add("1.11")
        assert await scene.pass_by() == 1
        body = scene.told[0].body
        assert (body["price"], body["as_of"], body["rule"], body["timeframe"]) == (
            "1.11",
            "2026-01-07T18:00:00.000000Z",
            "close > 1.1",
            "H1",
        )
        scene.market.add("1.12", "1.13")  # still above: nothing new
        assert await scene.pass_by() == 0
        scene.market.add("1.09")
        assert await scene.pass_by() == 0
        scene.market.add("1.2")
        assert await scene.pass_by() == 1
        (kept,) = await scene.watch.listed(ME)
        assert (kept.alert_id, kept.fired, await scene.sealed()) == (made.alert_id, 2, 2)

    play(tmp_path, story)


def test_bars_that_closed_while_nobody_looked_are_each_looked_at(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08")
        await scene.ask("close > 1.1", repeats=True)
        assert await scene.pass_by() == 0
        scene.watch = scene.begun()
        scene.market.add("1.11", "1.09", "1.12", "1.13", "1.05")
        assert await scene.pass_by() == 2
        assert [one.body["price"] for one in scene.told] == ["1.11", "1.12"]
        scene.watch = scene.begun()
        assert await scene.pass_by() == 0
        assert await scene.sealed() == 2

    play(tmp_path, story)


def test_a_restart_tells_nothing_twice(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08", "1.2")
        await scene.ask("close > 1.1", repeats=True)
        assert await scene.pass_by() == 1  # it held already
        for _ in range(3):
            scene.watch = scene.begun()
            assert await scene.pass_by() == 0
        scene.market.add("1.3")
        assert await scene.pass_by() == 0
        assert await scene.sealed() == 1

    play(tmp_path, story)


def test_what_could_not_be_written_is_told_later_once(tmp_path: Path) -> None:
    class Full:
        def __init__(self, store: Any) -> None:
            self.read, self.full, self._store = store.read, True, store

        async def write(self, work: Any) -> Any:
            if self.full:
                raise JournalUnwritable("the disk is full")
            return await self._store.write(work)

    async def story(scene: Scene) -> None:
        scene.market.add("1.08")
        await scene.ask("close > 1.1")
        store = Full(scene.gate.store)
        scene.watch = scene.begun(store)
        scene.market.add("1.2")
        for _ in range(2):
            with pytest.raises(JournalUnwritable):
                await scene.pass_by()
        assert scene.told == []
        store.full = False
        assert await scene.watch.tick() == 1
        (kept,) = await scene.watch.listed(ME)
        assert (kept.state, len(scene.told), await scene.sealed()) == (AlertState.DONE, 1, 1)

    play(tmp_path, story)


def test_too_short_a_history_says_so_and_waits(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08", "1.2")
        made = await scene.ask("close > sma(4)")
        assert await scene.pass_by() == 0
        assert scene.watch.problem(made) == "insufficient_history: 2 closed H1 bars, 4 needed"
        scene.market.add("1.3", "1.4")
        assert await scene.pass_by() == 1
        assert scene.watch.problem(made) is None or made.state is AlertState.ARMED

    play(tmp_path, story)


def test_a_venue_that_does_not_answer_fires_nothing_and_is_asked_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08")
        made = await scene.ask("close > 1.1")
        scene.market.down = True
        scene.market.add("1.2")
        assert await scene.pass_by() == 0
        assert scene.watch.problem(made) == "the venue does not answer"
        scene.market.down = False
        assert await scene.pass_by() == 1

    play(tmp_path, story)


def test_a_series_is_read_once_a_bar_for_all_its_alerts(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08")
        for level in range(5):
            await scene.ask(f"close > {2 + level}")
        await scene.pass_by()
        reads = scene.market.reads
        assert reads == 1
        for _ in range(5):
            await scene.pass_by()
        assert scene.market.reads == reads
        scene.market.add("1.09")
        await scene.pass_by()
        assert scene.market.reads == reads + 1

    play(tmp_path, story)


def test_a_bar_in_doubt_neither_tells_nor_arms_again(tmp_path: Path) -> None:
    """A division by zero on a bar is no word; a rule that fired stays fired until it is false."""

    async def story(scene: Scene) -> None:
        rule = "1 / (close - 1.5) > 0"
        scene.market.add("1.2", "1.6")
        await scene.ask(rule, repeats=True)
        assert await scene.pass_by() == 1
        scene.market.add("1.5", "1.7")
        assert await scene.pass_by() == 0
        scene.market.add("1.4", "1.8")
        assert await scene.pass_by() == 1

    play(tmp_path, story)


def test_deleted_it_is_looked_at_no_more(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.08")
        made = await scene.ask("close > 1.1")
        await scene.pass_by()
        await scene.watch.delete(ME, made.alert_id)
        scene.market.add("1.2")
        assert await scene.pass_by() == 0
        assert await scene.sealed() == 0

    play(tmp_path, story)


def test_the_moment_it_was_asked_for_is_where_it_begins(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.market.add("1.2", "1.05", "1.06")
        made = await scene.ask("close > 1.1")
        assert made.seen_to is not None
        assert made.seen_to < datetime(2026, 1, 7, 17, tzinfo=WEDNESDAY.tzinfo)
        assert await scene.pass_by() == 0  # the crossing of hours ago is nobody's news

    play(tmp_path, story)
