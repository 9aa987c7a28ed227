"""Indicators of a live series: one closed bar in, its values out, without computing the past again.

Each value equals what `Frame` gives for the same bars. The handles hold pointers into TA-Lib: they
are rebuilt from history after a restart, never stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy
from talib import InsufficientHistory, stream  # type: ignore[attr-defined]  # not in its stubs

from ordergate.market.features.frame import BadBars, Frame
from ordergate.market.features.indicators import Call
from ordergate.market.features.sessions import moment, session_ends_after, session_starts
from ordergate.model.errors import InvalidArgument

if TYPE_CHECKING:
    from ordergate.model.series import Numbers, Series

Value = float | tuple[float, ...] | None  # a tuple where an indicator has several outputs


class LiveBar(NamedTuple):
    """A bar as it closes; `volume` is NaN where the source has none."""

    time: int  # its start, nanoseconds since 1970, UTC
    open: float
    high: float
    low: float
    close: float
    volume: float


class Handle(Protocol):
    """One indicator at one bar. `peek` says what `update` would, and keeps nothing."""

    @property
    def value(self) -> Any: ...

    def update(self, *numbers: Any) -> Any: ...

    def peek(self, *numbers: Any) -> Any: ...


PLACES: Final = {name: place for place, name in enumerate((*LiveBar._fields, "hl2", "hlc3"))}
Row = tuple[float, ...]


class LiveFrame:
    """The newest values of some indicators over one series, carried forward bar by bar."""

    def __init__(self, series: Series, calls: Sequence[Call]) -> None:
        self._frame: Frame | None = Frame(series)
        self._calls = tuple(calls)
        self._volume = any("volume" in call.columns for call in calls)
        self._derived = any({"hl2", "hlc3"} & set(call.columns) for call in calls)
        self._time = int(series.time[-1]) if len(series) else 0
        self._rows: list[Row] = []  # since the history, while an indicator waits for more of it
        self._open: list[tuple[int, Handle]] = []
        # The same, bound for the hot path: those of one column by place, others by a getter.
        self._of_one: list[tuple[int, Callable[..., Any], int]] = []
        self._of_several: list[tuple[int, Callable[..., Any], Callable[[Row], Any]]] = []
        self._waiting = dict(enumerate(self._calls))
        self.values: list[Value] = [None] * len(self._calls)
        self._try_waiting()

    def update(self, bar: LiveBar) -> list[Value]:
        """Take a closed bar; return each indicator's value, None before its first.

        Raises BadBars for a number that is none, InvalidArgument for a bar that is not later; then
        nothing has changed.
        """
        row = self._row(bar)
        values = self.values
        for place, update, column in self._of_one:
            values[place] = update(row[column])
        for place, update, get in self._of_several:
            values[place] = update(*get(row))
        self._time = bar[0]
        if self._waiting:
            self._rows.append(row)
            self._try_waiting()
        return values

    def peek(self, bar: LiveBar) -> list[Value]:
        """Return what `update` would say of a bar that still runs; nothing is kept."""
        row = self._row(bar)
        seen: list[Value] = [None] * len(self._calls)
        for place, handle in self._open:
            columns = _columns(self._calls[place])
            seen[place] = handle.peek(*(row[PLACES[name]] for name in columns))
        return seen

    def _row(self, bar: LiveBar) -> Row:
        time, opened_at, high, low, close, volume = bar
        finite = math.isfinite(opened_at + high + low + close)
        if not finite or (self._volume and not math.isfinite(volume)):
            raise BadBars(f"the bar of {moment(time):%Y-%m-%dT%H:%M:%SZ} lacks a number")
        if time <= self._time:
            raise InvalidArgument("the bar is not later than the one before")
        return (*bar, (high + low) / 2, (high + low + close) / 3) if self._derived else bar

    def _try_waiting(self) -> None:
        frame = self._frame
        assert frame is not None
        had = len(frame) + len(self._rows)
        for place, call in list(self._waiting.items()):
            if had <= call.warm_up:
                continue
            given = [self._column(frame, name) for name in _columns(call)]
            try:
                handle = opened(call, given)
            except InsufficientHistory:
                continue
            places = [PLACES[name] for name in _columns(call)]
            if len(places) == 1:
                self._of_one.append((place, handle.update, places[0]))
            else:
                self._of_several.append((place, handle.update, itemgetter(*places)))
            self._open.append((place, handle))
            self.values[place] = handle.value
            del self._waiting[place]
        if not self._waiting:
            self._frame, self._rows = None, []

    def _column(self, frame: Frame, name: str) -> Numbers:
        past = frame.series.time if name == "time" else frame.column(name)
        if not self._rows:
            return past  # type: ignore[return-value]  # times are whole numbers
        since = [row[PLACES[name]] for row in self._rows]
        return numpy.concatenate([past, numpy.array(since, dtype=past.dtype)])


def opened(call: Call, columns: Sequence[Numbers]) -> Handle:
    """Return a handle that stands at the last bar; raise InsufficientHistory."""
    handle: Handle = OPENING[call.indicator.name](*columns, *call.arguments)
    return handle


class Vwap:
    """The session's volume-weighted price; None until a session has begun while it looked."""

    def __init__(
        self, times: Numbers, high: Numbers, low: Numbers, close: Numbers, volume: Numbers
    ) -> None:
        starts = session_starts(times)  # type: ignore[arg-type]  # whole numbers
        self._ends = session_ends_after(int(times[-1])) if len(times) else 0
        self._whole = len(starts) > 1
        self._paid = self._traded = 0.0
        for bar in range(starts[-1] if starts else 0, len(times)):
            self._paid, self._traded = self._after(high[bar], low[bar], close[bar], volume[bar])

    @property
    def value(self) -> float | None:
        return self._paid / self._traded if self._whole and self._traded > 0 else None

    def update(self, time: int, high: float, low: float, close: float, volume: float) -> Value:
        if time >= self._ends:
            self._whole = True
            self._ends = session_ends_after(time)
            self._paid = self._traded = 0.0
        self._paid, self._traded = self._after(high, low, close, volume)
        return self.value

    def peek(self, time: int, high: float, low: float, close: float, volume: float) -> Value:
        if time >= self._ends:
            return (high + low + close) / 3 if volume > 0 else None
        if not self._whole:
            return None
        paid, traded = self._after(high, low, close, volume)
        return paid / traded if traded > 0 else None

    def _after(self, high: float, low: float, close: float, volume: float) -> tuple[float, float]:
        return self._paid + (high + low + close) / 3 * volume, self._traded + volume


class Keltner:
    def __init__(
        self,
        high: Numbers,
        low: Numbers,
        close: Numbers,
        period: int,
        atr_period: int,
        width: float,
    ) -> None:
        self._middle = stream.EMA(close, period)
        self._range = stream.ATR(high, low, close, atr_period)
        self._width = width

    @property
    def value(self) -> Value:
        return self._bands(self._middle.value, self._range.value)

    def update(self, high: float, low: float, close: float) -> Value:
        return self._bands(self._middle.update(close), self._range.update(high, low, close))

    def peek(self, high: float, low: float, close: float) -> Value:
        return self._bands(self._middle.peek(close), self._range.peek(high, low, close))

    def _bands(self, middle: float, true_range: float) -> Value:
        reach = self._width * true_range
        return middle + reach, middle, middle - reach


def _columns(call: Call) -> tuple[str, ...]:
    return ("time", *call.columns) if call.indicator.session_bound else call.columns


OPENING: Final[Mapping[str, Callable[..., Any]]] = {
    "sma": stream.SMA,
    "ema": stream.EMA,
    "wma": stream.WMA,
    "rsi": stream.RSI,
    "macd": stream.MACD,
    "bollinger": lambda column, period, width: stream.BBANDS(column, period, width, width),
    "atr": stream.ATR,
    "adx": stream.ADX,
    "stochastic": lambda high, low, close, k, smooth, d: stream.STOCH(
        high, low, close, fastk_period=k, slowk_period=smooth, slowd_period=d
    ),
    "cci": stream.CCI,
    "obv": stream.OBV,
    "vwap": Vwap,
    "donchian": stream.DONCHIAN,
    "keltner": Keltner,
    "supertrend": stream.SUPERTREND,
}
