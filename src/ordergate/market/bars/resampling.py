"""Bars of a higher timeframe from bars of a lower one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ordergate.model.hours import bar_window
from ordergate.model.market import Bar, Slice, Timeframe


class Unordered(ValueError):
    """The bars are not in time order, are of several symbols, or are longer than asked for."""


def resample(bars: Iterable[Bar], timeframe: Timeframe) -> tuple[Bar, ...]:
    """Return bars of `timeframe`: first open, highest high, lowest low, last close, summed volume.

    D1 begins at 17:00 New York. A bar is complete when every given part of it is and a later bar,
    or a part that ends it, was given. Gaps stay gaps. Raises Unordered.
    """
    made: list[Bar] = []
    last: Bar | None = None
    for bar in bars:
        if bar.timeframe.length > timeframe.length:
            raise Unordered(f"{timeframe} cannot be made of {bar.timeframe}")
        if last is not None and (bar.symbol != last.symbol or bar.time <= last.time):
            raise Unordered(f"{bar.symbol} {bar.time} after {last.symbol} {last.time}")
        last = bar
        window = bar_window(timeframe, bar.time)
        ended = bar.complete and bar_window(bar.timeframe, bar.time).closes >= window.closes
        if made and made[-1].time == window.opens:
            made[-1] = _joined(made[-1], bar, complete=ended)
            continue
        if made:
            made[-1] = replace(made[-1], complete=True)
        made.append(replace(bar, timeframe=timeframe, time=window.opens, complete=ended))
    return tuple(made)


def bars_of(slices: Iterable[Slice], timeframe: Timeframe, *, now: datetime) -> tuple[Bar, ...]:
    """Return bid bars of ticks or bars of one symbol; those that end after `now` are running."""
    made: list[Bar] = []
    for piece in slices:
        window = bar_window(timeframe, piece.start)
        bar = Bar(
            piece.symbol,
            timeframe,
            window.opens,
            piece.bid_open,
            piece.bid_high,
            piece.bid_low,
            piece.bid_close,
            piece.volume,
            window.closes <= now,
        )
        if made and bar.time < made[-1].time:
            raise Unordered(f"{piece.symbol} {piece.start} comes too late")
        if made and bar.time == made[-1].time:
            made[-1] = _joined(made[-1], bar, complete=bar.complete)
        else:
            made.append(bar)
    return tuple(made)


def _joined(first: Bar, second: Bar, *, complete: bool) -> Bar:
    return replace(
        first,
        high=max(first.high, second.high),
        low=min(first.low, second.low),
        close=second.close,
        volume=_sum(first.volume, second.volume),
        complete=complete,
    )


def _sum(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first + second
