"""`ordergate data`: bars of your own in the store, from files and from sources."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import Envelope, success
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.screen import Json, pairs, plain, say, show, table
from ordergate.surfaces.cli.session import envelope_of, session
from ordergate.surfaces.cli.starts import BarsWanted

SHOWN: Final = 5
data_app = typer.Typer(no_args_is_help=True, help="Bars of your own: import, list, check, fetch.")

Venue = Annotated[str | None, typer.Option(help="Whose prices these are: oanda, kraken.")]
Symbol = Annotated[str | None, typer.Option(help="Default: the column `symbol`, the file's name.")]
Timeframe = Annotated[str | None, typer.Option(help="M1 M5 M15 M30 H1 H4 D1")]


def register(app: typer.Typer) -> None:
    app.add_typer(data_app, name="data")


@data_app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or Parquet, gzip or not; ticks become bars.")],
    venue: Venue = "file",
    symbol: Symbol = None,
    timeframe: Timeframe = None,
    zone: Annotated[
        str | None, typer.Option(help="Of times that name none: UTC, America/New_York.")
    ] = None,
    time_format: Annotated[str | None, typer.Option(help='"%d/%m/%Y %H:%M"')] = None,
    stamp: Annotated[str, typer.Option(help="Times are the start or the end of a bar.")] = "start",
    calendar: Annotated[
        str | None, typer.Option(help="When it trades: fx metal xnys xnse always.")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Leave rows with this fault out; repeatable. The report names faults."),
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Put rows in order of time.")] = False,
    accept_hours: Annotated[
        bool, typer.Option("--accept-hours", help="Take bars from outside the market's hours.")
    ] = False,
    on_conflict: Annotated[
        str, typer.Option(help="Complete bars stored otherwise: refuse, keep or replace.")
    ] = "refuse",
    as_json: Json = False,
) -> None:
    """Take a price file into the store: all of it or nothing, with a report."""
    wanted = BarsWanted(
        venue=venue,
        symbol=symbol,
        timeframe=timeframe,
        zone=zone,
        time_format=time_format,
        stamp=stamp,
        calendar=calendar,
        accept_hours=accept_hours,
        drop=tuple(drop or ()),
        sort=sort,
        on_conflict=on_conflict,
    )
    answer = _local(lambda: session(context).starts.data.take(file, wanted))
    if not as_json and not answer["ok"]:
        say(*_faults(answer["error"]["details"].get("report", ())))
    show(answer, as_json=as_json, draw=_imported)


@data_app.command("list")
def list_series(context: typer.Context, as_json: Json = False) -> None:
    """Name what is stored: from when to when, and out of which files."""
    show(_local(session(context).starts.data.listing), as_json=as_json, draw=_listed)


@data_app.command(epilog="Exit codes: 0 nothing to see to; 1 a series is damaged or breaks scale")
def check(
    context: typer.Context,
    symbol: Annotated[str | None, typer.Argument(help="Default: everything.")] = None,
    venue: Venue = None,
    timeframe: Timeframe = None,
    as_json: Json = False,
) -> None:
    """Prove stored files and look through them: gaps, odd hours, splits nobody adjusted for."""
    wanted = BarsWanted(venue=venue, symbol=symbol, timeframe=timeframe)
    answer = _local(lambda: session(context).starts.data.check(wanted))
    show(answer, as_json=as_json, draw=_checked, exit_code=_exit_of_check)


@data_app.command()
def download(
    context: typer.Context,
    symbol: str,
    source: Annotated[str, typer.Option(help="Where from: the name of an exchange.")],
    since: Annotated[str, typer.Option(help="First moment: 2026-01-01; UTC.")],
    until: Annotated[str | None, typer.Option(help="Up to, not including; default: now.")] = None,
    timeframe: Timeframe = "H1",
    venue: Venue = None,
    as_json: Json = False,
) -> None:
    """Fetch a symbol's past bars; run it again after a break and it goes on."""
    wanted = BarsWanted(venue=venue, symbol=symbol, timeframe=timeframe)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[bars]:,} bars"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(plain(symbol), total=1.0, bars=0)

        def tell(share: float, bars: int, at: str) -> None:
            shown.update(task, completed=share, bars=bars, description=f"{plain(symbol)} {at}")

        span = (since, until)
        answer = _local(lambda: session(context).starts.data.download(source, wanted, span, tell))
    show(answer, as_json=as_json, draw=_imported)


def _local(act: Callable[[], Mapping[str, Any]]) -> Envelope:
    try:
        return success(act())
    except GateError as error:
        return envelope_of(error)


def _exit_of_check(answer: Envelope) -> int:
    if not answer["ok"]:
        return exit_of(answer)
    odd = any(item["jumps"] for item in answer["data"]["series"])
    return Exit.REFUSED if odd else Exit.OK


def _imported(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if "file" in found:
        rate = f"{found['rows']:,} rows in {found['seconds']} s, {found['rows_per_s']:,} rows/s"
        yield Text(plain(f"{found['file']}: {rate}"), style="bold")
    yield from _faults(found["series"])
    for item in found["series"]:
        yield from _series(item)


def _checked(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    for item in found["series"]:
        yield from _series(item)


def _series(item: Mapping[str, Any]) -> Iterable[RenderableType]:
    hours = item["hours"] or {}
    yield pairs(
        f"{item['venue']} {item['symbol']} {item['timeframe']} ({item['basis']})",
        [
            ("rows", f"{item['rows']:,}"),
            ("new", f"{item['added']:,}" if item["added"] or item["same"] else None),
            ("here before", f"{item['same']:,}" if item["same"] else None),
            ("otherwise here", f"{item['differing']:,}" if item["differing"] else None),
            ("from", item["first"]),
            ("to", item["last"]),
            ("gaps", _gaps(hours) if hours else None),
            ("out of hours", f"{hours['closed']:,} bars" if hours.get("closed") else None),
        ],
    )
    for gap in hours.get("longest", ())[:SHOWN]:
        yield Text(f"  gap of {gap['missing']:,} bars after {gap['after']}, till {gap['before']}")
    for jump in item["jumps"]:
        kind = f"like an unadjusted {jump['split']} split" if jump["split"] else "another scale"
        line = f"  JUMP at {jump['at']}: {jump['before']} -> {jump['after']}, {kind}"
        yield Text(f"{line}; no answer crosses it", style="bold")
    for note in item["notes"]:
        yield Text(f"  {plain(note)}", style="dim")


def _gaps(hours: Mapping[str, Any]) -> str:
    if not hours["gaps"]:
        return "none"
    return f"{hours['gaps']:,}, {hours['missing']:,} bars of open market missing"


def _faults(reports: Iterable[Mapping[str, Any]]) -> Iterable[RenderableType]:
    rows = [
        (
            report["symbol"],
            fault["fault"],
            f"{fault['rows']:,}",
            fault["meaning"],
            "; ".join(f"row {at['row']} {at['time'] or ''}".strip() for at in fault["first"]),
            fault["left_out"],
        )
        for report in reports
        for fault in report["faults"]
    ]
    if rows:
        yield table("Faults", ("symbol", "fault", "rows", "meaning", "first", "left out"), rows)


def _listed(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if not found["series"]:
        yield Text("nothing is stored; `ordergate data import FILE` begins")
        return
    columns = ("venue", "symbol", "timeframe", "basis", "rows", "first", "last", "jumps", "from")
    yield table(
        "Stored bars",
        columns,
        (
            (
                *(item[name] for name in columns[:-1]),
                ", ".join(one["source"] for one in item["imports"][-SHOWN:]),
            )
            for item in found["series"]
        ),
    )
