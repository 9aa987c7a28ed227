"""Bars of what was already replayed, kept at every timeframe as the rows come in."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.adapters.feeds.replay.recording import EPOCH, MICROSECOND
from ordergate.model.hours import bar_window
from ordergate.model.market import Bar, Timeframe
from ordergate.model.values import Symbol

MINUTE: Final = 60_000_000


class Series:
    """Bars of one timeframe as columns of whole numbers; the last one may still be running."""

    def __init__(self, timeframe: Timeframe, *, as_recorded: bool) -> None:
        self.timeframe = timeframe
        self._as_recorded = as_recorded  # the recording's own bars: their times are not ours to set
        self.starts, self.ends = array("q"), array("q")
        self.opens, self.highs = array("q"), array("q")
        self.lows, self.closes = array("q"), array("q")
        self.volumes: list[Decimal | None] = []

    def add(self, start: int, prices: tuple[int, int, int, int], volume: Decimal | None) -> bool:
        """Take a piece of market; return whether it began a new bar."""
        if not self._as_recorded and self.ends and start < self.ends[-1]:
            self.highs[-1] = max(self.highs[-1], prices[1])
            self.lows[-1] = min(self.lows[-1], prices[2])
            self.closes[-1] = prices[3]
            so_far = self.volumes[-1]
            self.volumes[-1] = None if so_far is None or volume is None else so_far + volume
            return False
        opens, closes = self._window(start)
        self.starts.append(opens)
        self.ends.append(closes)
        for column, price in zip(
            (self.opens, self.highs, self.lows, self.closes), prices, strict=True
        ):
            column.append(price)
        self.volumes.append(volume)
        return True

    def row(self, index: int) -> tuple[int, tuple[int, int, int, int], Decimal | None]:
        """Return (start, prices, volume) of one bar."""
        prices = (self.opens[index], self.highs[index], self.lows[index], self.closes[index])
        return self.starts[index], prices, self.volumes[index]

    def _window(self, start: int) -> tuple[int, int]:
        if self._as_recorded:
            return start, start + self.timeframe.length // MICROSECOND
        if self.timeframe is Timeframe.M1:
            opens = start - start % MINUTE
            return opens, opens + MINUTE
        window = bar_window(self.timeframe, EPOCH + timedelta(microseconds=start))
        return (window.opens - EPOCH) // MICROSECOND, (window.closes - EPOCH) // MICROSECOND


class History:
    """The bars of one symbol: of ticks from M1 up, of bars from their own timeframe up."""

    def __init__(self, symbol: Symbol, *, recorded: Timeframe | None, unit: Decimal) -> None:
        self._symbol = symbol
        self._unit = unit  # what one whole number is worth
        base = recorded or Timeframe.M1
        self._base = Series(base, as_recorded=recorded is not None)
        self._higher = {
            timeframe: Series(timeframe, as_recorded=False)
            for timeframe in Timeframe
            if timeframe.length > base.length
        }

    def add(self, start: int, prices: tuple[int, int, int, int], volume: Decimal | None) -> None:
        """Take the next tick or bar of bid prices, in time order."""
        if self._base.add(start, prices, volume) and len(self._base.starts) > 1:
            self._fold(len(self._base.starts) - 2)

    def bars(
        self, timeframe: Timeframe, *, limit: int, before: int | None, known_until: int
    ) -> tuple[Bar, ...]:
        """Return the newest `limit` bars that start before `before`, oldest first.

        Complete are the bars that end at or before `known_until`. () for a timeframe below the
        recorded one.
        """
        if timeframe is self._base.timeframe:
            series, running = self._base, None
        elif timeframe in self._higher:
            series, running = self._higher[timeframe], self._running(timeframe)
        else:
            return ()
        made: list[Bar] = []
        stop = len(series.starts) if before is None else bisect_left(series.starts, before)
        for part in (series, running):
            if part is None:
                continue
            upto = min(stop, len(part.starts)) if part is series else len(part.starts)
            for index in range(max(0, upto - limit), upto):
                bar = self._bar(part, index, known_until)
                if before is not None and part.starts[index] >= before:
                    continue
                if made and made[-1].time == bar.time:
                    made.pop()
                made.append(bar)
        return tuple(made[-limit:]) if limit > 0 else ()

    def _fold(self, index: int) -> None:
        """Carry a finished base bar into every higher timeframe."""
        row = self._base.row(index)
        for series in self._higher.values():
            series.add(*row)

    def _running(self, timeframe: Timeframe) -> Series | None:
        """Return the newest bar of a higher timeframe with the base bar not yet in it."""
        if not self._base.starts:
            return None
        series, newest = self._higher[timeframe], self._base.row(-1)
        running = Series(timeframe, as_recorded=False)
        if series.ends and newest[0] < series.ends[-1]:
            running.add(*series.row(-1))
        running.add(*newest)
        return running

    def _bar(self, series: Series, index: int, known_until: int) -> Bar:
        start, prices, volume = series.row(index)
        first, high, low, last = (price * self._unit for price in prices)
        return Bar(
            self._symbol,
            series.timeframe,
            moment(start),
            first,
            high,
            low,
            last,
            volume,
            series.ends[index] <= known_until,
        )


def moment(at: int) -> datetime:
    """Return microseconds since 1970 as a time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
