"""Keeping watch: price alerts and lists of symbols, each principal's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from pydantic import Field, StringConstraints

from ordergate.identity.authority import Act
from ordergate.model.errors import InvalidArgument, NotFound, NotSupported
from ordergate.model.price_alerts import ConditionKind, PriceAlert, Watchlist, Wish
from ordergate.model.values import ZERO
from ordergate.surfaces.catalogue.analysis_requests import RuleText
from ordergate.surfaces.catalogue.fields import (
    DecimalText,
    IdText,
    NoteText,
    Request,
    Result,
    SymbolText,
    TimeframeName,
    decimal_or_none,
)
from ordergate.surfaces.catalogue.market import known, quote_item
from ordergate.surfaces.catalogue.operation import Example, Hints, Operation, Route, Toolset
from ordergate.surfaces.catalogue.rendering import optional_time, text, time_text, untrusted
from ordergate.surfaces.catalogue.results import QuoteItem, UntrustedText

if TYPE_CHECKING:
    from ordergate.market.alerts.watch import Watch
    from ordergate.model.principals import Principal
    from ordergate.surfaces.catalogue.services import Services

WINDOW_S: Final = 3_600
T = TypeVar("T")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=40)]
KEEPS: Final = Hints(read_only=False, idempotent=False)


class PriceAlerts(Request):
    action: Literal["create", "list", "delete"] = "list"
    symbol: SymbolText | None = None
    condition: (
        Literal[
            "price_above",
            "price_below",
            "price_crosses",
            "change_percent",
            "spread_above",
            "quote_stale",
            "rule",
        ]
        | None
    ) = None
    level: DecimalText | None = Field(
        default=None, description="price (mid), price distance, or percent"
    )
    rule: RuleText | None = Field(
        default=None, description="of rule, on closed bars: ema(20) > ema(50) and rsi(14) < 70"
    )
    timeframe: TimeframeName | None = Field(default=None, description="of rule")
    window_s: int = Field(default=WINDOW_S, ge=60, le=86_400, description="of change_percent")
    repeat: bool = Field(default=False, description="arm again after the price has gone back")
    hysteresis_percent: DecimalText = Field(default="0.1", description="how far back, of level")
    note: NoteText | None = None
    alert_id: IdText | None = Field(default=None, description="of the one to delete")


class PriceAlertItem(Result):
    alert_id: str
    symbol: str
    condition: str
    level: str | None
    window_s: int | None
    repeat: bool
    state: str
    fired: int
    fired_at: str | None
    fired_price: str | None
    created_at: str
    note: UntrustedText | None
    rule: str | None
    timeframe: str | None
    problem: str | None


class PriceAlertsResult(Result):
    """All the caller's alerts, oldest first. `done`: it fired once and is told no more.

    `problem`: why a rule cannot be told of now, such as too short a history; it waits.
    """

    alerts: list[PriceAlertItem]
    message: str


class Watchlists(Request):
    action: Literal["save", "list", "quotes", "delete"] = "list"
    name: Name | None = None
    symbols: list[SymbolText] | None = Field(default=None, min_length=1, max_length=50)


class WatchlistItem(Result):
    name: str
    symbols: list[str]
    updated_at: str


class WatchlistsResult(Result):
    """The caller's lists by name; `quotes` of the one that was asked for, else none."""

    watchlists: list[WatchlistItem]
    quotes: list[QuoteItem] | None


async def price_alerts(
    services: Services, asker: Principal, request: PriceAlerts
) -> PriceAlertsResult:
    watch, message = _watch(services), ""
    match request.action:
        case "create":
            made = await watch.create(await _wish(services, asker, request))
            message = f"Armed: {made.alert_id}. It fires at once where it already holds."
            if made.rule:
                await watch.look()
                if (problem := watch.problem(made)) is not None:
                    message = f"Armed: {made.alert_id}. It cannot be told of yet: {problem}."
        case "delete":
            alert_id = _given(request.alert_id, "alert_id")
            await watch.delete(asker.id, alert_id)
            message = f"Deleted: {alert_id}."
    return PriceAlertsResult(
        alerts=[_item(alert, watch.problem(alert)) for alert in await watch.listed(asker.id)],
        message=message,
    )


async def watchlists(services: Services, asker: Principal, request: Watchlists) -> WatchlistsResult:
    watch, market = _watch(services), services.market
    quotes = None
    match request.action:
        case "save":
            symbols = [known(market, name).symbol for name in _given(request.symbols, "symbols")]
            await watch.keep_list(asker.id, _given(request.name, "name"), [*dict.fromkeys(symbols)])
        case "delete":
            await watch.delete_list(asker.id, _given(request.name, "name"))
    lists = await watch.watchlists(asker.id)
    if request.action == "quotes":
        name = _given(request.name, "name")
        chosen = [kept for kept in lists if kept.name == name]
        if not chosen:
            raise NotFound("you have no list of this name", fix="Use one of your lists.")
        quotes = [quote_item(market, known(market, one).symbol) for one in _symbols(chosen[0])]
    return WatchlistsResult(watchlists=[_list(kept) for kept in lists], quotes=quotes)


async def _wish(services: Services, asker: Principal, request: PriceAlerts) -> Wish:
    kind = ConditionKind(_given(request.condition, "condition"))
    level = decimal_or_none(request.level)
    back = decimal_or_none(request.hysteresis_percent)
    needs_level = kind not in (ConditionKind.QUOTE_STALE, ConditionKind.RULE)
    if needs_level and (level is None or level <= ZERO):
        raise InvalidArgument(f"{kind.value} needs a level above 0", fix="Send level.")
    if back is None or back > 50:
        raise InvalidArgument("hysteresis_percent is at most 50", fix="Send a smaller one.")
    rule, timeframe = await _rule(services, kind, request)
    return Wish(
        principal=asker.id,
        symbol=known(services.market, _given(request.symbol, "symbol")).symbol,
        kind=kind,
        level=ZERO if level is None or not needs_level else level,
        window_s=request.window_s if kind is ConditionKind.CHANGE_PERCENT else 0,
        repeats=request.repeat,
        hysteresis_percent=back,
        note=request.note or "",
        rule=rule,
        timeframe=timeframe,
    )


async def _rule(services: Services, kind: ConditionKind, request: PriceAlerts) -> tuple[str, str]:
    """Return the rule and its timeframe; raise InvalidArgument for a rule that cannot be read."""
    if kind is not ConditionKind.RULE:
        if request.rule is not None or request.timeframe is not None:
            raise InvalidArgument(
                f"{kind.value} takes no rule and no timeframe", fix='Send condition "rule".'
            )
        return "", ""
    text = _given(request.rule, "rule")
    await services.bench.run(_parsed, text)
    return text, _given(request.timeframe, "timeframe")


def _parsed(text: str) -> None:
    from ordergate.market.signals.rules import parse

    parse(text)


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise InvalidArgument(f"this action needs {name}", fix=f"Send {name}.")
    return value


def _watch(services: Services) -> Watch:
    if services.watch is None:
        raise NotSupported("this gateway keeps no alerts", fix="Ask the operator.")
    return services.watch


def _item(alert: PriceAlert, problem: str | None) -> PriceAlertItem:
    return PriceAlertItem(
        alert_id=alert.alert_id,
        symbol=alert.symbol,
        condition=alert.kind.value,
        level=text(alert.level) if alert.level else None,
        window_s=alert.window_s or None,
        repeat=alert.repeats,
        state=alert.state.value,
        fired=alert.fired,
        fired_at=optional_time(alert.fired_at),
        fired_price=text(alert.fired_price),
        created_at=time_text(alert.created_at),
        note=untrusted("agent", alert.note),
        rule=alert.rule or None,
        timeframe=alert.timeframe or None,
        problem=problem,
    )


def _symbols(kept: Watchlist) -> list[str]:
    return kept.symbols.split()


def _list(kept: Watchlist) -> WatchlistItem:
    return WatchlistItem(
        name=kept.name, symbols=_symbols(kept), updated_at=time_text(kept.updated_at)
    )


OPERATIONS: Final = (
    Operation(
        name="price_alerts",
        summary="Create, list or delete your own price alerts. The gateway watches, also while"
        " you are away, tells the stream (topic alerts) and the operator's channel, once;"
        " with repeat again after the price has gone back.",
        act=Act.KEEP_WATCH,
        request=PriceAlerts,
        result=PriceAlertsResult,
        toolset=Toolset.RESEARCH,
        hints=KEEPS,
        route=Route(method="POST", path="/research/price-alerts"),
        handler=price_alerts,
        acts=True,
        examples=(
            Example(
                name="above",
                arguments={
                    "action": "create",
                    "symbol": "EURUSD",
                    "condition": "price_above",
                    "level": "1.1",
                },
            ),
            Example(
                name="rule",
                arguments={
                    "action": "create",
                    "symbol": "EURUSD",
                    "condition": "rule",
                    "rule": "ema(20) > ema(50) and rsi(14) < 70",
                    "timeframe": "H1",
                    "repeat": True,
                },
            ),
        ),
    ),
    Operation(
        name="watchlists",
        summary="Save, list or delete your own named lists of symbols; `quotes` answers a list's"
        " newest prices.",
        act=Act.KEEP_WATCH,
        request=Watchlists,
        result=WatchlistsResult,
        toolset=Toolset.RESEARCH,
        hints=KEEPS,
        route=Route(method="POST", path="/research/watchlists"),
        handler=watchlists,
        acts=True,
        examples=(
            Example(
                name="save",
                arguments={"action": "save", "name": "majors", "symbols": ["EURUSD", "GBPUSD"]},
            ),
        ),
    ),
)
