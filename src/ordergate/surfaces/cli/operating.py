"""Commands around halts, tokens and the audit's export; the operator's own sign in over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import Code
from ordergate.surfaces.cli.doors import Envelope, OperatorDoor, failure, success
from ordergate.surfaces.cli.private_file import write_lines
from ordergate.surfaces.cli.screen import (
    Json,
    plain,
    show,
    table,
)
from ordergate.surfaces.cli.session import (
    OPERATOR,
    OperatorName,
    PasswordStdin,
    Reason,
    TokenFile,
    ask_operator,
    session,
)

halt_app = typer.Typer(no_args_is_help=True, help="Stop new risk, and let it go on.")
token_app = typer.Typer(no_args_is_help=True, help="What agents present to the gateway.")


def register(app: typer.Typer) -> None:
    app.add_typer(halt_app, name="halt")
    app.add_typer(token_app, name="token")


@halt_app.command()
def engage(
    context: typer.Context,
    scope: Annotated[str | None, typer.Option(help="global account agent symbol")] = None,
    target: Annotated[str | None, typer.Option(help="Which account, agent or symbol.")] = None,
    reason: Reason = "",
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Stop new risk at once; exits still pass. Only an operator releases it."""
    answer = session(context).call(
        "engage_kill_switch",
        token_file=token_file,
        acts=True,
        scope=scope,
        target=target,
        reason=reason or None,
    )
    show(answer, as_json=as_json, draw=_halt)


@halt_app.command("status")
def halt_status(
    context: typer.Context, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Say whether new risk is stopped, by whom and why."""
    answer = session(context).call("get_limits", token_file=token_file)
    show(answer, as_json=as_json, draw=lambda found: _halts(found["halts"]))


@halt_app.command()
def release(
    context: typer.Context,
    halt_id: Annotated[str | None, typer.Argument(help="Default: the only one there is.")] = None,
    reason: Reason = "released by hand",
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Let new risk go on."""

    def act(door: OperatorDoor) -> Envelope:
        chosen = halt_id
        if chosen is None:
            listed = door.get("/halts")
            if not listed["ok"]:
                return listed
            if len(listed["data"]) != 1:
                ids = ", ".join(halt["halt_id"] for halt in listed["data"]) or "none"
                return failure(
                    Code.INVALID_ARGUMENT, f"halts in force: {ids}", fix="name one halt id"
                )
            chosen = listed["data"][0]["halt_id"]
        return door.act("release", f"/halts/{chosen}/release", {"reason": reason})

    ask_operator(context, act, (name, password_stdin, as_json), _halt)


@token_app.command()
def create(
    context: typer.Context,
    token_name: Annotated[str, typer.Argument(help="Whose it is; shown in the audit.")],
    kind: Annotated[str, typer.Option(help="agent or read_only")] = "agent",
    days: Annotated[int | None, typer.Option(help="Days until it expires.")] = None,
    live: Annotated[bool, typer.Option("--live", help="May propose live openings.")] = False,
    others: Annotated[
        bool, typer.Option("--others", help="May close and change what others opened.")
    ] = False,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Make a token and show it once."""
    fields: dict[str, Any] = {"kind": kind, "name": token_name}
    fields |= {grant: True for grant, given in (("live", live), ("others", others)) if given}
    if days is not None:
        fields["days"] = days
    ask_operator(
        context,
        lambda door: door.act("make a token", "/tokens", fields),
        (name, password_stdin, as_json),
        _new_token,
    )


@token_app.command("list")
def list_tokens(
    context: typer.Context,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """List tokens; the secrets are stored nowhere."""
    ask_operator(
        context, lambda door: door.get("/tokens"), (name, password_stdin, as_json), _tokens
    )


@token_app.command()
def revoke(
    context: typer.Context,
    token_id: str,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """End a token now."""
    ask_operator(
        context,
        lambda door: door.delete(f"/tokens/{token_id}"),
        (name, password_stdin, as_json),
        lambda _: [Text("revoked")],
    )


def export_audit(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="File to write; default: the screen.")] = None,
    name: OperatorName = OPERATOR,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Write the whole audit as JSON lines."""

    def act(door: OperatorDoor) -> Envelope:
        lines = door.lines("export the audit", "/audit/export")
        if out is None:
            for line in lines:
                typer.echo(line)
            return success(None)
        try:
            return success({"file": str(out), "lines": write_lines(out, lines)})
        except OSError as error:
            return failure(Code.INVALID_ARGUMENT, f"{out} cannot be written: {error.strerror}")

    ask_operator(
        context,
        act,
        (name, password_stdin, as_json and out is not None),
        lambda found: [Text(f"{found['lines']} lines in {found['file']}")] if found else [],
    )


def _halts(halts: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    if not halts:
        yield Text("no halt is in force: new risk is allowed")
        return
    yield table(
        "Halts in force: new risk is stopped, exits pass",
        ("halt id", "kind", "scope", "target", "by", "since", "reason"),
        (
            (
                halt["halt_id"],
                halt["kind"],
                halt["scope"],
                halt["target"],
                halt["engaged_by"],
                halt["engaged_at"],
                halt["reason"],
            )
            for halt in halts
        ),
    )


def _halt(halt: Mapping[str, Any]) -> Iterable[RenderableType]:
    released = halt.get("released_at")
    yield Text(
        f"{'released' if released else 'engaged'}: {halt['kind']} {halt['scope']} "
        f"{halt['target']} ({halt['halt_id']})"
    )
    if halt.get("message"):
        yield Text(plain(halt["message"]))


def _tokens(tokens: list[Mapping[str, Any]]) -> Iterable[RenderableType]:
    yield table(
        "Tokens",
        ("token id", "kind", "name", "expires", "last used", "revoked"),
        (
            (
                one["token_id"],
                one["kind"],
                one["name"],
                one["expires_at"],
                one["last_used_at"],
                one["revoked_at"],
            )
            for one in tokens
        ),
    )


def _new_token(made: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield Text(made["token"], no_wrap=True, overflow="ignore")
    yield Text("shown this once; keep it in a file that only its program can read", style="dim")
