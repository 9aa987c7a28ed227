"""One recorded file understood: its shape, symbols, digits, and its rows as whole numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from ordergate.adapters.feeds.replay.table import ReplayError, columns_of, head_of, rows_of
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.values import Symbol

TICK: Final = ("bid", "ask")
TRADE_BAR: Final = ("open", "high", "low", "close")
QUOTE_BAR: Final = tuple(f"{side}_{name}" for side in TICK for name in TRADE_BAR)
TIME_NAMES: Final = ("time", "timestamp", "datetime")
DIGITS_MAX: Final = 8
SECOND: Final = 1_000_000  # times are microseconds since 1970
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class Row(NamedTuple):
    """One recorded row: 2 prices (bid, ask), 4 (trade bar) or 8 (bid bar, ask bar)."""

    due: int  # when it is known: a tick's time, a bar's end
    start: int
    symbol: Symbol
    prices: tuple[int, ...]  # in units of the smallest recorded digit
    volume: Decimal | None


class BadRow(ValueError):
    """A row without a usable time or price."""


@dataclass(slots=True)
class Recording:
    """A file's shape. `problems` counts what was found wrong while reading."""

    path: Path
    timeframe: Timeframe | None  # None = ticks
    basis: PriceBasis
    digits: int
    symbols: tuple[Symbol, ...]
    only: Symbol | None  # of a file of several symbols, the one asked for
    problems: Counter[str]
    _times: int
    _prices: tuple[int, ...]
    _volume: int | None
    _names: int | None
    _minute: tuple[str, int] = field(default=("", 0))

    def rows(self) -> Iterator[Row]:
        """Yield the usable rows in time order; raise ReplayError where time goes back."""
        length = 0 if self.timeframe is None else self.timeframe.length // MICROSECOND
        latest = -1
        last_bar: dict[Symbol, int] = {}
        for number, cells in enumerate(rows_of(self.path), start=2):
            try:
                start = self._time(cells[self._times])
                symbol = self._symbol(cells)
                if self.only is not None and symbol != self.only:
                    continue
                prices = self._whole(cells)
            except (BadRow, ValueError, IndexError):
                self.problems["unreadable row"] += 1
                continue
            if start < latest:
                raise ReplayError(f"{self.path.name}: row {number} goes back in time")
            latest = start
            if length and last_bar.get(symbol) == start:
                self.problems["repeated bar"] += 1
                continue
            last_bar[symbol] = start
            if prices[0] > prices[len(prices) // 2] and len(prices) != len(TRADE_BAR):
                self.problems["crossed row"] += 1
            yield Row(start + length, start, symbol, prices, self._volume_of(cells))

    def _symbol(self, cells: Sequence[str]) -> Symbol:
        if self._names is None:
            return self.symbols[0]
        symbol = Symbol(cells[self._names].strip().upper())
        if symbol not in self.symbols:
            raise BadRow("a symbol that is not among the first rows")
        return symbol

    def _time(self, text: str) -> int:
        """Read ISO 8601; without a zone it is UTC. Rows of one minute share the slow part."""
        minute, rest = text[:17], text[17:]
        if not rest.endswith("Z") or text[16] != ":":
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
            return (at - EPOCH) // MICROSECOND
        if minute != self._minute[0]:
            begin = datetime.fromisoformat(f"{minute}00+00:00")
            self._minute = (minute, (begin - EPOCH) // MICROSECOND)
        seconds, _, fraction = rest[:-1].partition(".")
        if len(seconds) != 2 or not (seconds + fraction).isdecimal() or seconds > "59":
            raise BadRow("seconds")
        return self._minute[1] + int(seconds) * SECOND + int(f"{fraction:0<6}"[:6])

    def _whole(self, cells: Sequence[str]) -> tuple[int, ...]:
        prices = tuple([self._price(cells[column]) for column in self._prices])
        for begin in range(0, len(prices) if self.timeframe else 0, 4):
            first, high, low, last = prices[begin : begin + 4]
            if low > min(first, last) or high < max(first, last):
                raise BadRow("a bar outside its own range")
        return prices

    def _price(self, text: str) -> int:
        whole, _, fraction = text.partition(".")
        if len(fraction) > self.digits:
            fraction = fraction.rstrip("0")
        joined = f"{whole}{fraction:0<{self.digits}}"
        if len(fraction) <= self.digits and joined.isascii() and joined.isdigit():
            price = int(joined)
        else:
            price = self._rounded(text)
        if price <= 0:
            raise BadRow("a price that is not above 0")
        return price

    def _rounded(self, text: str) -> int:
        try:
            exact = Decimal(text).scaleb(self.digits)
            price = int(exact.to_integral_value())
        except (InvalidOperation, OverflowError) as error:
            raise BadRow("a price") from error
        if price != exact:
            self.problems["finer than the tick, rounded"] += 1
        return price

    def _volume_of(self, cells: Sequence[str]) -> Decimal | None:
        if self._volume is None:
            return None
        try:
            volume = Decimal(cells[self._volume])
        except (InvalidOperation, IndexError):
            return None
        return volume if volume.is_finite() and volume >= 0 else None


def recording(path: Path, *, symbol: Symbol | None) -> Recording:
    """Learn a file's shape from its header and first rows; raise ReplayError when it has none."""
    names = columns_of(path)
    times = next((names.index(name) for name in TIME_NAMES if name in names), None)
    if times is None:
        raise ReplayError(f"{path.name}: no column {' or '.join(TIME_NAMES)}")
    shape = next((s for s in (QUOTE_BAR, TICK, TRADE_BAR) if set(s) <= set(names)), None)
    if shape is None:
        raise ReplayError(f"{path.name}: neither bid,ask nor bars among {', '.join(names)}")
    head = head_of(path)
    columns = tuple(names.index(name) for name in shape)
    named = names.index("symbol") if "symbol" in names else None
    volume = next((i for i, name in enumerate(names) if name.startswith("volume")), None)
    made = Recording(
        path=path,
        timeframe=None,
        basis=PriceBasis.TRADE if shape == TRADE_BAR else PriceBasis.BID_ASK,
        digits=_digits(head, columns),
        symbols=_symbols(path, head, named, symbol),
        only=symbol if named is not None else None,
        problems=Counter(),
        _times=times,
        _prices=columns,
        _volume=volume,
        _names=named,
    )
    if shape != TICK:
        made.timeframe = _timeframe(path, made, head)
    return made


def _digits(head: list[list[str]], columns: tuple[int, ...]) -> int:
    most = 0
    for cells in head:
        for column in columns:
            if column < len(cells):
                most = max(most, _decimals(cells[column]))
    return min(most, DIGITS_MAX)


def _decimals(text: str) -> int:
    """Return how many digits after the point a number has: 2 of "1.250", 5 of "1e-05"."""
    whole, _, fraction = text.partition(".")
    if f"{whole}{fraction}".isdecimal():
        return len(fraction.rstrip("0"))
    try:
        exponent = Decimal(text).normalize().as_tuple().exponent
    except InvalidOperation:
        return 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _symbols(
    path: Path, head: list[list[str]], named: int | None, asked: Symbol | None
) -> tuple[Symbol, ...]:
    if named is None:
        return (asked or Symbol(_words(path)[0].upper()),)
    found = {cells[named].strip().upper() for cells in head if named < len(cells)} - {""}
    if asked is not None and asked not in found:
        raise ReplayError(f"{path.name}: no rows of {asked}; it has {', '.join(sorted(found))}")
    return (asked,) if asked is not None else tuple(Symbol(name) for name in sorted(found))


def _timeframe(path: Path, made: Recording, head: list[list[str]]) -> Timeframe:
    """Take the timeframe from the file's name, else from the smallest gap of a symbol's rows."""
    for word in _words(path)[1:]:
        if word.upper() in Timeframe.__members__:
            return Timeframe(word.upper())
    gaps: set[int] = set()
    last: dict[str, int] = {}
    for cells in head:
        try:
            at = made._time(cells[made._times])
        except (ValueError, IndexError):
            continue
        name = "" if made._names is None else cells[made._names]
        if name in last and at > last[name]:
            gaps.add(at - last[name])
        last[name] = at
    smallest = timedelta(microseconds=min(gaps, default=0))
    for timeframe in Timeframe:
        if timeframe.length == smallest:
            return timeframe
    raise ReplayError(f"{path.name}: bars of {smallest}; name the timeframe in the file name, _h1")


def _words(path: Path) -> list[str]:
    return path.name.split(".")[0].split("_")
