"""The leakage checks on bars of the simulated market or of a recording; no gateway is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from ordergate.adapters.feeds.replay.recording import EPOCH, MICROSECOND, recording
from ordergate.adapters.feeds.replay.table import ReplayError
from ordergate.adapters.feeds.simulated.feed import SimulatedFeed
from ordergate.adapters.system import SystemClock
from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.model.market import Bar, Timeframe
from ordergate.model.values import Symbol
from ordergate.surfaces.cli.starts import Suspects

SYMBOL: Final = "EURUSD"
BARS_MAX: Final = 100_000
BARS_LEAST: Final = 500


def leakage(asked: Suspects) -> Mapping[str, Any]:
    """Put each suspect to the three checks; return the reports and whether all have passed."""
    if not BARS_LEAST <= asked.bars <= BARS_MAX:
        raise InvalidArgument(f"--bars must be from {BARS_LEAST} to {BARS_MAX}")
    from ordergate.market.features.frame import BadBars, closed, series_of
    from ordergate.research.validation.leakage import check

    bars, source = _simulated(asked) if asked.file is None else _recorded(asked)
    series = closed(series_of(bars, source))
    if len(series) < BARS_LEAST:
        raise DataUnavailable(f"{source} has {len(series)} closed bars, {BARS_LEAST} are needed")
    reports: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    for name, subject in _subjects(asked):
        try:
            report = check(name, subject, series, seed=asked.seed)
        except BadBars as error:
            skipped[name] = error.message
            continue
        reports.append({**asdict(report), "passed": report.passed})
    if not reports:
        raise DataUnavailable("nothing could be checked on these bars", details=skipped)
    return {
        "passed": all(report["passed"] for report in reports),
        "reports": reports,
        "skipped": skipped,
        "source": source,
        "symbol": str(series.symbol),
        "timeframe": series.timeframe.value,
        "bars": len(series),
        "seed": asked.seed,
    }


def _subjects(asked: Suspects) -> Iterator[tuple[str, Callable[..., Any]]]:
    from ordergate.market.features.indicators import INDICATORS, call
    from ordergate.market.signals.ensemble import ENSEMBLE, ensemble
    from ordergate.market.signals.rules import parse
    from ordergate.market.signals.strategies import BLUEPRINTS, strategy
    from ordergate.research.validation import subjects

    everything = not asked.strategies and not asked.rules
    built_in = (*(blueprint.name for blueprint in BLUEPRINTS), ENSEMBLE)
    for name in built_in if everything else asked.strategies:
        speaker = ensemble() if name == ENSEMBLE else strategy(name)
        yield name, subjects.of_speaker(speaker)
    for text in asked.rules:
        yield text, subjects.of_rule(parse(text))
    if everything:
        for indicator in INDICATORS:
            yield call(indicator.name).text, subjects.of_indicator(call(indicator.name))
        yield "swing points and trend", subjects.of_features


def _simulated(asked: Suspects) -> tuple[tuple[Bar, ...], str]:
    feed = SimulatedFeed(clock=SystemClock(), seed=asked.seed)
    symbol = Symbol(asked.symbol or SYMBOL)
    try:
        timeframe = Timeframe(asked.timeframe)
    except ValueError:
        raise InvalidArgument("no such timeframe", fix=f"One of {', '.join(Timeframe)}.") from None
    return feed.bars(symbol, timeframe, limit=asked.bars, before=None), "simulated"


def _recorded(asked: Suspects) -> tuple[tuple[Bar, ...], str]:
    """Return the first bars of a recording, at its own timeframe."""
    assert asked.file is not None
    try:
        found = recording(asked.file, symbol=Symbol(asked.symbol) if asked.symbol else None)
        if found.timeframe is None:
            raise InvalidArgument(
                "the file has ticks, not bars", fix="Give a file of bars, such as M1."
            )
        unit = Decimal(1).scaleb(-found.digits)
        bars = tuple(
            _bar(row.symbol, found.timeframe, row.start, row.prices, row.volume, unit)
            for row in islice(found.rows(), asked.bars)
        )
    except (ReplayError, OSError) as error:
        raise DataUnavailable(f"{asked.file.name} cannot be read: {error}") from None
    if len({bar.symbol for bar in bars}) > 1:
        raise InvalidArgument("the file has several symbols", fix="Name one with --symbol.")
    return bars, f"recorded:{asked.file.name}"


def _bar(
    symbol: Symbol,
    timeframe: Timeframe,
    start: int,
    prices: tuple[int, ...],
    volume: Decimal | None,
    unit: Decimal,
) -> Bar:
    first, high, low, last = (price * unit for price in prices[:4])
    at: datetime = EPOCH + start * MICROSECOND
    return Bar(symbol, timeframe, at, first, high, low, last, volume, True)
