"""Many symbols and timeframes at once: scan, compare, and the context of higher timeframes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import Code, DataUnavailable, GateError, InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.surfaces.catalogue.analysis_requests import Compare, Context, Scan
from ordergate.surfaces.catalogue.analysis_results import (
    CompareItem,
    CompareResult,
    ContextResult,
    FailureItem,
    LevelItem,
    OpportunityItem,
    ScanResult,
    ViewItem,
)
from ordergate.surfaces.catalogue.grounds import Ground, ground_of
from ordergate.surfaces.catalogue.history import number, share
from ordergate.surfaces.catalogue.operation import READS, Example, Operation, Route, Toolset

if TYPE_CHECKING:
    from ordergate.market.features.frame import Frame
    from ordergate.market.features.levels import Level
    from ordergate.market.scan.ranking import Opportunity, View
    from ordergate.market.scan.scan import Ask, Failure, Fetched
    from ordergate.market.signals.proposal import Speaks
    from ordergate.market.signals.rules import Rule
    from ordergate.model.principals import Principal
    from ordergate.model.series import Series
    from ordergate.model.values import Symbol
    from ordergate.surfaces.catalogue.services import Services

FETCH_S: Final = 20.0
DEADLINE_S: Final = 30.0
REPLY_VIEWS_MAX: Final = 60  # timeframes shown in full in one answer
GROUPS_MAX: Final = 30  # kinds of failure shown one by one


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of some asks: the views, where the rule holds, and what failed."""

    opportunities: tuple[Opportunity, ...]
    series: Mapping[Ask, Series]
    holds: Mapping[Symbol, list[str]]
    failures: list[FailureItem]


async def scan(services: Services, _: Principal, request: Scan) -> ScanResult:
    return await scanned(ground_of(services, request), request)


async def compare(services: Services, _: Principal, request: Compare) -> CompareResult:
    return await compared(ground_of(services, request), request)


async def context(services: Services, _: Principal, request: Context) -> ContextResult:
    return await seen_from(ground_of(services, request), request)


async def scanned(ground: Ground, request: Scan) -> ScanResult:
    names = request.symbols or [str(name) for name in await ground.symbols()]
    symbols = [await ground.symbol(name) for name in dict.fromkeys(names)]
    timeframes = [Timeframe(name) for name in dict.fromkeys(request.timeframes)]
    looked = await look(ground, symbols, timeframes, strategy=request.strategy, rule=request.rule)
    matched = [
        one for one in looked.opportunities if request.rule is None or looked.holds.get(one.symbol)
    ]
    if not looked.opportunities:
        raise DataUnavailable(
            "nothing could be scored",
            fix="details.failures says why, for each symbol and timeframe.",
            details={"failures": [item.model_dump() for item in grouped(looked.failures)]},
        )
    most = max(1, min(request.limit, REPLY_VIEWS_MAX // len(timeframes)))
    return ScanResult(
        opportunities=[_opportunity(ground, one, looked) for one in matched[:most]],
        failures=grouped(looked.failures),
        scanned=len(looked.opportunities),
        matched=len(matched),
        left_out=len(matched) - min(most, len(matched)),
        strategy=request.strategy,
        rule=request.rule,
        notes=ground.notes(),
        **ground.overall([*looked.series.values()]),
    )


async def compared(ground: Ground, request: Compare) -> CompareResult:
    symbols = [await ground.symbol(name) for name in dict.fromkeys(request.symbols)]
    timeframe = Timeframe(request.timeframe)
    looked = await look(ground, symbols, [timeframe], strategy="ensemble", rule=None)
    by_symbol = {one.symbol: one for one in looked.opportunities}
    if not by_symbol:
        raise DataUnavailable("none of them has enough history", fix="Try a lower timeframe.")
    together = await ground.bench.run(_correlations, looked.series, symbols, timeframe)
    items = []
    for symbol in symbols:
        if symbol not in by_symbol:
            continue
        quote = ground.quote(symbol)
        shown = _opportunity(ground, by_symbol[symbol], looked).model_dump(exclude_unset=True)
        items.append(
            CompareItem(
                **shown,
                spread=number(ground.spread(symbol)) if quote is None else quote.spread,
                correlation=share(together.get(symbol)),
            )
        )
    return CompareResult(
        timeframe=timeframe.value,
        symbols=items,
        failures=looked.failures,
        notes=ground.notes(),
        **ground.overall([*looked.series.values()]),
    )


async def seen_from(ground: Ground, request: Context) -> ContextResult:
    symbol = await ground.symbol(request.symbol)
    timeframe = Timeframe(request.timeframe)
    longer = [one for one in Timeframe if one.length > timeframe.length]
    higher = [Timeframe(name) for name in dict.fromkeys(request.higher or ())] or longer[:2]
    if not higher or any(one not in longer for one in higher):
        raise InvalidArgument(
            f"higher: none of these is above {timeframe}",
            fix=f"Choose of {', '.join(longer)}." if longer else "Ask for a lower timeframe.",
        )
    lower = await ground.closed(symbol, timeframe, limit=1)
    # What was not known when the lower bar closed has no place in its context.
    known_at = ground.end(lower)
    looked = await look(ground, [symbol], higher, strategy="ensemble", rule=None, known_at=known_at)
    if not looked.opportunities:
        raise DataUnavailable(
            looked.failures[0].message if looked.failures else "no closed bars",
            fix="Ask for lower timeframes.",
        )
    one = looked.opportunities[0]
    nearest = one.views[0].timeframe
    found = await ground.bench.run(levels_of, looked.series[symbol, nearest])
    return ContextResult(
        symbol=symbol,
        timeframe=timeframe.value,
        views=[
            view_item(ground, each, looked.series[symbol, each.timeframe]) for each in one.views
        ],
        levels=level_items(found),
        levels_timeframe=nearest.value,
        agreement=share(one.agreement) or "",
        failures=looked.failures,
        notes=ground.notes(),
        **ground.dated(lower),
    )


async def look(
    ground: Ground,
    symbols: Sequence[Symbol],
    timeframes: Sequence[Timeframe],
    *,
    strategy: str,
    rule: str | None,
    known_at: datetime | None = None,
) -> Looked:
    """Fetch, view and rank; a symbol is scored by those of its timeframes that could be viewed."""
    speaker, condition, wanted = await ground.bench.run(_prepared, strategy, rule)

    async def source(symbol: Symbol, timeframe: Timeframe) -> Series:
        return await ground.closed(symbol, timeframe, limit=wanted[timeframe], known_at=known_at)

    from ordergate.market.scan.scan import fetch

    asks = [(symbol, timeframe) for symbol in symbols for timeframe in timeframes]
    async with ground.bench.look:
        fetched = ground.together(await fetch(source, asks, timeout_s=FETCH_S))
    spreads = {symbol: ground.spread(symbol) for symbol in symbols}
    return await ground.bench.run(_looked, fetched, spreads, speaker, condition)


def levels_of(series: Series, *, most: int = 3) -> tuple[Level, ...]:
    from ordergate.market.features.frame import Frame
    from ordergate.market.features.levels import levels

    return levels(Frame(series), most=most)


def level_items(found: Sequence[Level]) -> list[LevelItem]:
    return [
        LevelItem(
            price=number(level.price) or "",
            kind=level.kind,
            touches=level.touches,
            bars_ago=level.bars_ago,
        )
        for level in found
    ]


def view_item(ground: Ground, one: View, series: Series) -> ViewItem:
    return ViewItem(
        timeframe=one.timeframe.value,
        close=number(one.close) or "",
        change_20=number(round(one.change, 6)) or "",
        trend=one.trend.value,
        strength=share(one.strength) or "",
        rsi=share(one.rsi) or "",
        atr=number(one.atr) or "",
        volatility=one.volatility.value,
        volatility_rank=share(one.volatility_rank) or "",
        place=share(one.place) or "",
        signal=share(one.signal) or "",
        **ground.dated(series),
    )


def opportunity_item(
    ground: Ground, one: Opportunity, series: Mapping[Ask, Series], holds: list[str]
) -> OpportunityItem:
    """Return a score with its parts; dated by its shortest timeframe."""
    parts: dict[str, Any] = {name: share(value) or "" for name, value in one.parts.items()}
    return OpportunityItem(
        symbol=one.symbol,
        direction=one.direction,
        score=share(one.score) or "",
        **parts,
        agreement=share(one.agreement) or "",
        cost=share(one.cost),
        rule_holds=holds,
        views=[view_item(ground, each, series[one.symbol, each.timeframe]) for each in one.views],
        **ground.dated(series[one.symbol, one.views[0].timeframe]),
    )


def grouped(failures: Sequence[FailureItem]) -> list[FailureItem]:
    """Return each failure with all it befell; past GROUPS_MAX kinds the rest shares one row."""
    befell: dict[tuple[str, str], list[str]] = {}
    for item in failures:
        kind = (item.code, item.message)
        if kind not in befell and len(befell) >= GROUPS_MAX:
            kind = (Code.DATA_UNAVAILABLE.value, "each for a reason of its own; ask for fewer")
        befell.setdefault(kind, []).append(item.what)
    return [
        FailureItem(what=", ".join(whats), code=code, message=message)
        for (code, message), whats in befell.items()
    ]


def failure_item(failure: Failure) -> FailureItem:
    return FailureItem(
        what=f"{failure.symbol} {failure.timeframe}", code=failure.code, message=failure.message
    )


def _opportunity(ground: Ground, one: Opportunity, looked: Looked) -> OpportunityItem:
    return opportunity_item(ground, one, looked.series, looked.holds.get(one.symbol, []))


def _prepared(strategy: str, rule: str | None) -> tuple[Speaks, Rule | None, dict[Timeframe, int]]:
    from ordergate.market.features.indicators import bars_for
    from ordergate.market.scan.ranking import VIEW_HISTORY
    from ordergate.market.signals.ensemble import ENSEMBLE, ensemble
    from ordergate.market.signals.rules import parse
    from ordergate.market.signals.strategies import strategy as built_in

    speaker = ensemble() if strategy == ENSEMBLE else built_in(strategy)
    condition = None if rule is None else parse(rule)
    required = max(
        VIEW_HISTORY,
        speaker.required_history,
        0 if condition is None else condition.required_history,
    )
    session = condition is not None and condition.needs_session
    return (
        speaker,
        condition,
        {one: bars_for(required, one, session=session) for one in Timeframe},
    )


def _looked(
    fetched: Fetched,
    spreads: Mapping[Symbol, float | None],
    speaker: Speaks,
    rule: Rule | None,
) -> Looked:
    from ordergate.market.features.frame import Frame
    from ordergate.market.scan.ranking import opportunity, ranked, view

    failures = [failure_item(failure) for failure in fetched.failures]
    views: dict[Symbol, list[View]] = {}
    holds: dict[Symbol, list[str]] = {}
    for (symbol, timeframe), series in fetched.series.items():
        try:
            frame = Frame(series)
            views.setdefault(symbol, []).append(view(frame, speaker))
            if rule is not None and _holds(rule, frame):
                holds.setdefault(symbol, []).append(timeframe.value)
        except GateError as error:
            failures.append(
                FailureItem(
                    what=f"{symbol} {timeframe}", code=error.code.value, message=error.message
                )
            )
    found = [
        opportunity(symbol, each, spreads.get(symbol)) for symbol, each in views.items() if each
    ]
    return Looked(ranked(found), fetched.series, holds, failures)


def _holds(rule: Rule, frame: Frame) -> bool:
    if len(frame) < rule.required_history:
        raise DataUnavailable(
            f"rule: insufficient_history: {len(frame)} closed bars, {rule.required_history} needed"
        )
    return bool(rule.on(frame)[-1])


def _correlations(
    series: Mapping[Ask, Series], symbols: Sequence[Symbol], timeframe: Timeframe
) -> dict[Symbol, float]:
    from ordergate.market.features.correlation import correlations

    found = [series[symbol, timeframe] for symbol in symbols if (symbol, timeframe) in series]
    return correlations(found)


OPERATIONS: Final = (
    Operation(
        name="scan_opportunities",
        summary="Score symbols over timeframes and rank them: confluence with its parts, cost and"
        " what failed. `rule` keeps those where it holds.",
        act=Act.READ_MARKET,
        request=Scan,
        result=ScanResult,
        toolset=Toolset.ANALYSIS,
        hints=READS,
        route=Route(
            method="POST", path="/opportunity/scan", aliases=(("POST", "/opportunity/scan"),)
        ),
        handler=scan,
        deadline_s=DEADLINE_S,
        examples=(Example(name="strongest", arguments={"timeframes": ["H1", "H4"], "limit": 5}),),
    ),
    Operation(
        name="compare_symbols",
        summary="Two to ten symbols side by side on one timeframe: score, trend, volatility,"
        " spread, correlation with the first.",
        act=Act.READ_MARKET,
        request=Compare,
        result=CompareResult,
        toolset=Toolset.RESEARCH,
        hints=READS,
        route=Route(method="POST", path="/market/compare"),
        handler=compare,
        deadline_s=DEADLINE_S,
        examples=(Example(name="two", arguments={"symbols": ["EURUSD", "GBPUSD"]}),),
    ),
    Operation(
        name="htf_context",
        summary="Trend, volatility and levels of higher timeframes, from bars closed by the lower"
        " one's last close alone.",
        act=Act.READ_MARKET,
        request=Context,
        result=ContextResult,
        toolset=Toolset.RESEARCH,
        hints=READS,
        route=Route(method="POST", path="/market/context"),
        handler=context,
        examples=(Example(name="next two", arguments={"symbol": "EURUSD", "timeframe": "M15"}),),
    ),
)
