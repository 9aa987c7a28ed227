"""Sockets and servers: every listener bound before anything is announced, all stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ordergate.model.errors import NotReady

BACKLOG: Final = 128
CONNECTIONS_MAX: Final = 100
STOP_S: Final = 5
KEEP_ALIVE_S: Final = 30
STARTED_POLL_S: Final = 0.01
START_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and the application that answers on it."""

    name: str
    bound: socket.socket
    app: ASGIApp

    @property
    def port(self) -> int:
        return int(self.bound.getsockname()[1])


class _Server(uvicorn.Server):
    """One of several servers in a process whose signals belong to bootstrap."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
        self._servers = [_Server(_config(listener.app)) for listener in listeners]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when every listener answers; raise when one could not start."""
        self._tasks = [
            asyncio.create_task(server.serve(sockets=[listener.bound]), name=listener.name)
            for server, listener in zip(self._servers, self._listeners, strict=True)
        ]
        async with asyncio.timeout(START_S):
            while not all(server.started for server in self._servers):
                for task in self._tasks:
                    if task.done():
                        task.result()
                        raise NotReady(f"the listener {task.get_name()} ended at its start")
                await asyncio.sleep(STARTED_POLL_S)

    async def stop(self) -> None:
        """Close the listeners; open streams are cut after a few seconds."""
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        h11_max_incomplete_event_size=16 * 1024,
        proxy_headers=False,  # nobody stands between us: a forged address must not pass a throttle
        server_header=False,
        date_header=False,
        ws_max_size=64 * 1024,
        ws_max_queue=8,
    )
