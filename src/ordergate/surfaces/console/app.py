"""The operator's listener as one ASGI application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ordergate.identity.sign_in import SignIn
from ordergate.model.errors import Code, GateError, NotFound, NotSupported
from ordergate.order.desk import Desk
from ordergate.order.gateway import Gateway
from ordergate.surfaces.console.acts import Acts, AuditLines
from ordergate.surfaces.console.answers import refusal
from ordergate.surfaces.console.arming import ArmingActs
from ordergate.surfaces.console.behind import Behind
from ordergate.surfaces.console.credentials import Credentials
from ordergate.surfaces.console.entry import Entry, Rotation
from ordergate.surfaces.console.guard import Guard
from ordergate.surfaces.console.pages import Pages
from ordergate.surfaces.console.security import SecurityPages

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#6ea8fe" '
    'd="M2 15V5l6-4 6 4v10h-3V7L8 5 5 7v8z"/></svg>'
)
STYLE = Path(__file__).with_name("console.css")


class Offers(Protocol):
    """A part of the listener."""

    def routes(self) -> list[Route]: ...


class InternalFailure(GateError):
    """Something broke; what it was stands in the log, not in the answer."""

    code: ClassVar[Code] = Code.INTERNAL_ERROR


@dataclass(frozen=True, slots=True)
class Beside:
    """What else answers here: `api` under /api/, authenticating by `behind.principal_of`."""

    api: ASGIApp | None = None
    routes: Sequence[Route] = ()


def console_app(
    *,
    desk: Desk,
    sign_in: SignIn,
    gateway: Gateway,
    origins: frozenset[str],
    audit: AuditLines | None = None,
    beside: Beside | None = None,
) -> ASGIApp:
    """Build the listener for exactly these origins, such as http://ordergate.localhost:8030.

    `audit` yields the log as JSONL. `beside` stands behind the same wall.
    """
    beside = beside or Beside()
    pages = Pages(desk=desk, gateway=gateway, sign_in=sign_in)
    acts = Acts(desk=desk, gateway=gateway, sign_in=sign_in, audit=audit)
    parts: tuple[Offers, ...] = (
        acts,
        pages,
        ArmingActs(desk=desk, gateway=gateway, sign_in=sign_in),
        Credentials(desk=desk, gateway=gateway, sign_in=sign_in),
        SecurityPages(gateway=gateway, sign_in=sign_in),
    )
    css = STYLE.read_bytes()

    async def style(_: Request) -> Response:
        return Response(css, media_type="text/css")

    async def icon(_: Request) -> Response:
        return Response(ICON, media_type="image/svg+xml")

    async def refused(request: Request, error: Exception) -> Response:
        fault = _as_gate_error(error)
        if request.url.path.startswith("/operator/"):
            return refusal(fault)
        return await pages.refused(request, fault)

    app: ASGIApp = Starlette(
        routes=[
            *_routes(parts),
            *beside.routes,
            Route("/console.css", style),
            Route("/icon.svg", icon),
        ],
        exception_handlers={GateError: refused, HTTPException: refused, Exception: refused},
    )
    app = Rotation(app)
    if beside.api is not None:
        app = Behind(app, api=beside.api, entry=Entry(sign_in))
    return Guard(app, origins=origins)


def _routes(parts: Iterable[Offers]) -> list[Route]:
    return [route for part in parts for route in part.routes()]


def _as_gate_error(error: Exception) -> GateError:
    match error:
        case GateError():
            return error
        case HTTPException(status_code=404):
            return NotFound("no such page")
        case HTTPException(status_code=405):
            return NotSupported("no such act here")
    return InternalFailure("something broke inside; the log says what")
