"""A terminal with the API of the `MetaTrader5` package over the simulated trade server.

An instance stands where `import MetaTrader5 as mt5` would: the vendor's 32 functions, its
constants, its read-only answers, its way of failing (None, then `last_error`). It has nothing that
the wheel lacks; `Buy`, `Sell` and `Close`, which repeat orders, are left out on purpose. What a
test or a rehearsal moves is the server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ordergate.testing.mt5 import showing
from ordergate.testing.mt5.book import MONEY
from ordergate.testing.mt5.checking import Wish
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.faults import Fault, FaultKind
from ordergate.testing.mt5.reading import HANG_MAX_S, Reading
from ordergate.testing.mt5.server import Reply
from ordergate.testing.mt5.structures import OrderCheckResult, OrderSendResult, TradeRequest
from ordergate.testing.mt5.wording import COMMENTS, wish_of


class SimulatedTerminal(Reading):
    """One terminal, attached to one server; safe to call from any thread."""

    __version__ = "5.0.6231"
    __author__ = "ordergate: simulated, not MetaQuotes"

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        spec = self._server.specs.get(symbol)
        steps = None if spec is None else spec.steps(volume)
        if spec is None or steps is None:
            self._lost("order_calc_margin")
            return None
        side = 1 if action == K.ORDER_TYPE_BUY else -1
        found = self._server.money.margin(spec, side, steps, spec.points(price))
        if found is None:
            self._lost("order_calc_margin")
            return None
        return self._read("order_calc_margin", lambda: showing.money(found))

    def order_calc_profit(
        self, action: int, symbol: str, volume: float, price_open: float, price_close: float
    ) -> float | None:
        spec = self._server.specs.get(symbol)
        steps = None if spec is None else spec.steps(volume)
        if spec is None or steps is None:
            self._lost("order_calc_profit")
            return None
        side = 1 if action == K.ORDER_TYPE_BUY else -1
        cost, close = spec.points(price_open) * steps, spec.points(price_close)
        found = self._server.money.profit(spec, side, cost, close, steps)
        if found is None:
            self._lost("order_calc_profit")
            return None
        return self._read("order_calc_profit", lambda: showing.money(found))

    def order_check(self, request: Mapping[str, Any]) -> OrderCheckResult | None:
        """Say whether a request would pass: retcode 0 where nothing is against it."""
        asked = self._asked("order_check", request)
        if asked is None:
            return None
        wish, echo = asked
        fault = self._server.faults.take("order_check", action=wish.action, symbol=wish.symbol)
        with self._server.lock:
            code = fault.retcode if fault is not None else self._server.checking.objection(wish)
            equity, used = self._server.equity(), self._server.margin_used()
            balance = self._server.books.balance
        return self._ok(
            OrderCheckResult(
                retcode=code,
                balance=balance / MONEY,
                equity=equity / MONEY,
                profit=(equity - balance) / MONEY,
                margin=used / MONEY,
                margin_free=(equity - used) / MONEY,
                margin_level=equity * 100 / used if used else 0.0,
                comment=COMMENTS.get(code, "Done" if code == 0 else ""),
                request=echo,
            )
        )

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult | None:
        asked = self._asked("order_send", request)
        if asked is None:
            return None
        wish, echo = asked
        if not self._server.switches.python_api:
            self._failed(K.RES_E_AUTO_TRADING_DISABLED)
            return None
        fault = self._server.faults.take("order_send", action=wish.action, symbol=wish.symbol)
        if fault is None:
            return self._result(self._server.request(wish), wish, echo)
        return self._faulty(fault, wish, echo)

    def _faulty(self, fault: Fault, wish: Wish, echo: TradeRequest) -> OrderSendResult | None:
        reply = Reply(fault.retcode)
        match fault.kind:
            case FaultKind.RETCODE:
                return self._result(reply, wish, echo)
            case FaultKind.RETCODE_AFTER:
                self._server.request(wish)
                return self._result(reply, wish, echo)
            case FaultKind.NONE_AFTER:
                self._server.request(wish)
            case FaultKind.LATE:
                self._server.later(lambda: self._server.request(wish))
            case FaultKind.LATE_FILL:
                return self._result(self._server.request(wish, wait=True), wish, echo)
            case FaultKind.PARTIAL:
                reply = self._server.request(wish, fill=fault.percent)
                return self._result(reply, wish, echo)
            case FaultKind.HANG:
                self._server.free.wait(HANG_MAX_S)
            case FaultKind.HANG_AFTER:
                reply = self._server.request(wish)
                self._server.free.wait(HANG_MAX_S)
                return self._result(reply, wish, echo)
            case FaultKind.IPC_LOST:
                self._attached = False
                self._failed(K.RES_E_INTERNAL_FAIL_CONNECT)
                return None
        self._failed(fault.error)
        return None

    def _result(self, reply: Reply, wish: Wish, echo: TradeRequest) -> OrderSendResult:
        self._requests += 1
        spec, tick = self._server.specs.get(wish.symbol), self._server.ticks.get(wish.symbol)
        bid, ask = (0.0, 0.0)
        if spec is not None and tick is not None:
            bid, ask = spec.price(tick.bid), spec.price(tick.ask)
        self._ok(True)
        return OrderSendResult(
            retcode=reply.retcode,
            deal=reply.deal,
            order=reply.order,
            volume=spec.volume(reply.steps) if spec else 0.0,
            price=spec.price(reply.price) if spec else 0.0,
            bid=bid,
            ask=ask,
            comment=COMMENTS.get(reply.retcode, ""),
            request_id=self._requests,
            request=echo,
        )

    def _asked(self, function: str, request: Mapping[str, Any]) -> tuple[Wish, TradeRequest] | None:
        if not self._reach(function, take=False):
            return None
        try:
            return wish_of(self._server, request)
        except ValueError as error:
            self._error = (K.RES_E_INVALID_PARAMS, str(error))
            return None
