"""A simulated venue with books of its own: whole numbers and plain dicts, nothing of the gate's.

Lots are counted in hundredths, prices in ticks of 0.00001. A tag is not proof against a second
execution here, unless the venue is one of the few that spend it for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
OPEN = ("working", "partial")
TICK_VALUE = 0.01  # account currency of one tick of a hundredth lot, 100,000 units a lot
BALANCE = 100_000.0


class Refused(Exception):
    """The venue's definite no."""


class VenueBooks:
    def __init__(
        self,
        chance: random.Random,
        *,
        later: Callable[[float, Callable[[], None]], None],
        now: Callable[[], float],
        attached: bool,
        refuses_over_close: bool,
        spends_tags: bool,
        refusing: float = 0.0,
    ) -> None:
        self._chance = chance
        self._later = later
        self._now = now
        self.attached = attached
        self.refuses_over_close = refuses_over_close
        self.spends_tags = spends_tags
        self.refusing = refusing
        self.orders: dict[str, Row] = {}
        self.positions: dict[str, Row] = {}
        self.fills: list[Row] = []
        self.refusals: list[Row] = []
        self.applied: dict[str, float] = {}
        self.arrived: list[Row] = []  # every request that reached the venue, in order
        self.quotes: dict[str, tuple[int, int]] = {}
        self.realised = 0.0
        self.listeners: list[Callable[[], None]] = []
        self.naked: dict[str, Row] = {}  # of each position opened for the gate: how long, how often
        self.moved_at = 0.0  # the last execution, or the last end of an order
        self._numbers = 0

    # what a request does
    def take(self, kind: str, request: Row) -> Row:
        """Carry out one request; raise Refused."""
        self.arrived.append({"at": self._now(), "kind": kind, "tag": request["tag"]})
        try:
            if self.spends_tags and self._spent(request["tag"]):
                raise Refused("DUPLICATE_TAG")
            if self._chance.random() < self.refusing:
                raise Refused(self._chance.choice(("REJECTED", "REQUOTE", "REJECTED")))
            answer: Row = getattr(self, f"_{kind}")(request)
        except Refused as no:
            if kind == "place" and str(no) != "DUPLICATE_TAG":
                row = {"tag": request["tag"], "code": str(no), "at": self._now()}
                self.refusals.append({**row, "request": request, "id": self._number("R")})
            raise
        self._changed()
        return answer

    def _spent(self, tag: str) -> bool:
        placed = any(order["tag"] == tag for order in self.orders.values())
        refused = any(row["tag"] == tag for row in self.refusals)
        return placed or refused or tag in self.applied

    def _place(self, request: Row) -> Row:
        self._refuse_what_cannot_be(request)
        order = {
            **request,
            "id": self._number("V"),
            "filled": 0,
            "cost": 0,
            "status": "working",
            "placed": self._now(),
            "done": None,
            "opened": None,
        }
        self.orders[order["id"]] = order
        if order["kind"] == "market":
            self._execute_market(order)
        else:
            self._match(order)
            if order["tif"] == "ioc" and order["status"] in OPEN:
                self._end(order, "canceled")
        return self._report(order)

    def _refuse_what_cannot_be(self, request: Row) -> None:
        bid, ask = self.quotes[request["symbol"]]
        held = self.positions.get(request["position"] or "")
        if request["lots"] <= 0:
            raise Refused("INVALID_VOLUME")
        if request["position"] is not None:
            if held is None and (self.refuses_over_close or request["kind"] != "market"):
                raise Refused("POSITION_CLOSED")
            if held is not None and self.refuses_over_close and request["lots"] > held["lots"]:
                raise Refused("OVER_CLOSE")
        stop = request["stop"]
        wrong = stop is not None and (stop <= ask if request["side"] > 0 else stop >= bid)
        if wrong:
            raise Refused("INVALID_PRICE")

    def _execute_market(self, order: Row) -> None:
        how = self._chance.random()
        lots = order["lots"]
        if how < 0.6 or lots == 1:
            self._fill(order, lots)
        elif how < 0.8:
            part = self._chance.randrange(1, lots)
            self._fill(order, part)
            if order["tif"] == "ioc":
                self._end(order, "canceled")
            else:
                self._rest_later(order)
        elif order["tif"] == "ioc":
            self._fill(order, lots)
        else:
            self._rest_later(order)

    def _rest_later(self, order: Row) -> None:
        def more() -> None:
            if order["status"] in OPEN:
                left = order["lots"] - order["filled"]
                part = left if self._chance.random() < 0.7 else self._chance.randint(1, left)
                self._fill(order, part)
                if order["status"] in OPEN:
                    self._rest_later(order)
                self._changed()

        self._later(self._chance.choice((0.02, 0.3, 1.1, 2.5)), more)

    def _modify(self, request: Row) -> Row:
        position = self.positions.get(request["position"] or "")
        bid, ask = self.quotes[request["symbol"]]
        if request["position"] is not None:
            if position is None:
                raise Refused("POSITION_CLOSED")
            if not self.attached:
                raise Refused("NOT_OFFERED")
            stop = request.get("sl", "keep")
            if isinstance(stop, int) and (stop >= bid if position["side"] > 0 else stop <= ask):
                raise Refused("INVALID_STOPS")
            for name in ("sl", "tp"):
                if request.get(name, "keep") != "keep":
                    position[name] = request[name]
            self.applied[request["tag"]] = self._now()
            return {"id": position["id"], "status": "working", "filled": 0, "cost": 0}
        order = self._open_order(request["order"])
        for name in ("limit", "stop", "sl", "tp"):
            if request.get(name, "keep") != "keep":
                order[name] = request[name]
        if request.get("lots", "keep") != "keep":
            order["lots"] = max(request["lots"], order["filled"] + 1)
        self.applied[request["tag"]] = self._now()
        self._match(order)
        return self._report(order)

    def _cancel(self, request: Row) -> Row:
        order = self._open_order(request["order"])
        self.applied[request["tag"]] = self._now()
        self._end(order, "canceled")
        return self._report(order)

    def _open_order(self, order_id: str | None) -> Row:
        order = self.orders.get(order_id or "")
        if order is None:
            raise Refused("UNKNOWN_ORDER")
        if order["status"] not in OPEN:
            raise Refused("ORDER_CLOSED")
        return order

    # what the market does
    def tick(self, symbol: str, bid: int, ask: int) -> None:
        self.quotes[symbol] = bid, ask
        for order in list(self.orders.values()):
            if order["symbol"] == symbol and order["status"] in OPEN:
                self._match(order)
        for position in list(self.positions.values()):
            if position["symbol"] == symbol:
                self._guard(position, bid, ask)
        self._changed()

    def _match(self, order: Row) -> None:
        bid, ask = self.quotes[order["symbol"]]
        price = ask if order["side"] > 0 else bid
        stop, limit, up = order["stop"], order["limit"], order["side"] > 0
        if order["kind"] == "stop" and stop is not None:
            due = price >= stop if up else price <= stop
        else:
            due = limit is not None and (price <= limit if up else price >= limit)
        if due and order["status"] in OPEN:
            left = order["lots"] - order["filled"]
            whole = order["kind"] == "stop" or self._chance.random() < 0.7
            self._fill(order, left if whole else self._chance.randint(1, left))

    def _guard(self, position: Row, bid: int, ask: int) -> None:
        """Let an attached stop or target close its position."""
        long, stop, target = position["side"] > 0, position["sl"], position["tp"]
        price = bid if long else ask
        if stop is not None and (price <= stop if long else price >= stop):
            self._close_by_venue(position, "stop_loss")
        elif target is not None and (price >= target if long else price <= target):
            self._close_by_venue(position, "take_profit")

    def _close_by_venue(self, position: Row, reason: str) -> None:
        order = {
            "tag": None,
            "symbol": position["symbol"],
            "side": -position["side"],
            "kind": "market",
            "lots": position["lots"],
            "limit": None,
            "stop": None,
            "sl": None,
            "tp": None,
            "tif": "gtc",
            "reduce": True,
            "position": position["id"],
            "reason": reason,
            "id": self._number("V"),
            "filled": 0,
            "cost": 0,
            "status": "working",
            "placed": self._now(),
            "done": None,
            "opened": None,
        }
        self.orders[order["id"]] = order
        self._fill(order, order["lots"])

    def around_the_gate(self, symbol: str, side: int, lots: int) -> None:
        """Trade as a human does in the venue's own terminal: no tag, no gate."""
        order = {
            **dict.fromkeys(("tag", "limit", "stop", "sl", "tp", "position", "done", "opened")),
            "symbol": symbol,
            "side": side,
            "kind": "market",
            "lots": lots,
            "tif": "gtc",
            "reduce": False,
            "id": self._number("V"),
            "filled": 0,
            "cost": 0,
            "status": "working",
            "placed": self._now(),
        }
        self.orders[order["id"]] = order
        self._fill(order, lots)
        self._changed()

    # executions
    def _fill(self, order: Row, lots: int) -> None:
        bid, ask = self.quotes[order["symbol"]]
        price = ask if order["side"] > 0 else bid
        position = self.positions.get(order["position"] or "")
        closing = 0 if position is None else min(lots, position["lots"])
        if position is not None and closing:
            self._execution(order, closing, price, position, "closing")
        if lots > closing and not (order["position"] and self.refuses_over_close):
            self._open(order, lots - closing, price)
        else:
            lots = closing or lots
        order["filled"] += lots
        order["cost"] += lots * price
        if order["position"] is not None and self.refuses_over_close:
            gone = self.positions.get(order["position"]) is None
            if gone and order["filled"] < order["lots"]:
                self._end(order, "canceled")
                return
        if order["filled"] >= order["lots"]:
            self._end(order, "filled")
        else:
            order["status"] = "partial"

    def _open(self, order: Row, lots: int, price: int) -> None:
        position = self.positions.get(order["opened"] or "")
        if position is None:
            position = {
                "id": self._number("P"),
                "symbol": order["symbol"],
                "side": order["side"],
                "lots": 0,
                "price": price,
                "sl": order["sl"] if self.attached else None,
                "tp": order["tp"] if self.attached else None,
                "tag": order["tag"],
                "opened_at": self._now(),
                "exit": order["position"] is not None,
            }
            order["opened"] = position["id"]
            self.positions[position["id"]] = position
        whole = position["lots"] + lots
        position["price"] = (position["price"] * position["lots"] + price * lots) // whole
        self._execution(order, lots, price, position, "opening")

    def _execution(self, order: Row, lots: int, price: int, position: Row, effect: str) -> None:
        realised = 0.0
        if effect == "closing":
            realised = (price - position["price"]) * position["side"] * lots * TICK_VALUE
            self.realised += realised
        position["lots"] += lots if effect == "opening" else -lots
        self.moved_at = self._now()
        self.fills.append(
            {
                "trade": self._number("T"),
                "order": order["id"],
                "tag": order["tag"],
                "symbol": order["symbol"],
                "side": order["side"],
                "lots": lots,
                "price": price,
                "at": self._now(),
                "position": position["id"],
                "effect": effect,
                "realised": realised,
                "reason": order.get("reason", "order"),
            }
        )
        if position["lots"] == 0:
            del self.positions[position["id"]]
            if self.refuses_over_close:
                for other in self.orders.values():
                    tied = other["position"] == position["id"] and other is not order
                    if tied and other["status"] in OPEN:
                        self._end(other, "canceled")

    def _end(self, order: Row, status: str) -> None:
        order["status"], order["done"] = status, self._now()
        self.moved_at = self._now()

    def _report(self, order: Row) -> Row:
        fills = [fill for fill in self.fills if fill["order"] == order["id"]]
        return {**order, "fills": [dict(fill) for fill in fills]}

    def _number(self, letter: str) -> str:
        self._numbers += 1
        return f"{letter}{self._numbers}"

    def _changed(self) -> None:
        self.watch_protection()
        for listener in self.listeners:
            listener()

    def watch_protection(self) -> None:
        """Measure how long each position that the gate has opened stands without a whole stop."""
        now = self._now()
        for position in self.positions.values():
            if position["tag"] is None:
                continue
            seen = self.naked.setdefault(position["id"], {"since": None, "most": 0.0})
            covered = position["sl"] is not None or self.covered(position) >= position["lots"]
            if seen["since"] is not None:
                seen["most"] = max(seen["most"], now - seen["since"])
            if covered:
                seen["since"] = None
            elif seen["since"] is None:
                seen["since"] = now

    def covered(self, position: Row) -> int:
        """Return the lots for which stops rest."""
        return sum(
            order["lots"] - order["filled"]
            for order in self.orders.values()
            if order["status"] in OPEN
            and order["kind"] == "stop"
            and order["position"] == position["id"]
        )

    def equity(self) -> float:
        open_profit = sum(
            ((self.quotes[row["symbol"]][0 if row["side"] > 0 else 1]) - row["price"])
            * row["side"]
            * row["lots"]
            * TICK_VALUE
            for row in self.positions.values()
        )
        return BALANCE + self.realised + open_profit
