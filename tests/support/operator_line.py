"""The operator's console over the real order line: real store, venue, desk and sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from ordergate.identity.sign_in import Enrolment, SignIn
from ordergate.model.views import OrderView
from ordergate.surfaces.console.app import console_app
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.operator_browser import ORIGIN, keeps_its_cookie
from support.order_records import AGENT, buy
from support.sign_ins import SeededChance, a_sign_in
from support.soft_passkey import SoftPasskey

LARGE = buy(quantity=Decimal("0.50"), stop_loss=Decimal("1.08100"))


class OperatorLine:
    """What a scene holds: the gate, the clock, the sign-in and a client of the listener."""

    def __init__(self, gate: Gate, clock: ManualClock, sign_in: SignIn, http: httpx.AsyncClient):
        self.gate = gate
        self.clock = clock
        self.sign_in = sign_in
        self.http = http
        self.made: Enrolment | None = None
        self.codes: list[str] = []
        self.passkey = SoftPasskey(ORIGIN)

    async def large_order(self) -> OrderView:
        """Have the agent propose what needs a yes."""
        view = await self.gate.line.gateway.submit(LARGE, key=None, asker=AGENT)
        assert view.status == "approval_required"
        return view

    async def operator_signs_in(self) -> None:
        """Make the operator and sign in with password and a recovery code."""
        if self.made is None:
            self.made = await self.sign_in.init_operator("alice")
            self.codes = list(self.made.recovery_codes)
        who = {"name": "alice", "password": self.made.password, "code": self.codes.pop()}
        reply = await self.http.post("/operator/sign-in", json=who)
        self.http.headers["X-CSRF-Token"] = reply.json()["data"]["csrf"]

    async def approve(self, view: OrderView, **headers: str) -> httpx.Response:
        """Answer yes with the fingerprint that the order's view itself gives away."""
        assert view.ticket is not None
        return await self.http.post(
            f"/operator/approvals/{view.ticket.ticket_id}/approve",
            json={
                "fingerprint": view.ticket.fingerprint,
                "code": self.codes.pop() if self.codes else "",
            },
            headers=headers,
        )

    async def enrols(self) -> None:
        """Make a device of the operator's a passkey."""
        self.passkey = SoftPasskey(ORIGIN, key=generate_private_key(SECP256R1()))
        asked = {"code": self.codes.pop()}
        options = (await self.http.post("/operator/passkeys/options", json=asked)).json()["data"]
        made = {"name": "phone", "credential": self.passkey.create(options)}
        reply = await self.http.post("/operator/passkeys", json=made)
        assert reply.status_code == 200, reply.text

    async def signed(self, act: str, target: str) -> str:
        """Return the passkey's answer to what it is asked to sign for an act."""
        asked = {"act": act, "target": target}
        options = (await self.http.post("/operator/factor", json=asked)).json()["data"]
        return self.passkey.get(options)

    async def positions(self) -> int:
        return len((await self.gate.venue.snapshot()).positions)


def with_operator_line(
    path: Path, scene: Callable[[OperatorLine], Awaitable[Any]], **how: Any
) -> None:
    """Play a scene; `how` is what support.gate.start_gate takes."""
    clock, chance = ManualClock(), SeededChance()

    async def play() -> None:
        async with a_gate(path, clock=clock, **how) as gate:
            sign_in = a_sign_in(gate.store, gate.line.seal, clock, chance)
            app = console_app(
                desk=gate.line.desk,
                gateway=gate.line.gateway,
                sign_in=sign_in,
                origins=frozenset({ORIGIN}),
            )
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"Origin": ORIGIN}
            ) as http:
                keeps_its_cookie(http)
                await scene(OperatorLine(gate, clock, sign_in, http))

    asyncio.run(play())
