"""Who is told when a resource changes: sessions of the older protocol, streams of the newer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourceUpdated,
    SubscriptionBus,
)
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from ordergate.model.views import Change

Context = ServerRequestContext[Any, Any]
Listen = Callable[[Callable[[Change], None]], Callable[[], None]]
Touched = Callable[[Change], tuple[str, ...]]

INTERVAL_S: Final = 0.2  # changes within it are told once
SEND_TIMEOUT_S: Final = 2.0
SESSIONS_MAX: Final = 256
STREAMS_MAX: Final = 256
URIS_MAX: Final = 64
DIRTY_MAX: Final = 1_000
SESSION_HEADER: Final = "mcp-session-id"
ONLY_SESSION: Final = ""  # of a door with one client, such as stdio


@dataclass(slots=True)
class _Subscriber:
    session: ServerSession
    uris: set[str] = field(default_factory=set)


class Subscriptions:
    """Collects changed resources and tells, a few times a second, whoever asked."""

    def __init__(
        self,
        *,
        listen: Listen,
        touched: Touched,
        known: Callable[[str], bool],
        bus: SubscriptionBus | None = None,
    ) -> None:
        self._listen = listen
        self._touched = touched
        self._known = known
        self._bus = InMemorySubscriptionBus() if bus is None else bus
        self._streams = ListenHandler(
            self._bus, max_subscriptions=STREAMS_MAX, max_buffered_events=DIRTY_MAX
        )
        self._sessions: dict[str, _Subscriber] = {}
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._stop_listening: Callable[[], None] | None = None
        self._users = 0
        self._teller: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, _: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        """Keep telling while any transport runs."""
        self._users += 1
        if self._teller is None:
            self._teller = asyncio.create_task(self._tell_forever(), name="resource-updates")
        try:
            yield {}
        finally:
            self._users -= 1
            if self._users == 0:
                await self._stop()

    async def subscribe(self, context: Context, params: SubscribeRequestParams) -> EmptyResult:
        uri = self._checked(str(params.uri))
        key = _session_key(context)
        subscriber = self._sessions.get(key)
        if subscriber is None:
            if len(self._sessions) >= SESSIONS_MAX:
                raise MCPError(INVALID_PARAMS, "too many subscribers")
            subscriber = self._sessions[key] = _Subscriber(context.session)
        if len(subscriber.uris) >= URIS_MAX and uri not in subscriber.uris:
            raise MCPError(INVALID_PARAMS, f"more than {URIS_MAX} subscriptions")
        subscriber.session = context.session
        subscriber.uris.add(uri)
        self._start_listening()
        return EmptyResult()

    async def unsubscribe(self, context: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        key = _session_key(context)
        subscriber = self._sessions.get(key)
        if subscriber is not None:
            subscriber.uris.discard(str(params.uri))
            if not subscriber.uris:
                self.forget(key)
        return EmptyResult()

    async def stream(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one listen stream until its client leaves or falls too far behind."""
        uris = params.notifications.resource_subscriptions or ()
        if len(uris) > URIS_MAX:
            raise MCPError(INVALID_PARAMS, f"more than {URIS_MAX} subscriptions")
        self._start_listening()
        return await self._streams(context, params)

    def forget(self, session: str) -> None:
        """Drop a session that has ended."""
        self._sessions.pop(session, None)

    @property
    def sessions(self) -> tuple[str, ...]:
        return tuple(self._sessions)

    def mark(self, uri: str) -> None:
        """Have subscribers told that a resource has changed."""
        if len(self._dirty) < DIRTY_MAX:
            self._dirty.add(uri)
            self._wake.set()

    def _changed(self, change: Change) -> None:
        for uri in self._touched(change):
            self.mark(uri)

    def _checked(self, uri: str) -> str:
        if not self._known(uri):
            raise MCPError(INVALID_PARAMS, "Resource not found", {"uri": uri[:200]})
        return uri

    def _start_listening(self) -> None:
        if self._stop_listening is None:
            self._stop_listening = self._listen(self._changed)

    async def _tell_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            for uri in sorted(dirty):
                await self._bus.publish(ResourceUpdated(uri))
            await asyncio.gather(
                *(self._tell(key, one, dirty) for key, one in list(self._sessions.items()))
            )
            await asyncio.sleep(INTERVAL_S)

    async def _tell(self, key: str, subscriber: _Subscriber, dirty: set[str]) -> None:
        """Tell one session; one that does not take it within two seconds is dropped."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                for uri in sorted(dirty & subscriber.uris):
                    await subscriber.session.send_resource_updated(uri)
        except TimeoutError:
            self.forget(key)

    async def _stop(self) -> None:
        self._streams.close()
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        self._sessions.clear()
        teller, self._teller = self._teller, None
        if teller is not None:
            teller.cancel()
            await asyncio.wait({teller}, timeout=SEND_TIMEOUT_S)


def _session_key(context: Context) -> str:
    headers = getattr(context.request, "headers", None)
    return ONLY_SESSION if headers is None else headers.get(SESSION_HEADER, ONLY_SESSION)
