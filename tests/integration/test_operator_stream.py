"""The stream behind the operator's cookie: same wall, and it ends with the sign-in."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from ordergate.identity.operators import SESSION_IDLE
from ordergate.model.values import OrderId
from ordergate.model.views import Change
from ordergate.surfaces.console.app import Beside, console_app
from ordergate.surfaces.console.behind import principal_of
from ordergate.surfaces.console.entry import COOKIE, Entry
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from ordergate.surfaces.stream.hub import Hub
from ordergate.surfaces.stream.socket import CLOSE_REVOKED, Stream, stream_routes
from ordergate.surfaces.stream.tickets import Tickets
from support.doors import doors
from support.operator_browser import ORIGIN
from support.operator_desk import FakeGate
from support.sign_ins import Identity, with_identity

RECHECK_S = 0.02


class Watch:
    """A signed-in operator in front of a console that streams."""

    def __init__(self, identity: Identity, hub: Hub, port: int, cookie: str) -> None:
        self.identity = identity
        self.hub = hub
        self.cookie = cookie
        self._port = port

    def open(self, query: str = "?topics=orders", **headers: str) -> Any:
        given = {"Cookie": f"{COOKIE}={self.cookie}", "Origin": ORIGIN, **headers}
        return connect(
            "ws" + ORIGIN.removeprefix("http") + "/ws" + query,
            host="127.0.0.1",
            port=self._port,
            additional_headers=given,
            proxy=None,
        )


def watching(path: Path, scene: Callable[[Watch], Awaitable[None]]) -> None:
    async def play(identity: Identity) -> None:
        password = await identity.make_operator()
        _, cookie = await identity.enter(password)
        hub = Hub()
        gate = doors(listeners=(hub.publish,))
        stream = Stream(
            hub=hub,
            ask=gate.dispatch,
            authenticate=Entry(identity.sign_in).watcher,
            tickets=Tickets(monotonic=gate.clock.monotonic, new_id=identity.chance.new_id),
            recheck_s=RECHECK_S,
        )
        api = rest_app(
            gate.dispatch,
            gate.operations,
            authenticate=principal_of,
            health=Health(version="0", ready=lambda: True, mcp=dict),
            metrics=Metrics(),
            routes=stream_routes(stream),
        )
        fake: Any = FakeGate(identity.clock)
        app = console_app(
            desk=fake,
            gateway=fake,
            sign_in=identity.sign_in,
            origins=frozenset({ORIGIN}),
            beside=Beside(api),
        )
        config = uvicorn.Config(app, lifespan="off", log_level="error", ws="websockets-sansio")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            try:
                await scene(Watch(identity, hub, listener.getsockname()[1], cookie))
            finally:
                server.should_exit = True
                await serving

    with_identity(path, play)


async def hear(connection: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(await asyncio.wait_for(connection.recv(), 5))
    return said


def test_the_operator_sees_everyones_orders_as_they_move(tmp_path: Path) -> None:
    async def scene(watch: Watch) -> None:
        async with watch.open() as connection:
            assert (await hear(connection))["type"] == "snapshot"
            body = {"order_id": OrderId("o1"), "status": "filled"}
            watch.hub.publish(Change(topic="orders", principal="agent-1", body=body))
            assert (await hear(connection))["data"] == body

    watching(tmp_path, scene)


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "other=1"},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Origin": "http://ordergate.localhost:8010"},
        {"Origin": "http://evil.example"},
        {"Authorization": "Bearer og_ag_x"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_nobody_else_is_let_in(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scene(watch: Watch) -> None:
        with pytest.raises(InvalidHandshake):
            async with watch.open(**headers):
                pass

    watching(tmp_path, scene)


@pytest.mark.parametrize("ended", ["signed out", "idle"])
def test_the_stream_ends_with_the_sign_in_and_does_not_prolong_it(
    tmp_path: Path, ended: str
) -> None:
    async def scene(watch: Watch) -> None:
        async with watch.open() as connection:
            await hear(connection)
            if ended == "idle":
                half = SESSION_IDLE.total_seconds() / 2
                watch.identity.clock.advance(half)
                await asyncio.sleep(RECHECK_S * 5)  # looked at meanwhile: that is no use of it
                watch.identity.clock.advance(half)
            else:
                await watch.identity.sign_in.sign_out(watch.cookie)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(connection.recv(), 5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CLOSE_REVOKED

    watching(tmp_path, scene)
