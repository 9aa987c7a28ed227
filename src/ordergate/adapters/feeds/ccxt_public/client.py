"""The wire to an exchange's public data, by ccxt: no key, reads only, one request after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from ordergate.model.errors import NotSupported

DEADLINE_S: Final = 10.0  # of one request, the wait for the exchange's rate limit not counted
QUEUE_S: Final = 10.0  # how long a request may wait for the rate limit
ASKED_LATER_MAX_S: Final = 300.0  # of a Retry-After that is believed
# What a body that is not what the exchange promised does to its reader.
_MALFORMED: Final = (TypeError, KeyError, ValueError, IndexError, AttributeError, ArithmeticError)

T = TypeVar("T")


class Lost(Exception):
    """No usable answer; `later_s` is how long the exchange itself asked to be left alone."""

    def __init__(self, reason: str, *, later_s: float = 0.0) -> None:
        super().__init__(reason)
        self.later_s = later_s


class Wire:
    """One exchange object; made, used and closed on one event loop."""

    def __init__(self, name: str, *, url: str | None = None, pace_ms: int | None = None) -> None:
        """Raises NotSupported: the extra is not installed, or there is no such exchange."""
        try:
            import ccxt.async_support as ccxt
        except ImportError:
            raise NotSupported(
                "public prices of exchanges need the extra crypto",
                fix='install it: pip install "ordergate[crypto]"',
            ) from None
        if name not in ccxt.exchanges:
            raise NotSupported(f"ccxt knows no exchange {name!a}", fix="such as kraken, or bybit")
        self.name = name
        self._errors = ccxt.BaseError
        self._busy = (ccxt.RateLimitExceeded, ccxt.DDoSProtection)
        pace = {} if pace_ms is None else {"rateLimit": pace_ms}
        self._exchange: Any = getattr(ccxt, name)(
            {
                **pace,
                "enableRateLimit": True,
                "timeout": int(DEADLINE_S * 1000),
                "number": str,  # prices are decimals, never floats
                "options": {"maxRetriesOnFailure": 0},
            }
        )
        if url is not None:
            self._exchange.urls["api"] = _moved(self._exchange.urls["api"], url)

    async def markets(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the exchange's markets by their unified name, such as BTC/USD."""
        found = await self._answered(self._exchange.load_markets())
        if not isinstance(found, dict):
            raise Lost("its list of markets is none")
        return found

    async def milliseconds(self) -> int | None:
        """Return the exchange's clock; None where it has no such call."""
        if not self._exchange.has.get("fetchTime"):
            return None
        told = await self._answered(self._exchange.fetch_time())
        if not isinstance(told, int):
            raise Lost("its clock is none")
        return told

    async def tickers(self, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the newest ticker of each name the exchange answers for."""
        if self._exchange.has.get("fetchTickers"):
            found = await self._answered(self._exchange.fetch_tickers(list(names)))
        else:
            found = {
                name: await self._answered(self._exchange.fetch_ticker(name)) for name in names
            }
        if not isinstance(found, dict):
            raise Lost("its tickers are none")
        return found

    def offers(self, timeframe: str) -> bool:
        """Say whether the exchange has bars of a timeframe in ccxt's spelling: 1m, 1h."""
        return bool(self._exchange.has.get("fetchOHLCV")) and timeframe in (
            self._exchange.timeframes or {}
        )

    async def candles(
        self, name: str, timeframe: str, *, since_ms: int | None, limit: int
    ) -> Sequence[Sequence[Any]]:
        """Return rows of start (ms), open, high, low, close, volume, oldest first."""
        found = await self._answered(
            self._exchange.fetch_ohlcv(name, timeframe, since=since_ms, limit=limit)
        )
        if not isinstance(found, list):
            raise Lost("its bars are none")
        return found

    async def close(self) -> None:
        await self._exchange.close()

    async def _answered(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(DEADLINE_S + QUEUE_S):
                return await call
        except TimeoutError:
            raise Lost(f"no answer within {DEADLINE_S:.0f} s") from None
        except self._busy:
            raise Lost("it asks to be asked less often", later_s=self._later_s()) from None
        except self._errors as error:
            raise Lost(_WORDS.get(type(error).__name__, "it answers with an error")) from None
        except _MALFORMED:
            raise Lost("its answer is malformed") from None

    def _later_s(self) -> float:
        headers = self._exchange.last_response_headers or {}
        said = str(headers.get("Retry-After", ""))
        return min(float(said), ASKED_LATER_MAX_S) if said.isdecimal() else 0.0


_WORDS: Final[Mapping[str, str]] = {
    "RequestTimeout": f"no answer within {DEADLINE_S:.0f} s",
    "ExchangeNotAvailable": "it cannot be reached, or answers that it is out of order",
    "NetworkError": "the connection broke",
    "OnMaintenance": "it is under maintenance",
    "BadResponse": "its answer is malformed",
    "NullResponse": "its answer is empty",
    "BadSymbol": "it does not know the symbol",
    "PermissionDenied": "it does not serve this place",
    "RestrictedLocation": "it does not serve this place",
}


def _moved(addresses: Any, url: str) -> Any:
    """Return ccxt's addresses at another host, each with its own path."""
    if isinstance(addresses, dict):
        return {name: _moved(address, url) for name, address in addresses.items()}
    target, parts = urlsplit(url), urlsplit(str(addresses))
    return urlunsplit((target.scheme, target.netloc, parts.path, parts.query, ""))
