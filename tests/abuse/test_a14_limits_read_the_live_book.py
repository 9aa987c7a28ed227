"""A14: limits read the venue's live book at this moment, not what the gate last knew of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from ordergate.model.orders import Side
from ordergate.order.policy.limits import Limits
from support.public_doors import public_doors

ORDER = {"symbol": "EURUSD", "side": "buy", "quantity": "0.10", "stop_loss": "1.0800"}
LIMITS = Limits(position_notional_fraction=Decimal("0.5"), open_positions_max=Decimal(2))


def test_a_position_made_a_moment_ago_around_the_gate_counts_without_any_sweep(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with public_doors(tmp_path, limits=LIMITS) as doors:
            assert (await doors.check(**ORDER))["position_size"]["finding"] == "pass"
            await doors.by_hand(Side.BUY, "0.40")  # nobody has scanned since
            answer = await doors.place(**ORDER)
            assert not answer["ok"]
            assert answer["error"]["code"] == "EXCEEDS_LOCAL_LIMIT"
            assert (await doors.check(**ORDER))["position_size"]["finding"] == "refuse"

    asyncio.run(run())


def test_what_was_closed_a_moment_ago_around_the_gate_counts_no_more(tmp_path: Path) -> None:
    async def run() -> None:
        async with public_doors(tmp_path, limits=LIMITS) as doors:
            await doors.by_hand(Side.BUY, "0.40")
            (position,) = (await doors.gate.venue.snapshot()).positions
            assert (await doors.check(**ORDER))["position_size"]["finding"] == "refuse"
            order = doors.venues.place(
                "sell", "0.40", position_id=position.position_id, tag="hand-close"
            )
            await doors.gate.venue.submit(order)
            assert (await doors.place(**ORDER))["ok"]

    asyncio.run(run())


def test_another_name_of_a_denied_thing_is_denied_once_the_operator_has_said_so(
    tmp_path: Path,
) -> None:
    """And only then: a name is never guessed from how it looks."""

    async def run() -> None:
        async with public_doors(tmp_path, limits=Limits(symbols_deny=("METAL",))) as doors:
            gold = {"symbol": "XAUUSD", "side": "buy", "quantity": "0.01", "stop_loss": "1990.00"}
            assert (await doors.check(**gold))["symbol_allowed"]["finding"] == "pass"
            pair = {"name": "XAUUSD", "underlying": "METAL", "reason": "one list for all metal"}
            shown = pair | {"code": doors.codes.pop()}
            reply = await doors.operator.post("/operator/underlyings", json=shown)
            assert reply.status_code == 200, reply.text
            assert (await doors.check(**gold))["symbol_allowed"]["finding"] == "refuse"
            listed = (await doors.operator.get("/operator/underlyings")).json()["data"]
            assert [(row["name"], row["underlying"]) for row in listed] == [("XAUUSD", "METAL")]
            taken = {"name": "XAUUSD", "reason": "a mistake"}
            taken["code"] = doors.codes.pop()
            reply = await doors.operator.post("/operator/underlyings/remove", json=taken)
            assert reply.status_code == 200, reply.text
            assert (await doors.check(**gold))["symbol_allowed"]["finding"] == "pass"
            for path in ("/operator/underlyings", "/operator/underlyings/remove"):
                bearer = await doors.rest.post(path, json=pair)
                assert bearer.status_code == 404, "the agents' door knows no such act"

    asyncio.run(run())


def test_what_is_made_around_the_gate_is_shown_to_the_operator_and_the_agent(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with public_doors(tmp_path) as doors:
            await doors.gate.line.settle.scan()
            await doors.by_hand(Side.BUY, "0.40")
            await doors.gate.line.settle.scan()
            shown = (await doors.operator.get("/operator/external")).json()["data"]
            assert {row["kind"] for row in shown} == {"order", "fill", "position"}
            (position,) = (await doors.call("get_positions"))["positions"]
            assert position["external"] is True
            (fill,) = (await doors.call("list_fills"))["fills"]
            assert fill["origin"] == "external"
            assert (await doors.operator.get("/operator/halts")).json()["data"] == []

    asyncio.run(run())
