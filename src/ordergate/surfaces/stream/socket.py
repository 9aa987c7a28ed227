"""The WebSocket /ws: a snapshot of each topic, then its changes, numbered, for one principal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ordergate.model.errors import GateError, InvalidArgument, RateLimited, Unauthenticated
from ordergate.model.principals import Principal
from ordergate.model.views import Change
from ordergate.surfaces.catalogue.envelope import Envelope, failure
from ordergate.surfaces.edge import PROBLEM, Authenticate, problem
from ordergate.surfaces.stream.hub import TOPICS, USUAL, Feed, Hub, TooManyFeeds, Wish
from ordergate.surfaces.stream.tickets import TICKET_LIFE_S, Tickets

Ask = Callable[[Principal, str, Mapping[str, Any]], Awaitable[Envelope]]

SEND_TIMEOUT_S: Final = 5.0
RECHECK_S: Final = 5.0
SYMBOLS_MAX: Final = 50
CLOSE_REVOKED: Final = 4401
CLOSE_SLOW: Final = 4008
CLOSE_SPEECH: Final = 4400  # this stream only speaks; what a client says is not heard
_SYMBOL: Final = re.compile(r"[A-Za-z0-9._/#-]{1,32}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What the socket speaks from. `authenticate` is asked again and again while it is open."""

    hub: Hub
    ask: Ask
    authenticate: Authenticate
    tickets: Tickets
    recheck_s: float = RECHECK_S
    send_timeout_s: float = SEND_TIMEOUT_S


def stream_routes(stream: Stream) -> list[BaseRoute]:
    """Return /ws and the route that issues tickets for it."""

    async def socket(websocket: WebSocket) -> None:
        await _Conversation(stream, websocket).run()

    async def ticket(request: Request) -> Response:
        try:
            await stream.authenticate(request)
        except GateError as error:
            return _problem(error, request)
        data = {"ticket": stream.tickets.issue(request), "expires_in_s": int(TICKET_LIFE_S)}
        return JSONResponse(
            {"ok": True, "data": data, "error": None}, headers={"Cache-Control": "no-store"}
        )

    return [
        WebSocketRoute("/ws", socket),
        Route("/api/v1/ws-ticket", ticket, methods=["POST"]),
    ]


class _Conversation:
    def __init__(self, stream: Stream, websocket: WebSocket) -> None:
        self._stream = stream
        self._websocket = websocket
        self._sequence = 0

    async def run(self) -> None:
        try:
            credential = self._credential()
            principal = await self._stream.authenticate(credential)
            wish = _wish(self._websocket, principal)
            feed = self._stream.hub.subscribe(wish)
        except TooManyFeeds:
            await self._deny(RateLimited("too many streams are open", fix="Close one first."))
            return
        except GateError as error:
            await self._deny(error)
            return
        try:
            await self._websocket.accept()
            await self._speak(credential, wish, feed)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has gone: there is nobody to tell
        finally:
            self._stream.hub.unsubscribe(feed)

    def _credential(self) -> HTTPConnection:
        """Return the request whose credential counts: this one, or the ticket's."""
        ticket = self._websocket.query_params.get("ticket")
        if ticket is None:
            return self._websocket
        asked_by = self._stream.tickets.redeem(ticket)
        if asked_by is None:
            raise Unauthenticated("the ticket is used up or too old", fix="Ask for a new one.")
        return asked_by

    async def _speak(self, credential: HTTPConnection, wish: Wish, feed: Feed) -> None:
        tasks = {
            asyncio.create_task(self._send_all(wish, feed)),
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._recheck(credential)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code = next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if code is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._stream.send_timeout_s):
                    await self._websocket.close(code)

    async def _send_all(self, wish: Wish, feed: Feed) -> int | None:
        try:
            for topic in TOPICS:
                if topic in wish.topics:
                    await self._send("snapshot", topic, await self._snapshot(topic, wish))
            while not feed.overflowed:
                taken = await feed.take()
                for change in taken:
                    if change.topic != "quotes":
                        await self._send("change", change.topic, dict(change.body))
                quotes = [change for change in taken if change.topic == "quotes"]
                if quotes:
                    await self._send_quotes(quotes)
        except TimeoutError:
            return CLOSE_SLOW
        return CLOSE_SLOW

    async def _snapshot(self, topic: str, wish: Wish) -> Any:
        match topic:
            case "quotes":
                return await self._read(wish, "get_quotes", {"symbols": await self._symbols(wish)})
            case "orders":
                return await self._read(wish, "list_orders", {"scope": "open", "limit": 100})
            case "approvals":
                return await self._read(wish, "list_orders", {"scope": "waiting", "limit": 100})
            case "alerts":
                return await self._read(wish, "price_alerts", {"action": "list"})
            case _:
                return {"activity": [dict(item.body) for item in self._stream.hub.recent(wish)]}

    async def _symbols(self, wish: Wish) -> list[str]:
        """Return the symbols asked for, or the first fifty there are."""
        if wish.symbols:
            return sorted(wish.symbols)
        listed = await self._read(wish, "list_instruments", {"limit": SYMBOLS_MAX})
        return [item["symbol"] for item in listed.get("instruments", [])]

    async def _read(self, wish: Wish, tool: str, arguments: Mapping[str, Any]) -> Any:
        envelope = await self._stream.ask(wish.principal, tool, arguments)
        return envelope.data if envelope.ok else {"error": envelope.body()["error"]}

    async def _send(self, kind: str, topic: str, data: Any) -> None:
        self._sequence += 1
        message = {"type": kind, "topic": topic, "seq": self._sequence, "data": data}
        async with asyncio.timeout(self._stream.send_timeout_s):
            await self._websocket.send_json(message)

    async def _send_quotes(self, quotes: Sequence[Change]) -> None:
        """Send quotes together, each written once for everybody: many listen to the same."""
        self._sequence += 1
        listed = ",".join(map(self._stream.hub.text, quotes))
        head = f'{{"type":"change","topic":"quotes","seq":{self._sequence},"data":{{"quotes":['
        async with asyncio.timeout(self._stream.send_timeout_s):
            await self._websocket.send_text(f"{head}{listed}]}}}}")

    async def _listen(self) -> int | None:
        message = await self._websocket.receive()
        return None if message["type"] == "websocket.disconnect" else CLOSE_SPEECH

    async def _recheck(self, credential: HTTPConnection) -> int:
        while True:
            await asyncio.sleep(self._stream.recheck_s)
            try:
                await self._stream.authenticate(credential)
            except GateError:
                return CLOSE_REVOKED

    async def _deny(self, error: GateError) -> None:
        await self._websocket.send_denial_response(_problem(error, self._websocket))


def _wish(websocket: WebSocket, principal: Principal) -> Wish:
    topics = _split(websocket.query_params.get("topics", ",".join(USUAL)))
    symbols = _split(websocket.query_params.get("symbols", ""))
    if not topics or not topics <= set(TOPICS):
        raise InvalidArgument("an unknown topic", fix=f"Choose from {', '.join(TOPICS)}.")
    if len(symbols) > SYMBOLS_MAX or not all(_SYMBOL.match(name) for name in symbols):
        raise InvalidArgument("symbols: at most 50 names, separated by commas", fix="Send fewer.")
    return Wish(principal=principal, topics=topics, symbols=symbols)


def _split(text: str) -> frozenset[str]:
    return frozenset(part for part in text.split(",") if part)


def _problem(error: GateError, connection: HTTPConnection) -> Response:
    envelope = failure(error)
    return JSONResponse(
        problem(envelope, connection.url.path), status_code=envelope.status, media_type=PROBLEM
    )
