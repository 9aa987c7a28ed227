"""The command line: every command, one root."""

from __future__ import annotations

from typing import Annotated

import typer

from ordergate import __version__
from ordergate.model.errors import GateError
from ordergate.surfaces.cli import (
    alerts,
    approving,
    arming,
    backtest_jobs,
    backtesting,
    booking,
    datafiles,
    hindsight,
    looking,
    operating,
    outlook,
    phone,
    proving,
    replaying,
    research,
    setup,
    trading,
)
from ordergate.surfaces.cli.demo import command as demo
from ordergate.surfaces.cli.exits import Exit, epilog
from ordergate.surfaces.cli.screen import say_error
from ordergate.surfaces.cli.session import Session, envelope_of
from ordergate.surfaces.cli.starts import Starts


def build(starts: Starts) -> typer.Typer:
    """Return the whole command line over these starts."""
    app = typer.Typer(
        name="ordergate",
        help="The gate between AI agents and broker accounts.",
        epilog=epilog(),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root(
        context: typer.Context,
        version: Annotated[
            bool,
            typer.Option("--version", is_eager=True, callback=_version, help="Print the version."),
        ] = False,
    ) -> None:
        del version
        context.obj = Session(starts)

    for commands in (
        setup,
        demo,
        looking,
        outlook,
        trading,
        approving,
        arming,
        operating,
        booking,
        proving,
        replaying,
        hindsight,
        alerts,
        phone,
        datafiles,
        research,
        backtesting,
        backtest_jobs,
    ):
        commands.register(app)
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ordergate {__version__}")
        raise typer.Exit


def run(starts: Starts, arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    try:
        build(starts)(args=arguments, prog_name="ordergate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(Exit.REFUSED)
    except GateError as error:
        say_error(envelope_of(error)["error"])
        return Exit.REFUSED
    return Exit.OK
