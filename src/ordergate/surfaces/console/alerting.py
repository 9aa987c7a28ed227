"""Alerts at the operator's listener, listed and noted; and the proof that it is this gate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ordergate.alerts.pace import repeats
from ordergate.alerts.push import Push
from ordergate.identity.authority import Act, require
from ordergate.identity.sign_in import SignIn
from ordergate.model.alerts import AlertRecord
from ordergate.model.canonical import plain_data
from ordergate.model.errors import DataUnavailable, InvalidArgument, NotReady
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.answers import answer
from ordergate.surfaces.console.entry import Entry, Visit, only, path_id, read_form, read_object
from ordergate.surfaces.console.frame import (
    Frame,
    button,
    card,
    facts,
    form,
    moment,
    page,
    spoken,
)
from ordergate.surfaces.console.markup import Child, Html, tag

_NONCE: Final = re.compile(r"[0-9a-f]{32,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Presence:
    """What the listener says of itself to anyone: whether it is ready, and that it is this gate.

    `prove` signs a name and a nonce; it can sign nothing else.
    """

    ready: Callable[[], bool]
    prove: Callable[[str, str], str]


class Alerting:
    """Endpoints around alerts. Listing takes a sign-in, acknowledging a write of that session."""

    def __init__(
        self, *, alerts: Push, sign_in: SignIn, gateway: Gateway, presence: Presence
    ) -> None:
        self._alerts = alerts
        self._gateway = gateway
        self._presence = presence
        self._entry = Entry(sign_in)

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/operator/alerts", self.listed),
            ("POST", "/operator/alerts/test", self.test),
            ("POST", "/operator/alerts/{id}/acknowledge", self.acknowledge),
            ("GET", "/alerts", self.shown),
            ("POST", "/alerts/{id}/acknowledge", self.acknowledged),
            ("GET", "/readyz", self.ready),
            ("GET", "/.well-known/ordergate", self.present),
        ]
        return [Route(path, act, methods=[method]) for method, path, act in table]

    async def listed(self, request: Request) -> Response:
        await self._entry.visit(request)
        listed = [alert_shape(alert) for alert in await self._alerts.listed()]
        channels, problem = list(self._alerts.channels), self._alerts.problem()
        return answer({"alerts": listed, "channels": channels, "problem": problem})

    async def acknowledge(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        only(await read_object(request))
        return answer(alert_shape(await self._note(request, visit)))

    async def test(self, request: Request) -> Response:
        visit = await self._entry.write(request)
        require(visit.operator, Act.ACKNOWLEDGE)
        only(await read_object(request))
        return answer(plain_data(await self._alerts.test()))

    async def shown(self, request: Request) -> Response:
        visit = await self._entry.visit(request)
        frame = await self._frame(visit)
        cards = [_card(alert, csrf=frame.csrf) for alert in await self._alerts.listed()]
        content = page(
            "Alerts", _channels(self._alerts), cards or tag("p", "Nothing was told."), frame=frame
        )
        return HTMLResponse(content)

    async def acknowledged(self, request: Request) -> Response:
        fields = await read_form(request)
        visit = await self._entry.write(request, fields.get("csrf", ""))
        only(fields, "csrf")
        await self._note(request, visit)
        return RedirectResponse("/alerts", status_code=303)

    async def ready(self, request: Request) -> Response:
        del request
        if not self._presence.ready():
            raise NotReady("the gate is starting, recovering or stopping", fix="Ask again shortly.")
        return answer({"status": "ready"})

    async def present(self, request: Request) -> Response:
        """Prove that whoever answers under this name holds this gate's key."""
        nonce = request.query_params.get("nonce", "")
        if not _NONCE.fullmatch(nonce):
            raise InvalidArgument("nonce must be 32 to 64 lowercase hex digits")
        name = request.headers["host"]
        return answer({"name": name, "nonce": nonce, "proof": self._presence.prove(name, nonce)})

    async def _note(self, request: Request, visit: Visit) -> AlertRecord:
        require(visit.operator, Act.ACKNOWLEDGE)
        return await self._alerts.acknowledge(path_id(request, "id"), operator=visit.operator)

    async def _frame(self, visit: Visit) -> Frame:
        try:
            mode = (await self._gateway.account(asker=visit.operator)).identity.mode
        except DataUnavailable:
            mode = None
        return Frame(
            mode=mode,
            killed=(await self._gateway.safety()).killed,
            operator=visit.operator.name,
            csrf=visit.session.csrf,
        )


def alert_shape(alert: AlertRecord) -> dict[str, Any]:
    """Return an alert, and whether it waits to be acknowledged."""
    shape: dict[str, Any] = plain_data(alert)
    return {**shape, "repeats": repeats(alert)}


def _channels(alerts: Push) -> Html:
    if not alerts.channels:
        return tag("p", "No channel is set up: alerts stand here alone.", class_="notice")
    return tag("p", alerts.problem() or f"Told through {', '.join(alerts.channels)}.")


def _card(alert: AlertRecord, *, csrf: str) -> Html:
    rows: list[tuple[str, Child]] = [
        ("Since", moment(alert.created_at)),
        ("Told", f"{alert.told} times, last {moment(alert.told_at)}"),
    ]
    if alert.problem:
        rows.append(("Not told", alert.problem))
    if alert.acknowledged_by:
        rows.append(("Acknowledged", f"{alert.acknowledged_by}, {moment(alert.acknowledged_at)}"))
    if alert.ended_at:
        rows.append(("Over", moment(alert.ended_at)))
    act = form(f"/alerts/{alert.alert_id}/acknowledge", button("I have seen it"), csrf=csrf)
    return card(
        alert.title,
        [tag("p", spoken(line)) for line in alert.text.splitlines()],
        facts(rows),
        act if repeats(alert) else None,
    )
