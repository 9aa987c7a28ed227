"""Commands around the gateway: up, mcp, config, doctor, operator init, audit, client add."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import platformdirs
import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import Code, GateError
from ordergate.surfaces.cli.clients import CLIENTS, Door, Places, Unmergeable, snippet, write
from ordergate.surfaces.cli.doors import Envelope, failure, success
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.operating import export_audit
from ordergate.surfaces.cli.operators import draw_operator, new_password, sessions_app
from ordergate.surfaces.cli.running import DirectoryHeld, Note
from ordergate.surfaces.cli.screen import Json, pairs, plain, show, table
from ordergate.surfaces.cli.session import TokenFile, envelope_of, session
from ordergate.surfaces.cli.starts import Finding, Level, Started, UpOptions

DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smh])\Z", re.ASCII)
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}

audit_app = typer.Typer(no_args_is_help=True, help="The one history, and its proof.")
config_app = typer.Typer(no_args_is_help=True, help="What the settings are and where from.")
operator_app = typer.Typer(no_args_is_help=True, help="The person who says yes.")
client_app = typer.Typer(no_args_is_help=True, help="Connect AI clients.")


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(mcp)
    app.command()(doctor)
    audit_app.command("export")(export_audit)
    app.add_typer(audit_app, name="audit")
    app.add_typer(config_app, name="config")
    operator_app.add_typer(sessions_app, name="sessions")
    operator_app.command("password")(new_password)
    app.add_typer(operator_app, name="operator")
    app.add_typer(client_app, name="client")


def seconds(text: str) -> int:
    """Read 90s, 15m or 2h."""
    found = DURATION.match(text)
    if found is None:
        raise typer.BadParameter("a duration such as 90s, 15m or 2h")
    return int(found[1]) * SECONDS[found[2]]


def price_source(text: str) -> str:
    """Read where prices come from; another program's name is not one."""
    if not re.fullmatch("simulated|ccxt:[a-z0-9_]{2,32}", text):
        raise typer.BadParameter("simulated, or an exchange such as ccxt:kraken")
    return text


def venue_name(text: str) -> str:
    """Read which venue is traded."""
    if text not in ("paper", "mt5"):
        raise typer.BadParameter("paper or mt5")
    return text


def terminal_name(text: str) -> str:
    """Read which terminal an MT5 account is reached through."""
    if text not in ("local", "simulated"):
        raise typer.BadParameter("local or simulated")
    return text


def up(
    context: typer.Context,
    paper_only: Annotated[bool, typer.Option("--paper-only", help="Never arm this one.")] = False,
    idle_exit: Annotated[
        int | None, typer.Option(parser=seconds, help="Stop after this long unused, e.g. 15m.")
    ] = None,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="Stop our own earlier gateway first.")
    ] = False,
    prices: Annotated[
        str | None,
        typer.Option(parser=price_source, help="simulated, or live: ccxt:kraken."),
    ] = None,
    replay: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="Prices from this file.")
    ] = None,
    speed: Annotated[str | None, typer.Option(help="Of the replay; 1 = as it happened.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the simulated market.")] = None,
    venue: Annotated[str | None, typer.Option(parser=venue_name, help="paper or mt5.")] = None,
    terminal: Annotated[
        str | None, typer.Option(parser=terminal_name, help="Of mt5: local or simulated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the gateway here until Ctrl-C."""
    if terminal is not None and venue != "mt5":
        raise typer.BadParameter("--terminal belongs to --venue mt5")
    starts = session(context).starts
    options = UpOptions(
        paper_only=paper_only,
        idle_exit_s=idle_exit,
        takeover=takeover,
        prices=prices,
        replay=tuple(file.resolve() for file in replay or ()),
        speed=speed,
        seed=seed,
        venue=venue,
        terminal=terminal,
    )

    def announce(started: Started) -> None:
        door = Door(_door_command(), starts.client_environment())
        show(success(_addresses(started, door)), as_json=as_json, draw=_announced)

    try:
        code = starts.up(options, announce)
    except DirectoryHeld as held:
        show(_held(held.holder, starts.data_dir()), as_json=as_json, draw=_nothing)
    except GateError as error:
        show(envelope_of(error), as_json=as_json, draw=_nothing, exit_code=_settings_exit)
    else:
        raise typer.Exit(code)


def mcp(context: typer.Context) -> None:
    """Speak MCP on standard input and output: what an AI client starts."""
    raise typer.Exit(session(context).starts.mcp())


def doctor(
    context: typer.Context,
    as_agent: Annotated[
        bool, typer.Option("--as-agent", help="Ways past the gate; run it as the agent's user.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check everything and say what to do next."""
    starts = session(context).starts
    found = starts.around() if as_agent else starts.doctor()
    failed = any(line.level is Level.FAIL for line in found)
    rows = [
        {"level": line.level.value, "name": line.name, "message": line.message, "next": line.action}
        for line in found
    ]
    show(
        success(rows),
        as_json=as_json,
        draw=lambda _: map(_finding, found),
        exit_code=lambda _: Exit.REFUSED if failed else Exit.OK,
    )


@config_app.command("check")
def check_config(context: typer.Context, as_json: Json = False) -> None:
    """Say whether the settings can be used; all that is wrong at once."""
    answer = _local(lambda: {"keys": len(session(context).starts.settings())})
    show(
        answer,
        as_json=as_json,
        draw=lambda _: [Text("the settings are good")],
        exit_code=_settings_exit,
    )


@config_app.command("show")
def show_config(
    context: typer.Context,
    redacted: Annotated[
        bool, typer.Option("--redacted", help="Secrets are never shown; accepted for scripts.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Show what each value became and where it came from."""
    show(
        _local(session(context).starts.settings),
        as_json=as_json,
        draw=_settings,
        exit_code=_settings_exit,
    )


@operator_app.command("init")
def init_operator(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The operator's name.")] = "operator",
    as_json: Json = False,
) -> None:
    """Make the first operator; print password, authenticator and recovery codes, once."""
    answer = _local(lambda: session(context).starts.init_operator(name))
    show(answer, as_json=as_json, draw=draw_operator)


@audit_app.command()
def tail(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(help="At most this many records.")] = None,
    after: Annotated[int | None, typer.Option(help="Records after this number.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Only this order.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show the newest records of the audit."""
    answer = session(context).call(
        "get_audit", token_file=token_file, limit=limit, after=after, kind=kind, order_id=order_id
    )
    show(answer, as_json=as_json, draw=_records)


@client_app.command()
def add(
    context: typer.Context,
    client: Annotated[str, typer.Argument(help=" ".join(CLIENTS))],
    write_it: Annotated[
        bool, typer.Option("--write", help="Merge into the client's own file; keeps a backup.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print what to put into an AI client's file, or put it there."""
    known = CLIENTS.get(client)
    if known is None:
        raise typer.BadParameter(f"one of: {', '.join(CLIENTS)}")
    door = Door(_door_command(), session(context).starts.client_environment())
    places = _places()
    found: dict[str, Any] = {
        "client": known.name,
        "file": str(known.file(places)),
        "snippet": snippet(known, door),
        "written": False,
        "backup": None,
        "then": known.then,
    }
    if client == "claude-code":
        found["command"] = _claude_command(door)
    if not write_it:
        show(success(found), as_json=as_json, draw=_snippet)
        return
    try:
        path, backup = write(known, door, places)
    except (Unmergeable, OSError) as error:
        refused = failure(
            Code.ILLEGAL_STATE,
            f"{found['file']} was left alone: {error}",
            fix=f"add it by hand: ordergate client add {client}",
        )
        show(refused, as_json=as_json, draw=_nothing)
        return
    found |= {"file": str(path), "written": True, "backup": str(backup) if backup else None}
    show(success(found), as_json=as_json, draw=_written)


def _door_command() -> list[str]:
    """Return the command that starts our stdio door from any directory, with no PATH needed."""
    script = Path(sys.executable).with_name("ordergate.exe" if os.name == "nt" else "ordergate")
    if script.is_file():
        return [str(script), "mcp"]
    # -P: a client starts us in a directory of its own, which is no place to import from
    return [sys.executable, "-P", "-m", "ordergate", "mcp"]


def _our_name() -> str:
    """Return what a person types to run this program: its name where the shell would find it."""
    command = _door_command()[:-1]
    found = shutil.which("ordergate")
    if found is not None and Path(found).resolve() == Path(command[0]).resolve():
        return "ordergate"
    return shlex.join(command)


def _claude_command(door: Door) -> str:
    passed = [f"--env {shlex.quote(f'{name}={text}')}" for name, text in door.environment.items()]
    words = ["claude mcp add --scope user", *passed, "ordergate --", shlex.join(door.command)]
    return " ".join(words)


def _places() -> Places:
    # platformdirs knows each system's place, and XDG_CONFIG_HOME with it
    config = platformdirs.user_config_path(roaming=True)
    return Places(Path.home(), config, os.environ)


def _local(work: Callable[[], object]) -> Envelope:
    try:
        return success(work())
    except GateError as error:
        return envelope_of(error)


def _settings_exit(envelope: Envelope) -> Exit:
    code = exit_of(envelope)
    return Exit.BAD_SETTINGS if code is Exit.USAGE else code


def _held(holder: Note | None, data_dir: Path) -> Envelope:
    who = "" if holder is None else f" (pid {holder.pid}, since {holder.started_at})"
    where = f"; it answers at {holder.rest_url}" if holder is not None and holder.ready else ""
    return failure(
        Code.ILLEGAL_STATE,
        f"a gateway already owns {data_dir}{who}{where}",
        fix="use that one, or replace it with: ordergate up --takeover",
    )


def _addresses(started: Started, door: Door) -> Mapping[str, Any]:
    note = started.note
    return {
        "pid": note.pid,
        "rest": f"{note.rest_url}/api/v1",
        "mcp": f"{note.mcp_url}/mcp",
        "console": note.console_url,
        "source": started.source,
        "synthetic": started.synthetic,
        "replay_speed": started.replay_speed,
        "operator_exists": started.operator_exists,
        "mode": started.mode,
        "cautions": list(started.cautions),
        "paper_only": note.paper_only,
        "client": snippet(CLIENTS["desktop"], door),
    }


def _announced(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    for caution in found["cautions"]:
        yield Text(f"!! {caution}", style="bold red")
    yield pairs(
        f"ordergate is up ({found['mode'] or 'mode unknown:'} trading)",
        [
            ("REST", found["rest"]),
            ("MCP", found["mcp"]),
            ("console", found["console"]),
            ("prices", _prices(found)),
        ],
    )
    us = _our_name()
    yield Text(f"\nConnect an AI client: {us} client add claude-code, or by hand:")
    yield Text(found["client"].rstrip())
    if not found["operator_exists"]:
        yield Text(f"\nFirst time? Make the operator, in another terminal: {us} operator init")
    yield Text("Ctrl-C stops it; the next start goes on where this one ended.")


def _prices(found: Mapping[str, Any]) -> str:
    if found["replay_speed"] is not None:
        return f"{found['source']}, speed {found['replay_speed']}"
    return f"{found['source']}{', SYNTHETIC: made up here' if found['synthetic'] else ''}"


def _finding(line: Finding) -> Text:
    colour = {Level.PASS: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}[line.level]
    drawn = Text(f"[{line.level}] ", style=colour)
    drawn.append(f"{line.name}: {plain(line.message)}", style="not bold default")
    if line.action:
        drawn.append(f"\n       -> {plain(line.action)}", style="not bold default")
    return drawn


def _settings(rows: list[Mapping[str, str]]) -> Iterable[RenderableType]:
    names = ("key", "value", "source", "meaning")
    columns = ("key", "set to", "from", "meaning")
    yield table("Settings", columns, ([row[name] for name in names] for row in rows))


def _records(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    columns = ("seq", "time", "kind", "actor", "about")  # the bodies are in --json
    rows = ([row[column] for column in columns] for row in found["records"])
    yield table("Audit", columns, rows)


def _snippet(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if "command" in found:
        yield Text(f"Run this:\n\n{found['command']}\n\nor put this into {found['file']}:\n")
    else:
        yield Text(f"Put this into {found['file']} (or add --write):\n")
    yield Text(found["snippet"].rstrip())
    yield Text(f"\nThen {found['then']}.")


def _written(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield Text(f"written: {found['file']}")
    if found["backup"]:
        yield Text(f"as it was before: {found['backup']}")
    yield Text(f"Then {found['then']}.")


def _nothing(_: object) -> Iterable[RenderableType]:
    return ()
