"""The radar: what is made around the gate is recorded, shown and counted; nonsense halts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ordergate.adapters.venues.paper.book import Work
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model.accounts import CashKind
from ordergate.model.orders import Side
from ordergate.model.records import ExternalRecord, HaltKind, ScopeKind
from ordergate.model.values import Tag
from ordergate.order.reconcile.settle import SWEEP_S
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy
from support.paper import Orders

SETTLED_S = 6.0  # beyond the paper venue's settle window


class Scene:
    """A gate that has read its account once, and a hand at the venue beside it."""

    def __init__(self, gate: Gate, clock: ManualClock) -> None:
        self.gate = gate
        self.clock = clock
        self._orders = Orders()
        self._n = 0

    async def by_hand(self, side: str, quantity: str, symbol: str = "EURUSD", **terms: str) -> None:
        """Trade at the venue as its own app would: no gate, no tag of ours."""
        self._n += 1
        kind = terms.pop("kind", "market")
        tag = Tag(f"hand-{self._n}")
        order = self._orders.place(side, quantity, symbol, kind, tag=tag, **terms)
        await self.gate.venue.submit(order)

    async def sweep(self) -> None:
        """Let the time of one sweep pass, and its scan run."""
        self.clock.advance(SETTLED_S)
        await self.gate.line.settle.scan()

    async def externals(self) -> tuple[ExternalRecord, ...]:
        return (await self.gate.line.desk.externals(limit=50, cursor=None)).items

    async def halts(self) -> list[tuple[HaltKind, ScopeKind, str]]:
        found = await self.gate.line.desk.halts()
        return [(halt.kind, halt.scope, halt.reason) for halt in found]

    async def kinds(self) -> list[str]:
        rows = await self.gate.store.read(lambda tx: tx.audit_tail(limit=200))
        return [row.kind for row in rows]


def play(
    folder: Path, scene: Callable[[Scene], Awaitable[None]], terms: PaperTerms | None = None
) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with a_gate(folder, clock=clock, terms=terms) as gate:
            here = Scene(gate, clock)
            await here.sweep()
            await scene(here)

    asyncio.run(run())


def test_a_trade_made_by_hand_is_recorded_in_the_next_sweep_and_halts_nothing(
    tmp_path: Path,
) -> None:
    async def scene(here: Scene) -> None:
        assert SWEEP_S <= 4, "what is made around the gate is shown within five seconds"
        await here.by_hand("buy", "0.20")
        await here.by_hand("buy", "0.30", kind="limit", limit_price="1.08000")
        await here.gate.line.settle.scan()
        found = [(row.kind.value, row.side, row.quantity) for row in await here.externals()]
        assert sorted(found) == [
            ("fill", Side.BUY, Decimal("0.20")),
            ("order", Side.BUY, Decimal("0.20")),
            ("order", Side.BUY, Decimal("0.30")),
            ("position", Side.BUY, Decimal("0.20")),
        ]
        assert (await here.kinds()).count("external.found") == 4
        for _ in range(10):
            await here.sweep()
        assert await here.halts() == []
        assert (await here.kinds()).count("external.found") == 4

    play(tmp_path, scene)


def test_the_views_say_what_is_external(tmp_path: Path) -> None:
    async def scene(here: Scene) -> None:
        gateway = here.gate.line.gateway
        await gateway.submit(buy(), key=None, asker=AGENT)
        await here.by_hand("buy", "0.20")
        await here.sweep()
        view = await gateway.account(asker=AGENT)
        ours, theirs = sorted(view.positions, key=lambda one: one.quantity)
        assert ours.position_id not in view.external
        assert theirs.position_id in view.external
        fills = await gateway.fills(limit=10, cursor=None, asker=AGENT)
        assert {(one.fill.quantity, one.origin) for one in fills.items} == {
            (Decimal("0.10"), "gate"),
            (Decimal("0.20"), "external"),
        }

    play(tmp_path, scene)


def test_closing_our_position_by_hand_is_external_and_halts_nothing(tmp_path: Path) -> None:
    async def scene(here: Scene) -> None:
        await here.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        await here.sweep()
        (position,) = (await here.gate.venue.snapshot()).positions
        order = Orders().place("sell", "0.10", tag=Tag("hand"), position_id=position.position_id)
        await here.gate.venue.submit(order)
        for _ in range(10):
            await here.sweep()
        assert await here.halts() == []
        assert {row.kind.value for row in await here.externals()} == {"order", "fill"}

    play(tmp_path, scene)


def test_a_stop_that_fires_is_the_venues_own(tmp_path: Path) -> None:
    async def scene(here: Scene) -> None:
        await here.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        here.gate.market.set("EURUSD", "1.07900", "1.07910")
        for _ in range(10):
            await here.sweep()
        fills = await here.gate.line.gateway.fills(limit=10, cursor=None, asker=AGENT)
        assert [one.origin for one in fills.items] == ["venue", "gate"]
        assert await here.externals() == ()
        assert await here.halts() == []

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        (CashKind.DEPOSIT, "5000"),
        (CashKind.WITHDRAWAL, "-5000"),
        (CashKind.DIVIDEND, "12.50"),
        (CashKind.FEE, "-1.00"),
    ],
)
def test_what_the_venue_explains_is_classified_and_halts_nothing(
    tmp_path: Path, kind: CashKind, amount: str
) -> None:
    async def scene(here: Scene) -> None:
        await here.gate.venue.pay(kind, Decimal(amount))
        for _ in range(10):
            await here.sweep()
        assert await here.halts() == []
        rows = await here.gate.store.read(lambda tx: tx.cash("paper-1", before=None, limit=9))
        assert [(line.kind, line.amount) for _, line in rows] == [(kind, Decimal(amount))]
        sealed = kind is not CashKind.FEE
        assert (f"cash.{kind.value}" in await here.kinds()) is sealed

    play(tmp_path, scene)


def test_swap_and_commission_add_up(tmp_path: Path) -> None:
    async def scene(here: Scene) -> None:
        await here.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        here.gate.market.advance(days=2)
        here.gate.market.set("EURUSD", "1.08490", "1.08500")
        for _ in range(10):
            await here.sweep()
        rows = await here.gate.store.read(lambda tx: tx.cash("paper-1", before=None, limit=9))
        assert {line.kind for _, line in rows} == {CashKind.SWAP}
        assert await here.halts() == []

    play(tmp_path, scene, PaperTerms())


def test_a_line_that_fits_no_class_halts_the_account_until_an_operator_releases(
    tmp_path: Path,
) -> None:
    async def scene(here: Scene) -> None:
        await here.gate.venue.pay(CashKind.OTHER, Decimal(-7), note="adjustment")
        await here.gate.line.settle.scan()
        ((kind, scope, reason),) = await here.halts()
        assert (kind, scope) == (HaltKind.HALT, ScopeKind.ACCOUNT)
        assert "fits no class" in reason
        refused = await here.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        assert refused.order.code == "HALTED"
        (halt,) = await here.gate.line.desk.halts()
        await here.gate.line.desk.release(
            halt.halt_id, reason="asked the broker", operator=OPERATOR
        )
        for _ in range(10):
            await here.sweep()
        assert await here.halts() == []

    play(tmp_path, scene)


def vanish(gate: Gate, amount: int) -> None:
    """Let money leave the venue's balance without a line that tells of it."""
    core = gate.venue._core
    work = Work(core.book)
    work.credit(amount)
    core.commit(work, core.book.account.venue_time)
    core.land(work)


def test_money_that_nothing_explains_halts_when_it_stays_so(tmp_path: Path) -> None:
    async def scene(here: Scene) -> None:
        vanish(here.gate, -100 * 10**8)
        here.clock.advance(31)
        await here.gate.line.settle.scan()
        assert await here.halts() == []  # once seen: it may be an execution between two reads
        await here.gate.line.settle.scan()
        assert await here.halts() == []  # at once again: the venue may still lag behind itself
        await here.sweep()
        halts = await here.halts()
        assert len(halts) == 1
        ((_, scope, reason),) = halts
        assert scope is ScopeKind.ACCOUNT
        assert reason == "incident: balance: 99900 found, 100000 explained"

    play(tmp_path, scene)


def test_a_difference_that_arose_while_the_gate_was_down_is_found(tmp_path: Path) -> None:
    async def before(here: Scene) -> None:
        await here.gate.line.gateway.submit(buy(), key=None, asker=AGENT)
        here.clock.advance(31)
        await here.sweep()

    async def after(here: Scene) -> None:
        await here.sweep()
        ((_, _, reason),) = await here.halts()
        assert reason.startswith("incident: balance")

    async def meddle() -> None:
        async with a_gate(tmp_path, clock=ManualClock()) as gate:
            vanish(gate, 10**8)

    play(tmp_path, before)
    asyncio.run(meddle())
    play(tmp_path, after)
