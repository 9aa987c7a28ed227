"""One command's way to the gateway: which one runs, with which token, for which operator."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from ordergate.model.errors import Code, GateError
from ordergate.surfaces.cli.doors import (
    AgentDoor,
    Envelope,
    OperatorDoor,
    Stopped,
    failure,
    not_running,
    success,
)
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.running import Note, running
from ordergate.surfaces.cli.screen import Draw, show
from ordergate.surfaces.cli.starts import Starts

PASSWORD_BYTES_MAX: Final = 1024
OPERATOR: Final = "operator"

TokenFile = Annotated[
    Path | None, typer.Option(help="File with the token to call with; default <data>/agent.token.")
]
Source = Annotated[
    str | None,
    typer.Option(
        help="store: bars you imported, with or without a gateway; store:VENUE. Default: live."
    ),
]
AsOf = Annotated[
    str | None, typer.Option(help="With --source store: as it was then, 2021-03-01T00:00:00Z.")
]
OperatorName = Annotated[str, typer.Option("--name", help="The operator who signs in.")]
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password and each code from standard input, in lines."
    ),
]
Reason = Annotated[str, typer.Option(help="Why; goes into the audit.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask to confirm.")]


@dataclass(frozen=True, slots=True)
class Session:
    """What the commands share; made once per process by the root command."""

    starts: Starts

    def call(
        self,
        tool: str,
        *,
        token_file: Path | None = None,
        acts: bool = False,
        removed: Mapping[str, None] | None = None,
        **arguments: Any,
    ) -> Envelope:
        """Call a tool with the arguments that were given; None means not given.

        `removed` names the arguments that are sent as null: what they stand for is taken away.
        """
        try:
            note = self._note()
            token = self.starts.token(token_file)
        except Stopped as stopped:
            return stopped.envelope
        except GateError as error:
            return envelope_of(error)
        given = {name: value for name, value in arguments.items() if value is not None}
        given |= removed or {}
        return AgentDoor(note.rest_url, token=token).call(tool, given, acts=acts)

    def look(
        self, tool: str, *, source: str | None, token_file: Path | None = None, **arguments: Any
    ) -> Envelope:
        """Ask the gateway; imported bars answer without one."""
        if source is None or not source.startswith("store"):
            return self.call(tool, token_file=token_file, source=source, **arguments)
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return success(self.starts.look_back(tool, {**given, "source": source}))
        except GateError as error:
            return envelope_of(error)

    def operator(self, name: str, *, password_stdin: bool) -> OperatorDoor:
        """Return the operator's listener, to be entered with `with`; asks for the password.

        A code is asked for at the sign-in, and one more for each act that needs a factor.
        """
        note = self._note()
        return OperatorDoor(
            note.console_url,
            connect_to=urlsplit(note.rest_url).hostname or "127.0.0.1",
            name=name,
            password=_password(name, from_stdin=password_stdin),
            code=lambda what, said: _code(what, said, from_stdin=password_stdin),
        )

    def console(self) -> str:
        """Return where the operator's console of the running gateway answers."""
        return self._note().console_url

    def _note(self) -> Note:
        note = running(self.starts.data_dir())
        if note is None:
            raise Stopped(not_running())
        return note


def session(context: typer.Context) -> Session:
    held: Session = context.find_root().obj
    return held


def envelope_of(error: GateError) -> Envelope:
    return failure(
        error.code,
        error.message,
        fix=error.fix,
        retryable=error.retryable,
        details=error.details,
    )


def confirm(question: str, *, yes: bool, password_stdin: bool, as_json: bool) -> None:
    """Go on only after a yes; where nobody can be asked, demand --yes."""
    if yes:
        return
    if password_stdin or as_json or not sys.stdin.isatty():
        raise Stopped(
            failure(Code.INVALID_ARGUMENT, "nobody is here to confirm", fix="add --yes to go on")
        )
    if not typer.confirm(question, err=True):
        raise Stopped(failure(Code.ILLEGAL_STATE, "not confirmed; nothing was done"))


def ask_operator(
    context: typer.Context,
    act: Callable[[OperatorDoor], Envelope],
    how: tuple[str, bool, bool],
    draw: Draw,
    *,
    exit_code: Callable[[Envelope], Exit] = exit_of,
) -> None:
    """Sign in, act, sign out, and show what came of it. `how`: name, --password-stdin, --json."""
    name, password_stdin, as_json = how
    try:
        with session(context).operator(name, password_stdin=password_stdin) as door:
            envelope = act(door)
    except Stopped as stopped:
        envelope = stopped.envelope
    show(envelope, as_json=as_json, draw=draw, exit_code=exit_code)


def _password(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(PASSWORD_BYTES_MAX).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Stopped(
            failure(
                Code.INVALID_ARGUMENT,
                "no terminal to ask for the password",
                fix="pipe it in with --password-stdin",
            )
        )
    password: str = typer.prompt(f"Password of {name}", hide_input=True, err=True)
    return password


def _code(what: str, said: str, *, from_stdin: bool) -> str:
    """Return the next code: typed, or the next line of standard input."""
    if from_stdin:
        line = sys.stdin.readline(PASSWORD_BYTES_MAX).strip()
        if not line:
            raise Stopped(
                failure(
                    Code.UNAUTHENTICATED,
                    said or f"no code to {what}",
                    fix="pipe in the password, then a line for each code; each is good once",
                )
            )
        return line
    if said:
        typer.echo(f"{said}. Wait for the next one: it changes every 30 seconds.", err=True)
    code: str = typer.prompt(f"Code to {what} (authenticator or recovery)", err=True)
    return code.strip()
