"""The reading half of the simulated terminal: its link, and what it tells of the server's books."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from numpy.typing import NDArray

from ordergate.testing.mt5 import showing
from ordergate.testing.mt5.book import DealRow
from ordergate.testing.mt5.constants import Constants
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.faults import FaultKind
from ordergate.testing.mt5.series import rates, ticks
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.structures import (
    AccountInfo,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from ordergate.testing.mt5.wording import ERRORS

HANG_MAX_S: Final = 60.0
T = TypeVar("T")


class Reading(Constants):
    """The functions that read; safe to call from any thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._attached = False
        self._error: tuple[int, str] = (K.RES_S_OK, "Success")
        self._requests = 0
        self._selected = {name for name, spec in server.specs.items() if spec.selected}

    def initialize(self, path: str = "", **options: Any) -> bool:
        switches = self._server.switches
        if not switches.running:
            self._failed(K.RES_E_INTERNAL_FAIL_INIT)
            return False
        login = options.get("login", self._server.terms.login)
        if not switches.logged_in or login != self._server.terms.login:
            self._failed(K.RES_E_AUTH_FAILED)
            return False
        self._attached = True
        return self._ok(True)

    def shutdown(self) -> None:
        self._attached = False

    def login(self, login: int, **options: Any) -> bool:
        if not self._reach("login"):
            return False
        if login != self._server.terms.login:
            self._failed(K.RES_E_AUTH_FAILED)
            return False
        return self._ok(True)

    def last_error(self) -> tuple[int, str]:
        return self._error

    def version(self) -> tuple[int, int, str] | None:
        return self._ok((500, 5000, "1 Jan 2026")) if self._reach("version") else None

    def terminal_info(self) -> TerminalInfo | None:
        return self._read("terminal_info", lambda: showing.terminal(self._server))

    def account_info(self) -> AccountInfo | None:
        return self._read("account_info", lambda: showing.account(self._server))

    def symbols_total(self) -> int | None:
        return self._read("symbols_total", lambda: len(self._server.specs))

    def symbols_get(self, group: str = "*") -> tuple[SymbolInfo, ...] | None:
        def read() -> tuple[SymbolInfo, ...]:
            names = [name for name in self._server.specs if matches(name, group)]
            return tuple(self._symbol(name) for name in names)

        return self._read("symbols_get", read)

    def symbol_info(self, symbol: str) -> SymbolInfo | None:
        if symbol not in self._server.specs:
            self._lost("symbol_info")
            return None
        return self._read("symbol_info", lambda: self._symbol(symbol))

    def symbol_info_tick(self, symbol: str) -> Tick | None:
        spec, row = self._server.specs.get(symbol), self._server.ticks.get(symbol)
        if spec is None or row is None or symbol not in self._selected:
            self._lost("symbol_info_tick")
            return None
        return self._read("symbol_info_tick", lambda: showing.tick(spec, row))

    def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        if not self._reach("symbol_select") or symbol not in self._server.specs:
            return False
        held = any(row.symbol == symbol for row in self._server.books.positions.values())
        if not enable and held:
            self._failed(K.RES_E_FAIL)
            return False
        (self._selected.add if enable else self._selected.discard)(symbol)
        return self._ok(True)

    def market_book_add(self, symbol: str) -> bool:
        return bool(self._reach("market_book_add") and symbol in self._server.specs)

    def market_book_get(self, symbol: str) -> tuple[Any, ...] | None:
        return self._read("market_book_get", tuple)

    def market_book_release(self, symbol: str) -> bool:
        return bool(self._reach("market_book_release") and symbol in self._server.specs)

    def copy_rates_from(
        self, symbol: str, timeframe: int, date_from: datetime | float, count: int
    ) -> NDArray[Any] | None:
        until = seconds(date_from)
        return self._rates(symbol, timeframe, lambda all_: all_[all_["time"] <= until][-count:])

    def copy_rates_from_pos(
        self, symbol: str, timeframe: int, start_pos: int, count: int
    ) -> NDArray[Any] | None:
        def cut(all_: NDArray[Any]) -> NDArray[Any]:
            end = len(all_) - start_pos
            return all_[max(end - count, 0) : max(end, 0)]

        return self._rates(symbol, timeframe, cut)

    def copy_rates_range(
        self,
        symbol: str,
        timeframe: int,
        date_from: datetime | float,
        date_to: datetime | float,
    ) -> NDArray[Any] | None:
        low, high = seconds(date_from), seconds(date_to)
        return self._rates(
            symbol,
            timeframe,
            lambda all_: all_[(all_["time"] >= low) & (all_["time"] <= high)],
        )

    def copy_ticks_from(
        self, symbol: str, date_from: datetime | float, count: int, flags: int
    ) -> NDArray[Any] | None:
        low = seconds(date_from)
        return self._ticks(symbol, lambda all_: all_[all_["time"] >= low][:count])

    def copy_ticks_range(
        self, symbol: str, date_from: datetime | float, date_to: datetime | float, flags: int
    ) -> NDArray[Any] | None:
        low, high = seconds(date_from), seconds(date_to)
        return self._ticks(
            symbol, lambda all_: all_[(all_["time"] >= low) & (all_["time"] <= high)]
        )

    def orders_total(self) -> int | None:
        return self._read("orders_total", lambda: len(self._server.books.orders))

    def orders_get(self, **where: Any) -> tuple[TradeOrder, ...] | None:
        def read() -> tuple[TradeOrder, ...]:
            rows = [row for row in self._server.books.orders.values() if chosen(row, where)]
            return tuple(showing.order(self._server, row) for row in rows)

        return self._read("orders_get", read)

    def positions_total(self) -> int | None:
        return self._read("positions_total", lambda: len(self._server.books.positions))

    def positions_get(self, **where: Any) -> tuple[TradePosition, ...] | None:
        def read() -> tuple[TradePosition, ...]:
            rows = [row for row in self._server.books.positions.values() if chosen(row, where)]
            return tuple(showing.position(self._server, row) for row in rows)

        return self._read("positions_get", read)

    def history_orders_total(
        self, date_from: datetime | float, date_to: datetime | float
    ) -> int | None:
        found = self.history_orders_get(date_from, date_to)
        return None if found is None else len(found)

    def history_orders_get(self, *when: Any, **where: Any) -> tuple[TradeOrder, ...] | None:
        def read() -> tuple[TradeOrder, ...]:
            rows = sorted(self._server.books.past.values(), key=lambda row: row.ticket)
            return tuple(
                showing.order(self._server, row)
                for row in rows
                if within(row.done_msc, when) and chosen(row, where)
            )

        return self._read("history_orders_get", read)

    def history_deals_total(
        self, date_from: datetime | float, date_to: datetime | float
    ) -> int | None:
        found = self.history_deals_get(date_from, date_to)
        return None if found is None else len(found)

    def history_deals_get(self, *when: Any, **where: Any) -> tuple[TradeDeal, ...] | None:
        def read() -> tuple[TradeDeal, ...]:
            return tuple(
                showing.deal(self._server, row)
                for row in self._server.books.deals
                if within(row.time_msc, when) and dealt(row, where)
            )

        return self._read("history_deals_get", read)

    def _symbol(self, name: str) -> SymbolInfo:
        chosen_ = name in self._selected
        return showing.symbol(self._server, self._server.specs[name], selected=chosen_)

    def _rates(
        self, symbol: str, timeframe: int, cut: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> NDArray[Any] | None:
        spec = self._server.specs.get(symbol)
        if spec is None:
            self._lost("copy_rates")
            return None
        rows = self._server.history.get(symbol, ())
        made = rates(spec, rows, timeframe)
        if made is None:
            self._error = (K.RES_E_INVALID_PARAMS, "Invalid params")
            return None
        return self._read("copy_rates", lambda: cut(made))

    def _ticks(
        self, symbol: str, cut: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> NDArray[Any] | None:
        spec = self._server.specs.get(symbol)
        if spec is None:
            self._lost("copy_ticks")
            return None
        made = ticks(spec, self._server.history.get(symbol, ()))
        return self._read("copy_ticks", lambda: cut(made))

    def _reach(self, function: str, *, take: bool = True) -> bool:
        """Say whether the terminal answers at all; meets the faults of reading functions."""
        fault = self._server.faults.take(function) if take else None
        if fault is not None and fault.kind in (FaultKind.HANG, FaultKind.HANG_AFTER):
            self._server.free.wait(HANG_MAX_S)
        elif fault is not None and fault.kind is FaultKind.IPC_LOST:
            self._attached = False
        elif fault is not None:
            self._failed(fault.error)
            return False
        if not self._server.switches.running:
            self._attached = False
        if not self._attached:
            self._failed(K.RES_E_INTERNAL_FAIL_CONNECT)
        return self._attached

    def _read(self, function: str, read: Callable[[], T]) -> T | None:
        if not self._reach(function):
            return None
        with self._server.lock:
            return self._ok(read())

    def _lost(self, function: str) -> None:
        if self._reach(function):
            self._failed(K.RES_E_NOT_FOUND)

    def _ok(self, answer: T) -> T:
        self._error = (K.RES_S_OK, "Success")
        return answer

    def _failed(self, code: int) -> None:
        self._error = (code, ERRORS.get(code, "Internal error"))


def matches(name: str, group: str) -> bool:
    """Say whether a symbol belongs to a group such as "*USD*,!EURUSD"."""
    found = False
    for pattern in group.split(","):
        if pattern.startswith("!"):
            found = found and not fnmatch.fnmatchcase(name, pattern[1:])
        else:
            found = found or fnmatch.fnmatchcase(name, pattern)
    return found


def seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def within(msc: int, when: tuple[Any, ...]) -> bool:
    if len(when) < 2:
        return True
    return seconds(when[0]) <= msc / 1000 <= seconds(when[1])


def dealt(row: DealRow, where: Mapping[str, Any]) -> bool:
    """Say whether a deal is meant; its `ticket` is that of its order, as the package has it."""
    if "ticket" in where:
        return bool(row.order == where["ticket"])
    return chosen(row, where)


def chosen(row: Any, where: Mapping[str, Any]) -> bool:
    """Say whether a row is meant by `symbol`, `group`, `ticket` or `position`."""
    if "ticket" in where:
        return bool(row.ticket == where["ticket"])
    if "position" in where:
        return bool(getattr(row, "position", row.ticket) == where["position"])
    if "symbol" in where:
        return bool(row.symbol == where["symbol"])
    return matches(row.symbol, where["group"]) if "group" in where else True
