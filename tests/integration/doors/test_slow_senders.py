"""A sender that dawdles loses its place: a hundred of them must not keep an exit out."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from ordergate.bootstrap import listeners
from ordergate.bootstrap.listeners import Listener, Servers, bind
from ordergate.model.errors import InvalidArgument
from ordergate.surfaces import edge
from ordergate.surfaces.edge import read_body

SOON = 0.2
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def served(monkeypatch: pytest.MonkeyPatch, *pieces: bytes, pause_s: float = 0) -> bytes:
    """Return all that a listener answers to these pieces, until it closes the connection."""
    monkeypatch.setattr(listeners, "HEADERS_S", SOON)
    bound = bind("rest", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    servers = Servers((Listener("rest", bound, Starlette(routes=[Route("/", hello)])),))
    await servers.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        return answer
    finally:
        await servers.stop()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: loc"])
def test_headers_that_do_not_arrive_end_the_connection(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    assert asyncio.run(served(monkeypatch, begun)) == b""


def test_a_second_request_that_stalls_ends_the_connection_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = asyncio.run(served(monkeypatch, WHOLE, b"GET / HT", pause_s=0.05))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_kept_connection_may_rest_between_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    last = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answer = asyncio.run(served(monkeypatch, WHOLE, last, pause_s=SOON * 2))
    assert answer.count(b"HTTP/1.1 200") == 2


def test_a_body_that_does_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_S", 0.05)

    async def dawdling() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    with pytest.raises(InvalidArgument, match="in time"):
        asyncio.run(read_body(dawdling, 100))
