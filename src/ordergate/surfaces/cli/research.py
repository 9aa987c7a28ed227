"""Commands that analyse: signals, scans, packets, indicators; and whether anything leaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import Envelope, success
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.looking import source_line
from ordergate.surfaces.cli.screen import Json, pairs, plain, show, table
from ordergate.surfaces.cli.session import AsOf, Source, TokenFile, envelope_of, session
from ordergate.surfaces.cli.starts import Suspects

research_app = typer.Typer(no_args_is_help=True, help="Indicators, signals, scans, leakage checks.")

Timeframes = Annotated[
    list[str] | None, typer.Option("--timeframe", help="M1 M5 M15 M30 H1 H4 D1; several allowed.")
]
OneTimeframe = Annotated[str | None, typer.Option("--timeframe", help="M1 M5 M15 M30 H1 H4 D1")]
StrategyName = Annotated[str | None, typer.Option(help="A built-in strategy, or ensemble.")]


_OF_A_VIEW: Final = (
    *("timeframe", "close", "trend", "strength", "rsi", "atr", "volatility", "place", "as_of"),
)
_OF_A_SIGNAL: Final = (
    *("timeframe", "strategy", "direction", "entry", "stop", "target", "confidence", "edge"),
)
_OF_A_LEVEL: Final = ("price", "kind", "touches", "bars_ago")


def register(app: typer.Typer) -> None:
    app.add_typer(research_app, name="research")


@research_app.command()
def signal(
    context: typer.Context,
    symbol: str,
    timeframe: OneTimeframe = None,
    strategy: StrategyName = None,
    vote: Annotated[
        list[str] | None, typer.Option(help="Member of the ensemble: macd_trend:2")
    ] = None,
    long_when: Annotated[str | None, typer.Option(help="Own rule to buy.")] = None,
    short_when: Annotated[str | None, typer.Option(help="Own rule to sell.")] = None,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show a strategy's, or your rule's, word on the last closed bar."""
    answer = session(context).look(
        "generate_signal",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbol=symbol,
        timeframe=timeframe,
        strategy=strategy,
        votes=vote or None,
        long_when=long_when,
        short_when=short_when,
    )
    show(answer, as_json=as_json, draw=_signal)


@research_app.command()
def indicators(
    context: typer.Context,
    symbol: str,
    names: Annotated[list[str], typer.Argument(help='Such as "ema(20)" "rsi(14) < 30".')],
    timeframe: OneTimeframe = None,
    limit: Annotated[int | None, typer.Option(help="Rows, at most 200.")] = None,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show indicators, formulas and rules over closed bars, oldest first."""
    answer = session(context).look(
        "compute_indicators",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbol=symbol,
        indicators=names,
        timeframe=timeframe,
        limit=limit,
    )
    show(answer, as_json=as_json, draw=_indicators)


@research_app.command()
def scan(
    context: typer.Context,
    symbols: Annotated[list[str] | None, typer.Argument(help="Default: all there are.")] = None,
    timeframe: Timeframes = None,
    strategy: StrategyName = None,
    rule: Annotated[str | None, typer.Option(help="Only where it holds: rsi(14) < 30")] = None,
    limit: Annotated[int | None, typer.Option(help="At most this many.")] = None,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Score symbols over timeframes, the strongest first."""
    answer = session(context).look(
        "scan_opportunities",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbols=symbols or None,
        timeframes=timeframe or None,
        strategy=strategy,
        rule=rule,
        limit=limit,
    )
    show(answer, as_json=as_json, draw=_scan)


@research_app.command()
def compare(
    context: typer.Context,
    symbols: Annotated[list[str], typer.Argument(help="Two to ten.")],
    timeframe: OneTimeframe = None,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Put symbols side by side: score, trend, spread, correlation with the first."""
    answer = session(context).look(
        "compare_symbols",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbols=symbols,
        timeframe=timeframe,
    )
    show(answer, as_json=as_json, draw=_compare)


@research_app.command()
def context(
    context: typer.Context,
    symbol: str,
    timeframe: OneTimeframe = None,
    higher: Annotated[
        list[str] | None, typer.Option(help="Default: the next two; several allowed.")
    ] = None,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show higher timeframes as they were known when the lower one's last bar closed."""
    answer = session(context).look(
        "htf_context",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbol=symbol,
        timeframe=timeframe,
        higher=higher or None,
    )
    show(answer, as_json=as_json, draw=_context)


@research_app.command()
def packet(
    context: typer.Context,
    symbol: str,
    timeframe: Timeframes = None,
    full: Annotated[bool, typer.Option(help="Up to 20,000 characters instead of 8,000.")] = False,
    news: Annotated[
        bool, typer.Option("--news", help="With titles of news and releases: words of others.")
    ] = False,
    source: Source = None,
    as_of: AsOf = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show what a decision about a symbol needs, in one call."""
    answer = session(context).look(
        "analysis_packet",
        source=source,
        as_of=as_of,
        token_file=token_file,
        symbol=symbol,
        timeframes=timeframe or None,
        detail="full" if full else None,
        news=news or None,
    )
    show(answer, as_json=as_json, draw=_packet)


@research_app.command(epilog="Exit codes: 0 nothing leaks; 1 something does")
def leakage(
    context: typer.Context,
    strategies: Annotated[
        list[str] | None, typer.Argument(help="Default: every strategy and indicator built in.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="A rule of your own.")] = None,
    file: Annotated[Path | None, typer.Option(help="Recorded bars, CSV or Parquet.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Default: EURUSD, or the file's.")] = None,
    timeframe: Annotated[str, typer.Option(help="Of the simulated bars.")] = "M15",
    bars: Annotated[int, typer.Option(help="500 to 100,000.")] = 3_000,
    seed: Annotated[int, typer.Option(help="Of the market and of the places tried.")] = 1,
    as_json: Json = False,
) -> None:
    """Check that nothing knows the future: prefix invariance, poisoned future, lag."""
    asked = Suspects(
        strategies=tuple(strategies or ()),
        rules=tuple(rule or ()),
        file=file,
        symbol=symbol,
        timeframe=timeframe,
        bars=bars,
        seed=seed,
    )
    try:
        answer = success(session(context).starts.leakage(asked))
    except GateError as error:
        answer = envelope_of(error)
    show(answer, as_json=as_json, draw=_leakage, exit_code=_exit_of_leakage)


def _exit_of_leakage(answer: Envelope) -> int:
    if not answer["ok"]:
        return exit_of(answer)
    return Exit.OK if answer["data"]["passed"] else Exit.REFUSED


def _signal(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    names = ("entry", "stop", "target", "confidence", "reward_risk", "edge")
    word = found["direction"] if found["proposed"] else f"{found['direction']}, not proposed"
    yield pairs(
        f"{found['symbol']} {found['timeframe']} {found['strategy']}: {word}",
        [
            *((name.replace("_", ":"), found[name]) for name in names),
            ("held back", "; ".join(found["held_back"])),
            ("reasons", "; ".join(found["reasons"])),
            ("spread", (found["quote"] or {}).get("spread")),
        ],
    )
    yield source_line(found)
    yield from _notes(found)


def _indicators(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    columns = found["columns"]
    yield table(
        f"{found['symbol']} {found['timeframe']}, closed bars",
        ("time", "close", *(plain(column["name"]) for column in columns)),
        zip(found["time"], found["close"], *(column["values"] for column in columns), strict=True),
    )
    yield from _end(found)


def _scan(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield _ranking(
        f"{found['matched']} of {found['scanned']} symbols, {found['strategy']}",
        found["opportunities"],
        ("cost", "as_of"),
    )
    yield from _end(found)


def _compare(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    columns = ("spread", "correlation", "as_of")
    yield _ranking(f"On {found['timeframe']}", found["symbols"], columns)
    yield from _end(found)


def _ranking(
    title: str, items: Iterable[Mapping[str, Any]], more: tuple[str, ...]
) -> RenderableType:
    names = (*("symbol", "direction", "score", "trend", "signal", "momentum", "place"), "agreement")
    columns = (*names, *more)
    return table(title, columns, ([item[name] for name in columns] for item in items))


def _context(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield _views(f"{found['symbol']} above {found['timeframe']}", found["views"])
    yield from _levels(found)
    yield pairs("Together", [("agreement", found["agreement"])])
    yield from _end(found)


def _packet(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    quote, score = found["quote"] or {}, found["score"] or {}
    mode = "a look back" if not quote else (found["mode"] or "account unreadable").upper()
    yield pairs(
        f"{found['symbol']} ({mode})",
        [
            ("bid, ask", f"{quote['bid']}, {quote['ask']}" if quote else None),
            ("spread", quote.get("spread")),
            ("session", quote.get("session")),
            ("until", found["opens_or_closes_at"]),
            ("score", f"{score.get('direction', '?')} {score.get('score', '?')}"),
            ("smallest order", found["smallest_order"]),
            ("kill switch", found["killed"]),
            ("left out", "; ".join(found["left_out"])),
        ],
    )
    yield _views("Timeframes", score.get("views", ()))
    if found["signals"]:
        rows = ([item[name] for name in _OF_A_SIGNAL] for item in found["signals"])
        yield table("Signals", _OF_A_SIGNAL, rows)
    yield from _levels(found)
    yield from _words_of_others(found)
    yield from _end(found)


def _words_of_others(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if found["news"]:
        news = (
            (one["published_at"] or "", one["sentiment"] or "", plain(one["title"]["text"]))
            for one in found["news"]
        )
        yield table("News: words of others", ("time", "tone", "title"), news)
    if found["releases"]:
        releases = (
            (one["time"], one["currency"], one["impact"], plain(one["title"]["text"]))
            for one in found["releases"]
        )
        yield table("Releases", ("time", "currency", "impact", "title"), releases)


def _views(title: str, views: Iterable[Mapping[str, Any]]) -> RenderableType:
    return table(title, _OF_A_VIEW, ([item[name] for name in _OF_A_VIEW] for item in views))


def _levels(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if found["levels"]:
        rows = ([item[name] for name in _OF_A_LEVEL] for item in found["levels"])
        yield table(f"Levels of {found['levels_timeframe']}", _OF_A_LEVEL, rows)


def _end(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield source_line(found)
    yield from _notes(found)
    yield from _failures(found)


def _notes(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    for note in found["notes"]:
        yield Text(plain(note), style="dim")


def _leakage(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    rows = [
        (
            plain(report["subject"]),
            verdict["check"],
            "pass" if verdict["passed"] else "FAIL",
            verdict["message"],
        )
        for report in found["reports"]
        for verdict in report["verdicts"]
    ]
    title = f"{found['symbol']} {found['timeframe']}, {found['bars']} bars, {found['source']}"
    yield table(title, ("subject", "check", "", "what was found"), rows)
    for name, why in found["skipped"].items():
        yield Text(f"not checked: {plain(name)}: {plain(why)}", style="yellow")
    yield Text("nothing leaks" if found["passed"] else "SOMETHING LEAKS", style="bold")


def _failures(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    for item in found["failures"]:
        yield Text(plain(f"{item['what']}: {item['code']}: {item['message']}"), style="yellow")
