"""A rule-based machine over the order line: hypothesis chooses what happens next, and shrinks it.

It plays on the simulator's ground; at the end the network heals and the same oracle judges.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ordergate.model.orders import OrderType, PlaceIntent, Side
from ordergate.model.values import IdempotencyKey, OrderId, Symbol
from ordergate.order.journal.lifecycle import CHANGE_TABLE, ORDER_TABLE, PLACE_TABLE
from simulator import oracle
from simulator.history import AGENTS, LOT, OPERATOR, PLACES, TICK, History, _books
from simulator.network import CALM, WEATHERS
from simulator.world import Ground, Terms

PLACING = {"place", "close"}
TAKEN: Counter[tuple[str, str, str]] = Counter()  # rows of the tables, over all runs


class OrderMachine(RuleBasedStateMachine):
    """One gate, one venue; every rule is something that may happen at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = 0
        self.history: History | None = None

    @initialize(
        seed=st.integers(0, 2**16),
        weather=st.sampled_from(WEATHERS),
        attached=st.booleans(),
        strict=st.booleans(),
        spends_tags=st.booleans(),
        refusing=st.sampled_from((0.0, 0.2)),
    )
    def begin(
        self,
        seed: int,
        weather: Any,
        attached: bool,
        strict: bool,
        spends_tags: bool,
        refusing: float,
    ) -> None:
        terms = Terms(
            weather=weather,
            attached=attached,
            refuses_over_close=attached or strict,
            spends_tags=spends_tags,
            refusing=refusing,
            gross=Decimal("0.6"),
        )
        self.ground = Ground(seed, terms, *_books())
        self.history = History(seed, self.ground)
        self.history.stand()
        self.ground.start()
        self.run(0.3)

    def run(self, seconds: float) -> None:
        assert self.history is not None
        self.ground.loop.run_until_complete(self.history.pass_(seconds))

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    @rule(agent=st.sampled_from(AGENTS), wait=st.sampled_from((0.0, 0.01, 0.3)))
    def open(self, agent: Any, wait: float) -> None:
        self.history.open_(agent, self.key())  # type: ignore[union-attr]
        self.run(wait)

    @rule(agent=st.sampled_from(AGENTS), wait=st.sampled_from((0.0, 0.05, 0.5)))
    def leave(self, agent: Any, wait: float) -> None:
        self.history.leave_one(agent, self.key())  # type: ignore[union-attr]
        self.run(wait)

    @rule(agent=st.sampled_from(AGENTS))
    def change(self, agent: Any) -> None:
        self.history.change(agent, self.key())  # type: ignore[union-attr]
        self.run(0.02)

    @rule(large=st.booleans())
    def draft(self, large: bool) -> None:
        intent = _buy(self.ground, 22 if large else 6)
        self._act(
            "draft",
            lambda line, key: line.gateway.draft(intent, key=IdempotencyKey(key), asker=AGENTS[0]),
        )

    @rule()
    def large(self) -> None:
        """Propose what a human must say yes to."""
        intent = _buy(self.ground, 22)
        self._act(
            "large",
            lambda line, key: line.gateway.submit(intent, key=IdempotencyKey(key), asker=AGENTS[0]),
        )

    def _act(self, name: str, act: Any) -> None:
        self.history.do(name, partial(_keyed, act, self.key()))  # type: ignore[union-attr]
        self.run(0.05)

    @rule(take=st.booleans())
    def drafts(self, take: bool) -> None:
        async def decided(line: Any) -> str:
            waiting = await line.desk.drafts()
            for view in waiting[:1]:
                act = line.desk.submit_draft if take else line.desk.discard_draft
                await act(view.order.order_id, operator=OPERATOR)
            return f"{len(waiting)} drafts"

        self.history.do("drafts", decided)  # type: ignore[union-attr]
        self.run(0.1)

    @rule()
    def withdraw(self) -> None:
        rows = self.ground.disk.rows(
            "SELECT order_id FROM orders WHERE state IN ('draft', 'awaiting_approval')"
        )
        for (order_id,) in rows[:1]:
            self.history.do("withdraw", partial(_withdrawn, OrderId(order_id)))  # type: ignore[union-attr]
        self.run(0.05)

    @rule()
    def answer(self) -> None:
        self.history.answer_asks()  # type: ignore[union-attr]
        self.run(0.2)

    @rule()
    def kill(self) -> None:
        self.history.kill()  # type: ignore[union-attr]
        self.run(0.03)

    @rule()
    def release(self) -> None:
        self.history.release()  # type: ignore[union-attr]
        self.run(0.1)

    @rule()
    def resolve(self) -> None:
        """Settle what is parked by hand: the desk refuses before the settle window is over."""

        async def resolved(line: Any) -> str:
            parked = await line.desk.parked()
            for view in parked[:1]:
                await line.desk.resolve(
                    view.order.order_id, placed=False, reason="looked", operator=OPERATOR
                )
            return f"{len(parked)} parked"

        self.history.do("resolve", resolved)  # type: ignore[union-attr]
        self.run(0.1)

    @rule(down=st.sampled_from((0.01, 1.0)))
    def crash(self, down: float) -> None:
        if self.ground.process.alive:
            self.history.played.crashes += 1  # type: ignore[union-attr]
            self.ground.crash()
        self.run(down)
        if not self.ground.process.alive:
            self.ground.start()

    @rule(seconds=st.sampled_from((0.2, 1.0, 6.0, 11.0)))
    def wait(self, seconds: float) -> None:
        self.run(seconds)

    @rule()
    def night(self) -> None:
        """Let time go by with the gate down: asks end, what is in doubt may still arrive."""
        self.history.played.crashes += 1  # type: ignore[union-attr]
        self.ground.crash()
        self.run(130)
        self.ground.start()
        self.run(1)

    @rule(step=st.sampled_from((-150, -20, 20, 150)))
    def price(self, step: int) -> None:
        bid = self.ground.venue.quotes["EURUSD"][0]
        self.ground.quote("EURUSD", bid + step)

    @rule(weather=st.sampled_from((CALM, *WEATHERS)))
    def turn(self, weather: Any) -> None:
        self.ground.network.weather = weather

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.ground.disk.full = full
        self.run(0.1)

    @invariant()
    def at_most_once(self) -> None:
        """See at every step what may never be otherwise, not even for a moment."""
        if self.history is None:
            return
        sent = Counter(row["tag"] for row in self.ground.network.sends)
        assert not [tag for tag, count in sent.items() if count > 1]
        placed = Counter(
            row["tag"] for row in self.ground.venue.orders.values() if row["tag"] is not None
        )
        assert not [tag for tag, count in placed.items() if count > 1]

    def teardown(self) -> None:
        if self.history is None:
            return
        try:
            self.ground.loop.run_until_complete(self.history.end())
            played = vars(self.history.played)
            found = oracle.violations(played)
            take_rows(played)
        finally:
            self.ground.disk.wipe()
            self.ground.loop.close()
        assert found == []


def take_rows(played: dict[str, Any]) -> None:
    """Count the rows of the lifecycle tables that a history took; one unlisted is a failure."""
    action = {row["order_id"]: row["action"] for row in played["tables"]["orders"]}
    for row in played["tables"]["audit"]:
        what, _, event = row["kind"].partition(".")
        if what not in ("order", "attempt"):
            continue
        said = json.loads(row["body"])["body"]
        before, after = said.get("from"), said["to"]
        table: dict[Any, Any] = ORDER_TABLE
        name = "order"
        if what == "attempt":
            placing = action[row["corr"]] in PLACING
            table, name = (PLACE_TABLE, "place") if placing else (CHANGE_TABLE, "change")
        assert table.get((before, event)) == after, (name, before, event, after)
        TAKEN[name, str(before), event] += 1


def untaken() -> list[tuple[str, str, str]]:
    """Return the rows of the tables that no history of this process took."""
    rows = {
        (name, str(state), event)
        for name, table in (
            ("order", ORDER_TABLE),
            ("place", PLACE_TABLE),
            ("change", CHANGE_TABLE),
        )
        for state, event in table
    }
    return sorted(rows - set(TAKEN))


async def _keyed(act: Any, key: str, line: Any) -> Any:
    return await act(line, key)


async def _withdrawn(order_id: OrderId, line: Any) -> Any:
    return await line.gateway.withdraw(order_id, asker=OPERATOR)


def _buy(ground: Ground, lots: int) -> PlaceIntent:
    bid, _ = ground.venue.quotes["EURUSD"]
    return PlaceIntent(
        **PLACES,
        symbol=Symbol("EURUSD"),
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=lots * LOT,
        stop_loss=(bid - 400) * TICK,
    )
