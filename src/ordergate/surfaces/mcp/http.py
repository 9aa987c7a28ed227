"""The HTTP door of MCP: right host, a token on every request, a bounded strict body."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordergate.model.errors import Forbidden, GateError, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.surfaces.catalogue.arguments import BYTES_MAX, DEPTH_MAX, TooLarge, read_json
from ordergate.surfaces.edge import (
    Bearer,
    Boundary,
    HostGuard,
    by_bearer,
    headers_of,
    read_body,
    refuse,
)
from ordergate.surfaces.mcp.subscriptions import SESSION_HEADER, Subscriptions
from ordergate.surfaces.mcp.tools import PRINCIPAL_KEY, Permits

ENVELOPE_DEPTH: Final = 4  # of JSON-RPC around a tool's arguments
SESSIONS_MAX: Final = 256
SESSION_IDLE_S: Final = 1_800.0
RECHECK_S: Final = 10.0
SSE_MESSAGES: Final = "/messages"
QUIET_S: Final = 120.0  # a session without a stream that asks nothing for so long is not told
_CHALLENGE: Final = 'Bearer realm="ordergate"'
_OF_A_BODY: Final = (b"content-type", b"content-length")
_REFUSED: Final = "this method, or this Accept header, is not taken here"
_NO_SCOPE: Final = 'Bearer error="insufficient_scope"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may come in. `permits`: whether a principal may ever call a tool."""

    bearer: Bearer
    limits: Boundary
    permits: Permits
    monotonic: Callable[[], float]
    recheck_s: float = RECHECK_S


def mcp_app(
    server: Server[Any], subscriptions: Subscriptions, access: Access, *, sse: bool = False
) -> ASGIApp:
    """Return the ASGI app of /mcp, and of /sse where the switch is on; it has a lifespan."""
    security = TransportSecuritySettings(
        allowed_hosts=[f"{host}{port}" for host in access.limits.hosts for port in ("", ":*")],
        allowed_origins=[
            f"{scheme}://{host}{port}"
            for scheme in ("http", "https")
            for host in access.limits.hosts
            for port in ("", ":*")
        ],
    )
    app = server.streamable_http_app(
        streamable_http_path="/mcp",
        max_request_body_size=BYTES_MAX,
        session_idle_timeout=SESSION_IDLE_S,
        max_sessions=SESSIONS_MAX,
        transport_security=security,
        custom_starlette_routes=_sse_routes(server, security) if sse else [],
    )
    return HostGuard(
        Doorkeeper(app, access, Presence(subscriptions, access.monotonic)), access.limits
    )


class Presence:
    """Which sessions of the older protocol are still there, seen from their requests."""

    def __init__(self, subscriptions: Subscriptions, monotonic: Callable[[], float]) -> None:
        self._subscriptions = subscriptions
        self._monotonic = monotonic
        self._streams: dict[str, int] = {}
        self._seen: dict[str, float] = {}

    def seen(self, session: str) -> None:
        self._seen[session] = self._monotonic()
        self._reap()

    def opened(self, session: str) -> None:
        self._streams[session] = self._streams.get(session, 0) + 1
        self.seen(session)

    def closed(self, session: str) -> None:
        left = self._streams.get(session, 0) - 1
        if left > 0:
            self._streams[session] = left
        else:
            self._streams.pop(session, None)
        self.seen(session)

    def _reap(self) -> None:
        """Forget subscribers that have no stream to be told on and have not been heard of."""
        now = self._monotonic()
        subscribed = set(self._subscriptions.sessions)
        for session in subscribed:
            quiet = now - self._seen.get(session, now) > QUIET_S
            if quiet and session not in self._streams:
                self._subscriptions.forget(session)
        gone = [
            session
            for session, at in self._seen.items()
            if now - at > QUIET_S and session not in subscribed and session not in self._streams
        ]
        for session in gone:
            del self._seen[session]


class Doorkeeper:
    """Reads the credential of every request, and of a POST what it is about."""

    def __init__(self, app: ASGIApp, access: Access, presence: Presence) -> None:
        self._app = app
        self._access = access
        self._presence = presence
        self._authenticate = by_bearer(access.bearer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            principal = await self._authenticate(HTTPConnection(scope))
        except Unauthenticated as error:
            await refuse(send, error, path=scope["path"], challenge=_CHALLENGE)
            return
        except GateError as error:
            await refuse(send, error, path=scope["path"])
            return
        scope = {**scope, PRINCIPAL_KEY: principal, "user": _user(principal)}
        send = _readable(send)
        if scope["method"] == "POST":
            await self._post(scope, receive, send, principal)
        elif scope["method"] == "GET":
            await self._streaming(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send, principal: Principal) -> None:
        try:
            body = await read_body(receive, BYTES_MAX)
        except GateError as error:
            await refuse(send, error, path=scope["path"])
            return
        if body is None:
            large = TooLarge(f"the body is larger than {BYTES_MAX} bytes")
            await refuse(send, large, path=scope["path"])
            return
        try:
            message = read_json(body, depth=DEPTH_MAX + ENVELOPE_DEPTH)
        except GateError as error:
            code = INVALID_REQUEST if isinstance(error, TooLarge) else PARSE_ERROR
            await _rpc_error(scope, receive, send, code=code, words=error.message)
            return
        method, tool = _subject(message)
        if tool is not None and not self._access.permits(principal, tool):
            no = Forbidden(f"a principal of kind {principal.kind.value} may not call this tool")
            await refuse(send, no, path=scope["path"], challenge=_NO_SCOPE)
            return
        session = headers_of(scope).get(SESSION_HEADER)
        if session is not None:
            self._presence.seen(session)
        replayed = _replay(body, receive)
        if method == "subscriptions/listen":
            await self._streaming(scope, replayed, send)
        else:
            await self._app(scope, replayed, send)

    async def _streaming(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a long answer for as long as its token is good."""
        session = headers_of(scope).get(SESSION_HEADER)
        if session is not None:
            self._presence.opened(session)

        async def serve() -> None:
            await self._app(scope, receive, send)

        serving = asyncio.create_task(serve(), name="mcp-stream")
        try:
            while not serving.done():
                await asyncio.wait({serving}, timeout=self._access.recheck_s)
                if not serving.done() and not await self._still_good(scope):
                    return
            serving.result()
        finally:
            if session is not None:
                self._presence.closed(session)
            if not serving.done():
                serving.cancel()
                await asyncio.wait({serving})

    async def _still_good(self, scope: Scope) -> bool:
        try:
            await self._authenticate(HTTPConnection(scope))
        except Unauthenticated:
            return False
        return True


def _user(principal: Principal) -> AuthenticatedUser:
    """Return the user the SDK binds sessions to: another principal's session is not found."""
    token = AccessToken(token="", client_id=principal.id, scopes=[principal.kind.value])
    return AuthenticatedUser(token)


def _subject(message: Any) -> tuple[str | None, str | None]:
    """Return a message's method, and of a tool call the tool."""
    if not isinstance(message, Mapping):
        return None, None
    method, params = message.get("method"), message.get("params")
    if not isinstance(method, str):
        return None, None
    name = params.get("name") if isinstance(params, Mapping) else None
    is_call = method == "tools/call" and isinstance(name, str)
    return method, name if is_call else None


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _rpc_error(scope: Scope, receive: Receive, send: Send, *, code: int, words: str) -> None:
    error = json.dumps(_rpc(code, words))
    response = Response(error, status_code=400, media_type="application/json")
    await response(scope, receive, send)


def _readable(send: Send) -> Send:
    """Give a refusal that the SDK says in plain text, or not at all, the form of all others."""
    held: list[Message] = []

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name == b"content-type"]
            if message["status"] >= 400 and not any(b"json" in kind for kind in kinds):
                held.append(message)
                return
        elif held and message.get("more_body", False):
            return
        elif held:
            start = held.pop()
            words = message.get("body", b"").decode("utf-8", "replace") or _REFUSED
            body = json.dumps(_rpc(INVALID_REQUEST, words)).encode()
            kept = [row for row in start["headers"] if row[0] not in _OF_A_BODY]
            length = (b"content-length", str(len(body)).encode())
            headers = [*kept, (b"content-type", b"application/json"), length]
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await send(message)

    return told


def _rpc(code: int, words: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": words}}


class _SseStream:
    """The stream half of the legacy SSE transport."""

    def __init__(self, server: Server[Any], transport: SseServerTransport) -> None:
        self._server = server
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._transport.connect_sse(scope, receive, send) as (read, write):
            await self._server.run(read, write, self._server.create_initialization_options())


class _SseMessages:
    """The half that takes messages."""

    def __init__(self, transport: SseServerTransport) -> None:
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._transport.handle_post_message(scope, receive, send)


def _sse_routes(server: Server[Any], security: TransportSecuritySettings) -> list[Route]:
    transport = SseServerTransport(
        SSE_MESSAGES, security_settings=security, max_request_body_size=BYTES_MAX
    )
    return [
        Route("/sse", _SseStream(server, transport), methods=["GET"]),
        Route(SSE_MESSAGES, _SseMessages(transport), methods=["POST"]),
    ]
