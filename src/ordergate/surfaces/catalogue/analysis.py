"""Indicators as columns, and a signal as a proposal with what it was made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ordergate.identity.authority import Act
from ordergate.model.errors import DataUnavailable, InvalidArgument
from ordergate.model.market import Timeframe
from ordergate.model.values import plain, round_ceiling, round_floor
from ordergate.surfaces.catalogue.analysis_requests import Indicators, Signal
from ordergate.surfaces.catalogue.analysis_results import (
    ColumnItem,
    FailureItem,
    IndicatorsResult,
    ReadingItem,
    SignalResult,
)
from ordergate.surfaces.catalogue.fields import read_time
from ordergate.surfaces.catalogue.grounds import Ground, ground_of
from ordergate.surfaces.catalogue.history import enough, number, share
from ordergate.surfaces.catalogue.operation import READS, Example, Operation, Route, Toolset
from ordergate.surfaces.catalogue.services import SignalFloors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordergate.market.signals.proposal import Floors, Proposal, Speaks
    from ordergate.market.signals.rules import Formula
    from ordergate.model.principals import Principal
    from ordergate.model.series import Series
    from ordergate.surfaces.catalogue.services import Services


COLUMNS_MAX: Final = 24
CELLS_MAX: Final = 1_200  # of one answer, about 15,000 characters


async def signal(services: Services, _: Principal, request: Signal) -> SignalResult:
    return await signalled(ground_of(services, request), request)


async def indicators(services: Services, _: Principal, request: Indicators) -> IndicatorsResult:
    return await computed(ground_of(services, request), request)


async def signalled(ground: Ground, request: Signal) -> SignalResult:
    symbol = await ground.symbol(request.symbol)
    timeframe = Timeframe(request.timeframe)
    speaker, wanted = await ground.bench.run(_speaker, request, timeframe)
    before = None if request.before is None else read_time(request.before)
    series = await ground.closed(symbol, timeframe, limit=wanted, before=before)
    enough(series, speaker.required_history, notes=ground.notes())
    floors = _raised(ground.floors, request)
    proposal = await ground.bench.run(proposal_of, speaker, series, ground.spread(symbol), floors)
    if proposal.direction != "none":
        proposal = await ground.bench.run(_held, proposal, ground.held(symbol, series))
    return SignalResult(
        symbol=symbol,
        timeframe=timeframe.value,
        strategy=speaker.name,
        direction=proposal.direction,
        proposed=proposal.proposed,
        **terms_of(proposal, ground.tick(symbol)),
        confidence=share(proposal.confidence),
        reward_risk=share(proposal.reward_risk),
        edge=share(proposal.edge),
        held_back=list(proposal.held_back),
        reasons=list(proposal.reasons),
        readings=[
            ReadingItem(name=name, value=number(value) or "")
            for name, value in proposal.readings.items()
        ],
        columns=list(speaker.columns),
        bars=len(series),
        required_history=speaker.required_history,
        quote=ground.quote(symbol),
        notes=ground.notes(),
        **ground.dated(series),
    )


async def computed(ground: Ground, request: Indicators) -> IndicatorsResult:
    symbol = await ground.symbol(request.symbol)
    timeframe = Timeframe(request.timeframe)
    formulas, wanted = await ground.bench.run(_formulas, request, timeframe)
    before = None if request.before is None else read_time(request.before)
    series = await ground.closed(
        symbol, timeframe, limit=wanted, before=before, running=request.running
    )
    columns, failures = await ground.bench.run(_columns, formulas, series, request.limit)
    if not columns:
        raise DataUnavailable(
            failures[0].message,
            fix="details.failures says why, for each indicator.",
            details={"failures": [item.model_dump() for item in failures]},
        )
    rows = min(request.limit, len(series))
    times = await ground.bench.run(_times, series, rows)
    return IndicatorsResult(
        symbol=symbol,
        timeframe=timeframe.value,
        time=times,
        close=[number(float(value)) or "" for value in series.close[-rows:]],
        columns=columns,
        failures=failures,
        bars=len(series),
        last_complete=series.complete,
        next_before=times[0] if len(series) > rows else None,
        notes=ground.notes(),
        **ground.dated(series),
    )


def _formulas(request: Indicators, timeframe: Timeframe) -> tuple[list[tuple[str, Formula]], int]:
    """Return each column's name and formula; an indicator of several outputs makes several."""
    from ordergate.market.features.indicators import bars_for
    from ordergate.market.signals.rules import columns_of

    found = [one for text in request.indicators for one in columns_of(text)]
    if len(found) > COLUMNS_MAX or len(found) * request.limit > CELLS_MAX:
        raise InvalidArgument(
            f"{len(found)} columns of {request.limit} rows are too much for one answer",
            fix=f"At most {COLUMNS_MAX} columns and {CELLS_MAX} cells: lower limit.",
        )
    required = max(formula.required_history for _, formula in found)
    session = any(formula.needs_session for _, formula in found)
    wanted = bars_for(required, timeframe, session=session, rows=request.limit)
    return found, wanted


def _columns(
    formulas: Sequence[tuple[str, Formula]], series: Series, limit: int
) -> tuple[list[ColumnItem], list[FailureItem]]:
    from ordergate.market.features.frame import Frame

    frame = Frame(series)
    made: list[ColumnItem] = []
    failures: list[FailureItem] = []
    rows = min(limit, len(series))
    for name, formula in formulas:
        try:
            enough(series, formula.required_history)
            values = formula.trusted(frame)[-rows:]
        except DataUnavailable as error:
            failures.append(FailureItem(what=name, code=error.code.value, message=error.message))
            continue
        made.append(
            ColumnItem(
                name=name,
                values=[number(float(value)) for value in values],
                required_history=formula.required_history,
            )
        )
    return made, failures


def _times(series: Series, rows: int) -> list[str]:
    from ordergate.market.features.sessions import moment

    return [f"{moment(int(at)):%Y-%m-%dT%H:%M:%SZ}" for at in series.time[-rows:]]


def _speaker(request: Signal, timeframe: Timeframe) -> tuple[Speaks, int]:
    from ordergate.market.features.indicators import bars_for
    from ordergate.market.signals.ensemble import ENSEMBLE, Ensemble, ensemble
    from ordergate.market.signals.strategies import Strategy, custom, strategy

    if request.votes is not None and request.strategy != ENSEMBLE:
        raise InvalidArgument("votes: only the ensemble votes", fix="Leave strategy or votes out.")
    own = {"stop_atr": request.stop_atr, "reward": request.reward}
    given = {name: float(value) for name, value in own.items() if value is not None}
    speaker: Strategy | Ensemble
    if request.long_when is not None or request.short_when is not None:
        speaker = custom(long=request.long_when, short=request.short_when, **given)
    elif request.strategy == ENSEMBLE:
        if given:
            raise InvalidArgument(
                "stop_atr, reward: each member of the ensemble has its own",
                fix="Name one strategy, or send a rule.",
            )
        speaker = ensemble(_weights(request.votes))
    else:
        speaker = strategy(request.strategy, given)
    wanted = bars_for(speaker.required_history, timeframe, session=speaker.needs_session)
    return speaker, wanted


def _weights(votes: list[str] | None) -> dict[str, float] | None:
    if votes is None:
        return None
    found = {}
    for vote in votes:
        name, _, weight = vote.partition(":")
        if name in found:
            raise InvalidArgument(f"votes: {name} votes twice", fix="Give each one weight.")
        found[name] = float(weight or 1)
    return found


def _raised(floors: SignalFloors, request: Signal) -> SignalFloors:
    """Return the operator's floors, or the request's where they are higher."""
    confidence, edge = floors.confidence, floors.edge
    if request.confidence_min is not None:
        confidence = max(confidence, Decimal(request.confidence_min))
    if request.edge_min is not None:
        edge = max(edge, Decimal(request.edge_min))
    return SignalFloors(confidence=confidence, edge=edge)


def proposal_of(
    speaker: Speaks, series: Series, spread: float | None, least: SignalFloors
) -> Proposal:
    from ordergate.market.features.frame import Frame
    from ordergate.market.signals.proposal import propose

    return propose(speaker, Frame(series), spread=spread, floors=floors_of(least))


def floors_of(least: SignalFloors) -> Floors:
    from ordergate.market.signals.proposal import Floors

    return Floors(confidence=float(least.confidence), edge=float(least.edge))


def _held(proposal: Proposal, reasons: list[str]) -> Proposal:
    from ordergate.market.signals.proposal import held

    return held(proposal, reasons)


def terms_of(proposal: Proposal, tick: Decimal | None) -> dict[str, Any]:
    """Return the prices on the tick: the stop never nearer than meant, the target never farther.

    Where the tick is not known, they are as they were calculated.
    """
    away = round_floor if proposal.direction == "long" else round_ceiling

    def on_tick(value: float) -> str | None:
        return number(value) if tick is None else plain(away(Decimal(repr(value)), tick))

    return {
        name: None if value is None else on_tick(value)
        for name, value in (
            ("entry", proposal.entry),
            ("stop", proposal.stop),
            ("target", proposal.target),
        )
    }


OPERATIONS: Final = (
    Operation(
        name="compute_indicators",
        summary="Indicators, formulas and rules over closed bars, as columns, oldest first:"
        " sma ema wma rsi macd bollinger atr adx stochastic cci obv vwap donchian keltner"
        " supertrend.",
        act=Act.READ_MARKET,
        request=Indicators,
        result=IndicatorsResult,
        toolset=Toolset.RESEARCH,
        hints=READS,
        route=Route(method="POST", path="/features/build", aliases=(("POST", "/features/build"),)),
        handler=indicators,
        examples=(
            Example(
                name="three",
                arguments={"symbol": "EURUSD", "indicators": ["ema(20)", "rsi(14)", "macd()"]},
            ),
        ),
    ),
    Operation(
        name="generate_signal",
        summary="A strategy's, or your own rule's, word on the last closed bar: direction, entry,"
        " stop, target, confidence, edge, reasons. A proposal, never an order.",
        act=Act.READ_MARKET,
        request=Signal,
        result=SignalResult,
        toolset=Toolset.RESEARCH,
        hints=READS,
        route=Route(
            method="POST", path="/signal/generate", aliases=(("POST", "/signal/generate"),)
        ),
        handler=signal,
        examples=(
            Example(
                name="own rule",
                arguments={
                    "symbol": "EURUSD",
                    "timeframe": "M15",
                    "long_when": "ema(20) > ema(50) and rsi(14) < 70",
                },
            ),
        ),
    ),
)
