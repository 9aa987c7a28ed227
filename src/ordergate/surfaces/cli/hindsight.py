"""Commands that look back: `risk simulate` and `audit rejudge`; they read and change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import Envelope, success
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.policy_screen import draw_rejudged, draw_simulated
from ordergate.surfaces.cli.screen import Json, show
from ordergate.surfaces.cli.session import envelope_of, session
from ordergate.surfaces.cli.setup import audit_app
from ordergate.surfaces.cli.trading import risk_app


def register(app: typer.Typer) -> None:
    """Add nothing of its own: the commands belong to `risk` and `audit`."""
    del app


@risk_app.command()
def simulate(
    context: typer.Context,
    policy: Annotated[Path, typer.Option(help="A limits file as ordergate.toml would hold it.")],
    since: Annotated[str | None, typer.Option("--from", help="First moment: 2026-11-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to, not including.")] = None,
    as_json: Json = False,
) -> None:
    """Show which recorded decisions had come out otherwise under other limits."""
    try:
        answer = success(session(context).starts.simulate(policy, since, until))
    except GateError as error:
        answer = envelope_of(error)
    show(answer, as_json=as_json, draw=draw_simulated)


@audit_app.command(epilog="Exit codes: 0 every verdict is reproduced; 1 one is not")
def rejudge(context: typer.Context, order_id: str, as_json: Json = False) -> None:
    """Make an order's recorded verdicts anew from their facts; compare them bit for bit."""
    try:
        answer = success(session(context).starts.rejudge(order_id))
    except GateError as error:
        answer = envelope_of(error)
    show(answer, as_json=as_json, draw=draw_rejudged, exit_code=_exit_of_rejudged)


def _exit_of_rejudged(answer: Envelope) -> int:
    if not answer["ok"]:
        return exit_of(answer)
    return Exit.OK if answer["data"]["same"] else Exit.REFUSED
