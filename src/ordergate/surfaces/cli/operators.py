"""Commands around the operator's own identity: what `init` shows once, and where they sign in."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import segno
import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.screen import Json, pairs, table
from ordergate.surfaces.cli.session import OPERATOR, OperatorName, PasswordStdin, ask_operator

sessions_app = typer.Typer(no_args_is_help=True, help="Where the operator is signed in.")


@sessions_app.command("list")
def list_sessions(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List the operator's sign-ins that still stand."""
    ask_operator(
        context, lambda door: door.get("/sessions"), (name, password_stdin, as_json), _sessions
    )


@sessions_app.command("revoke")
def revoke_session(
    context: typer.Context,
    session_id: str,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """End one sign-in now."""
    ask_operator(
        context,
        lambda door: door.delete(f"/sessions/{session_id}"),
        (name, password_stdin, as_json),
        lambda _: [Text("ended")],
    )


def new_password(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Put a new password in the old one's place, print it once, end every other sign-in."""
    ask_operator(
        context,
        lambda door: door.act("replace the password", "/password", {}),
        (name, password_stdin, as_json),
        _password,
    )


def draw_operator(made: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Draw all that a new operator is shown, this once."""
    yield pairs(f"operator {made['name']}", [("password", made["password"])])
    yield Text("Scan this into your authenticator, or give it the address below:")
    drawn = io.StringIO()
    segno.make(made["otpauth"], error="l").terminal(drawn, border=2, compact=True)
    yield Text.from_ansi(drawn.getvalue(), no_wrap=True, overflow="ignore")
    yield Text(made["otpauth"], no_wrap=True, overflow="ignore")
    yield Text("\nRecovery codes, each good once in the place of the authenticator's:")
    yield Text("\n".join(f"  {code}" for code in made["recovery_codes"]))
    yield Text("\nshown this once, and stored only as hashes; keep them where no agent reads")


def _password(made: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield pairs("the new password", [("password", made["password"])])
    yield Text("shown this once, and stored only as a hash; keep it where no agent reads")


def _sessions(opened: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    yield table(
        "Signed in",
        ("session id", "since", "last seen", "from", "newest factor", ""),
        (
            (
                one["session_id"],
                one["signed_in_at"],
                one["last_seen_at"],
                one["address"],
                one["method"],
                "this one" if one["this"] else "",
            )
            for one in opened
        ),
    )
