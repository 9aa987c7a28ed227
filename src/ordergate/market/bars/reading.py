"""Rows of a file or a page understood as a series: cleared of faults, placed in time, judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy

from ordergate.market.bars.columnar import (
    DAY,
    SECOND,
    length_ns,
    moment,
    nanoseconds,
    summed,
    ticks_to_bars,
)
from ordergate.market.bars.columns import symbol_in, timeframe_in, timeframe_of
from ordergate.market.bars.faults import Fault, Finding, Raw, finding, off_grid, sift
from ordergate.market.bars.gaps import Presence, presence
from ordergate.market.bars.jumps import jumps
from ordergate.market.bars.merging import Conflict
from ordergate.market.bars.report import SeriesReport
from ordergate.model.errors import InvalidArgument
from ordergate.model.holdings import Holding, SeriesKey
from ordergate.model.hours import day_boundary
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis, Timeframe
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol

if TYPE_CHECKING:
    from ordergate.model.series import Numbers

HOUR: Final = 3600 * SECOND
SYMBOL: Final = r"[A-Z0-9._/#-]{1,32}"
LONG: Final = frozenset({Timeframe.H4, Timeframe.D1})  # a clock change moves or bends these


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the importer said about a file; None = as the file says."""

    venue: str
    symbol: str | None = None
    timeframe: Timeframe | None = None
    zone: str | None = None
    time_format: str | None = None
    ends: bool = False  # times are the ends of bars
    calendar: CalendarName | None = None
    accept_hours: bool = False
    drop: frozenset[Fault] = frozenset()
    sort: bool = False
    conflict: Conflict = Conflict.REFUSE

    def told(self) -> str:
        """Return the choices as the record of the import keeps them."""
        words = [
            f"zone={self.zone}" if self.zone else "",
            f"stamp={'end' if self.ends else 'start'}",
        ]
        words += [f"drop={fault}" for fault in sorted(self.drop)]
        words += ["sort" if self.sort else "", "accept-hours" if self.accept_hours else ""]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A series that may be stored when its report has no open findings."""

    series: Series
    report: SeriesReport
    calendar: CalendarName | None

    @classmethod
    def of_page(
        cls, key: SeriesKey, page: Series, calendar: CalendarName | None, now: int
    ) -> Reading:
        """Judge a page of a download like the rows of a file."""
        prices: tuple[Numbers, ...] = (page.open, page.high, page.low, page.close)
        if page.ask is not None:
            prices += (page.ask.open, page.ask.high, page.ask.low, page.ask.close)
        numbers = numpy.arange(1, len(page) + 1)
        raw = Raw(page.time, prices, None, numbers, numpy.zeros(len(page), numpy.bool_))
        _, findings = sift(raw, now=now, drop=frozenset(), sort=False)
        return cls(page, _report(key, page, findings, None, ()), calendar)

    @staticmethod
    def of_stored(series: Series, holding: Holding) -> SeriesReport:
        """Report on what is stored: gaps, bars out of hours, and breaks of the scale."""
        found = None
        if holding.calendar is not None:
            found = presence(series.time, series.timeframe, holding.calendar)
        notes = _notes(series, holding.calendar)
        report = _report(holding.key, series, (), found, notes)
        return replace(
            report, jumps=jumps(series.time, series.open, series.close, holding.calendar)
        )


def read_symbol(
    raw: Raw, named: str | None, choices: Choices, file: str, moments: tuple[int, int]
) -> Reading:
    """Read one symbol's rows; `moments`: now, and when the file was written, in nanoseconds.

    Nothing is repaired: what is wrong is in the report, as a finding. Raises InvalidArgument where
    symbol or timeframe are unknown.
    """
    now, written = moments
    symbol = symbol_of(named, choices, file)
    notes = [] if named or choices.symbol else [f"symbol {symbol}: from the file's name"]
    rows = len(raw)
    ticks = len(raw.prices) < 4
    timeframe = choices.timeframe or (Timeframe.M1 if ticks else timeframe_in(file))
    if timeframe is None:
        timeframe = _usual_step(raw)
        notes.append(f"timeframe {timeframe}: from the distance of its rows")
    if choices.ends and not ticks:
        raw = replace(raw, time=raw.time - length_ns(timeframe))
    raw, findings = sift(raw, now=now, drop=choices.drop, sort=choices.sort)
    if ticks and len(raw):
        raw = _bars(raw, timeframe)
        notes.append(f"{rows:,} ticks made into {len(raw):,} bars of {timeframe}")
    elif len(raw):
        _check_step(raw, timeframe, file)
        stray = off_grid(raw, HOUR if timeframe in LONG else length_ns(timeframe))
        if stray.any():
            settled = Fault.MISALIGNED in choices.drop
            findings += (finding(raw, Fault.MISALIGNED, stray, settled=settled),)
            raw = raw.where(~stray)
    if not len(raw):
        findings += (Finding(Fault.UNREADABLE, rows, (), settled=False),)
        raw = replace(raw, prices=(numpy.zeros(0),) * 4)
    end = int(raw.time[-1]) + length_ns(timeframe) if len(raw) else 0
    ended = not ticks and end <= written
    series = _series(raw, Symbol(symbol), timeframe, f"{choices.venue}:{file}", complete=ended)
    found = None
    if choices.calendar is None:
        notes.append("no calendar: gaps and hours are not judged; --calendar names one")
    elif len(raw):
        found = presence(series.time, timeframe, choices.calendar)
        findings += _wrong_zone(found, series, accepted=choices.accept_hours)
    notes += _notes(series, choices.calendar)
    key = SeriesKey(choices.venue, Symbol(symbol), timeframe)
    report = _report(key, series, findings, found, tuple(notes))
    return Reading(series, replace(report, rows=rows), choices.calendar)


def symbol_of(named: str | None, choices: Choices, file: str) -> str:
    """Return the symbol of rows: their own word, else what was said, else the file's name.

    Raises InvalidArgument for what no request could name.
    """
    symbol = (named if named is not None else choices.symbol or symbol_in(file)).strip().upper()
    if not re.fullmatch(SYMBOL, symbol, re.ASCII):
        raise InvalidArgument(
            f"{symbol[:40]!r} is no symbol", fix="--symbol with letters, digits, . _ / # - up to 32"
        )
    return symbol


def _report(
    key: SeriesKey,
    series: Series,
    findings: tuple[Finding, ...],
    found: Presence | None,
    notes: tuple[str, ...],
) -> SeriesReport:
    basis = PriceBasis.TRADE if series.ask is None else PriceBasis.BID_ASK
    return SeriesReport(
        key=key,
        basis=basis.value,
        rows=len(series),
        first=int(series.time[0]) if len(series) else None,
        last=int(series.time[-1]) if len(series) else None,
        complete=series.complete,
        findings=findings,
        presence=found,
        notes=notes,
    )


def _notes(series: Series, calendar: CalendarName | None) -> tuple[str, ...]:
    """Say what a reader might take for granted and should not."""
    notes = []
    if len(series) and not series.complete:
        notes.append("the last bar is not complete: a later import replaces it")
    if calendar is not None and series.timeframe is Timeframe.D1 and len(series):
        begins = {at % DAY for at in (int(series.time[0]), int(series.time[-1]))}
        day = day_boundary(calendar)
        ours = {nanoseconds(day.begin(moment(int(at)).date())) % DAY for at in series.time[[0, -1]]}
        if not begins <= ours:
            clock = moment(min(begins)).strftime("%H:%M")
            notes.append(f"its days begin at {clock} UTC, ours at {day.at:%H:%M} {day.zone.key}")
    return tuple(notes)


def _wrong_zone(found: Presence, series: Series, *, accepted: bool) -> tuple[Finding, ...]:
    if found.shift_h is None:
        return ()
    first = ((2, int(series.time[0])),) if len(series) else ()
    return (Finding(Fault.WRONG_ZONE, found.closed, first, settled=accepted),)


def _bars(raw: Raw, timeframe: Timeframe) -> Raw:
    made = [ticks_to_bars(raw.time, column, timeframe) for column in raw.prices]
    time = made[0][0]
    prices = tuple(column for _, bar in made for column in (bar.open, bar.high, bar.low, bar.close))
    volume = None if raw.volume is None else summed(raw.time, raw.volume, timeframe)
    numbers = raw.row[numpy.searchsorted(raw.time, time)]
    return Raw(time, prices, volume, numbers, numpy.zeros(len(time), numpy.bool_))


def _series(
    raw: Raw, symbol: Symbol, timeframe: Timeframe, source: str, *, complete: bool
) -> Series:
    volume = numpy.full(len(raw), numpy.nan) if raw.volume is None else raw.volume
    first, high, low, last = raw.prices[:4]
    return Series(
        symbol,
        timeframe,
        raw.time,
        first,
        high,
        low,
        last,
        volume=volume,
        complete=complete,
        source=source,
        ask=Prices(*raw.prices[4:]) if len(raw.prices) == 8 else None,
    )


def _usual_step(raw: Raw) -> Timeframe:
    """Return the timeframe most rows are apart; raise InvalidArgument for none."""
    steps = numpy.diff(numpy.sort(raw.time))
    steps, counts = numpy.unique(steps[(steps > 0) & (steps < 8 * DAY)], return_counts=True)
    step = int(steps[numpy.argmax(counts)]) if len(steps) else 0
    found = timeframe_of(step)
    if found is None:
        raise InvalidArgument(
            f"most rows are {step / SECOND:g} s apart, which is no timeframe",
            fix=f"say it: --timeframe {'|'.join(Timeframe)}",
        )
    return found


def _check_step(raw: Raw, timeframe: Timeframe, file: str) -> None:
    """Refuse bars that are nearer than their timeframe, or never as near."""
    steps = numpy.diff(raw.time)
    if not len(steps):
        return
    length = length_ns(timeframe)
    slack = HOUR if timeframe in LONG else 0
    nearer = int((steps < length - slack).sum())
    exact = int((numpy.abs(steps - length) <= slack).sum())
    if nearer * 2 > len(steps) or (not exact and len(steps) >= 10):
        usual = _usual_step(raw)
        raise InvalidArgument(
            f"{file}: {nearer:,} of {len(steps):,} bars are nearer than {timeframe}, {exact:,} are"
            f" {timeframe} apart; most are {usual}",
            fix=f"--timeframe {usual}",
        )
