"""The analysis packet: one call with what a decision about one symbol needs, within a length."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import Code, DataUnavailable, GateError
from ordergate.model.market import Timeframe
from ordergate.model.values import Symbol, plain, round_floor
from ordergate.model.verdicts import Verb
from ordergate.surfaces.catalogue.account import source_of
from ordergate.surfaces.catalogue.analysis import floors_of, terms_of
from ordergate.surfaces.catalogue.analysis_requests import Packet
from ordergate.surfaces.catalogue.analysis_results import (
    FailureItem,
    HeadroomItem,
    PacketArticle,
    PacketPosition,
    PacketResult,
    PacketSignal,
    ProfileItem,
)
from ordergate.surfaces.catalogue.grounds import LIVE, Ground, ground_of
from ordergate.surfaces.catalogue.history import number, share
from ordergate.surfaces.catalogue.market import offered
from ordergate.surfaces.catalogue.news import MarketResearch, market_research
from ordergate.surfaces.catalogue.operation import READS, Example, Operation, Route, Toolset
from ordergate.surfaces.catalogue.orders import place_intent
from ordergate.surfaces.catalogue.rendering import optional_time, text, time_text
from ordergate.surfaces.catalogue.requests import Terms
from ordergate.surfaces.catalogue.scanning import (
    DEADLINE_S,
    Looked,
    level_items,
    levels_of,
    look,
    opportunity_item,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.market.features.levels import Profile
    from ordergate.market.signals.proposal import Proposal
    from ordergate.model.instruments import Instrument
    from ordergate.model.principals import Principal
    from ordergate.model.series import Series
    from ordergate.model.views import AccountView
    from ordergate.surfaces.catalogue.services import Services, SignalFloors

BRIEF_STRATEGIES: Final = ("rule_baseline", "volatility_breakout")
TIGHTEST: Final = 5  # limits shown of a judgement
DISPENSABLE: Final = (
    *("news", "releases", "headroom", "levels", "failures", "positions", "signals"),
)
NOW_LEFT_OUT: Final = "quote, session, positions, headroom: imported bars say nothing of now"
NEWS_LEFT_OUT: Final = "news: not asked for"
NEWS_OF_NOW: Final = "news: of now, and imported bars are a look back"
NEWS_UNREAD: Final = "news: see failures"
ARTICLES: Final = 4
RELEASES: Final = 4


async def packet(services: Services, asker: Principal, request: Packet) -> PacketResult:
    ground = ground_of(services, request)
    if request.source != LIVE:
        return await packed(ground, request)
    spec = await offered(services, request.symbol)
    full = request.detail == "full"
    sections = await _seen(ground, spec.symbol, request)
    account = await _account(services, asker, sections["failures"])
    safety = await services.gateway.safety(asker=asker)
    smallest, headroom = await _headroom(services, asker, spec)
    source = source_of(services)
    if request.news:
        sections |= await _news(services, asker, spec, sections["failures"], full=full)
    sections |= {
        "opens_or_closes_at": optional_time(services.market.session(spec.symbol).next_change),
        "positions": None if account is None else _positions(account, spec.symbol),
        "smallest_order": smallest,
        "headroom": headroom if full else headroom[:TIGHTEST],
        "killed": safety.killed,
        "mode": None if account is None else account.identity.mode.value,
        "left_out": _without_news(request, sections["news"], NEWS_UNREAD),
        "source": source.name,
        "synthetic": source.synthetic,
        "as_of": time_text(source.now),
        "age_s": "0",
    }
    return PacketResult.model_validate(_fitted(sections, full=full))


async def packed(ground: Ground, request: Packet) -> PacketResult:
    """Return the packet of a ground alone: nothing of the account, nothing of now."""
    symbol = await ground.symbol(request.symbol)
    sections = await _seen(ground, symbol, request)
    newest = max(sections.pop("seen"), key=ground.end, default=None)
    if newest is None:
        failures = [item.model_dump() for item in sections["failures"]]
        raise DataUnavailable(
            failures[0]["message"] if failures else "there are no closed bars",
            fix="details.failures says why, for each timeframe.",
            details={"failures": failures},
        )
    sections |= {
        "opens_or_closes_at": None,
        "positions": None,
        "smallest_order": None,
        "headroom": [],
        "killed": None,
        "mode": None,
        "left_out": [NOW_LEFT_OUT, *_without_news(request, None, NEWS_OF_NOW)],
        **ground.dated(newest),
    }
    return PacketResult.model_validate(_fitted(sections, full=request.detail == "full"))


async def _seen(ground: Ground, symbol: Symbol, request: Packet) -> dict[str, Any]:
    """Return the sections that bars and quotes alone make; `seen` holds the series."""
    timeframes = [Timeframe(name) for name in dict.fromkeys(request.timeframes)]
    looked = await look(ground, [symbol], timeframes, strategy="ensemble", rule=None)
    full = request.detail == "full"
    failures = list(looked.failures)
    seen = [one for one in timeframes if (symbol, one) in looked.series]
    signals = await _signals(ground, symbol, looked, seen, failures, full=full)
    # Levels of the second shortest timeframe: near enough to trade from, old enough to matter.
    by_length = sorted(seen, key=lambda one: one.length)
    chosen = by_length[min(1, len(by_length) - 1)] if by_length else None
    found, profile = (
        ((), None)
        if chosen is None
        else await ground.bench.run(_places, looked.series[symbol, chosen], full)
    )
    one = looked.opportunities[0] if looked.opportunities else None
    return {
        "symbol": symbol,
        "detail": request.detail,
        "quote": ground.quote(symbol),
        "score": None if one is None else opportunity_item(ground, one, looked.series, []),
        "levels": level_items(found),
        "levels_timeframe": None if chosen is None else chosen.value,
        "profile": _profile_item(profile),
        "signals": signals,
        "news": None,
        "tone": None,
        "releases": None,
        "failures": failures,
        "notes": ground.notes(),
        "seen": [*looked.series.values()],
    }


def _without_news(request: Packet, news: object, why: str) -> list[str]:
    if news is not None:
        return []
    return [why if request.news else NEWS_LEFT_OUT]


async def _news(
    services: Services,
    asker: Principal,
    spec: Instrument,
    failures: list[FailureItem],
    *,
    full: bool,
) -> dict[str, Any]:
    """Return titles, tone and the nearest releases; what cannot be read is a failure."""
    asked = MarketResearch(symbol=spec.symbol, limit=2 * ARTICLES if full else ARTICLES)
    try:
        found = await market_research(services, asker, asked)
    except GateError as error:
        failures.append(FailureItem(what="news", code=error.code.value, message=error.message))
        return {}
    failures += [
        FailureItem(what="news", code=Code.DATA_UNAVAILABLE.value, message=problem)
        for problem in found.problems
    ]
    return {
        "news": [
            PacketArticle(
                title=one.title,
                published_at=one.published_at,
                age_s=one.age_s,
                sentiment=one.sentiment,
            )
            for one in found.articles
        ],
        "tone": found.sentiment,
        "releases": found.releases[:RELEASES],
    }


def _fitted(sections: dict[str, Any], *, full: bool) -> dict[str, Any]:
    from ordergate.research.packet import BRIEF_CHARACTERS, FULL_CHARACTERS, fitted

    sections.pop("seen", None)
    shown = PacketResult.model_validate(sections).model_dump(exclude_unset=True)
    limit = FULL_CHARACTERS if full else BRIEF_CHARACTERS
    room = limit - len(DISPENSABLE) * len('"positions: shortened",')
    kept, shortened = fitted(shown, room, dispensable=DISPENSABLE)
    kept["left_out"] = [*kept["left_out"], *(f"{name}: shortened" for name in shortened)]
    return kept


async def _signals(
    ground: Ground,
    symbol: Symbol,
    looked: Looked,
    timeframes: Sequence[Timeframe],
    failures: list[FailureItem],
    *,
    full: bool,
) -> list[PacketSignal]:
    items = []
    for timeframe in timeframes:
        series = looked.series[symbol, timeframe]
        reasons = ground.held(symbol, series)
        terms = (ground.spread(symbol), ground.floors)
        said, failed = await ground.bench.run(_said, series, terms, reasons, full)
        failures += failed
        for name, one in said:
            if one.direction == "none" and not full:
                continue
            items.append(
                PacketSignal(
                    timeframe=timeframe.value,
                    strategy=name,
                    direction=one.direction,
                    proposed=one.proposed,
                    **terms_of(one, ground.tick(symbol)),
                    confidence=share(one.confidence),
                    edge=share(one.edge),
                    held_back=list(one.held_back),
                    **ground.dated(series),
                )
            )
    return items


def _said(
    series: Series, terms: tuple[float | None, SignalFloors], reasons: list[str], full: bool
) -> tuple[list[tuple[str, Proposal]], list[FailureItem]]:
    from ordergate.market.features.frame import Frame
    from ordergate.market.signals.proposal import held, propose
    from ordergate.market.signals.strategies import BLUEPRINTS, strategy

    names = [blueprint.name for blueprint in BLUEPRINTS] if full else list(BRIEF_STRATEGIES)
    frame = Frame(series)
    spread, floors = terms[0], floors_of(terms[1])
    said: list[tuple[str, Proposal]] = []
    failures: list[FailureItem] = []
    for name in names:
        speaker = strategy(name)
        try:
            if len(frame) < speaker.required_history:
                raise DataUnavailable(
                    f"insufficient_history: {len(frame)} closed bars,"
                    f" {speaker.required_history} needed"
                )
            proposal = propose(speaker, frame, spread=spread, floors=floors)
            said.append((name, held(proposal, reasons)))
        except GateError as error:
            failures.append(
                FailureItem(
                    what=f"{name} {series.timeframe}", code=error.code.value, message=error.message
                )
            )
    return said, failures


def _places(series: Series, full: bool) -> tuple[Sequence[Any], Profile | None]:
    from ordergate.market.features.frame import Frame
    from ordergate.market.features.levels import profile

    return levels_of(series, most=6 if full else 3), profile(Frame(series))


def _profile_item(found: Profile | None) -> ProfileItem | None:
    if found is None:
        return None
    return ProfileItem(
        busiest=number(found.busiest) or "",
        value_low=number(found.value_low) or "",
        value_high=number(found.value_high) or "",
        by=found.by,
    )


async def _account(
    services: Services, asker: Principal, failures: list[FailureItem]
) -> AccountView | None:
    """Return the account; where the venue cannot be read, the market alone is told."""
    try:
        return await services.gateway.account(asker=asker)
    except DataUnavailable as error:
        failures.append(FailureItem(what="account", code=error.code.value, message=error.message))
        return None


def _positions(view: AccountView, symbol: Symbol) -> list[PacketPosition]:
    return [
        PacketPosition(
            position_id=held.position_id,
            side=held.side.value,
            quantity=plain(held.quantity),
            open_price=plain(held.open_price),
            stop_loss=text(held.stop_loss),
            take_profit=text(held.take_profit),
            open_pnl=text(held.open_pnl),
        )
        for held in sorted(view.positions, key=lambda position: position.position_id)
        if held.symbol == symbol
    ]


async def _headroom(
    services: Services, asker: Principal, spec: Instrument
) -> tuple[str, list[HeadroomItem]]:
    """Judge the smallest buy with a stop one percent below; nothing is sent or stored."""
    quote = services.market.quote(spec.symbol)
    if quote is None:
        return "no quote: nothing can be judged", []
    stop = round_floor(quote.bid * Decimal("0.99"), spec.tick_size)
    terms = Terms(
        symbol=spec.symbol, side="buy", quantity=plain(spec.lot_min), stop_loss=plain(stop)
    )
    try:
        judgement = await services.gateway.check(place_intent(services, terms, None), asker=asker)
    except GateError as error:
        return f"cannot be judged: {error.code}: {error.message}", []
    decision = judgement.decision
    word = {Verb.ALLOW: "allowed", Verb.ASK: "needs a yes", Verb.DENY: "refused"}[decision.verb]
    failed = decision.failed
    why = "" if failed is None or not failed.message else f": {failed.message}"
    measured = [
        (verdict.headroom / verdict.limit if verdict.limit else Decimal(1), verdict)
        for verdict in decision.verdicts
        if verdict.headroom is not None and verdict.limit is not None
    ]
    measured.sort(key=lambda pair: (pair[0], pair[1].rule))
    return f"buy {plain(spec.lot_min)} with a stop 1 % below: {word}{why}", [
        HeadroomItem(
            limit_name=verdict.limit_name or verdict.rule,
            headroom=text(verdict.headroom) or "",
            limit=text(verdict.limit) or "",
            unit=verdict.unit,
        )
        for _, verdict in measured
    ]


OPERATIONS: Final = (
    Operation(
        name="analysis_packet",
        summary="One call before a decision: quote, spread, hours, trend by timeframe, levels,"
        " volatility, signals, position, headroom; at most 8,000 characters, `full` 20,000.",
        act=Act.READ_ACCOUNT,
        request=Packet,
        result=PacketResult,
        toolset=Toolset.ANALYSIS,
        hints=READS,
        route=Route(method="POST", path="/analysis/packet"),
        handler=packet,
        deadline_s=DEADLINE_S,
        examples=(Example(name="brief", arguments={"symbol": "EURUSD"}),),
    ),
)
