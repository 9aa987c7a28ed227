"""Commands around alerts: what was told, taking note of it, a test; and the outside watcher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import Code, GateError
from ordergate.surfaces.cli.doors import Envelope, OperatorDoor, failure
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.screen import Json, plain, show, table
from ordergate.surfaces.cli.session import (
    OPERATOR,
    OperatorName,
    PasswordStdin,
    ask_operator,
    envelope_of,
    session,
)
from ordergate.surfaces.cli.setup import seconds

alerts_app = typer.Typer(no_args_is_help=True, help="What you are told through your channel.")


def register(app: typer.Typer) -> None:
    app.add_typer(alerts_app, name="alerts")
    app.command()(watch)


@alerts_app.command("list")
def list_alerts(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List what you were told, or should have been."""
    ask_operator(context, lambda door: door.get("/alerts"), (name, password_stdin, as_json), _all)


@alerts_app.command()
def ack(
    context: typer.Context,
    alert_id: Annotated[
        str | None, typer.Argument(help="Default: the only one that repeats.")
    ] = None,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Take note of a halt or an alarm: it is told no more, and stays in force."""

    def act(door: OperatorDoor) -> Envelope:
        chosen = alert_id
        if chosen is None:
            listed = door.get("/alerts")
            if not listed["ok"]:
                return listed
            loud = [one["alert_id"] for one in listed["data"]["alerts"] if one["repeats"]]
            if len(loud) != 1:
                return failure(
                    Code.INVALID_ARGUMENT,
                    f"alerts that repeat: {', '.join(loud) or 'none'}",
                    fix="name one alert id",
                )
            chosen = loud[0]
        return door.post(f"/alerts/{chosen}/acknowledge", {})

    ask_operator(
        context,
        act,
        (name, password_stdin, as_json),
        lambda alert: [Text(plain(f"acknowledged: {alert['title']}"))],
    )


@alerts_app.command("test")
def send_test(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Send a test message through every channel, and say what became of it."""
    ask_operator(
        context,
        lambda door: door.post("/alerts/test", {}),
        (name, password_stdin, as_json),
        _deliveries,
        exit_code=_reached,
    )


def watch(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(help="Where the gateway answers: its REST door or its public name.")
    ] = "http://127.0.0.1:8010",
    every: Annotated[
        int, typer.Option(parser=seconds, help="Time between two looks, e.g. 15s.")
    ] = 15,
) -> None:
    """Watch a gateway from outside and tell your channel within a minute of its death.

    Run it on another machine: what dies with the gateway tells nobody.
    """
    try:
        code = session(context).starts.watch(url, every, typer.echo)
    except GateError as error:
        show(envelope_of(error), as_json=False, draw=_deliveries)
    else:
        raise typer.Exit(code)


def _reached(envelope: Envelope) -> Exit:
    if not envelope["ok"]:
        return exit_of(envelope)
    taken = envelope["data"] and all(one["problem"] is None for one in envelope["data"])
    return Exit.OK if taken else Exit.REFUSED


def _all(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield table(
        "Alerts",
        ("alert id", "since", "severity", "title", "told", "state"),
        (
            (
                one["alert_id"],
                one["created_at"],
                one["severity"],
                plain(one["title"]),
                one["told"],
                _state(one),
            )
            for one in found["alerts"]
        ),
    )
    channels = ", ".join(found["channels"])
    yield Text(f"told through {channels}" if channels else "no channel is set up")
    if found["problem"]:
        yield Text(found["problem"], style="red")


def _state(alert: Mapping[str, Any]) -> str:
    if alert["ended_at"]:
        return "over"
    if alert["acknowledged_by"]:
        return "acknowledged"
    return "repeats until acknowledged" if alert["repeats"] else "open"


def _deliveries(found: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not found:
        yield Text("no channel is set up: write one address a line into notify.urls")
    for one in found:
        yield Text(f"{one['channel']}: {one['problem'] or 'taken; look at your phone'}")
