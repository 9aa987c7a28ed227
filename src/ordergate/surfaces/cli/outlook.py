"""Commands that look ahead: price alerts, lists of symbols, news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.screen import Json, plain, show, table
from ordergate.surfaces.cli.session import TokenFile, session

price_alert_app = typer.Typer(no_args_is_help=True, help="Be told of a price.")
watchlist_app = typer.Typer(no_args_is_help=True, help="Keep lists of symbols.")


def register(app: typer.Typer) -> None:
    app.add_typer(price_alert_app, name="price-alert")
    app.add_typer(watchlist_app, name="watchlist")
    app.command()(news)


@price_alert_app.command("add")
def add_alert(
    context: typer.Context,
    symbol: str,
    condition: Annotated[str, typer.Argument(help="price_above price_below price_crosses ...")],
    level: Annotated[str | None, typer.Argument(help="Price, price distance or percent.")] = None,
    window_s: Annotated[int | None, typer.Option(help="Of change_percent, in seconds.")] = None,
    rule: Annotated[
        str | None, typer.Option(help='Of condition rule: "ema(20) > ema(50) and rsi(14) < 70".')
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Of the rule: M1 M5 ... D1.")] = None,
    repeat: Annotated[bool, typer.Option("--repeat", help="Arm again afterwards.")] = False,
    note: Annotated[str | None, typer.Option(help="Told with it.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Ask to be told once of a price."""
    _alerts(
        context,
        (token_file, as_json),
        acts=True,
        action="create",
        symbol=symbol,
        condition=condition,
        level=level,
        window_s=window_s,
        rule=rule,
        timeframe=timeframe,
        repeat=repeat or None,
        note=note,
    )


@price_alert_app.command("list")
def list_alerts(
    context: typer.Context, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Show your own price alerts."""
    _alerts(context, (token_file, as_json), action="list")


@price_alert_app.command("delete")
def delete_alert(
    context: typer.Context, alert_id: str, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Forget a price alert."""
    _alerts(context, (token_file, as_json), acts=True, action="delete", alert_id=alert_id)


@watchlist_app.command("save")
def save_list(
    context: typer.Context,
    name: str,
    symbols: list[str],
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Keep a list of symbols under a name."""
    _lists(context, (token_file, as_json), acts=True, action="save", name=name, symbols=symbols)


@watchlist_app.command("list")
def list_lists(context: typer.Context, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Show your lists."""
    _lists(context, (token_file, as_json), action="list")


@watchlist_app.command("delete")
def delete_list(
    context: typer.Context, name: str, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Forget a list."""
    _lists(context, (token_file, as_json), acts=True, action="delete", name=name)


def news(
    context: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="Words; default: the market.")] = None,
    symbol: Annotated[str | None, typer.Option(help="News of this symbol.")] = None,
    days: Annotated[int | None, typer.Option(help="How far back.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show news with its tone, and coming economic releases."""
    answer = session(context).call(
        "market_research", token_file=token_file, topic=topic, symbol=symbol, days=days
    )
    show(answer, as_json=as_json, draw=_news)


def _alerts(
    context: typer.Context, how: tuple[Any, bool], *, acts: bool = False, **arguments: Any
) -> None:
    answer = session(context).call("price_alerts", token_file=how[0], acts=acts, **arguments)
    show(answer, as_json=how[1], draw=_drawn_alerts)


def _lists(
    context: typer.Context, how: tuple[Any, bool], *, acts: bool = False, **arguments: Any
) -> None:
    answer = session(context).call("watchlists", token_file=how[0], acts=acts, **arguments)
    show(answer, as_json=how[1], draw=_drawn_lists)


def _drawn_alerts(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    columns = ("alert", "symbol", "condition", "level", "state", "fired", "at")
    yield table(
        "Price alerts",
        columns,
        (
            (
                one["alert_id"],
                one["symbol"],
                one["condition"],
                one["level"] or f"{one['timeframe'] or ''} {one['rule'] or ''}",
                one["state"],
                one["fired"],
                one["fired_at"] or "",
            )
            for one in found["alerts"]
        ),
    )
    for one in found["alerts"]:
        if one["problem"]:
            yield Text(plain(f"{one['alert_id']}: {one['problem']}"), style="yellow")
    if found["message"]:
        yield Text(found["message"])


def _drawn_lists(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    rows = ((one["name"], " ".join(one["symbols"])) for one in found["watchlists"])
    yield table("Watchlists", ("name", "symbols"), rows)


def _news(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    rows = (
        (one["published_at"] or "", one["sentiment"] or "", one["title"]["source"], _title(one))
        for one in found["articles"]
    )
    yield table("News: words of others", ("time", "tone", "from", "title"), rows)
    if found["releases"]:
        coming = (
            (one["time"], one["currency"], one["impact"], _title(one)) for one in found["releases"]
        )
        yield table("Economic releases", ("time", "currency", "impact", "title"), coming)
    if found["no_trade_window"]:
        yield Text("A release of high impact is near.")
    for problem in found["problems"]:
        yield Text(plain(problem))


def _title(one: Mapping[str, Any]) -> str:
    return plain(one["title"]["text"])
