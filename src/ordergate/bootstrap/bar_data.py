"""The store of bars without a gateway: import, list, check, download."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ordergate.adapters.instruments import KNOWN
from ordergate.adapters.price_files import PriceTable
from ordergate.adapters.system import SystemClock
from ordergate.bootstrap.bar_sources import bar_source, bars_at
from ordergate.market.bars.columnar import moment
from ordergate.market.bars.faults import DROPPABLE, Fault
from ordergate.market.bars.ingest import Ingest, Progress
from ordergate.market.bars.merging import Conflict
from ordergate.market.bars.reading import Choices
from ordergate.market.bars.report import time_text, told
from ordergate.model.canonical import iso
from ordergate.model.errors import InvalidArgument, NotFound
from ordergate.model.holdings import Holding, SeriesKey
from ordergate.model.instruments import CalendarName
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol
from ordergate.settings.load import Settings
from ordergate.surfaces.cli.starts import BarsWanted

Word = TypeVar("Word", bound=enum.StrEnum)
Tell = Callable[[float, int, str], None]  # share done, bars, where it is


def import_bars(settings: Settings, file: Path, wanted: BarsWanted) -> Mapping[str, object]:
    """Import a price file; the report of each series, and how fast it went."""
    clock = SystemClock()
    began = clock.monotonic()
    choices = Choices(
        venue=_venue(wanted.venue or "file"),
        symbol=wanted.symbol,
        timeframe=None if wanted.timeframe is None else _one(Timeframe, wanted.timeframe.upper()),
        zone=wanted.zone,
        time_format=wanted.time_format,
        ends=_stamp(wanted.stamp),
        calendar=None if wanted.calendar is None else _one(CalendarName, wanted.calendar.lower()),
        accept_hours=wanted.accept_hours,
        drop=frozenset(_droppable(word) for word in wanted.drop),
        sort=wanted.sort,
        conflict=_one(Conflict, wanted.on_conflict),
    )
    reports = _ingest(settings, clock).take(PriceTable(file), choices)
    seconds = max(clock.monotonic() - began, 0.001)
    rows = sum(report.rows for report in reports)
    return {
        "file": file.name,
        "rows": rows,
        "seconds": f"{seconds:.2f}",
        "rows_per_s": round(rows / seconds),
        "series": [told(report) for report in reports],
    }


def list_bars(settings: Settings) -> Mapping[str, object]:
    """Name every stored series, with where its bars came from."""
    return {"series": [_listed(holding) for holding in bars_at(settings).holdings()]}


def check_bars(settings: Settings, wanted: BarsWanted) -> Mapping[str, object]:
    """Prove the files of stored series and report on their bars."""
    clock = SystemClock()
    ingest = _ingest(settings, clock)
    found = [holding for holding in bars_at(settings).holdings() if _is_wanted(holding, wanted)]
    if not found:
        raise NotFound("no such series is stored", fix="`ordergate data list` names them")
    return {"series": [told(ingest.check(holding)) for holding in found]}


def download_bars(
    settings: Settings,
    source: str,
    wanted: BarsWanted,
    span: tuple[str, str | None],
    tell: Tell,
) -> Mapping[str, object]:
    """Fetch a symbol's bars into the store; another run goes on where this one stopped."""
    clock = SystemClock()
    now = clock.now()
    since = _moment(span[0], "--since")
    until = now if span[1] is None else min(_moment(span[1], "--until"), now)
    if since >= until:
        raise InvalidArgument(
            "there is nothing between --since and --until", fix="--since 2026-01-01"
        )
    origin = bar_source(source, settings)
    key = SeriesKey(
        _venue(wanted.venue or source),
        Symbol((wanted.symbol or "").upper()),
        _one(Timeframe, (wanted.timeframe or "H1").upper()),
    )

    def progress(at: Progress) -> None:
        share = (at.at - at.begin) / max(at.until - at.begin, 1)
        tell(min(1.0, max(0.0, share)), at.bars, moment(at.at).strftime("%Y-%m-%d %H:%M"))

    ingest = _ingest(settings, clock)
    try:
        report = asyncio.run(ingest.download(origin, key, since=since, until=until, tell=progress))
    finally:
        origin.close_now()
    return {"source": origin.source, "series": [told(report)]}


def _moment(text: str, name: str) -> datetime:
    """Read 2026-01-01 or 2026-01-01T12:00; without a zone it is UTC. Raises InvalidArgument."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{name} {text[:40]!r} is no time", fix="2026-01-01") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _ingest(settings: Settings, clock: SystemClock) -> Ingest:
    return Ingest(
        store=bars_at(settings),
        calendar_of=lambda symbol: KNOWN[symbol].calendar if symbol in KNOWN else None,
        clock=clock,
    )


def _listed(holding: Holding) -> Mapping[str, object]:
    return {
        "venue": holding.key.venue,
        "symbol": str(holding.key.symbol),
        "timeframe": holding.key.timeframe.value,
        "basis": holding.basis.value,
        "calendar": None if holding.calendar is None else holding.calendar.value,
        "rows": holding.rows,
        "first": time_text(holding.first),
        "last": time_text(holding.last),
        "complete": holding.complete,
        "jumps": len(holding.jumps),
        "imports": [
            {
                "source": one.source,
                "sha256": one.sha256,
                "imported_at": iso(one.imported_at),
                "rows": one.rows,
                "choices": one.choices,
            }
            for one in holding.imports
        ],
    }


def _is_wanted(holding: Holding, wanted: BarsWanted) -> bool:
    return (
        wanted.venue in (None, holding.key.venue)
        and (wanted.symbol is None or wanted.symbol.upper() == holding.key.symbol)
        and (wanted.timeframe is None or wanted.timeframe.upper() == holding.key.timeframe)
    )


def _venue(word: str) -> str:
    if not word or len(word) > 32 or not all(c.isalnum() or c in "_-." for c in word):
        raise InvalidArgument(f"{word[:40]!r} is no venue", fix="letters, digits, _ - . up to 32")
    return word.lower()


def _stamp(word: str) -> bool:
    if word not in ("start", "end"):
        raise InvalidArgument(f"--stamp {word[:20]!r} is not known", fix="--stamp start or end")
    return word == "end"


def _droppable(word: str) -> Fault:
    fault = _one(Fault, word)
    if fault not in DROPPABLE:
        names = ", ".join(sorted(DROPPABLE))
        raise InvalidArgument(f"{word} rows cannot be left out", fix=f"these can: {names}")
    return fault


def _one(kind: type[Word], word: str) -> Word:
    try:
        return kind(word)
    except ValueError:
        names = ", ".join(item.value for item in kind)
        raise InvalidArgument(f"{word[:40]!r} is none of {names}", fix="choose one") from None
