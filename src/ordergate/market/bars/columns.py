"""What the columns of a price file mean, told from its header; and its symbol and timeframe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ordergate.model.errors import InvalidArgument
from ordergate.model.market import Timeframe

TIME_NAMES: Final = ("time", "timestamp", "datetime", "open_time", "opentime", "unix")
TRADE_BAR: Final = ("open", "high", "low", "close")
BID_ASK: Final = ("bid", "ask")
QUOTE_BAR: Final = tuple(f"{side}_{name}" for side in BID_ASK for name in TRADE_BAR)
TRADE: Final = ("price",)
SYMBOL_NAMES: Final = ("symbol", "ticker", "instrument")
VOLUME_NAMES: Final = ("volume", "tickvol", "vol", "size", "quantity")


class ColumnsUnknown(InvalidArgument):
    """The header does not say what the columns are."""


def roles(header: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return which columns are time, prices, volume and symbol; raise ColumnsUnknown.

    Prices are the eight of bid and ask bars, the four of trade bars, bid and ask of ticks, or the
    one price of trades. A real volume is taken before a tick count.
    """
    times: tuple[str, ...] = next(((name,) for name in TIME_NAMES if name in header), ())
    if not times and "date" in header:
        times = ("date", "time") if "time" in header else ("date",)
    elif times == ("time",) and "date" in header:
        times = ("date", "time")
    prices = next((s for s in (QUOTE_BAR, TRADE_BAR, BID_ASK, TRADE) if set(s) <= set(header)), ())
    if not times or not prices:
        missing = "a time" if not times else "prices"
        raise ColumnsUnknown(
            f"no column holds {missing} among {', '.join(header)[:200]}",
            fix="the first row must name them: time,open,high,low,close,volume;"
            " or bid_open ... ask_close; or bid,ask; or price",
        )
    volumes = (name for name in VOLUME_NAMES if name in header)
    begun = (name for name in header if name.startswith("volume"))
    volume = next(volumes, None) or next(begun, None)
    symbol = next((name for name in SYMBOL_NAMES if name in header), None)
    return {
        "time": times,
        "prices": prices,
        "volume": (volume,) if volume is not None and len(prices) in (1, 4, 8) else (),
        "symbol": (symbol,) if symbol is not None else (),
    }


def symbol_in(name: str) -> str:
    """Return the first word of a file's name, upper case: EURUSD of eurusd_oanda_h1.csv.gz."""
    return _words(name)[0].upper()


def timeframe_in(name: str) -> Timeframe | None:
    """Return the timeframe a file's name tells after its first word: H1 of eurusd_h1.csv."""
    told = (word.upper() for word in _words(name)[1:])
    return next((Timeframe(word) for word in told if word in Timeframe.__members__), None)


def timeframe_of(step: int) -> Timeframe | None:
    """Return the timeframe whose bars are `step` nanoseconds apart; None where there is none."""
    return next(
        (frame for frame in Timeframe if frame.length.total_seconds() * 10**9 == step), None
    )


def _words(name: str) -> list[str]:
    return name.split(".")[0].replace("-", "_").split("_")
