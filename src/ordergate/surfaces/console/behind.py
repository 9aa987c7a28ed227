"""The agents' operations once more, behind the operator's cookie instead of a bearer token."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from ordergate.model.errors import GateError, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.surfaces.console.answers import refusal
from ordergate.surfaces.console.entry import Entry
from ordergate.surfaces.console.guard import READING

UNDER: Final = "/api/"
_PRINCIPAL: Final = "ordergate.principal"


async def principal_of(connection: HTTPConnection) -> Principal:
    """Return who stands behind a request that came through Behind: the api's `authenticate`."""
    principal = connection.scope.get(_PRINCIPAL)
    if not isinstance(principal, Principal):
        raise Unauthenticated("not signed in")
    return principal


class Behind:
    """Hands /api/ to `api` with the operator as principal; everything else to `pages`.

    A WebSocket is handed on as it is: the stream asks for the sign-in again and again itself.
    """

    def __init__(self, pages: ASGIApp, *, api: ASGIApp, entry: Entry) -> None:
        self._pages = pages
        self._api = api
        self._entry = entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._api(scope, receive, send)
            return
        if scope["type"] != "http" or not scope["path"].startswith(UNDER):
            await self._pages(scope, receive, send)
            return
        asked = self._entry.visit if scope["method"] in READING else self._entry.write
        try:
            visit = await asked(HTTPConnection(scope))
        except GateError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._api({**scope, _PRINCIPAL: visit.operator}, receive, send)
