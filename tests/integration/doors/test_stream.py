"""The WebSocket: a snapshot, then numbered changes, for one principal, never buffered for long."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ordergate.model.principals import Principal
from ordergate.model.views import Change
from ordergate.surfaces.edge import HostGuard, boundary, by_bearer
from ordergate.surfaces.rest.app import Health, rest_app
from ordergate.surfaces.rest.metrics import Metrics
from ordergate.surfaces.stream.hub import BACKLOG_MAX, QUOTES_EVERY_S, Hub
from ordergate.surfaces.stream.quotes import tell_quotes
from ordergate.surfaces.stream.socket import Stream, stream_routes
from ordergate.surfaces.stream.tickets import Tickets
from support.doors import AGENT, OTHER, Doors, Ids, doors
from support.serving import serving

GOOD = {"symbol": "EURUSD", "side": "buy", "quantity": "0.05", "stop_loss": "1.07"}
MINE = {"Authorization": "Bearer token-agent"}


class Bench:
    """A gate with its stream, and hands on the server's own loop."""

    def __init__(self, *, recheck_s: float = 5.0, send_timeout_s: float = 5.0) -> None:
        self.hub = Hub()
        self.gate: Doors = doors(listeners=(self.hub.publish,))
        self.gate.market.listen(tell_quotes(self.gate.market.quote, self.hub.publish))
        self.loop: asyncio.AbstractEventLoop | None = None
        self.tickets = Tickets(monotonic=self.gate.clock.monotonic, new_id=Ids().new_id)
        stream = Stream(
            hub=self.hub,
            ask=self.gate.dispatch,
            authenticate=by_bearer(self.bearer),
            tickets=self.tickets,
            recheck_s=recheck_s,
            send_timeout_s=send_timeout_s,
        )
        app = rest_app(
            self.gate.dispatch,
            self.gate.operations,
            authenticate=by_bearer(self.gate.bearer),
            health=Health(version="0", ready=lambda: True, mcp=dict),
            metrics=Metrics(),
            routes=stream_routes(stream),
        )
        self.app = HostGuard(app, boundary())

    async def bearer(self, token: str) -> Principal:
        self.loop = asyncio.get_running_loop()
        return await self.gate.bearer(token)

    def burst(self, count: int) -> None:
        """Publish that many changes at once, on the server's own loop."""

        def publish() -> None:
            for n in range(count):
                self.hub.publish(Change(topic="orders", principal=None, body={"n": n}))

        assert self.loop is not None
        self.loop.call_soon_threadsafe(publish)

    def run(self, scenario: Callable[[str], Awaitable[None]]) -> None:
        with serving(self.app) as url:
            asyncio.run(scenario(url))


def ws(url: str, query: str = "", headers: Any = MINE) -> Any:
    address = url.replace("http", "ws", 1) + "/ws" + query
    return connect(address, additional_headers=headers, proxy=None)


async def hear(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 5))
    return message


async def post(url: str, path: str, body: Any, token: str = "token-agent") -> httpx.Response:
    async with httpx.AsyncClient(base_url=url) as http:
        headers = {"Authorization": f"Bearer {token}"}
        return await http.post(path, json=body, headers=headers)


def test_a_snapshot_of_every_topic_comes_first_and_is_numbered() -> None:
    bench = Bench()

    async def scenario(url: str) -> None:
        await post(url, "/api/v1/orders", {**GOOD, "quantity": "2"})
        async with ws(url) as socket:
            said = [await hear(socket) for _ in range(4)]
        assert [item["seq"] for item in said] == [1, 2, 3, 4]
        assert [item["topic"] for item in said] == ["quotes", "orders", "approvals", "activity"]
        assert {item["type"] for item in said} == {"snapshot"}
        quotes, orders, approvals, activity = (item["data"] for item in said)
        priced = {item["symbol"] for item in quotes["quotes"] if item["bid"] is not None}
        assert priced == {"EURUSD", "GBPUSD"}
        assert [item["status"] for item in orders["orders"]] == ["approval_required"]
        assert [item["approval_id"] for item in approvals["orders"]] != [None]
        assert activity["activity"][0]["tool"] == "place_order"

    bench.run(scenario)


def test_changes_follow_for_the_one_they_concern() -> None:
    bench = Bench()

    async def scenario(url: str) -> None:
        async with ws(url, "?topics=orders") as socket:
            await hear(socket)
            await post(url, "/api/v1/orders", GOOD, token="token-other")
            await post(url, "/api/v1/orders", GOOD)
            change = await hear(socket)
        assert (change["type"], change["seq"], change["data"]["status"]) == ("change", 2, "filled")
        mine = await bench.gate.dispatch(AGENT, "list_orders", {"scope": "all"})
        assert mine.data is not None
        assert change["data"]["order_id"] == mine.data["orders"][0]["order_id"]

    bench.run(scenario)


def test_an_operators_stream_hears_everyone() -> None:
    async def scenario() -> None:
        from ordergate.surfaces.stream.hub import Wish
        from support.doors import OPERATOR

        hub = Hub()
        topics = frozenset({"orders"})
        feeds = [
            hub.subscribe(Wish(principal=who, topics=topics)) for who in (AGENT, OTHER, OPERATOR)
        ]
        hub.publish(Change(topic="orders", principal="agent-1", body={"order_id": "1"}))
        hub.publish(Change(topic="orders", principal=None, body={"order_id": "2"}))
        heard = [[item.body["order_id"] for item in await feed.take()] for feed in feeds]
        assert heard == [["1", "2"], ["2"], ["1", "2"]]

    asyncio.run(scenario())


def test_quotes_are_narrowed_and_conflated_to_the_newest() -> None:
    async def scenario() -> None:
        from ordergate.surfaces.stream.hub import Wish

        bench = Bench()
        wish = Wish(principal=AGENT, topics=frozenset({"quotes"}), symbols=frozenset({"EURUSD"}))
        feed = bench.hub.subscribe(wish)
        for n in range(BACKLOG_MAX * 4):
            bench.gate.market.set("EURUSD", f"1.{1000 + n}", f"1.{1001 + n}")
            bench.gate.market.set("GBPUSD", f"1.{1000 + n}", f"1.{1001 + n}")
        taken = await feed.take()
        assert [item.body["bid"] for item in taken] == [f"1.{1000 + BACKLOG_MAX * 4 - 1}"]
        assert not feed.overflowed

    asyncio.run(scenario())


def test_quotes_come_together_and_hold_up_nothing_else() -> None:
    bench = Bench()

    async def scenario(url: str) -> None:
        async with ws(url, "?topics=quotes,orders") as socket:
            await hear(socket)
            await hear(socket)
            bench.gate.market.set("EURUSD", "1.2", "1.3")
            first = await hear(socket)
            began = time.monotonic()
            for number in range(5):
                bench.gate.market.set("EURUSD", f"1.{number}", "1.9")
                bench.gate.market.set("GBPUSD", f"1.{number}", "1.9")
            await post(url, "/api/v1/orders", GOOD)
            topics: set[str] = set()
            newest: dict[str, str] = {}
            # A slow machine may take longer to the order than the quotes wait for each other.
            while "orders" not in topics or newest != {"EURUSD": "1.4", "GBPUSD": "1.4"}:
                heard = await hear(socket)
                topics.add(heard["topic"])
                quotes = heard["data"].get("quotes", [])
                newest |= {one["symbol"]: one["bid"] for one in quotes}
            assert time.monotonic() - began >= QUOTES_EVERY_S / 2
        assert [one["symbol"] for one in first["data"]["quotes"]] == ["EURUSD"]

    bench.run(scenario)


def test_a_consumer_that_falls_behind_is_dropped_with_a_code() -> None:
    bench = Bench()

    async def scenario(url: str) -> None:
        async with ws(url, "?topics=orders") as socket:
            await hear(socket)
            bench.burst(BACKLOG_MAX + 1)
            with pytest.raises(ConnectionClosed) as closed:
                for _ in range(BACKLOG_MAX + 2):
                    await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4008

    bench.run(scenario)


def test_a_revoked_token_closes_the_stream() -> None:
    bench = Bench(recheck_s=0.05)

    async def scenario(url: str) -> None:
        async with ws(url, "?topics=activity") as socket:
            await hear(socket)
            bench.gate.revoked.add("token-agent")
            with pytest.raises(ConnectionClosed) as closed:
                await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401

    bench.run(scenario)


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("", {"Authorization": "Bearer nobody"}, 401),
        ("?token=token-agent", {}, 401),
        ("?ticket=guess", {}, 401),
        ("?topics=secrets", MINE, 400),
        ("?symbols=" + ",".join(f"S{n}" for n in range(51)), MINE, 400),
        ("", {**MINE, "Origin": "http://evil.example"}, 403),
    ],
)
def test_who_may_not_listen_is_told_before_the_stream_opens(
    query: str, headers: dict[str, str], status: int
) -> None:
    async def scenario(url: str) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with ws(url, query, headers):
                pass
        assert refused.value.response.status_code == status

    Bench().run(scenario)


def test_a_ticket_is_good_once_and_not_for_long() -> None:
    bench = Bench()

    async def scenario(url: str) -> None:
        async def ticket() -> str:
            answer = await post(url, "/api/v1/ws-ticket", {})
            return str(answer.json()["data"]["ticket"])

        first = await ticket()
        async with ws(url, f"?topics=activity&ticket={first}", {}) as socket:
            assert (await hear(socket))["type"] == "snapshot"
        with pytest.raises(InvalidStatus):
            async with ws(url, f"?ticket={first}", {}):
                pass
        late = await ticket()
        bench.gate.clock.advance(31)
        with pytest.raises(InvalidStatus):
            async with ws(url, f"?ticket={late}", {}):
                pass
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.post("/api/v1/ws-ticket")).status_code == 401

    bench.run(scenario)


def test_the_stream_only_speaks() -> None:
    async def scenario(url: str) -> None:
        async with ws(url, "?topics=activity") as socket:
            await hear(socket)
            await socket.send("buy")
            with pytest.raises(ConnectionClosed) as closed:
                await hear(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4400

    Bench().run(scenario)
