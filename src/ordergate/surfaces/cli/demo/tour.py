"""The tour: an agent, an operator and a gate, from the first quote to the proof of the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from ordergate.model.values import plain
from ordergate.surfaces.cli.demo.authenticator import Authenticator
from ordergate.surfaces.cli.demo.stage import LOOPBACK, Stage
from ordergate.surfaces.cli.demo.story import Story, Unexpected, numbers
from ordergate.surfaces.cli.running import Note

OPERATOR: Final = "operator"
CALL_S: Final = 10.0
SEEN_WITHIN_S: Final = 8.0
POLL_S: Final = 0.15
STOP_AWAY: Final = Decimal("0.004")  # of the price
SMALL: Final = Decimal(11_000)  # account currency
LARGE: Final = Decimal(50_000)
DRAFTED: Final = Decimal(9_000)
LAST: Final = Decimal(7_000)


@dataclass(slots=True)
class Tour:
    stage: Stage
    story: Story
    note: Note | None = None
    password: str = ""
    phone: Authenticator | None = None
    symbol: str = "EURUSD"
    spec: Mapping[str, Any] = field(default_factory=dict)
    one_lot: Decimal = Decimal(1)  # value of one lot, account currency

    async def run(self) -> None:
        """Play every scene; raise Unexpected at the first that does not go as it must."""
        await self._set_up()
        async with self._agent() as agent:
            await self._look(agent)
            await self._draft_without_stop(agent)
            small = await self._small_order(agent)
            large = await self._large_order(agent)
            await self._draft(agent)
            await self._kill_switch(agent, small=small, large=large)
        await self._crash()
        await self._prove()

    async def _set_up(self) -> None:
        self.story.scene("A gateway of its own starts, and its operator is made")
        self.stage.set()
        made = await asyncio.to_thread(self.stage.command, "operator", "init", OPERATOR)
        self.story.check(
            bool(made["ok"]), "operator init printed password, authenticator and recovery codes"
        )
        shown = made["data"]
        self.password = shown["password"]
        self.phone = Authenticator(shown["otpauth"], shown["recovery_codes"], self.stage.now)
        again = await asyncio.to_thread(self.stage.command, "operator", "init", OPERATOR)
        self.story.check(not again["ok"], "a second operator init is refused")
        self.note = await asyncio.to_thread(self.stage.start)
        self.story.fact("paper venue, own files, own ports; no account, no network")

    @asynccontextmanager
    async def _agent(self) -> AsyncIterator[Client]:
        """Connect as an AI client does: the official SDK over stdio to a real process."""
        command, *words = self.stage.door_command
        door = StdioServerParameters(command=command, args=words, env=self.stage.environment)
        async with Client(door, read_timeout_seconds=CALL_S) as client:
            yield client

    async def _look(self, agent: Client) -> None:
        self.story.scene("An AI client connects over MCP and looks at the market")
        tools = (await agent.list_tools()).tools
        self.story.fact(f"{len(tools)} tools, among them place_order; none of them approves")
        names = {tool.name for tool in tools}
        self.story.check(not any("approve" in name for name in names), "no tool says yes")
        listed = _good(await _call(agent, "list_instruments"))["instruments"]
        known = {row["symbol"]: row for row in listed}
        self.symbol = self.symbol if self.symbol in known else listed[0]["symbol"]
        self.spec = known[self.symbol]
        quote = await self._quote(agent)
        real = "SYNTHETIC" if quote["synthetic"] else "recorded"
        self.story.fact(
            f"{self.symbol} {quote['bid']} / {quote['ask']}, {real} prices from {quote['source']},"
            f" {quote['age_s']} s old"
        )
        bars = _good(await _call(agent, "get_bars", symbol=self.symbol, timeframe="M5", limit=12))
        self.story.check(len(bars["close"]) > 0, f"{len(bars['close'])} bars of five minutes")
        judged = await _call(agent, "check_risk", **await self._order(agent, self.spec["lot_min"]))
        value = Decimal(_good(judged)["notional"])
        self.one_lot = value / Decimal(self.spec["lot_min"])

    async def _draft_without_stop(self, agent: Client) -> None:
        self.story.scene("It drafts an order without a stop, and one that is too large")
        terms = await self._order(agent, self._lots(SMALL))
        bare = {name: value for name, value in terms.items() if name != "stop_loss"}
        answer = await _call(agent, "draft_order", **bare)
        self.story.refused(answer, "STOP_REQUIRED", "the draft is refused")
        huge = await self._order(agent, self._lots(LARGE * 10))
        self.story.refused(
            await _call(agent, "draft_order", **huge), "EXCEEDS_LOCAL_LIMIT", "the large one too"
        )
        mistyped = {**bare, "stoploss": "1.0"}
        answer = await _call(agent, "draft_order", **mistyped)
        self.story.check(
            (answer["error"] or {}).get("code") == "INVALID_ARGUMENT",
            "stoploss= is refused, not dropped: it must not place an order without a stop",
        )

    async def _small_order(self, agent: Client) -> str:
        self.story.scene("A good small order fills at once")
        order = await self._order(agent, self._lots(SMALL))
        placed = _good(await _call(agent, "place_order", **order))
        self.story.check(placed["status"] == "filled", f"{placed['message']}")
        self.story.fact(
            f"{placed['side']} {placed['quantity']} {placed['symbol']} at"
            f" {placed['average_price']}, mode {placed['mode']}; the stop rests at the venue"
        )
        return str(placed["position_id"])

    async def _large_order(self, agent: Client) -> str:
        self.story.scene("A large one waits for a human; the agent cannot be that human")
        order = await self._order(agent, self._lots(LARGE))
        asked = _good(await _call(agent, "place_order", **order))
        self.story.check(asked["status"] == "approval_required", "the answer: approval_required")
        ticket = str(asked["approval_id"])
        await self._agent_tries_to_approve(agent, ticket, order)
        done = await asyncio.to_thread(self._approve, ticket)
        self.story.check(
            done["status"] == "filled",
            "the operator signed in with password and code, and said yes with the next: filled",
        )
        return str(done["attempt"]["position_id"])

    async def _agent_tries_to_approve(
        self, agent: Client, ticket: str, order: Mapping[str, Any]
    ) -> None:
        answer = await _call(agent, "place_order", **{**order, "approval_confirmed": True})
        self.story.check(
            (answer["error"] or {}).get("code") == "INVALID_ARGUMENT",
            "the agent adds approval_confirmed=true: INVALID_ARGUMENT",
        )
        path = f"/operator/approvals/{ticket}/approve"
        token = {"Authorization": f"Bearer {self.stage.agent_token()}"}
        note = self._where()
        async with httpx.AsyncClient(trust_env=False, timeout=CALL_S) as client:
            rest = await client.post(f"{note.rest_url}{path}", json={}, headers=token)
            place = urlsplit(note.console_url)
            console = await client.post(
                f"http://{LOOPBACK}:{place.port}{path}",
                json={},
                headers={**token, "Host": place.netloc, "Origin": note.console_url},
            )
        self.story.check(rest.status_code == 404, "it tries REST: there is no such route (404)")
        self.story.check(
            console.status_code in (401, 403),
            f"it tries the operator's listener with its token: refused ({console.status_code})",
        )
        still = _good(await _call(agent, "get_approval", approval_id=ticket))
        self.story.check(still["status"] == "open", "the ask is still open, nothing was sent")

    def _approve(self, ticket: str) -> Mapping[str, Any]:
        with self._operator() as desk:
            shown = _good(desk.get(f"/approvals/{ticket}"))
            fingerprint = shown["ticket"]["fingerprint"]
            path, yes = f"/approvals/{ticket}/approve", {"fingerprint": fingerprint}
            done: Mapping[str, Any] = _good(desk.act("approve", path, yes))
            return done

    async def _draft(self, agent: Client) -> None:
        self.story.scene("The agent drafts; the operator submits it as their own order")
        order = await self._order(agent, self._lots(DRAFTED))
        draft = _good(await _call(agent, "draft_order", **order))
        self.story.check(draft["status"] == "draft", "the draft is kept until the day's end")

        def submit() -> Mapping[str, Any]:
            with self._operator() as desk:
                path = f"/drafts/{draft['order_id']}/submit"
                submitted: Mapping[str, Any] = _good(desk.act("submit", path, {}))
                return submitted

        sent = await asyncio.to_thread(submit)
        self.story.check(sent["status"] == "filled", "submitted by the operator: filled")

    async def _kill_switch(self, agent: Client, *, small: str, large: str) -> None:
        self.story.scene("The kill switch: new risk stops, exits do not")
        _good(await _call(agent, "engage_kill_switch", reason="the demo says stop"))
        order = await self._order(agent, self._lots(LAST))
        self.story.refused(
            await _call(agent, "place_order", **order), "KILL_SWITCH_ACTIVE", "an opening order"
        )
        closed = _good(await _call(agent, "close_position", position_id=small))
        self.story.check(closed["status"] == "filled", "a close passes: filled")
        stripped = await _call(agent, "modify_order", position_id=large, stop_loss=None)
        self.story.refused(stripped, "KILL_SWITCH_ACTIVE", "taking the other position's stop away")

        def release() -> None:
            with self._operator() as desk:
                for halt in _good(desk.get("/halts")):
                    reason = {"reason": "the demo goes on"}
                    _good(desk.act("release", f"/halts/{halt['halt_id']}/release", reason))

        await asyncio.to_thread(release)
        self.story.fact("only the operator releases it, with a typed reason and another code")

    async def _crash(self) -> None:
        self.story.scene("SIGKILL in the middle of an order; the restart finds out its fate")
        await asyncio.to_thread(self.stage.stop)
        self.stage.set(reply_delay_s=30)
        self.note = await asyncio.to_thread(self.stage.start)
        self.story.fact("stopped, started again: it goes on where it ended; the venue answers late")
        door = self.stage.agent(self.note)
        before = len(_good(await self._rest("get_positions"))["positions"])
        terms = await self._rest_order(self._lots(LAST))
        sending = asyncio.create_task(asyncio.to_thread(door.call, "place_order", terms, acts=True))
        order_id = await self._until_sending()
        await asyncio.to_thread(self.stage.kill)
        lost = await sending
        self.story.check(
            lost["error"]["code"] == "ORDER_UNKNOWN", "the agent's answer is lost: ORDER_UNKNOWN"
        )
        self.stage.set()
        self.note = await asyncio.to_thread(self.stage.start)
        found = _good(await self._rest("get_order", order_id=order_id))
        self.story.check(
            found["status"] == "filled", "found in the venue's books by its tag: filled"
        )
        after = len(_good(await self._rest("get_positions"))["positions"])
        self.story.check(after == before + 1, "sent once: exactly one position more")

    async def _prove(self) -> None:
        self.story.scene("audit verify proves the whole tour")
        await asyncio.to_thread(self.stage.stop)
        proof = await asyncio.to_thread(self.stage.command, "audit", "verify")
        self.story.check(bool(proof["ok"]), "chain, signed head and checkpoints hold")
        self.story.fact(f"{proof['data']['records']} records, root {proof['data']['root'][:16]}…")

    async def _until_sending(self) -> str:
        """Wait until the order is claimed and on the wire."""
        deadline = self.stage.monotonic() + SEEN_WITHIN_S
        while self.stage.monotonic() < deadline:
            for order in _good(await self._rest("list_orders", scope="open"))["orders"]:
                if order["status"] == "sending":
                    return str(order["order_id"])
            await asyncio.sleep(POLL_S)
        self.story.check(False, "the order is on the wire")
        return ""

    async def _rest(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        door = self.stage.agent(self._where())
        return await asyncio.to_thread(door.call, tool, arguments, acts=False)

    async def _rest_order(self, lots: str) -> dict[str, Any]:
        quote = await self._priced(lambda: self._rest("get_quotes", symbols=[self.symbol]))
        return self._terms(quote, lots)

    async def _order(self, agent: Client, lots: str) -> dict[str, Any]:
        return self._terms(await self._quote(agent), lots)

    async def _quote(self, agent: Client) -> Mapping[str, Any]:
        return await self._priced(lambda: _call(agent, "get_quotes", symbols=[self.symbol]))

    async def _priced(self, ask: Callable[[], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
        """Return a quote; a recording's first tick may take a moment to come."""
        deadline = self.stage.monotonic() + SEEN_WITHIN_S
        answer = await ask()
        while not answer["ok"] and self.stage.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
            answer = await ask()
        quote: Mapping[str, Any] = _good(answer)["quotes"][0]
        return quote

    def _terms(self, quote: Mapping[str, Any], lots: str) -> dict[str, Any]:
        """Return a market buy with a stop 0.4 % below the market."""
        tick = Decimal(self.spec["tick_size"])
        below = Decimal(quote["bid"]) * (1 - STOP_AWAY)
        stop = (below / tick).to_integral_value(ROUND_DOWN) * tick
        return {
            "symbol": self.symbol,
            "side": "buy",
            "quantity": lots,
            "stop_loss": plain(stop),
        }

    def _lots(self, value: Decimal) -> str:
        step = Decimal(self.spec["lot_step"])
        lots = (value / self.one_lot / step).to_integral_value(ROUND_DOWN) * step
        return plain(max(lots, Decimal(self.spec["lot_min"])))

    def _operator(self) -> Any:
        assert self.phone is not None
        return self.stage.operator(
            self._where(), name=OPERATOR, password=self.password, code=self.phone.code
        )

    def _where(self) -> Note:
        assert self.note is not None
        return self.note


async def _call(agent: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a tool and return its envelope."""
    result = await agent.call_tool(tool, arguments)
    envelope: Mapping[str, Any] = result.structured_content or {}
    return envelope


def _good(envelope: Mapping[str, Any]) -> Any:
    if not envelope.get("ok"):
        error = envelope.get("error") or {}
        lines = [
            numbers(row)
            for row in (error.get("details") or {}).get("checklist", ())
            if row.get("finding") == "refuse"
        ]
        raise Unexpected(f"{error.get('code')}: {error.get('message')} {lines}")
    return envelope["data"]
