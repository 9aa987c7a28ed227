"""What lies between the gate and the venue: requests and answers travel, some of them badly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

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
from ordergate.model.outcomes import Acked, Fill, FillEffect, NeverSent, VenueStatus
from ordergate.model.values import AccountId, PositionId, Symbol, Tag, VenueName, VenueOrderId
from simulator.venue_side import OPEN, Refused, Row, VenueBooks
from simulator.virtual_loop import Process, VirtualLoop

TICK = Decimal("0.00001")
LOT = Decimal("0.01")
SETTLE_S = Decimal(120)
LATEST_S = 90.0  # the longest a request is on its way: less than the settle window
SIDES = {Side.BUY: 1, Side.SELL: -1}
KINDS = {OrderType.MARKET: "market", OrderType.LIMIT: "limit", OrderType.STOP: "stop"}
TYPES = {name: kind for kind, name in KINDS.items()}


@dataclass(frozen=True)
class Weather:
    """Chances of what may befall a request; `calm` brings all of it quickly and once."""

    unsent: float = 0.0
    lost: float = 0.0
    slow: float = 0.0  # seconds
    late: float = 0.0  # beyond every deadline of the gate's
    mute: float = 0.0  # carried out, the answer never comes
    garbled: float = 0.0  # carried out, the answer proves nothing
    doubled: float = 0.0  # arrives twice where the venue spends tags, answered with either
    unread: float = 0.0  # a read fails
    shuffled: float = 0.0  # a history out of order and with rows twice


CALM = Weather()
WEATHERS = (
    CALM,
    Weather(lost=0.15, mute=0.1, slow=0.1, shuffled=0.2),
    Weather(late=0.2, garbled=0.15, slow=0.2, unread=0.05, doubled=0.2, shuffled=0.2),
    Weather(unsent=0.1, lost=0.1, slow=0.2, late=0.1, mute=0.1, garbled=0.1, unread=0.1),
    Weather(slow=0.4, doubled=0.3, shuffled=0.5),
)


class Network:
    """Carries between processes; its own timers belong to the world and survive the gate."""

    def __init__(
        self, loop: VirtualLoop, books: VenueBooks, chance: random.Random, weather: Weather
    ) -> None:
        self.loop = loop
        self.books = books
        self.weather = weather
        self.sends: list[Row] = []  # every wire attempt of the gate's
        self.on_the_way = 0
        self.on_send: Callable[[], None] = lambda: None  # where a crash may come: bytes have left
        self._chance = chance
        self._world = Process("world").context()

    def later(self, delay: float, act: Callable[[], None]) -> None:
        """Let the world act, whatever becomes of the gate."""
        self.loop.call_later(delay, act, context=self._world)

    async def ask(self, kind: str, request: Row) -> Row:
        """Bring one trading request to the venue and its answer back; raise what the wire does."""
        weather, chance = self.weather, self._chance
        answer: asyncio.Future[Row] = self.loop.create_future()
        if chance.random() < weather.unsent:
            raise chance.choice((ConnectionRefusedError("refused"), NeverSent("no such host")))
        self.sends.append({"at": self.loop.time(), "kind": kind, "tag": request["tag"]})
        self.on_send()
        lost, late = chance.random() < weather.lost, chance.random() < weather.late
        if (lost or late) and chance.random() < 0.6:
            # The connection breaks, or a gateway in between gives up: nothing follows from it.
            self.later(self._delay(), lambda: _settle(answer, self._no_proof()))
        if lost:
            return await answer  # or nobody ever answers
        way = chance.uniform(0.3, LATEST_S) if late else self._delay()
        copies = 2 if self.books.spends_tags and chance.random() < weather.doubled else 1
        for _ in range(copies):
            self.on_the_way += 1
            self.later(way, lambda: self._arrive(kind, request, answer))
            way += chance.uniform(0.0, 0.5)
        return await answer

    async def read(self, look: Callable[[], Any]) -> Any:
        """Bring back what the venue's books said while the question was there."""
        answer: asyncio.Future[Any] = self.loop.create_future()
        broken = self._chance.random() < self.weather.unread

        def there() -> None:
            found = ConnectionResetError("no answer") if broken else look()
            self.later(self._delay(), lambda: _settle(answer, found))

        self.later(self._delay(), there)
        return await answer

    def _delay(self) -> float:
        if self._chance.random() < self.weather.slow:
            return self._chance.uniform(0.05, 4.0)
        return self._chance.choice((0.001, 0.005, 0.02))

    def _arrive(self, kind: str, request: Row, answer: asyncio.Future[Row]) -> None:
        self.on_the_way -= 1
        try:
            found: Row | Exception = self.books.take(kind, request)
        except Refused as no:
            found = mapping.refusal(str(no))
        fate = self._chance.random()
        if fate < self.weather.mute:
            return
        if fate < self.weather.mute + self.weather.garbled:
            found = self._no_proof()
        self.later(self._delay(), lambda: _settle(answer, found))

    def _no_proof(self) -> Exception:
        """Return a 400 or 502 after the act, a body cut short, or a broken connection."""
        return self._chance.choice(
            (ConnectionResetError("reset"), ValueError("cut short"), RuntimeError("HTTP 400"))
        )


def _settle(answer: asyncio.Future[Any], found: Any) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
        answer.exception()  # seen: whoever asked may be dead by now
    else:
        answer.set_result(found)


class SimVenue:
    """Implements ports.venue_read.VenueReader and ports.venue_trade.VenueTrader."""

    def __init__(self, network: Network, moment: Callable[[float], datetime]) -> None:
        self._network = network
        self._books = network.books
        self._moment = moment
        base = statement.CAPABILITIES if self._books.attached else statement.PLAIN
        self._can = replace(
            base,
            refuses_over_close=self._books.refuses_over_close,
            settle_window_s=SETTLE_S,
            modify_in_place=True,
        )

    @property
    def venue(self) -> VenueName:
        return statement.VENUE

    @property
    def account(self) -> AccountId:
        return statement.ACCOUNT

    def capabilities(self) -> Capabilities:
        return self._can

    async def submit(self, order: VenueOrder) -> Acked:
        request = {
            "tag": str(order.tag),
            "symbol": str(order.symbol),
            "side": SIDES[order.side],
            "kind": KINDS[order.order_type],
            "lots": int(order.quantity / LOT),
            "limit": _ticks(order.limit_price),
            "stop": _ticks(order.stop_price),
            "sl": _ticks(order.stop_loss),
            "tp": _ticks(order.take_profit),
            "tif": order.time_in_force.value,
            "reduce": order.reduce_only,
            "position": order.position_id,
        }
        return self._acked(await self._network.ask("place", request))

    async def modify(self, change: VenueModify) -> Acked:
        request: Row = {
            "tag": str(change.tag),
            "symbol": str(change.symbol),
            "order": change.venue_order_id,
            "position": change.position_id,
        }
        for name, value in (
            ("sl", change.stop_loss),
            ("tp", change.take_profit),
            ("limit", change.limit_price),
            ("stop", change.stop_price),
        ):
            if value is None or isinstance(value, Decimal):
                request[name] = _ticks(value)
        if isinstance(change.quantity, Decimal):
            request["lots"] = int(change.quantity / LOT)
        return self._acked(await self._network.ask("modify", request))

    async def cancel(self, cancel: VenueCancel) -> Acked:
        request = {"tag": str(cancel.tag), "order": str(cancel.venue_order_id)}
        return self._acked(await self._network.ask("cancel", request))

    async def snapshot(self) -> VenueSnapshot:
        found: VenueSnapshot = await self._network.read(self._snapshot)
        return found

    async def history(self, since: datetime) -> VenueHistory:
        del since  # a venue may always tell more than it was asked for
        found: VenueHistory = await self._network.read(self._history)
        return found

    def _snapshot(self) -> VenueSnapshot:
        books, now = self._books, self._moment(self._network.loop.time())
        equity = _money(books.equity())
        used = sum(row["lots"] for row in books.positions.values()) * Decimal(36)
        return VenueSnapshot(
            identity=statement.IDENTITY,
            account=AccountState(
                currency="USD",
                balance=_money(100_000.0 + books.realised),
                equity=equity,
                margin_used=used,
                margin_free=equity - used,
                open_pnl=equity - _money(100_000.0 + books.realised),
                day=now.date(),
                day_start_equity=Decimal(100_000),
                realised_today=_money(books.realised),
                time=now,
                paid_in=Decimal(0),
            ),
            positions=tuple(self._position(row) for row in books.positions.values()),
            open_orders=tuple(
                self._order(row) for row in books.orders.values() if row["status"] in OPEN
            ),
            venue_time=now,
        )

    def _history(self) -> VenueHistory:
        books, chance = self._books, self._network._chance
        orders = [self._order(row) for row in books.orders.values()]
        orders += [self._refused(row) for row in books.refusals]
        fills = [self._fill(row) for row in books.fills]
        if chance.random() < self._network.weather.shuffled:
            fills += chance.choices(fills, k=2) if fills else []
            chance.shuffle(fills)
            chance.shuffle(orders)
        return VenueHistory(
            orders=tuple(orders),
            fills=tuple(fills),
            applied=frozenset(Tag(tag) for tag in books.applied),
            venue_time=self._moment(self._network.loop.time()),
        )

    def _position(self, row: Row) -> Position:
        bid, ask = self._books.quotes[row["symbol"]]
        mark = bid if row["side"] > 0 else ask
        return Position(
            position_id=PositionId(row["id"]),
            symbol=Symbol(row["symbol"]),
            side=_side(row["side"]),
            quantity=row["lots"] * LOT,
            open_price=row["price"] * TICK,
            current_price=mark * TICK,
            stop_loss=_price(row["sl"]),
            take_profit=_price(row["tp"]),
            open_pnl=Decimal((mark - row["price"]) * row["side"] * row["lots"]) * LOT,
            swap=Decimal(0),
            opened_at=self._moment(row["opened_at"]),
            tag=None if row["tag"] is None else Tag(row["tag"]),
        )

    def _order(self, row: Row) -> VenueOrderState:
        return VenueOrderState(
            venue_order_id=VenueOrderId(row["id"]),
            tag=None if row["tag"] is None else Tag(row["tag"]),
            symbol=Symbol(row["symbol"]),
            side=_side(row["side"]),
            order_type=TYPES[row["kind"]],
            quantity=row["lots"] * LOT,
            filled_quantity=row["filled"] * LOT,
            average_price=_average(row),
            status=VenueStatus(row["status"]),
            time_in_force=TimeInForce(row["tif"]),
            limit_price=_price(row["limit"]),
            stop_price=_price(row["stop"]),
            stop_loss=_price(row["sl"]),
            take_profit=_price(row["tp"]),
            reduce_only=row["reduce"],
            position_id=_position_of(row),
            placed_at=self._moment(row["placed"]),
            done_at=None if row["done"] is None else self._moment(row["done"]),
        )

    def _refused(self, row: Row) -> VenueOrderState:
        asked = {**row["request"], "id": row["id"], "filled": 0, "cost": 0, "status": "rejected"}
        asked |= {"placed": row["at"], "done": row["at"], "opened": None}
        return replace(self._order(asked), code=row["code"])

    def _fill(self, row: Row) -> Fill:
        return Fill(
            trade_id=row["trade"],
            venue_order_id=VenueOrderId(row["order"]),
            tag=None if row["tag"] is None else Tag(row["tag"]),
            symbol=Symbol(row["symbol"]),
            side=_side(row["side"]),
            quantity=row["lots"] * LOT,
            price=row["price"] * TICK,
            commission=Decimal(0),
            realised=_money(row["realised"]),
            time=self._moment(row["at"]),
            position_id=PositionId(row["position"]),
            effect=FillEffect(row["effect"]),
            reason=row["reason"],
        )

    def _acked(self, row: Row) -> Acked:
        return Acked(
            venue_order_id=VenueOrderId(row["id"]),
            status=VenueStatus(row["status"]),
            filled_quantity=row["filled"] * LOT,
            average_price=_average(row),
            position_id=_position_of(row) if "symbol" in row and "reduce" in row else None,
            fills=tuple(self._fill(fill) for fill in row.get("fills", ())),
        )


def moment_of(start: datetime) -> Callable[[float], datetime]:
    return lambda seconds: start + timedelta(microseconds=round(seconds * 1_000_000))


def _side(sign: int) -> Side:
    return Side.BUY if sign > 0 else Side.SELL


def _position_of(row: Row) -> PositionId | None:
    named = row["position"] or row["opened"]
    return None if named is None else PositionId(named)


def _average(row: Row) -> Decimal | None:
    if not row["filled"]:
        return None
    return (Decimal(row["cost"]) / row["filled"]).quantize(Decimal(1)) * TICK


def _ticks(price: Decimal | None) -> int | None:
    return None if price is None else int(price / TICK)


def _price(ticks: int | None) -> Decimal | None:
    return None if ticks is None else ticks * TICK


def _money(amount: float) -> Decimal:
    return Decimal(round(amount * 100)).scaleb(-2)
