"""Requests as the package takes them, and the words of its errors and return codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ordergate.testing.mt5.checking import Wish
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.structures import TradeRequest

COMMENT_MAX: Final = 31
NUMBERS: Final = ("volume", "price", "stoplimit", "sl", "tp")

ERRORS: Final = {
    K.RES_E_FAIL: "Terminal: Call failed",
    K.RES_E_INVALID_PARAMS: "Terminal: Invalid params",
    K.RES_E_NOT_FOUND: "Terminal: Not found",
    K.RES_E_AUTH_FAILED: "Terminal: Authorization failed",
    K.RES_E_AUTO_TRADING_DISABLED: "Auto-Trading using Python API disabled in Terminal",
    K.RES_E_INTERNAL_FAIL: "Internal error",
    K.RES_E_INTERNAL_FAIL_SEND: "IPC send failed",
    K.RES_E_INTERNAL_FAIL_RECEIVE: "IPC recv failed",
    K.RES_E_INTERNAL_FAIL_INIT: "IPC initialize failed",
    K.RES_E_INTERNAL_FAIL_CONNECT: "No IPC connection",
    K.RES_E_INTERNAL_FAIL_TIMEOUT: "IPC timeout",
}
COMMENTS: Final = {
    K.TRADE_RETCODE_REQUOTE: "Requote",
    K.TRADE_RETCODE_REJECT: "Request rejected",
    K.TRADE_RETCODE_PLACED: "Order placed",
    K.TRADE_RETCODE_DONE: "Request executed",
    K.TRADE_RETCODE_DONE_PARTIAL: "Request executed partially",
    K.TRADE_RETCODE_TIMEOUT: "Request timed out",
    K.TRADE_RETCODE_INVALID: "Invalid request",
    K.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
    K.TRADE_RETCODE_INVALID_PRICE: "Invalid price",
    K.TRADE_RETCODE_INVALID_STOPS: "Invalid stops",
    K.TRADE_RETCODE_TRADE_DISABLED: "Trade disabled",
    K.TRADE_RETCODE_MARKET_CLOSED: "Market closed",
    K.TRADE_RETCODE_NO_MONEY: "No money",
    K.TRADE_RETCODE_PRICE_OFF: "No prices",
    K.TRADE_RETCODE_SERVER_DISABLES_AT: "AutoTrading disabled by server",
    K.TRADE_RETCODE_CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    K.TRADE_RETCODE_INVALID_FILL: "Unsupported filling mode",
    K.TRADE_RETCODE_NO_CHANGES: "No changes",
    K.TRADE_RETCODE_POSITION_CLOSED: "Position doesn't exist",
    K.TRADE_RETCODE_INVALID_CLOSE_VOLUME: "Invalid close volume",
}


def wish_of(server: Server, request: Mapping[str, Any]) -> tuple[Wish, TradeRequest]:
    """Return a request in the server's units, and its echo; raise ValueError as the wheel does."""
    if not isinstance(request, Mapping):
        raise ValueError("Invalid arguments")
    for name, value in request.items():
        if name not in TradeRequest._fields:
            raise ValueError(f'Invalid "{name}" argument')
        kinds: Any = (
            (float, int) if name in NUMBERS else (str if name in ("symbol", "comment") else int)
        )
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f'Invalid "{name}" argument')
    echo = TradeRequest(**request)
    if len(echo.comment) > COMMENT_MAX:
        raise ValueError('Invalid "comment" argument')
    symbol = echo.symbol or _implied(server, echo)
    spec = server.specs.get(symbol)
    if spec is None:
        return Wish(action=echo.action, symbol=symbol, order=echo.order), echo
    steps = spec.steps(echo.volume)
    return (
        Wish(
            action=echo.action,
            symbol=symbol,
            type=echo.type,
            steps=steps or 0,
            off_step=steps is None,
            price=spec.points(echo.price),
            stop_limit=spec.points(echo.stoplimit),
            sl=spec.points(echo.sl),
            tp=spec.points(echo.tp),
            deviation=echo.deviation,
            filling=echo.type_filling,
            time_type=echo.type_time,
            expiration=echo.expiration,
            magic=echo.magic,
            comment=echo.comment,
            order=echo.order,
            position=echo.position,
            position_by=echo.position_by,
        ),
        echo,
    )


def _implied(server: Server, echo: TradeRequest) -> str:
    """Return the symbol of the order or position a request names."""
    order = server.books.orders.get(echo.order)
    position = server.books.positions.get(echo.position)
    return order.symbol if order is not None else position.symbol if position is not None else ""
