"""A spot exchange in Kraken's public dialect, with prices, a clock and faults; nothing of ours.

Contract: Kraken's REST documentation, Spot Market Data (Time, Assets, AssetPairs, Ticker, OHLC):
`{"error": [], "result": {...}}`, prices as strings, at most 720 candles, "EGeneral:Invalid
arguments" and "EQuery:Unknown asset pair" for what it does not take. An independent client, ccxt,
reads every answer.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.loopback_http import answering

CANDLES_MAX = 720
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
# id -> altname, base id, quote id, price decimals, lot decimals, smallest order, first price
PAIRS = {
    "XXBTZUSD": ("XBTUSD", "XXBT", "ZUSD", 1, 8, "0.00005", "95000.0"),
    "XETHZUSD": ("ETHUSD", "XETH", "ZUSD", 2, 8, "0.001", "3300.00"),
    "XBTUSDT": ("XBTUSDT", "XXBT", "USDT", 1, 8, "0.00005", "95010.0"),
    "USDTZUSD": ("USDTUSD", "USDT", "ZUSD", 5, 8, "5", "0.99990"),
}
ASSETS = {"XXBT": "XBT", "XETH": "ETH", "ZUSD": "USD", "USDT": "USDT"}


@dataclass
class Exchange:
    """What it knows, what it was asked, and what is to go wrong."""

    port: int = 0
    prices: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # id -> bid, ask
    volumes: dict[str, Decimal] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    fault: str = ""  # 429, 500, slow, malformed, html, hang_up, empty, frozen, negative, clock
    slow_s: float = 30.0
    clock_off_s: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        for pair, (*_, decimals, _lot, _least, first) in PAIRS.items():
            bid = Decimal(first)
            self.prices[pair] = (bid, bid + Decimal(1).scaleb(-decimals))
            self.volumes[pair] = Decimal(1000)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, pair: str, bid: str, ask: str) -> None:
        self.prices[pair] = (Decimal(bid), Decimal(ask))

    def answer(self, method: str, asked: dict[str, str]) -> dict[str, Any]:
        match method:
            case "Time":
                now = int(time.time()) + self.clock_off_s
                return _good({"unixtime": now, "rfc1123": "x"})
            case "Assets":
                return _good({name: _asset(alt) for name, alt in ASSETS.items()})
            case "AssetPairs":
                return _good({name: _pair(name) for name in PAIRS})
            case "Ticker":
                return self._tickers(asked.get("pair"))
            case "OHLC":
                return self._candles(asked)
        return {"error": ["EGeneral:Unknown method"]}

    def _tickers(self, pairs: str | None) -> dict[str, Any]:
        names = list(PAIRS) if pairs is None else pairs.split(",")
        if not set(names) <= set(PAIRS):
            return {"error": ["EQuery:Unknown asset pair"]}
        if self.fault == "empty":
            return _good({})
        return _good({name: self._ticker(name) for name in names})

    def _ticker(self, name: str) -> dict[str, Any]:
        bid, ask = self.prices[name]
        if self.fault != "frozen":
            self.volumes[name] += Decimal(self.chance.randint(1, 99)).scaleb(-4)
        if self.fault == "negative":
            bid = -bid
        volume = str(self.volumes[name])
        return {
            "a": [str(ask), "1", "1.000"],
            "b": [str(bid), "2", "2.000"],
            "c": [str(bid), "0.00100000"],
            "v": [volume, volume],
            "p": [str(bid), str(bid)],
            "t": [3907, 10056],
            "l": [str(bid), str(bid)],
            "h": [str(ask), str(ask)],
            "o": str(bid),
        }

    def _candles(self, asked: dict[str, str]) -> dict[str, Any]:
        name, minutes = asked.get("pair", ""), int(asked.get("interval", "1"))
        if name not in PAIRS:
            return {"error": ["EQuery:Unknown asset pair"]}
        if minutes not in INTERVALS:
            return {"error": ["EGeneral:Invalid arguments"]}
        step = minutes * 60
        last = int(time.time()) // step * step
        first = max(last - (CANDLES_MAX - 1) * step, 0)
        since = int(asked.get("since", "0"))
        rows = [candle(at, PAIRS[name][-1]) for at in range(first, last + 1, step) if at > since]
        return _good({name: rows, "last": last - step})


def candle(at: int, first: str) -> list[Any]:
    """Return a candle that is the same whenever it is asked for."""
    price = Decimal(first)
    move = price * Decimal(at // 60 % 97 - 48) / 10_000
    opened = (price + move).quantize(price)
    high, low = (opened * Decimal("1.001")).quantize(price), (opened * Decimal("0.999"))
    return [
        at,
        str(opened),
        str(high),
        str(low.quantize(price)),
        str(opened),
        str(opened),
        "1.5",
        3,
    ]


def _good(result: dict[str, Any]) -> dict[str, Any]:
    return {"error": [], "result": result}


def _asset(alt: str) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": alt,
        "decimals": 10,
        "display_decimals": 5,
        "status": "enabled",
    }


def _pair(name: str) -> dict[str, Any]:
    alt, base, quote, decimals, lots, least, _ = PAIRS[name]
    return {
        "altname": alt,
        "wsname": f"{ASSETS[base]}/{ASSETS[quote]}",
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": decimals,
        "lot_decimals": lots,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": least,
        "costmin": "0.5",
        "tick_size": str(Decimal(1).scaleb(-decimals)),
        "status": "online",
    }


class _Answering(BaseHTTPRequestHandler):
    exchange: Exchange
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        method = parts.path.rpartition("/")[2]
        self.exchange.asked.append(method)
        self.exchange.asked_at.append(time.monotonic())
        match self.exchange.fault:
            case "429":
                self._say(429, b'{"error":["EGeneral:Too many requests"]}', later="2")
            case "500":
                self._say(503, b"<html>Service Unavailable</html>")
            case "malformed":
                self._say(200, b'{"error":[],"result":[1,2,')
            case "html":
                self._say(200, b"<html>please enable cookies</html>")
            case "hang_up":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            case _:
                if self.exchange.fault == "slow":
                    time.sleep(self.exchange.slow_s)
                answer = self.exchange.answer(method, dict(parse_qsl(parts.query)))
                self._say(200, json.dumps(answer).encode())

    def do_POST(self) -> None:
        raise AssertionError("a feed only reads")

    def _say(self, status: int, raw: bytes, *, later: str = "") -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        if later:
            self.send_header("retry-after", later)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def exchange(port: int = 0) -> Iterator[Exchange]:
    """Serve the exchange on a port of this machine."""
    state = Exchange()
    handler = type("Handler", (_Answering,), {"exchange": state})
    with answering(handler, port) as state.port:
        yield state
