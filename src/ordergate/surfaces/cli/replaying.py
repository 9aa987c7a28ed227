"""The operator's hand on a recording: hold it, let it go on, set its speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.screen import Json
from ordergate.surfaces.cli.session import OPERATOR, OperatorName, PasswordStdin, ask_operator

replay_app = typer.Typer(no_args_is_help=True, help="Hold or speed up recorded prices.")


def register(app: typer.Typer) -> None:
    app.add_typer(replay_app, name="replay")


@replay_app.command()
def pause(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Stand still; prices are stale until resume."""
    _set(context, {"paused": True}, (name, password_stdin, as_json))


@replay_app.command()
def resume(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Go on from where it stands."""
    _set(context, {"paused": False}, (name, password_stdin, as_json))


@replay_app.command("speed")
def set_speed(
    context: typer.Context,
    factor: Annotated[str, typer.Argument(help="1 = as it happened, 60 = a minute a second.")],
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Set how fast the recording runs."""
    _set(context, {"speed": factor}, (name, password_stdin, as_json))


def _set(context: typer.Context, fields: Mapping[str, Any], how: tuple[str, bool, bool]) -> None:
    ask_operator(context, lambda door: door.post("/feed", fields), how, _pace)


def _pace(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield Text(f"{'paused' if found['paused'] else 'running'}, speed {found['speed']}")
