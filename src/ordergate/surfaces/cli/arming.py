"""Commands around live arming. The arming itself is signed by a passkey, so in a browser alone."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.doors import Envelope, OperatorDoor, Stopped, success
from ordergate.surfaces.cli.screen import Json, pairs, plain, show
from ordergate.surfaces.cli.session import (
    OPERATOR,
    OperatorName,
    PasswordStdin,
    ask_operator,
    session,
)

arm_app = typer.Typer(help="Open a live account to new risk, for a time; exits need no arming.")


def register(app: typer.Typer) -> None:
    app.add_typer(arm_app, name="arm")
    app.command()(disarm)


@arm_app.callback(invoke_without_command=True)
def arm(
    context: typer.Context,
    browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Show the link to the page where a passkey arms a live account."""
    if context.invoked_subcommand is not None:
        return
    try:
        link = f"{session(context).console()}/arming"
    except Stopped as stopped:
        show(stopped.envelope, as_json=as_json, draw=_link)
        return
    if browser:
        webbrowser.open(link)
    show(success({"page": link}), as_json=as_json, draw=_link)


@arm_app.command()
def status(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Say whether live trading is switched on, and what is armed until when."""
    ask_operator(
        context, lambda door: door.get("/arming"), (name, password_stdin, as_json), _standing
    )


def disarm(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; goes into the audit.")] = "",
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """End the arming now; orders at the venue stay as they are."""

    def act(door: OperatorDoor) -> Envelope:
        found = door.get("/arming")
        if not found["ok"]:
            return found
        return door.post("/arming/disarm", {"account": found["data"]["account"], "reason": reason})

    ask_operator(context, act, (name, password_stdin, as_json), lambda _: [Text("disarmed")])


def _link(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield Text("A passkey arms a live account, on this page of the console:")
    yield Text(found["page"])


def _standing(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    armed = found["arming"]
    yield pairs(
        f"{found['mode'].upper()} account {plain(found['account'])} at {plain(found['venue'])}",
        [
            ("switches", "on" if found["switched_on"] else f"off: {plain(found['because'])}"),
            ("armed", f"until {armed['until']} by {armed['by']}" if armed else "no"),
        ],
    )
