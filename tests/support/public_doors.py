"""The REST door and the operator's listener over a real order line and a market moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ordergate.adapters.storage.bar_files import BarFiles
from ordergate.market.bars.library.fetch import Library
from ordergate.model.errors import Unauthenticated
from ordergate.model.orders import Side
from ordergate.model.principals import Principal
from ordergate.model.records import AuditRow
from ordergate.model.values import Tag
from ordergate.surfaces.catalogue.dispatch import Dispatch
from ordergate.surfaces.catalogue.operations import operations
from ordergate.surfaces.catalogue.services import GateStatus, Services, SignalFloors
from ordergate.surfaces.console.app import console_app
from ordergate.surfaces.edge import by_bearer
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from support.gate import Gate, a_gate
from support.manual_clock import ManualClock
from support.operator_browser import ORIGIN, keeps_its_cookie
from support.order_records import AGENT
from support.paper import Orders
from support.sign_ins import SeededChance, a_sign_in

TOKEN = "the-agents-own"


@dataclass
class Doors:
    """What an attacker and an operator hold: two listeners, and a hand at the venue itself."""

    gate: Gate
    clock: ManualClock
    rest: httpx.AsyncClient
    operator: httpx.AsyncClient
    venues: Orders
    trades: int = 0
    codes: list[str] = field(default_factory=list)  # the operator's recovery codes, not used yet

    async def check(self, **terms: str) -> dict[str, dict[str, Any]]:
        """Ask for the checklist of an order, by rule."""
        reply = await self.rest.post("/api/v1/call/check_risk", json=terms)
        body = reply.json()
        assert body["ok"], body["error"]
        return {row["rule"]: row for row in body["data"]["checklist"]}

    async def place(self, **terms: str) -> dict[str, Any]:
        """Place an order; return the whole envelope."""
        reply = await self.rest.post("/api/v1/call/place_order", json=terms)
        body: dict[str, Any] = reply.json()
        return body

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        reply = await self.rest.post(f"/api/v1/call/{tool}", json=arguments)
        body = reply.json()
        assert body["ok"], body["error"]
        data: dict[str, Any] = body["data"]
        return data

    async def by_hand(self, side: Side, quantity: str, symbol: str = "EURUSD") -> None:
        """Trade at the venue as its own app would: no gate, no tag of ours."""
        self.trades += 1
        tag = Tag(f"hand-{self.trades}-{self.clock.now():%H%M%S%f}")
        await self.gate.venue.submit(self.venues.place(side.value, quantity, symbol, tag=tag))


async def _no_rows(**_: Any) -> Sequence[AuditRow]:
    return ()


@asynccontextmanager
async def public_doors(folder: Path, **how: Any) -> AsyncIterator[Doors]:
    """Run a gate with both doors; `how` goes to support.gate.start_gate.

    The operator is signed in at the first start of a folder alone.
    """
    clock, chance = ManualClock(), SeededChance()
    async with a_gate(folder, clock=clock, **how) as gate:
        sign_in = a_sign_in(gate.store, gate.line.seal, clock, chance)
        console = console_app(
            desk=gate.line.desk,
            gateway=gate.line.gateway,
            sign_in=sign_in,
            origins=frozenset({ORIGIN}),
        )
        agents = _rest(gate, clock, chance)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=agents),
                base_url="http://127.0.0.1:8010",
                headers=bearer,
            ) as rest,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=console),
                base_url=ORIGIN,
                headers={"Origin": ORIGIN},
            ) as operator,
        ):
            doors = Doors(gate, clock, rest, operator, Orders())
            if not await sign_in.operator_exists():
                keeps_its_cookie(operator)
                made = await sign_in.init_operator("alice")
                doors.codes = list(made.recovery_codes)
                who = {"name": "alice", "password": made.password, "code": doors.codes.pop()}
                reply = await operator.post("/operator/sign-in", json=who)
                operator.headers["X-CSRF-Token"] = reply.json()["data"]["csrf"]
            yield doors


def _rest(gate: Gate, clock: ManualClock, ids: SeededChance) -> Any:
    services = Services(
        gateway=gate.line.gateway,
        market=gate.market,  # type: ignore[arg-type]  # quotes and instruments are all it is asked
        audit=_no_rows,
        status=lambda: GateStatus(
            version="0", ready=True, started_at=clock.now(), console_url=ORIGIN
        ),
        publish=gate.changes.append,
        clock=clock,
        ids=ids,
        stored=Library(lambda: BarFiles(Path("no-bars"))),
        floors=SignalFloors(confidence=Decimal("0.42"), edge=Decimal(0)),
    )
    chosen = operations(data_only=False)
    return rest_app(
        Dispatch(services, chosen),
        chosen,
        authenticate=by_bearer(_bearer),
        health=Health(version="0", ready=lambda: True, mcp=dict),
        metrics=Metrics(),
    )


async def _bearer(token: str) -> Principal:
    if token != TOKEN:
        raise Unauthenticated("unknown token")
    return AGENT
