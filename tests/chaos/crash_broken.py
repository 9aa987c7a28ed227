"""Protocols that are broken on purpose, each a patch to a production seam of a forked child.

A harness that does not see them proves nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ordergate.adapters.storage.orders_tx import OrdersTx
from ordergate.adapters.storage.writer import Writer
from ordergate.bootstrap import house
from ordergate.model.orders import AttemptState, OrderState, VenueOrder
from ordergate.order.dispatch.wire import to_wire
from ordergate.order.exits import plan
from ordergate.order.exits.plan import Drop, Put
from ordergate.order.gateway import Gateway
from ordergate.order.journal.lifecycle import ORDER_TABLE, PLACING
from ordergate.order.journal.record import Record
from ordergate.order.policy.judge import Judge
from ordergate.order.reconcile.settle import Settle
from support.broken_gate import exits_under_the_switch_refused

LAG_S = 0.004  # what lies between two steps that must be one


@dataclass(frozen=True)
class Broken:
    patch: Callable[[], None]
    deaths: tuple[str, ...]  # where it shows soonest
    shows: tuple[str, ...]  # the findings it must be caught by
    tasks: tuple[str, ...] = ()  # asked for besides, in the first life


def resend_when_not_found() -> None:
    """Ask the venue; when it does not know the tag, send again."""
    booked, wired = Settle._book, house.order_line
    traders: list[Any] = []

    async def wiring(world: Any) -> Any:
        traders.append(world.trader)
        return await wired(world)

    async def booking(self: Settle, found: Any, *rest: Any) -> int:
        for attempt in found.not_found:
            if attempt.action in PLACING and attempt.state is AttemptState.UNKNOWN:
                order = await self._journal.read(lambda tx, one=attempt: tx.order(one.order_id))
                wire = to_wire(order.intent, attempt, attached=False)
                assert isinstance(wire, VenueOrder)
                try:
                    await traders[0].submit(wire)
                except Exception:  # noqa: BLE001 - whatever it is, the next scan tells
                    continue
        return await booked(self, found, *rest)

    house.order_line = wiring
    Settle._book = booking  # type: ignore[method-assign]


def send_then_journal() -> None:
    """Let the sender go on before the commit that it waits for."""
    attempted = Writer._attempt

    class Told:
        def tell(self) -> None:
            """Told already."""

    def attempting(self: Writer, work: Any) -> Any:
        attempted(self, work).tell()
        time.sleep(LAG_S)
        return Told()

    Writer._attempt = attempting  # type: ignore[method-assign]


def claim_without_compare_and_set() -> None:
    """Read that an order waits, then claim it as it was read, whoever was there meanwhile."""
    put = OrdersTx.put_order

    def putting(self: OrdersTx, order: Any) -> None:
        now = self.order(order.order_id)
        put(self, order if now is None else dataclasses.replace(order, ver=now.ver + 1))

    async def claiming(self: Gateway, intent: Any, *, key: Any, asker: Any) -> Any:
        order = await self.propose(intent, key=key, asker=asker, also=lambda *_: None)
        order = await self._journal.read(lambda tx: tx.order(order.order_id))
        await asyncio.sleep(LAG_S)
        if order.state is not OrderState.PROPOSED:
            return await self._replay(order)
        return await self._to_its_end(
            lambda tx, look: self._send.claim(tx, order, look, asker=asker)
        )

    OrdersTx.put_order = putting  # type: ignore[method-assign]
    Gateway.one_order = claiming  # type: ignore[method-assign]


def kill_read_outside_the_claim() -> None:
    """Read the halts with the account, before the claim's transaction begins."""
    looked, judged = Gateway._look, Judge.judge
    seen: dict[int, Any] = {}

    class Earlier:
        def __init__(self, tx: Any, halts: Any) -> None:
            self._tx, self._halts = tx, halts

        def halts(self) -> Any:
            return self._halts

        def __getattr__(self, name: str) -> Any:
            return getattr(self._tx, name)

    async def looking(self: Gateway) -> Any:
        halts = await self._journal.read(lambda tx: tuple(tx.halts()))
        look = await looked(self)
        seen[id(look.snapshot)] = (look, halts)
        await asyncio.sleep(5 * LAG_S)
        return look

    def judging(self: Judge, tx: Any, intent: Any, **facts: Any) -> Any:
        _, halts = seen.get(id(facts["snapshot"]), (None, tx.halts()))
        return judged(self, Earlier(tx, halts), intent, **facts)  # type: ignore[arg-type]

    Gateway._look = looking  # type: ignore[method-assign]
    Judge.judge = judging  # type: ignore[method-assign]


def recovery_to_approved() -> None:
    """Take what was being sent when the gateway died for not sent, and claim it again."""

    async def disowning(self: Settle) -> None:
        if self._disowned:
            return

        def again(tx: Any) -> None:
            for attempt in tx.attempts_in(frozenset({AttemptState.SENDING})):
                if attempt.epoch != self._epoch:
                    order, _ = self._record.book(tx, attempt, "unsent", actor=self._instance)
                    self._record.move(tx, order, "again", actor=self._instance)

        await self._journal.write(again)
        self._disowned = True

    ORDER_TABLE[OrderState.DONE, "again"] = OrderState.PROPOSED
    Settle._disown = disowning  # type: ignore[method-assign]


def not_found_is_rejected() -> None:
    """Take an order that the venue does not know for one it has refused."""

    def giving_up(self: Settle, tx: Any, attempt: Any) -> Any:
        return self._record.book(tx, attempt, "refused", actor=self._instance, code="not_found")

    Settle._given_up = lambda self, attempt, _: (  # type: ignore[method-assign]
        attempt.state is AttemptState.UNKNOWN and attempt.action in PLACING
    )
    Settle._give_up = giving_up  # type: ignore[method-assign]


def kill_gates_exits() -> None:
    """Let the kill switch refuse whatever it is asked about."""
    exits_under_the_switch_refused(pytest.MonkeyPatch())


def next_attempt_after_any_refusal() -> None:
    """Take every refusal for a requote: the same key sends again."""
    book = Record.book

    def booking(self: Record, tx: Any, attempt: Any, event: str, **more: Any) -> Any:
        return book(self, tx, attempt, event, **{**more, "requote": event == "refused"})

    Record.book = booking  # type: ignore[method-assign]


def stop_dropped_before_its_replacement() -> None:
    """Cancel the stop that rests, then place the better one."""
    stops = plan._stops

    def turned(scene: Any, cover: Any) -> Any:
        step = stops(scene, cover)
        resting = [leg for leg in scene.legs if leg.stop]
        if isinstance(step, Put) and step.stop and resting:
            return Drop(resting[0].venue_order_id)
        return step

    plan._stops = turned


def restored_goes_on() -> None:
    """Open books that are older than their anchor as if they were not."""
    opened = house._opened
    house._opened = lambda *given: dataclasses.replace(opened(*given), lost=None)


BROKEN: dict[str, Broken] = {
    "resend when not found": Broken(
        resend_when_not_found, ("written", "random", "written"), ("I1 duplicate",)
    ),
    "send, then journal": Broken(send_then_journal, ("written", "mid_write", "written"), ("I4",)),
    "claim without compare-and-set": Broken(
        claim_without_compare_and_set, ("random", "random"), ("I1:", "I1 duplicate")
    ),
    "kill flag read outside the claim": Broken(
        kill_read_outside_the_claim,
        ("random",),
        ("I3",),
        ("kill", "enter", "enter", "rest", "leave"),
    ),
    "recovery back to approved": Broken(
        recovery_to_approved, ("written", "answered", "written"), ("I1:", "I1 duplicate")
    ),
    "not found is rejected": Broken(not_found_is_rejected, ("written", "claimed"), ("I7", "I2")),
    "kill gates exits": Broken(
        kill_gates_exits,
        ("random", "kill_committed", "random"),
        ("I12 trapped",),
        ("leave", "tighten"),
    ),
    "next attempt after any refusal": Broken(
        next_attempt_after_any_refusal, ("random", "random"), ("I1:", "I1 duplicate")
    ),
    "stop dropped before its replacement": Broken(
        stop_dropped_before_its_replacement, ("ratcheted", "random"), ("I16",)
    ),
    "restored database goes on": Broken(
        restored_goes_on, ("random", "restored"), ("I1 duplicate",)
    ),
}
