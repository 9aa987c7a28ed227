"""A proxy that lends a token: the suite has none to send, and the gate answers nobody without.

Host, Origin and everything else pass as they came; a client that leaves takes its request along.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx

HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length"}
TIMEOUT_S = 60.0


class LendingProxy:
    """An ASGI app that passes every request on to one base URL with a bearer token."""

    def __init__(self, base_url: str, token: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        passing = asyncio.create_task(self._pass(scope, body, send))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (passing, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await task

    async def _pass(self, scope: Any, body: bytes, send: Any) -> None:
        headers = [(k, v) for k, v in scope["headers"] if k not in HOP]
        headers.append((b"authorization", b"Bearer " + self._token.encode()))
        request = self._client.build_request(
            scope["method"], scope["path"], headers=headers, content=body
        )
        reply = await self._client.send(request, stream=True)
        try:
            kept = [(k.lower(), v) for k, v in reply.headers.raw if k.lower() not in HOP]
            start = {"type": "http.response.start", "status": reply.status_code, "headers": kept}
            await send(start)
            async for chunk in reply.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await reply.aclose()


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
