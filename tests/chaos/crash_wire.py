"""The gateway's end of the wire to the faulty exchange: a venue adapter of the harness."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from chaos.crash_steps import Crash
from ordergate.adapters.venues.paper import mapping, statement
from ordergate.model.accounts import (
    AccountState,
    Capabilities,
    Position,
    VenueHistory,
    VenueOrderState,
    VenueSnapshot,
)
from ordergate.model.orders import (
    OrderType,
    Side,
    TimeInForce,
    VenueCancel,
    VenueModify,
    VenueOrder,
)
from ordergate.model.outcomes import Acked, Fill, FillEffect, VenueRefusal, VenueStatus
from ordergate.model.values import AccountId, PositionId, Symbol, Tag, VenueName, VenueOrderId
from ordergate.ports.market_facts import MarketFacts

ZERO = Decimal(0)
EQUITY = Decimal(100_000)
ANSWER_S = 5.0
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class WireVenue:
    """Implements VenueReader and VenueTrader over a socket: a line out, a line back."""

    def __init__(self, end: socket.socket, markets: MarketFacts, crash: Crash) -> None:
        self._end = end
        self._markets = markets
        self._crash = crash
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._reading: asyncio.Task[None] | None = None

    @property
    def venue(self) -> VenueName:
        return statement.VENUE

    @property
    def account(self) -> AccountId:
        return statement.ACCOUNT

    def capabilities(self) -> Capabilities:
        return statement.PLAIN

    def listen(self, callback: Callable[[], None]) -> None:
        """Nothing is told unasked on this wire."""

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._end.close()

    async def snapshot(self) -> VenueSnapshot:
        seen = await self._ask({"do": "snapshot"})
        now = self._markets.venue_now()
        return VenueSnapshot(
            identity=statement.IDENTITY,
            account=AccountState(
                currency="USD",
                balance=EQUITY,
                equity=EQUITY,
                margin_used=ZERO,
                margin_free=EQUITY,
                open_pnl=ZERO,
                day=now.date(),
                day_start_equity=EQUITY,
                realised_today=ZERO,
                time=now,
                paid_in=EQUITY,
            ),
            positions=tuple(_position(row) for row in seen["positions"]),
            open_orders=tuple(_order(row) for row in seen["orders"]),
            venue_time=now,
        )

    async def history(self, since: datetime) -> VenueHistory:
        found = await self._ask({"do": "history", "since": _moment(since)})
        return VenueHistory(
            orders=tuple(_order(row) for row in found["orders"]),
            fills=tuple(_fill(row) for row in found["fills"]),
            applied=frozenset(Tag(tag) for tag in found["applied"]),
            venue_time=self._markets.venue_now(),
        )

    async def submit(self, order: VenueOrder) -> Acked:
        at_once = order.order_type is OrderType.MARKET or order.time_in_force in AT_ONCE
        frame = {
            "do": "submit",
            "tag": order.tag,
            "symbol": order.symbol,
            "side": order.side,
            "kind": order.order_type,
            "quantity": str(order.quantity),
            "limit": _text(order.limit_price),
            "stop": _text(order.stop_price),
            "reduce_only": order.reduce_only,
            "position": order.position_id,
            "at_once": at_once,
        }
        steps = ["written"] if not order.reduce_only else ["close_written"] if at_once else []
        return await self._trade(frame, steps)

    async def cancel(self, cancel: VenueCancel) -> Acked:
        frame = {"do": "cancel", "tag": cancel.tag, "order": cancel.venue_order_id}
        return await self._trade(frame, ["cancel_written"])

    async def modify(self, change: VenueModify) -> Acked:
        raise mapping.refusal("NOT_OFFERED")

    async def both_legs(self, position: str) -> None:
        """Not a request of the gateway's: the market moves."""
        await self._ask({"do": "both_legs", "position": position})

    async def _trade(self, frame: dict[str, Any], steps: list[str]) -> Acked:
        reply = await self._ask(frame, steps)
        if "lost" in reply:
            raise {"request": TimeoutError, "reply": ConnectionResetError}[reply["lost"]]
        if "no" in reply:
            raise VenueRefusal(reply["no"], "refused", requote=reply["requote"])
        row, fills = reply["ok"], tuple(_fill(one) for one in reply["fills"])
        return Acked(
            venue_order_id=VenueOrderId(row["id"]),
            status=VenueStatus(row["status"]),
            filled_quantity=Decimal(row["filled"]),
            average_price=fills[0].price if fills else None,
            position_id=fills[0].position_id if fills else None,
            fills=fills,
            venue_time=self._markets.venue_now(),
        )

    async def _ask(self, frame: dict[str, Any], steps: list[str] | None = None) -> dict[str, Any]:
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        line = json.dumps({**frame, "number": number}).encode()
        if steps is not None and self._crash.here("mid_write"):
            self._end.sendall(line)  # all but the end of the line
            self._crash.now()
        self._end.sendall(line + b"\n")
        for step in steps or ():
            self._crash.at(step)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        loop, rest = asyncio.get_running_loop(), b""
        while True:
            read = await loop.sock_recv(self._end, 65_536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                reply = json.loads(line)
                waiting = self._waiting.get(reply["number"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)


def _order(row: dict[str, Any]) -> VenueOrderState:
    reduces = row["position"] if row["reduce_only"] else None
    return VenueOrderState(
        venue_order_id=VenueOrderId(row["id"]),
        tag=Tag(row["tag"]),
        symbol=Symbol(row["symbol"]),
        side=Side(row["side"]),
        order_type=OrderType(row["kind"]),
        quantity=Decimal(row["quantity"]),
        filled_quantity=Decimal(row["filled"]),
        average_price=None,
        status=VenueStatus(row["status"]),
        time_in_force=TimeInForce.GTC,
        limit_price=_decimal(row["limit"]),
        stop_price=_decimal(row["stop"]),
        reduce_only=row["reduce_only"],
        position_id=None if reduces is None else PositionId(reduces),
        placed_at=datetime.fromisoformat(row["placed_at"]),
        done_at=None if row["done_at"] is None else datetime.fromisoformat(row["done_at"]),
    )


def _position(row: dict[str, Any]) -> Position:
    return Position(
        position_id=PositionId(row["id"]),
        symbol=Symbol(row["symbol"]),
        side=Side(row["side"]),
        quantity=Decimal(row["held"]),
        open_price=Decimal("1.08510"),
        current_price=Decimal("1.08500"),
        stop_loss=None,
        take_profit=None,
        open_pnl=ZERO,
        swap=ZERO,
        opened_at=datetime.fromisoformat(row["opened_at"]),
        tag=Tag(row["tag"]),
    )


def _fill(row: dict[str, Any]) -> Fill:
    return Fill(
        trade_id=row["trade"],
        venue_order_id=VenueOrderId(row["order"]),
        tag=Tag(row["tag"]),
        symbol=Symbol(row["symbol"]),
        side=Side(row["side"]),
        quantity=Decimal(row["quantity"]),
        price=Decimal(row["price"]),
        commission=ZERO,
        realised=ZERO,
        time=datetime.fromisoformat(row["time"]),
        position_id=PositionId(row["position"]),
        effect=FillEffect(row["effect"]),
    )


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
