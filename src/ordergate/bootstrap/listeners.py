"""Sockets and servers: every listener bound before anything is announced, all stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ordergate.bootstrap.tls import Tls
from ordergate.model.errors import NotReady

BACKLOG: Final = 128
CONNECTIONS_MAX: Final = 400
STOP_S: Final = 5
KEEP_ALIVE_S: Final = 30
HEADERS_S: Final = 10.0
STARTED_POLL_S: Final = 0.01
START_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and the application that answers on it."""

    name: str
    bound: socket.socket
    app: ASGIApp
    tls: Tls | None = None

    @property
    def port(self) -> int:
        return int(self.bound.getsockname()[1])


class _Server(uvicorn.Server):
    """One of several servers in a process whose signals belong to bootstrap."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Impatient(H11Protocol):
    """Closes a connection whose request line and headers do not arrive: its place is an exit's.

    uvicorn itself waits for them for ever.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._late is None:
            self._late = self.loop.call_later(HEADERS_S, self._give_up)

    def _give_up(self) -> None:
        self._late = None
        if self.conn.their_state is h11.IDLE:
            self.transport.close()

    def _stop_watching(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def bind(name: str, host: str, port: int) -> socket.socket:
    """Bind a listener's socket; raise NotReady when its port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's delay off only where it sees TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option lets two programs share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise NotReady(
            f"port {port} for {name} cannot be used: {error.strerror or error}",
            fix=f"stop what uses it, or set server.{name}_port in ordergate.toml (0 = any free)",
        ) from error
    return bound


class Servers:
    """All listeners of the process; they start together and stop together."""

    def __init__(self, listeners: tuple[Listener, ...]) -> None:
        self._listeners = listeners
        self._servers = [_Server(_config(listener)) for listener in listeners]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when every listener answers, one after the other; raise when one could not."""
        async with asyncio.timeout(START_S):
            for server, listener in zip(self._servers, self._listeners, strict=True):
                task = asyncio.create_task(
                    server.serve(sockets=[listener.bound]), name=listener.name
                )
                self._tasks.append(task)
                while not server.started:
                    if task.done():
                        task.result()
                        raise NotReady(f"the listener {task.get_name()} ended at its start")
                    await asyncio.sleep(STARTED_POLL_S)

    async def stop(self) -> None:
        """Close the listeners; open streams are cut after a few seconds."""
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _config(listener: Listener) -> uvicorn.Config:
    tls = listener.tls
    return uvicorn.Config(
        listener.app,
        http=_Impatient,
        log_config=None,
        access_log=False,
        # An app that is served twice lives once: by its plain listener, which starts first.
        lifespan="on" if tls is None else "off",
        ssl_certfile=None if tls is None else str(tls.cert),
        ssl_keyfile=None if tls is None else str(tls.key),
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        h11_max_incomplete_event_size=16 * 1024,
        proxy_headers=False,  # nobody stands between us: a forged address must not pass a throttle
        server_header=False,
        date_header=False,
        ws_max_size=64 * 1024,
        ws_max_queue=8,
        ws_per_message_deflate=False,  # it costs more than it saves where many listen
    )
