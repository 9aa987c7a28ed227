"""Commands that look: status, quotes, bars, account, positions, orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.screen import Json, pairs, plain, show, sparkline, table
from ordergate.surfaces.cli.session import Source, TokenFile, session

Symbol = Annotated[str | None, typer.Option(help="Only this symbol.")]
Limit = Annotated[int | None, typer.Option(help="At most this many rows.")]
Cursor = Annotated[str | None, typer.Option(help="Go on after the page that named this cursor.")]


def register(app: typer.Typer) -> None:
    for command in (status, quotes, bars, account, positions, orders):
        app.command()(command)


def status(context: typer.Context, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Say what runs, on which venue and prices, and whether new risk is stopped."""
    show(session(context).call("get_status", token_file=token_file), as_json=as_json, draw=_status)


def quotes(
    context: typer.Context,
    symbols: Annotated[list[str] | None, typer.Argument(help="Default: all there are.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show the newest prices, with source and age."""
    here = session(context)
    asked = list(symbols or ())
    if not asked:
        listed = here.call("list_instruments", token_file=token_file, limit=50)
        if not listed["ok"]:
            show(listed, as_json=as_json, draw=_quotes)
            return
        asked = [item["symbol"] for item in listed["data"]["instruments"]]
    show(
        here.call("get_quotes", token_file=token_file, symbols=asked),
        as_json=as_json,
        draw=_quotes,
    )


def bars(
    context: typer.Context,
    symbol: str,
    timeframe: Annotated[str | None, typer.Option(help="M1 M5 M15 M30 H1 H4 D1")] = None,
    limit: Limit = None,
    before: Annotated[str | None, typer.Option(help="Bars that start before; UTC.")] = None,
    source: Source = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show bars, oldest first, with a sparkline of the closes."""
    answer = session(context).look(
        "get_bars",
        source=source,
        token_file=token_file,
        symbol=symbol,
        timeframe=timeframe,
        limit=limit,
        before=before,
    )
    show(answer, as_json=as_json, draw=_bars)


def account(context: typer.Context, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Show balance, equity, margin and the day's result."""
    show(
        session(context).call("get_account", token_file=token_file), as_json=as_json, draw=_account
    )


def positions(
    context: typer.Context,
    symbol: Symbol = None,
    limit: Limit = None,
    cursor: Cursor = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show open positions with their stops and targets."""
    answer = session(context).call(
        "get_positions", token_file=token_file, symbol=symbol, limit=limit, cursor=cursor
    )
    show(answer, as_json=as_json, draw=_positions)


def orders(
    context: typer.Context,
    scope: Annotated[str | None, typer.Option(help="open draft waiting ended all")] = None,
    symbol: Symbol = None,
    limit: Limit = None,
    cursor: Cursor = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show orders, newest first; by default those that may still fill."""
    answer = session(context).call(
        "list_orders",
        token_file=token_file,
        scope=scope,
        symbol=symbol,
        limit=limit,
        cursor=cursor,
    )
    show(answer, as_json=as_json, draw=_orders)


def source_line(item: Mapping[str, Any]) -> Text:
    """Say where numbers come from and how old they are; made-up prices are called so."""
    age = f", {item['age_s']} s old" if item.get("age_s") is not None else ""
    return Text(f"{source_of(item)}{age}", style="dim")


def source_of(item: Mapping[str, Any]) -> str:
    kind = "SYNTHETIC prices" if item.get("synthetic") else "prices"
    return plain(f"{kind} from {item.get('source', '?')}")


def _status(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    stopped = "KILL SWITCH ENGAGED" if found["killed"] else f"{found['halts']} halts"
    yield pairs(
        f"ordergate {found['version']}",
        [
            ("state", "ready" if found["ready"] else "not ready"),
            ("account", f"{found['venue']} {found['account']} ({found['mode'].upper()})"),
            ("prices", f"{found['source']}{' (SYNTHETIC)' if found['synthetic'] else ''}"),
            ("replay", _pace(found)),
            ("venue time", found["venue_time"]),
            ("new risk", stopped if found["killed"] or found["halts"] else "allowed"),
            ("you", f"{found['you']} ({found['your_kind']})"),
            ("may trade", found["may_trade_paper"]),
            ("console", found["console_url"]),
            ("problems", "; ".join(found["problems"])),
        ],
    )


def _pace(found: Mapping[str, Any]) -> str | None:
    if found.get("replay_speed") is None:
        return None
    return f"{'PAUSED, ' if found['replay_paused'] else ''}speed {found['replay_speed']}"


def _quotes(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield table(
        f"Quotes at {found['venue_time']} (venue)",
        ("symbol", "bid", "ask", "spread", "quality", "session", "age_s"),
        (
            (
                item["symbol"],
                item["bid"],
                item["ask"],
                item["spread"],
                item["quality"],
                item["session"],
                item["age_s"],
            )
            for item in found["quotes"]
        ),
    )
    for source in sorted({source_of(item) for item in found["quotes"]}):
        yield Text(source, style="dim")


def _bars(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    columns = ("time", "open", "high", "low", "close", "volume")
    yield table(
        f"{found['symbol']} {found['timeframe']} ({found.get('basis') or 'bid'})",
        columns,
        zip(*(found[column] for column in columns), strict=True),
    )
    yield Text(sparkline([Decimal(close) for close in found["close"]]))
    yield source_line(found)
    if found.get("note"):
        yield Text(plain(found["note"]), style="dim")
    if not found["last_complete"]:
        yield Text("the last bar is still running", style="dim")


def _account(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    money = ("balance", "equity", "margin_used", "margin_free", "open_pnl", "realised_today")
    title = f"{found['venue']} {found['account']} ({found['mode'].upper()}), {found['currency']}"
    yield pairs(title, [(name.replace("_", " "), found[name]) for name in money])
    yield source_line(found)
    if found.get("warning"):
        yield Text(found["warning"], style="bold red")


def _positions(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    rows = found["positions"]
    if not rows:
        yield Text("no open positions")
        return
    yield table(
        "Positions",
        ("id", "symbol", "side", "quantity", "open", "price", "stop", "target", "pnl", "by"),
        (
            (
                item["position_id"],
                item["symbol"],
                item["side"],
                item["quantity"],
                item["open_price"],
                item["current_price"],
                item["stop_loss"],
                item["take_profit"],
                item["open_pnl"],
                "EXTERNAL" if item["external"] else "ordergate",
            )
            for item in rows
        ),
    )
    yield source_line(rows[0])
    yield from next_page(found)


def _orders(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    rows = found["orders"]
    if not rows:
        yield Text("no orders here; --scope all shows the ended ones, too")
        return
    yield table(
        "Orders",
        ("id", "status", "action", "symbol", "side", "type", "quantity", "filled", "price", "code"),
        (
            (
                item["order_id"],
                item["status"],
                item["action"],
                item["symbol"],
                item["side"],
                item["order_type"],
                item["quantity"],
                item["filled_quantity"],
                item["average_price"] or item["limit_price"] or item["stop_price"],
                item["code"],
            )
            for item in rows
        ),
    )
    yield from next_page(found)


def next_page(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if found.get("next_cursor"):
        yield Text(f"more: --cursor {found['next_cursor']}", style="dim")
