"""What every network door does first: the right host, a bounded body, a credential."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordergate.model.errors import Forbidden, GateError, InvalidArgument, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.surfaces.catalogue.envelope import Envelope, failure

Authenticate = Callable[[HTTPConnection], Awaitable[Principal]]
Bearer = Callable[[str], Awaitable[Principal]]

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
TOKEN_MAX: Final = 512
BODY_S: Final = 10.0  # a body that comes slower holds a place that an exit may need
PROBLEM: Final = "application/problem+json"
# Said twice, which one counts would be a guess, and a proxy before us may guess otherwise.
SAID_ONCE: Final = (b"host", b"origin", b"authorization", b"cookie", b"content-type")


class Misdirected(Forbidden):
    """The Host header names another site: a rebound name, or a wrong proxy."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The host names a door answers to; a browser's Origin must name one of them, too."""

    hosts: frozenset[str]

    def takes_host(self, host: str) -> bool:
        return _name(host) in self.hosts

    def takes_origin(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and _name(parts.netloc) in self.hosts


def boundary(names: Iterable[str] = LOOPBACK) -> Boundary:
    return Boundary(frozenset(name.lower() for name in names))


def _name(host: str) -> str:
    """Return the name of `name:port`, an IPv6 address with its brackets."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def by_bearer(bearer: Bearer) -> Authenticate:
    """Return a reader of `Authorization: Bearer`; any other scheme is no credential here."""

    async def authenticate(connection: HTTPConnection) -> Principal:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > TOKEN_MAX:
            raise Unauthenticated(
                "a bearer token is needed", fix="Send Authorization: Bearer <token>."
            )
        return await bearer(token)

    return authenticate


def problem(envelope: Envelope, instance: str) -> dict[str, Any]:
    """Return RFC 9457 problem details with the envelope inside."""
    assert envelope.error is not None
    return {
        "type": f"urn:ordergate:error:{envelope.error.code}",
        "title": envelope.error.code.replace("_", " ").capitalize(),
        "status": envelope.status,
        "detail": envelope.error.message,
        "instance": instance,
        "code": envelope.error.code,
        **envelope.body(),
    }


async def refuse(
    send: Send, error: GateError, *, path: str, status: int | None = None, challenge: str = ""
) -> None:
    """Answer a request with problem details, before any door has seen it."""
    envelope = failure(error)
    body = problem(envelope, path)
    body["status"] = status or envelope.status
    headers = [(b"content-type", PROBLEM.encode()), (b"cache-control", b"no-store")]
    if challenge:
        headers.append((b"www-authenticate", challenge.encode()))
    raw = json.dumps(body).encode()
    headers.append((b"content-length", str(len(raw)).encode()))
    await send({"type": "http.response.start", "status": body["status"], "headers": headers})
    await send({"type": "http.response.body", "body": raw})


class HostGuard:
    """Refuses a foreign Host (421), a foreign Origin (403) and a header that says two things (400).

    The app behind it sees none of these requests.
    """

    def __init__(self, app: ASGIApp, limits: Boundary) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            error, status = refusal
            await refuse(send, error, path=scope["path"], status=status)

    def _refusal(self, scope: Scope) -> tuple[GateError, int] | None:
        headers = headers_of(scope)
        if (twice := said_twice(scope)) is not None:
            return twice, 400
        if not self._limits.takes_host(headers.get("host", "")):
            return Misdirected("this listener does not answer to that host name"), 421
        origin = headers.get("origin")
        if origin is not None and not self._limits.takes_origin(origin):
            return Forbidden("requests from that origin are not taken"), 403
        return None


def said_twice(scope: Scope) -> InvalidArgument | None:
    """Return the refusal of a request that says something twice which it may say once."""
    names = [name.lower() for name, _ in scope["headers"]]
    twice = next((name.decode() for name in SAID_ONCE if names.count(name) > 1), None)
    if twice is None:
        return None
    return InvalidArgument(f"the header {twice} stands twice", fix="Send each header once.")


def headers_of(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Return a request's body, or None when it is longer than `limit` or its sender went away.

    Raises InvalidArgument when it has not arrived after BODY_S.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await _whole_body(receive, limit)
    except TimeoutError:
        raise InvalidArgument(
            "the body did not arrive in time", fix="Send all of it at once."
        ) from None


async def _whole_body(receive: Receive, limit: int) -> bytes | None:
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)
