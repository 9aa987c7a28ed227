"""Commands that prove the record and keep it provable: `audit verify`, receipts, segments, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ordergate.model.errors import GateError
from ordergate.surfaces.cli.doors import Envelope, success
from ordergate.surfaces.cli.exits import PROVEN, exit_of_proof
from ordergate.surfaces.cli.screen import Json, pairs, show
from ordergate.surfaces.cli.session import envelope_of, session
from ordergate.surfaces.cli.setup import audit_app
from ordergate.surfaces.cli.starts import Asked


def register(app: typer.Typer) -> None:
    """Add nothing of its own: the commands belong to `audit`."""
    del app


@audit_app.command(epilog=f"Exit codes: {PROVEN}")
def verify(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="A database, an export, or segments in order; default: this gateway's own.",
        ),
    ] = None,
    public: Annotated[
        str | None, typer.Option("--pub", help="The public key or its file; default: our own.")
    ] = None,
    anchors: Annotated[
        list[str] | None,
        typer.Option("--anchor", help="size:root as a message or a page showed it; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove the whole chain from the first record to the signed head."""
    asked = Asked(files=tuple(files or ()), public=public, anchors=tuple(anchors or ()))
    answer = _local(lambda: session(context).starts.verify_audit(asked))
    show(answer, as_json=as_json, draw=_proof, exit_code=exit_of_proof)


@audit_app.command()
def receipt(
    context: typer.Context,
    order_id: str,
    out: Annotated[Path | None, typer.Option(help="File to write; default: the screen.")] = None,
    as_json: Json = False,
) -> None:
    """Write the proof that a signed checkpoint holds an order's records, for a stranger."""
    answer = _local(lambda: session(context).starts.receipt(order_id, out))
    show(answer, as_json=as_json, draw=_receipt)


@audit_app.command()
def segments(context: typer.Context, as_json: Json = False) -> None:
    """Write the closed months of the record that are due; name all segments."""
    answer = _local(lambda: session(context).starts.segments())
    show(answer, as_json=as_json, draw=_segments)


@audit_app.command("rotate-key")
def rotate_key(context: typer.Context, as_json: Json = False) -> None:
    """Give the record a new signing key, signed by the old one; the gateway must be stopped."""
    answer = _local(lambda: session(context).starts.rotate_key())
    show(answer, as_json=as_json, draw=lambda found: [pairs("rotated", list(found.items()))])


@audit_app.command("set-aside")
def set_aside(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why this record is given up; it is sealed.")],
    as_json: Json = False,
) -> None:
    """Give up a record that does not prove itself; the next start begins anew, stopped."""
    answer = _local(lambda: session(context).starts.set_aside(reason))
    show(answer, as_json=as_json, draw=lambda found: [pairs("set aside", list(found.items()))])


def _local(work: Callable[[], object]) -> Envelope:
    try:
        return success(work())
    except GateError as error:
        return envelope_of(error)


def _proof(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield pairs("the audit is whole", [(name, found[name]) for name in found])


def _receipt(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    if "receipt" in found:
        yield Text(found["receipt"])
    else:
        yield pairs("receipt", list(found.items()))


def _segments(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield pairs("written", [("segments", found["written"])])
    for path in found["segments"]:
        yield Text(path)
