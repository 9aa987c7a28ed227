"""The operator's console over the real order line: real store, venue, desk and sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ordergate.identity.sign_in import SignIn
from ordergate.model.views import OrderView
from ordergate.surfaces.console.app import console_app
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.operator_browser import ORIGIN
from support.order_records import AGENT, buy
from support.sign_ins import PEPPER, SeededChance, cheap_hasher

LARGE = buy(quantity=Decimal("0.50"), stop_loss=Decimal("1.08100"))


class OperatorLine:
    """What a scene holds: the gate, the clock, the sign-in and a client of the listener."""

    def __init__(self, gate: Gate, clock: ManualClock, sign_in: SignIn, http: httpx.AsyncClient):
        self.gate = gate
        self.clock = clock
        self.sign_in = sign_in
        self.http = http

    async def large_order(self) -> OrderView:
        """Have the agent propose what needs a yes."""
        view = await self.gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
        assert view.status == "approval_required"
        return view

    async def operator_signs_in(self) -> None:
        password = await self.sign_in.init_operator("alice")
        reply = await self.http.post(
            "/operator/sign-in", json={"name": "alice", "password": password}
        )
        self.http.headers["Cookie"] = reply.headers["set-cookie"].partition(";")[0]
        self.http.headers["X-CSRF-Token"] = reply.json()["data"]["csrf"]

    async def approve(self, view: OrderView, **headers: str) -> httpx.Response:
        """Answer yes with the fingerprint that the order's view itself gives away."""
        assert view.ticket is not None
        return await self.http.post(
            f"/operator/approvals/{view.ticket.ticket_id}/approve",
            json={"fingerprint": view.ticket.fingerprint},
            headers=headers,
        )

    async def positions(self) -> int:
        return len((await self.gate.venue.snapshot()).positions)


def with_operator_line(
    path: Path, scene: Callable[[OperatorLine], Awaitable[Any]], **how: Any
) -> None:
    """Play a scene; `how` is what support.gate.start_gate takes."""
    clock, chance = ManualClock(), SeededChance()

    async def play() -> None:
        async with a_gate(path, clock=clock, **how) as gate:
            sign_in = SignIn(
                store=gate.store,
                seal=gate.line.seal,
                clock=clock,
                ids=chance,
                chance=chance.bytes,
                pepper=PEPPER,
                hasher=cheap_hasher(),
            )
            app = console_app(
                desk=gate.line.desk,
                gateway=gate.line.gateway,
                sign_in=sign_in,
                origins=frozenset({ORIGIN}),
            )
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"Origin": ORIGIN}
            ) as http:
                await scene(OperatorLine(gate, clock, sign_in, http))

    asyncio.run(play())
