"""Commands around the whole book: what shares its risk with what, and what came from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import Code
from ordergate.surfaces.cli.doors import Envelope, OperatorDoor, failure
from ordergate.surfaces.cli.screen import Json, plain, table
from ordergate.surfaces.cli.session import (
    OPERATOR,
    OperatorName,
    PasswordStdin,
    Reason,
    ask_operator,
)
from ordergate.surfaces.cli.trading import risk_app

underlyings_app = typer.Typer(
    no_args_is_help=True, help="Which symbols are one and the same risk; nothing is ever guessed."
)
Venue = Annotated[str, typer.Option(help="Only on this venue; default: on every one.")]


def register(app: typer.Typer) -> None:
    """Hang the commands under `risk`, which is there already."""
    del app
    if all(group.typer_instance is not underlyings_app for group in risk_app.registered_groups):
        risk_app.add_typer(underlyings_app, name="underlyings")


@underlyings_app.command("list")
def list_underlyings(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List what you confirmed."""
    asked = (name, password_stdin, as_json)
    ask_operator(context, lambda door: door.get("/underlyings"), asked, _underlyings)


@underlyings_app.command()
def confirm(
    context: typer.Context,
    pair: Annotated[str, typer.Argument(metavar="NAME=UNDERLYING", help="GOLD=XAUUSD")],
    venue: Venue = "",
    reason: Reason = "confirmed by hand",
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Confirm that a symbol shares its risk with another name; limits count them as one."""
    symbol, _, underlying = pair.partition("=")

    def act(door: OperatorDoor) -> Envelope:
        if not symbol or not underlying:
            return failure(
                Code.INVALID_ARGUMENT, f"{pair!r} is no pair", fix="write NAME=UNDERLYING"
            )
        fields = {"name": symbol, "underlying": underlying, "venue": venue, "reason": reason}
        return door.act("confirm the underlying", "/underlyings", fields)

    asked = (name, password_stdin, as_json)
    ask_operator(context, act, asked, lambda row: _underlyings([row]))


@underlyings_app.command()
def remove(
    context: typer.Context,
    symbol: str,
    venue: Venue = "",
    reason: Reason = "removed by hand",
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Take back what you confirmed: the symbol stands for itself again."""
    fields = {"name": symbol, "venue": venue, "reason": reason}
    ask_operator(
        context,
        lambda door: door.act("take the underlying back", "/underlyings/remove", fields),
        (name, password_stdin, as_json),
        lambda _: [Text(f"{plain(symbol)} stands for itself again")],
    )


@risk_app.command()
def external(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List what was made around the gate: counted in every limit, halting nothing."""
    asked = (name, password_stdin, as_json)
    ask_operator(context, lambda door: door.get("/external"), asked, _externals)


def _underlyings(rows: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not rows:
        yield Text("nothing is confirmed: every symbol stands for itself")
        return
    yield table(
        "Underlyings",
        ("symbol", "is", "venue", "by", "since", "reason"),
        (
            (
                row["name"],
                row["underlying"],
                row["venue"] or "every one",
                row["confirmed_by"],
                row["confirmed_at"],
                row["reason"],
            )
            for row in rows
        ),
    )


def _externals(rows: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not rows:
        yield Text("nothing was made around the gate")
        return
    yield table(
        "Made around the gate",
        ("what", "id", "symbol", "side", "quantity", "price", "at", "found"),
        (
            (
                row["kind"],
                row["venue_id"],
                row["symbol"],
                row["side"],
                row["quantity"],
                row["price"],
                row["venue_time"],
                row["found_at"],
            )
            for row in rows
        ),
    )
