"""The wall before the operator's listener: right host, right origin, no bearer, no large body."""

from __future__ import annotations

from typing import ClassVar, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordergate.model.errors import Code, Forbidden, GateError
from ordergate.surfaces.console.answers import refusal
from ordergate.surfaces.edge import said_twice

BODY_BYTES_MAX: Final = 64 * 1024
READING: Final = frozenset({"GET", "HEAD"})
_POLICY: Final = (
    "default-src 'self'; script-src {}; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
SCRIPTED: Final = _POLICY.format("'self'")  # for a page that asks a passkey, and for no other
HEADERS: Final = {
    "content-security-policy": _POLICY.format("'none'"),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class TooLarge(GateError):
    """The body is longer than anything an operator's page or command sends."""

    code: ClassVar[Code] = Code.PAYLOAD_TOO_LARGE


class Guard:
    """Lets in what the operator's own pages and commands send; cookies are judged behind it.

    `origins` are exact: scheme, name and port. A cookie ignores ports, so any page on another
    loopback port shares it; the origin is what tells them apart.
    """

    def __init__(self, app: ASGIApp, *, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins
        self._hosts = frozenset(origin.split("://", 1)[1] for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        fault = self._fault(scope)
        if fault is None:
            await self._app(scope, _bounded(receive), _hardened(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": fault.message})
        else:
            answer: Response = refusal(fault)
            await answer(scope, receive, _hardened(send))

    def _fault(self, scope: Scope) -> GateError | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return Forbidden("this listener answers to its own name alone")
        if (twice := said_twice(scope)) is not None:
            return twice
        if "authorization" in headers or "proxy-authorization" in headers:
            return Forbidden("no bearer or other authorization is accepted on this listener")
        reads = scope["type"] != "websocket" and scope["method"] in READING
        if not reads or "origin" in headers:  # a page elsewhere reads nothing here, either
            return self._foreign(headers) or _oversize(headers)
        return _oversize(headers)

    def _foreign(self, headers: Headers) -> GateError | None:
        origin = headers.get("origin", "")
        same_host = f"http://{headers['host']}", f"https://{headers['host']}"
        if origin not in self._origins or origin not in same_host:
            return Forbidden("a write must come from this listener's own pages: exact Origin")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return Forbidden("a write must come from this listener's own pages")
        return None


def _oversize(headers: Headers) -> GateError | None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > BODY_BYTES_MAX:
        return _too_large()
    return None


def _too_large() -> TooLarge:
    return TooLarge(f"a body has at most {BODY_BYTES_MAX} bytes")


def _bounded(receive: Receive) -> Receive:
    """Count what arrives: a chunked body names no length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > BODY_BYTES_MAX:
                raise _too_large()
        return message

    return counted


def _hardened(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            scripted = headers.get("content-security-policy") == SCRIPTED
            for name, value in HEADERS.items():
                headers[name] = value
            if scripted:
                headers["content-security-policy"] = SCRIPTED
        await send(message)

    return with_headers
