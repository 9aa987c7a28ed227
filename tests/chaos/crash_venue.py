"""A faulty exchange that outlives the gateway: its books, and the two ends of a wire to it.

It is played by the process that kills the gateway, and imports nothing of ours: what stands in its
books is evidence. It is the worst kind of exchange there is: it never looks at a tag (the same
request twice is executed twice), attaches no stop, replaces nothing and bounds nothing. Faults per
request are drawn from the seed: lost request, lost reply, refusal, requote, partial fill, and an
execution right after a query that was answered "not found".
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

OPENED = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
PRICE = Decimal("1.08510")
OPENING_FAULTS = ("lost_request", "lost_reply", "late", "requote", "reject", "partial")
EXIT_FAULTS = ("lost_request", "lost_reply", "late")
EXIT_FAULT_CHANCE = 0.12

Frame = dict[str, Any]


@dataclass
class Order:
    """One order in the books; `quantity` in lots."""

    number: int
    tag: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    limit: str | None
    stop: str | None
    reduce_only: bool
    position: str | None
    status: str = "working"
    filled: Decimal = Decimal(0)
    placed_at: str = ""
    done_at: str | None = None

    @property
    def id(self) -> str:
        return f"O{self.number}"

    @property
    def rests(self) -> bool:
        return self.status in ("working", "partial")

    @property
    def is_stop(self) -> bool:
        return self.reduce_only and self.kind == "stop"


@dataclass
class Position:
    id: str
    symbol: str
    side: str
    held: Decimal
    opened: Decimal  # what the order that opened it was for
    tag: str
    by_exit: bool  # an exit that found less than it was for has opened it
    opened_at: str
    protected: bool = False  # once stops rested for all of it


@dataclass
class Books:
    """All that the venue knows, and all that ever reached it."""

    orders: list[Order] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    fills: list[Frame] = field(default_factory=list)
    applied: dict[str, str] = field(default_factory=dict)  # tag of a cancel -> order it ended
    refused: dict[str, str] = field(default_factory=dict)  # tag -> code
    received: Counter[str] = field(default_factory=Counter)  # tag -> wire writes that arrived
    late: set[str] = field(default_factory=set)  # tags carried out after a query did not see them
    stripped: list[str] = field(default_factory=list)  # positions that lost their stop while held


class Venue:
    def __init__(self, chance: random.Random) -> None:
        self.books = Books()
        self.faults: Counter[str] = Counter()
        self._chance = chance
        self._planned: dict[Decimal, list[str]] = {}
        self._late: list[Frame] = []
        self._rests: list[Order] = []  # partly filled: the other part comes at the next query
        self._moments = 0

    def plan(self, lots: Decimal, faults: list[str]) -> None:
        """Meet the openings of this size with these faults, one request after the other."""
        self._planned[lots] = list(faults)

    def answer(self, frame: Frame) -> Frame:
        """Carry out one request; return the reply, which may say that it was lost."""
        match frame["do"]:
            case "snapshot":
                return self._snapshot()
            case "history":
                return self._history(frame)
            case "both_legs":
                return self._both_legs(frame["position"])
            case _:
                return self._trade(frame)

    # trading

    def _trade(self, frame: Frame) -> Frame:
        self.books.received[frame["tag"]] += 1
        fault = self._fault(frame)
        if fault is not None:
            self.faults[fault] += 1
        match fault:
            case "lost_request":
                return {"lost": "request"}
            case "late":
                self._late.append(frame)
                return {"lost": "request"}
            case "requote" | "reject":
                code = {"requote": "REQUOTE", "reject": "REJECTED"}[fault]
                self.books.refused[frame["tag"]] = code
                return {"no": code, "requote": fault == "requote"}
        reply = self._carry_out(frame, part=fault == "partial")
        return {"lost": "reply"} if fault == "lost_reply" else reply

    def _fault(self, frame: Frame) -> str | None:
        if frame["do"] == "submit" and not frame["reduce_only"]:
            planned = self._planned.get(Decimal(frame["quantity"]))
            return planned.pop(0) if planned else None
        if self._chance.random() < EXIT_FAULT_CHANCE:
            return self._chance.choice(EXIT_FAULTS)
        return None

    def _carry_out(self, frame: Frame, *, part: bool = False) -> Frame:
        if frame["do"] == "cancel":
            return self._cancel(frame)
        order = Order(
            number=len(self.books.orders) + 1,
            tag=frame["tag"],
            symbol=frame["symbol"],
            side=frame["side"],
            kind=frame["kind"],
            quantity=Decimal(frame["quantity"]),
            limit=frame["limit"],
            stop=frame["stop"],
            reduce_only=frame["reduce_only"],
            position=frame["position"],
            placed_at=self._moment(),
        )
        self.books.orders.append(order)
        at_once = order.kind == "market" or frame["at_once"]
        if at_once:
            lots = order.quantity
            if part and lots > Decimal("0.01"):
                lots = Decimal("0.01")
                self._rests.append(order)
            self._execute(order, lots)
        self._look_at_protection()
        return {"ok": self._shown(order), "fills": self._fills_of(order)}

    def _execute(self, order: Order, lots: Decimal) -> None:
        """Fill; an order that names a position reduces it, and opens another with what is over."""
        order.filled += lots
        order.status = "filled" if order.filled == order.quantity else "partial"
        if order.status == "filled":
            order.done_at = self._moment()
        held = self.books.positions.get(order.position or "")
        if held is not None and held.side != order.side and held.held > 0:
            closed = min(held.held, lots)
            held.held -= closed
            self._fill(order, held.id, closed, "closing")
            lots -= closed
        if lots > 0:
            self._open(order, lots)

    def _open(self, order: Order, lots: Decimal) -> None:
        mine = next((one for one in self.books.positions.values() if one.tag == order.tag), None)
        if mine is None or mine.held == 0:
            mine = Position(
                id=f"P{len(self.books.positions) + 1}",
                symbol=order.symbol,
                side=order.side,
                held=Decimal(0),
                opened=order.quantity,
                tag=order.tag,
                by_exit=order.reduce_only,
                opened_at=self._moment(),
            )
            self.books.positions[mine.id] = mine
        mine.held += lots
        mine.protected = False  # what was just filled has no stop yet
        self._fill(order, mine.id, lots, "opening")

    def _fill(self, order: Order, position: str, lots: Decimal, effect: str) -> None:
        self.books.fills.append(
            {
                "trade": f"T{len(self.books.fills) + 1}",
                "order": order.id,
                "tag": order.tag,
                "symbol": order.symbol,
                "side": order.side,
                "quantity": str(lots),
                "price": str(PRICE),
                "position": position,
                "effect": effect,
                "time": self._moment(),
            }
        )

    def _cancel(self, frame: Frame) -> Frame:
        order = self._order(frame["order"])
        if order is None or not order.rests:
            code = "UNKNOWN_ORDER" if order is None else "ORDER_CLOSED"
            self.books.refused[frame["tag"]] = code
            return {"no": code, "requote": False}
        self._end(order, "canceled")
        self.books.applied[frame["tag"]] = order.id
        self._look_at_protection(dropped=order)
        return {"ok": self._shown(order), "fills": []}

    def _both_legs(self, position: str) -> Frame:
        """Let a fast market fill every exit of a position that rests, one beside the other."""
        for order in [one for one in self.books.orders if one.position == position and one.rests]:
            self._execute(order, order.quantity - order.filled)
        return {"ok": {}, "fills": []}

    def _end(self, order: Order, status: str) -> None:
        order.status, order.done_at = status, self._moment()
        self._rests = [one for one in self._rests if one is not order]

    def _look_at_protection(self, dropped: Order | None = None) -> None:
        for one in self.books.positions.values():
            stops = sum(
                (
                    order.quantity - order.filled
                    for order in self.books.orders
                    if order.rests and order.is_stop and order.position == one.id
                ),
                Decimal(0),
            )
            if one.held > 0 and stops >= one.held:
                one.protected = True
                continue
            its_stop = dropped is not None and dropped.is_stop and dropped.position == one.id
            if one.protected and one.held > 0 and its_stop:
                self.books.stripped.append(one.id)
                one.protected = False

    # reading

    def _snapshot(self) -> Frame:
        return {
            "positions": [
                {**vars(one), "held": str(one.held)}
                for one in self.books.positions.values()
                if one.held > 0
            ],
            "orders": [self._shown(one) for one in self.books.orders if one.rests],
        }

    def _history(self, frame: Frame) -> Frame:
        since = frame["since"]
        orders = [
            self._shown(one)
            for one in self.books.orders
            if one.done_at is None or one.done_at >= since
        ]
        told = {
            "orders": orders,
            "fills": [one for one in self.books.fills if one["time"] >= since],
            "applied": list(self.books.applied),
        }
        self._after_the_query()
        return json.loads(json.dumps(told, default=_plain))

    def _after_the_query(self) -> None:
        """Do what a venue may do right after it said "not found": execute it, or the rest of it."""
        late, self._late = self._late, []
        for frame in late:
            self.books.late.add(frame["tag"])
            self._carry_out(frame)
        rests, self._rests = self._rests, []
        for order in rests:
            self._execute(order, order.quantity - order.filled)
        self._look_at_protection()

    def half(self, text: str) -> None:
        """Take a request of which the last byte is missing: some venues execute it."""
        try:
            frame = json.loads(text)
        except ValueError:
            return
        if frame["do"] in ("submit", "cancel") and self._chance.random() < 0.5:
            self._trade(frame)

    def _shown(self, order: Order) -> Frame:
        shown = {name: value for name, value in vars(order).items() if name != "number"}
        return json.loads(json.dumps({**shown, "id": order.id}, default=_plain))  # type: ignore[no-any-return]

    def _fills_of(self, order: Order) -> list[Frame]:
        return [one for one in self.books.fills if one["order"] == order.id]

    def _order(self, order_id: str) -> Order | None:
        return next((one for one in self.books.orders if one.id == order_id), None)

    def _moment(self) -> str:
        self._moments += 1
        return (OPENED + timedelta(milliseconds=self._moments)).isoformat(timespec="milliseconds")


def _plain(value: Decimal) -> str:
    return str(value)
