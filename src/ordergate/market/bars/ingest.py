"""Take bars into the store: from files, whole or not at all, and from sources, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy

from ordergate.market.bars.columnar import SECOND, length_ns, moment, nanoseconds
from ordergate.market.bars.columns import roles
from ordergate.market.bars.faults import Raw
from ordergate.market.bars.jumps import jumps
from ordergate.market.bars.merging import Conflict, Merged, merge
from ordergate.market.bars.reading import Choices, Reading, read_symbol, symbol_of
from ordergate.market.bars.report import SeriesReport, refusal, told
from ordergate.model.errors import DataUnavailable, IllegalState, InvalidArgument, RateLimited
from ordergate.model.holdings import Fetched, Holding, Import, Jump, Rows, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import PriceBasis
from ordergate.model.series import Prices, Series
from ordergate.model.values import Symbol
from ordergate.ports.bars import BarSource, BarStore, PriceFile, Shape, Shelf, Zone
from ordergate.ports.system import Clock

SYMBOLS_MAX: Final = 500  # of one file
IMPORTS_MAX: Final = 4_000  # of one series
PAGE_BARS: Final = 1_000
PAGES_MAX: Final = 100_000
PAGE_WITHIN_S: Final = 30.0
READ_ATTEMPTS_MAX: Final = 4
PAUSE_S: Final = 2.0
_SINGLE: Final = ("volume", "symbol")


class HistoriesDiffer(IllegalState):
    """Stored complete bars are otherwise in the file; nothing was imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download is; times as nanoseconds since 1970."""

    begin: int
    until: int
    at: int
    bars: int


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    shelf: Shelf
    merged: Merged
    since: int
    holding: Holding
    report: SeriesReport


class Ingest:
    def __init__(
        self,
        *,
        store: BarStore,
        calendar_of: Callable[[Symbol], CalendarName | None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._calendar_of = calendar_of
        self._clock = clock

    def take(self, file: PriceFile, choices: Choices) -> tuple[SeriesReport, ...]:
        """Import a file: every series of it, or none.

        Raises FileUnusable, FileTooLarge, RowsRefused with a report in its details, or
        HistoriesDiffer.
        """
        now = self._clock.now()
        moments = (nanoseconds(now), nanoseconds(min(now, file.written_at())))
        readings = [
            read_symbol(raw, named, self._with_hours(choices, named, file.name), file.name, moments)
            for named, raw in self._raw(file, choices)
        ]
        no = refusal(file.name, [reading.report for reading in readings])
        if no is not None:
            raise no
        origin = Import(0, file.name, file.sha256(), now, 0, choices.told())
        with ExitStack() as held:
            changes = [
                self._change(held, reading, origin, choices.conflict)
                for reading in sorted(readings, key=lambda one: one.report.key)
            ]
            _refuse_other_histories(changes, file.name)
            for change in changes:
                _put(change)
        return tuple(change.report for change in changes)

    async def download(
        self,
        source: BarSource,
        key: SeriesKey,
        *,
        since: datetime,
        until: datetime,
        tell: Callable[[Progress], None],
    ) -> SeriesReport:
        """Fetch bars from `since` to `until`; each page is stored, so that another run goes on.

        What is stored stays where the source says otherwise now. Raises what the source raises.
        """
        begin, end = nanoseconds(since), nanoseconds(until)
        held = await asyncio.to_thread(self._store.holding, key)
        done = Fetched(source.source, begin, begin)
        if held is not None and held.fetched is not None and held.fetched.source == done.source:
            known = held.fetched
            done = known if known.begin <= begin <= known.to else done
        at = done.to
        report = SeriesReport(key=key, basis="", rows=0)
        for _ in range(PAGES_MAX):
            tell(Progress(begin=begin, until=end, at=min(at, end), bars=report.rows))
            if at >= end:
                break
            page = _until(await self._page(source, key, at), end)
            if not len(page):
                at += PAGE_BARS * length_ns(key.timeframe)
                continue
            if page.time[0] < at:
                raise DataUnavailable(f"{source.source} gave bars from before what was asked")
            at = int(page.time[-1]) + (SECOND if page.complete else 0)
            done = replace(done, to=at)
            report = await asyncio.to_thread(self._store_page, key, page, report, done)
            if not page.complete:
                break
        return report

    def check(self, holding: Holding) -> SeriesReport:
        """Read a stored series whole and say what is to be known of it; raise StoreDamaged."""
        self._store.verify(holding.key)
        series = self._store.read(holding.key, limit=holding.rows)
        if series is None or len(series) != holding.rows:
            raise DataUnavailable(f"{holding.key} changed while it was read", fix="check again")
        return Reading.of_stored(series, holding)

    async def _page(self, source: BarSource, key: SeriesKey, at: int) -> Series:
        """Ask for a page; a source that wants to be asked more slowly is."""
        for attempt in range(1, READ_ATTEMPTS_MAX + 1):
            try:
                async with asyncio.timeout(PAGE_WITHIN_S):
                    return await source.bars(
                        key.symbol, key.timeframe, since=moment(at), limit=PAGE_BARS
                    )
            except TimeoutError:
                if attempt == READ_ATTEMPTS_MAX:
                    raise DataUnavailable(
                        f"{source.source} did not answer within {PAGE_WITHIN_S:.0f} s",
                        fix="run the same command again: it goes on where it stopped",
                    ) from None
            except RateLimited:
                if attempt == READ_ATTEMPTS_MAX:
                    raise
            await self._clock.sleep(PAUSE_S * attempt)
        raise DataUnavailable(f"{source.source} did not answer")

    def _store_page(
        self, key: SeriesKey, page: Series, so_far: SeriesReport, done: Fetched
    ) -> SeriesReport:
        now = self._clock.now()
        reading = Reading.of_page(key, page, self._calendar_of(key.symbol), nanoseconds(now))
        no = refusal(page.source, [reading.report])
        if no is not None:
            raise no
        origin = Import(0, page.source, "", now, 0, "download")
        with ExitStack() as held:
            change = self._change(held, reading, origin, Conflict.KEEP)
            holding = replace(change.holding, fetched=done)
            change.shelf.put(change.merged.rows, since=change.since, holding=holding)
        made = change.report
        return replace(
            made,
            rows=so_far.rows + made.rows,
            added=so_far.added + made.added,
            same=so_far.same + made.same,
            differing=so_far.differing + made.differing,
            first=so_far.first or made.first,
            presence=None,
        )

    def _with_hours(self, choices: Choices, named: str | None, file: str) -> Choices:
        known = self._calendar_of(Symbol(symbol_of(named, choices, file)))
        return replace(choices, calendar=choices.calendar or known)

    def _raw(self, file: PriceFile, choices: Choices) -> list[tuple[str | None, Raw]]:
        """Return the rows of each symbol; None where the file has no column that names it."""
        found = roles(file.columns())
        shape = Shape(
            found["time"], found["prices"], *(next(iter(found[n]), None) for n in _SINGLE)
        )
        blocks = list(file.blocks(shape, Zone(choices.zone, choices.time_format)))
        if not sum(len(block.time) for block in blocks):
            raise InvalidArgument(f"{file.name} has no rows", fix="fetch it again")
        time = numpy.concatenate([block.time for block in blocks])
        volumes = [block.volume for block in blocks if block.volume is not None]
        raw = Raw(
            time,
            tuple(
                numpy.concatenate([block.prices[n] for block in blocks])
                for n in range(len(shape.prices))
            ),
            numpy.concatenate(volumes) if volumes else None,
            numpy.arange(2, len(time) + 2),
            numpy.concatenate([block.garbled for block in blocks]),
        )
        found_names = [block.symbol for block in blocks if block.symbol is not None]
        if not found_names:
            return [(None, raw)]
        names = numpy.strings.upper(numpy.strings.strip(numpy.concatenate(found_names)))
        words, which = numpy.unique(names, return_inverse=True)
        if len(words) > SYMBOLS_MAX:
            raise InvalidArgument(
                f"{file.name} holds {len(words):,} symbols; at most {SYMBOLS_MAX} at once",
                fix="split it by symbol",
            )
        wanted = choices.symbol.upper() if choices.symbol else None
        if wanted is not None and wanted not in words.tolist():
            raise InvalidArgument(
                f"{file.name} has no rows of {wanted}", fix=f"it has {', '.join(words[:5])}"
            )
        return [
            (str(word), raw.where(which == index))
            for index, word in enumerate(words)
            if wanted in (None, word)
        ]

    def _change(
        self, held: ExitStack, reading: Reading, origin: Import, conflict: Conflict
    ) -> _Change:
        """Hold a series and work out what becomes of it."""
        report = reading.report
        shelf = held.enter_context(self._store.edit(report.key))
        before, series = shelf.holding, reading.series
        basis = PriceBasis.TRADE if series.ask is None else PriceBasis.BID_ASK
        imports = () if before is None else before.imports
        if before is not None and before.basis is not basis:
            raise IllegalState(
                f"{report.key} holds {before.basis} bars, the file has {basis}",
                fix="import it under another --venue",
            )
        if len(imports) >= IMPORTS_MAX:
            raise IllegalState(f"{report.key} has {IMPORTS_MAX} imports", fix="start another venue")
        since = int(series.time[0])
        if before is not None and not before.complete:
            since = min(since, before.last)
        again = bool(imports) and not origin.sha256 and imports[-1].source == origin.source
        number = len(imports) + (0 if again else 1)
        new = Rows(series, numpy.full(len(series), number, numpy.uint16))
        old = shelf.tail(since)
        if old is None or not len(old.series):
            merged = Merged(new, added=len(series), same=0, differing=0)
        else:
            merged = merge(old, new, conflict)
        there = 0 if old is None else len(old.series)
        last_read = self._store.read(report.key, limit=1, before=since)
        calendar = reading.calendar or self._calendar_of(report.key.symbol)
        found = _jumps(last_read, merged.rows.series, calendar)
        earlier = () if before is None else tuple(jump for jump in before.jumps if jump.at < since)
        rows = imports[-1].rows + merged.added if again else merged.added
        made = replace(origin, number=number, rows=rows)
        all_rows = merged.rows.series
        holding = Holding(
            key=report.key,
            basis=basis,
            calendar=calendar,
            rows=(0 if before is None else before.rows) - there + len(all_rows),
            first=int(all_rows.time[0]) if before is None else min(before.first, since),
            last=int(all_rows.time[-1]),
            complete=all_rows.complete,
            imports=(*(imports[:-1] if again else imports), made),
            jumps=(*earlier, *found),
            fetched=None if before is None else before.fetched,
        )
        made_report = replace(
            report,
            added=merged.added,
            same=merged.same,
            differing=merged.differing,
            replaced=merged.differing if conflict is Conflict.REPLACE else 0,
            jumps=holding.jumps,
        )
        return _Change(shelf, merged, since, holding, made_report)


def _put(change: _Change) -> None:
    if change.merged.added or change.report.replaced or change.merged.running:
        change.shelf.put(change.merged.rows, since=change.since, holding=change.holding)


def _refuse_other_histories(changes: list[_Change], name: str) -> None:
    other = [change for change in changes if change.merged.differing and not change.report.replaced]
    if not other:
        return
    first = other[0]
    rows = sum(change.merged.differing for change in other)
    raise HistoriesDiffer(
        f"{name} is not imported: {rows:,} complete bars are stored otherwise, the first of"
        f" {first.report.key} at {moment(first.merged.first_differing or 0):%Y-%m-%dT%H:%MZ}",
        fix="--on-conflict keep or replace, or another --venue",
        details={"report": [told(change.report) for change in changes]},
    )


def _jumps(last: Series | None, series: Series, calendar: CalendarName | None) -> tuple[Jump, ...]:
    """Find the breaks of a changed stretch, its first bar against the one before it."""
    if last is None or not len(last):
        return jumps(series.time, series.open, series.close, calendar)
    return jumps(
        numpy.concatenate([last.time, series.time]),
        numpy.concatenate([last.open, series.open]),
        numpy.concatenate([last.close, series.close]),
        calendar,
    )


def _until(page: Series, end: int) -> Series:
    """Leave out the bars of a page that start at or after `end`."""
    kept = int(numpy.searchsorted(page.time, end))
    if kept == len(page):
        return page
    ask = page.ask
    return replace(
        page,
        time=page.time[:kept],
        open=page.open[:kept],
        high=page.high[:kept],
        low=page.low[:kept],
        close=page.close[:kept],
        volume=page.volume[:kept],
        complete=True,
        ask=None
        if ask is None
        else Prices(ask.open[:kept], ask.high[:kept], ask.low[:kept], ask.close[:kept]),
    )
