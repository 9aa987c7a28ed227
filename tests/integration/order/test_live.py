"""Real money through the real order line, against a venue that proves LIVE."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordergate.model.accounts import Mode
from ordergate.model.arming import Switches
from ordergate.model.errors import (
    Code,
    Forbidden,
    GateError,
    IllegalState,
    InvalidApproval,
    InvalidArgument,
)
from ordergate.model.orders import (
    KEEP,
    CancelIntent,
    CloseIntent,
    ModifyIntent,
    OrderType,
    Side,
    VenueOrder,
)
from ordergate.model.principals import Principal
from ordergate.model.proofs import Method, Proof
from ordergate.model.records import TicketState
from ordergate.model.values import AccountId, PositionId, PrincipalId, Symbol, Tag
from ordergate.model.views import OrderView
from ordergate.order.policy.limits import Limits
from support.gate import Gate
from support.live import KEEPER, LIMITS, LIVE, TRADER, armed, live_gate, prove_live, signed
from support.manual_clock import ManualClock
from support.order_records import AGENT, OPERATOR, buy
from support.proofs import SIGNED_IN

Scene = Callable[[Gate, ManualClock], Awaitable[None]]
SMALL = buy(quantity=Decimal("0.01"))


@pytest.fixture(autouse=True)
def _real_money(monkeypatch: pytest.MonkeyPatch) -> None:
    prove_live(monkeypatch)


def play(path: Path, scene: Scene, **how: Any) -> None:
    clock = how.setdefault("clock", ManualClock())

    async def run() -> None:
        async with live_gate(path, **how) as gate:
            await scene(gate, clock)

    asyncio.run(run())


async def asked(gate: Gate, **changes: Any) -> OrderView:
    """Have the agent propose a small opening order; it waits for a yes."""
    intent = dataclasses.replace(SMALL, **changes)
    view: OrderView = await gate.line.gateway.submit(intent, key=None, asker=TRADER)
    assert view.status == "approval_required", view.order.decision_json
    return view


async def approve(gate: Gate, view: OrderView, proof: Proof | None = None) -> OrderView:
    assert view.ticket is not None
    mark = view.ticket.fingerprint
    return await gate.line.desk.approve(
        view.ticket.ticket_id, fingerprint=mark, operator=OPERATOR, proof=proof or signed(mark)
    )


async def opened(gate: Gate) -> OrderView:
    await armed(gate)
    filled = await approve(gate, await asked(gate))
    assert (filled.status, filled.mode) == ("filled", Mode.LIVE)
    return filled


async def positions(gate: Gate) -> list[str]:
    return [one.position_id for one in (await gate.venue.snapshot()).positions]


async def refused(gate: Gate, **changes: Any) -> Code | None:
    intent = dataclasses.replace(SMALL, **changes)
    view = await gate.line.gateway.submit(intent, key=None, asker=TRADER)
    assert view.status == "rejected"
    return view.code


def a_close(position_id: str, **more: Any) -> CloseIntent:
    return CloseIntent(
        account=LIVE.account,
        venue=LIVE.venue,
        symbol=Symbol("EURUSD"),
        position_id=PositionId(position_id),
        **more,
    )


def test_unarmed_nothing_opens(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        assert await refused(gate) is Code.LIVE_NOT_ARMED
        assert await positions(gate) == []

    play(tmp_path, scene)


def test_armed_every_opening_waits_for_a_signature_over_its_own_hash(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await armed(gate)
        view, other = await asked(gate), await asked(gate, quantity=Decimal("0.02"))
        assert other.ticket is not None
        wrong = (SIGNED_IN, signed(other.ticket.fingerprint), signed(""))
        for proof in wrong:
            with pytest.raises(InvalidApproval, match="signature"):
                await approve(gate, view, proof)
        assert await positions(gate) == []
        assert (await approve(gate, view)).status == "filled"
        with pytest.raises(InvalidApproval, match="first answer"):
            await approve(gate, view)
        assert len(await positions(gate)) == 1

    play(tmp_path, scene)


def test_no_value_is_small_enough_to_be_approved_by_itself(tmp_path: Path) -> None:
    wide = dataclasses.replace(LIMITS, auto_approve_notional=Decimal(10**9))

    async def scene(gate: Gate, clock: ManualClock) -> None:
        await armed(gate)
        await asked(gate)

    play(tmp_path, scene, limits=wide)


def test_an_operators_own_order_waits_for_their_own_signature(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        gateway, desk = gate.line.gateway, gate.line.desk
        await armed(gate)
        own = await gateway.submit(SMALL, key=None, asker=OPERATOR)
        assert own.status == "approval_required"
        with pytest.raises(IllegalState, match="cannot approve"):
            await approve(gate, own, SIGNED_IN)
        assert (await approve(gate, own)).status == "filled"
        draft = await gateway.draft(buy(quantity=Decimal("0.03")), key=None, asker=AGENT)
        assert draft.status == "draft", "drafting needs no right to trade"
        sent = await desk.submit_draft(draft.order.order_id, operator=OPERATOR)
        assert sent.status == "approval_required"
        assert (await approve(gate, sent)).status == "filled"

    play(tmp_path, scene)


def test_a_token_without_the_grant_opens_nothing_and_exits_all_the_same(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await opened(gate)
        view = await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
        assert (view.status, view.code) == ("rejected", Code.FORBIDDEN)
        (held,) = await positions(gate)
        closed = await gate.line.gateway.close(a_close(held), key=None, asker=AGENT)
        assert closed.status == "filled", "it is the same principal's position"

    play(tmp_path, scene)


@pytest.mark.parametrize("how", ["time", "disarmed"])
def test_an_arming_ends_and_exits_go_on(tmp_path: Path, how: str) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await opened(gate)
        waiting = await asked(gate, quantity=Decimal("0.02"))
        if how == "time":
            clock.advance(3600 - 1)
            assert (await gate.line.desk.arming()).arming is not None
            clock.advance(1)
        else:
            await gate.line.desk.disarm(LIVE.account, reason="done", operator=OPERATOR)
            blocked = await approve(gate, waiting)
            assert (blocked.status, blocked.code) == ("blocked", Code.LIVE_NOT_ARMED)
        assert (await gate.line.desk.arming()).arming is None
        assert await refused(gate, quantity=Decimal("0.03")) is Code.LIVE_NOT_ARMED
        (held,) = await positions(gate)
        tighter = ModifyIntent(
            account=LIVE.account,
            venue=LIVE.venue,
            symbol=Symbol("EURUSD"),
            position_id=PositionId(held),
            stop_loss=Decimal("1.0820"),
        )
        assert (await gate.line.gateway.modify(tighter, key=None, asker=TRADER)).status == "applied"
        loose = dataclasses.replace(tighter, stop_loss=Decimal("1.0700"), take_profit=KEEP)
        wide = await gate.line.gateway.modify(loose, key=None, asker=TRADER)
        assert wide.code is Code.LIVE_NOT_ARMED, "taking protection away is new risk"
        done = await gate.line.gateway.close(a_close(held), key=None, asker=TRADER)
        assert done.status == "filled"

    play(tmp_path, scene)


def test_a_restart_disarms_and_voids_every_open_ask(tmp_path: Path) -> None:
    waiting: list[OrderView] = []

    async def before(gate: Gate, clock: ManualClock) -> None:
        await opened(gate)
        waiting.append(await asked(gate, quantity=Decimal("0.02")))

    async def after(gate: Gate, clock: ManualClock) -> None:
        (view,) = waiting
        assert view.ticket is not None
        again = await gate.line.gateway.status(view.order.order_id, asker=TRADER)
        assert (again.status, again.code) == ("expired", Code.APPROVAL_EXPIRED)
        assert again.ticket is not None
        assert again.ticket.state is TicketState.EXPIRED
        with pytest.raises(GateError) as late:
            await approve(gate, view)
        assert late.value.code is Code.APPROVAL_EXPIRED
        assert await refused(gate) is Code.LIVE_NOT_ARMED
        (held,) = await positions(gate)
        closed = await gate.line.gateway.close(a_close(held), key=None, asker=TRADER)
        assert closed.status == "filled"

    play(tmp_path, before)
    play(tmp_path, after)


def test_asks_wait_by_the_kind_of_order(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await armed(gate)
        market = await asked(gate)
        limit = await asked(gate, order_type=OrderType.LIMIT, limit_price=Decimal("1.0840"))
        for view, seconds in ((market, 300), (limit, 3600)):
            assert view.ticket is not None
            assert view.ticket.expires_at - view.ticket.opened_at == timedelta(seconds=seconds)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("limits", "changes", "limit_name"),
    [
        (Limits(), {}, "limits.symbols_allow"),
        (Limits(live_symbols_allow=("*",)), {}, "limits.symbols_allow"),
        (
            LIMITS,
            {"quantity": Decimal("0.90"), "stop_loss": Decimal("1.0790")},
            "limits.risk_per_trade_fraction",
        ),
        (LIMITS, {"stop_loss": None}, "limits.stop_required"),
    ],
)
def test_live_starts_from_stricter_limits(
    tmp_path: Path, limits: Limits, changes: dict[str, Any], limit_name: str
) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await armed(gate)
        view = await gate.line.gateway.submit(
            dataclasses.replace(SMALL, **changes), key=None, asker=TRADER
        )
        assert view.judgement is not None
        assert view.judgement.decision.failed is not None
        assert view.judgement.decision.failed.limit_name == limit_name

    play(tmp_path, scene, limits=dataclasses.replace(limits, stop_waived_symbols=("EURUSD",)))


def test_the_limits_that_are_shown_are_those_of_a_live_account(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        rows = {row.name: row.value for row in (await gate.line.gateway.safety()).limits}
        assert rows["limits.risk_per_trade_fraction"] == "0.005"
        assert rows["limits.symbols_allow"] == '["EURUSD"]'
        assert rows["limits.auto_approve_notional"] == "0"
        for name, value in (
            ("limits.live_risk_per_trade_fraction", "0.002"),
            ("limits.gross_exposure_fraction", "1.5"),
        ):
            await gate.line.gateway.tighten(name, Decimal(value), reason="mine", asker=TRADER)
        told = {
            row.name: (row.value, row.source) for row in (await gate.line.gateway.safety()).limits
        }
        assert told["limits.risk_per_trade_fraction"] == ("0.002", "live account")
        assert told["limits.gross_exposure_fraction"] == ("1.5", f"tightened by {TRADER.id}")

    play(tmp_path, scene)


async def offer(gate: Gate, hours: str = "1") -> str:
    desk = gate.line.desk
    return (await desk.offer_arming(LIVE.account, hours=Decimal(hours), operator=OPERATOR)).digest


def test_only_a_passkey_over_a_fresh_offer_arms(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        desk = gate.line.desk
        digest = await offer(gate)
        at = clock.now()
        for proof in (
            SIGNED_IN,
            Proof(method=Method.TOTP, at=at, over=digest),
            Proof(method=Method.PASSKEY, at=at, over=None),
            signed("0" * 64),
        ):
            with pytest.raises(InvalidApproval, match="signature"):
                await desk.arm(LIVE.account, operator=OPERATOR, proof=proof)
        with pytest.raises(InvalidApproval, match="another account"):
            await desk.arm(AccountId("paper-2"), operator=OPERATOR, proof=signed(digest))
        with pytest.raises(Forbidden):
            await desk.arm(LIVE.account, operator=TRADER, proof=signed(digest))
        await desk.arm(LIVE.account, operator=OPERATOR, proof=signed(digest))
        await desk.disarm(LIVE.account, reason="over", operator=OPERATOR)
        with pytest.raises(InvalidApproval, match="signature"):
            await desk.arm(LIVE.account, operator=OPERATOR, proof=signed(digest))
        late = await offer(gate)
        clock.advance(300)
        with pytest.raises(InvalidApproval, match="is over"):
            await desk.arm(LIVE.account, operator=OPERATOR, proof=signed(late))
        stale = await offer(gate)
        await gate.line.gateway.tighten(
            "open_orders_max", Decimal(3), reason="mine", asker=OPERATOR
        )
        with pytest.raises(InvalidApproval, match="limits have changed"):
            await desk.arm(LIVE.account, operator=OPERATOR, proof=signed(stale))
        assert (await desk.arming()).arming is None

    play(tmp_path, scene)


@pytest.mark.parametrize("hours", ["0.04", "8.01", "-1", "0", "NaN"])
def test_an_arming_is_boxed_in_time(tmp_path: Path, hours: str) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        with pytest.raises(InvalidArgument, match="hours"):
            await offer(gate, hours)

    play(tmp_path, scene)


def test_without_the_switches_nothing_can_be_armed(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        with pytest.raises(GateError, match="ALLOW_LIVE_TRADING") as no:
            await offer(gate)
        assert no.value.code is Code.LIVE_NOT_ARMED

    play(tmp_path, scene, switches=Switches())


def test_a_paper_account_has_nothing_to_arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()

    async def scene(gate: Gate, clock: ManualClock) -> None:
        with pytest.raises(IllegalState, match="paper account"):
            await offer(gate)

    play(tmp_path, scene)


def test_armings_are_on_record(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await armed(gate)
        await gate.line.desk.disarm(LIVE.account, reason="done", operator=OPERATOR)
        rows = await gate.store.read(lambda tx: tx.audit_rows(after=0, limit=1000))
        told = [(row.kind, row.actor) for row in rows if row.kind.startswith("live.")]
        assert told == [("live.armed", OPERATOR.id), ("live.disarmed", OPERATOR.id)]

    play(tmp_path, scene)


BY_HAND = VenueOrder(
    tag=Tag("BYHAND"),
    magic=1,
    account=LIVE.account,
    symbol=Symbol("EURUSD"),
    side=Side.BUY,
    order_type=OrderType.MARKET,
    quantity=Decimal("0.01"),
)
STRANGER = dataclasses.replace(TRADER, id=PrincipalId("stranger"))


@pytest.mark.parametrize("asker", [STRANGER, KEEPER, OPERATOR, TRADER])
def test_what_others_opened_is_closed_and_changed_by_grant_alone(
    tmp_path: Path, asker: Principal
) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        gateway = gate.line.gateway
        await opened(gate)
        at_rest = await asked(
            gate,
            order_type=OrderType.LIMIT,
            limit_price=Decimal("1.0840"),
            quantity=Decimal("0.02"),
        )
        resting = await approve(gate, at_rest)
        assert resting.attempt is not None
        assert resting.attempt.venue_order_id is not None
        (held,) = await positions(gate)
        where = {"account": LIVE.account, "venue": LIVE.venue, "symbol": Symbol("EURUSD")}
        tighter = ModifyIntent(**where, position_id=PositionId(held), stop_loss=Decimal("1.0820"))
        cancel = CancelIntent(**where, venue_order_id=resting.attempt.venue_order_id)
        acts: list[Callable[[], Awaitable[OrderView]]] = [
            lambda: gateway.modify(tighter, key=None, asker=asker),
            lambda: gateway.cancel(cancel, key=None, asker=asker),
            lambda: gateway.close(a_close(held), key=None, asker=asker),
        ]
        for act in acts:
            if asker is STRANGER:
                with pytest.raises(Forbidden, match="others opened"):
                    await act()
            else:
                assert (await act()).status in ("applied", "filled")
        assert len(await positions(gate)) == (1 if asker is STRANGER else 0)

    play(tmp_path, scene)


def test_what_was_made_around_the_gate_is_nobodys_without_a_grant(tmp_path: Path) -> None:
    async def scene(gate: Gate, clock: ManualClock) -> None:
        await gate.venue.submit(BY_HAND)
        (held,) = await positions(gate)
        with pytest.raises(Forbidden):
            await gate.line.gateway.close(a_close(held), key=None, asker=TRADER)
        closed = await gate.line.gateway.close(a_close(held), key=None, asker=KEEPER)
        assert closed.status == "filled"

    play(tmp_path, scene)


def test_on_paper_any_agent_closes_any_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()

    async def scene(gate: Gate, clock: ManualClock) -> None:
        await gate.line.gateway.submit(SMALL, key=None, asker=AGENT)
        (held,) = await positions(gate)
        done = await gate.line.gateway.close(a_close(held), key=None, asker=STRANGER)
        assert done.status == "filled"

    play(tmp_path, scene)
