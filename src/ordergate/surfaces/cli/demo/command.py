"""`ordergate demo`: the whole gate in half a minute; nothing set up, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ordergate.model.errors import Code
from ordergate.surfaces.cli.demo.stage import Stage, StageFright
from ordergate.surfaces.cli.demo.story import Story, Unexpected
from ordergate.surfaces.cli.doors import Stopped, failure
from ordergate.surfaces.cli.exits import Exit
from ordergate.surfaces.cli.screen import Json, say, say_error
from ordergate.surfaces.cli.session import session


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    context: typer.Context,
    replay: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Play on these recorded prices instead."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the whole gate at work: agent, policy, operator, kill switch, crash and proof."""
    from ordergate.surfaces.cli.demo.tour import Tour

    story = Story(quiet=as_json)
    starts = session(context).starts
    monotonic = starts.monotonic
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="ordergate-demo-") as folder:
        recording = replay.resolve() if replay is not None else None
        stage = Stage(Path(folder), monotonic, starts.now, recording)
        try:
            asyncio.run(Tour(stage, story).run())
        except (Unexpected, StageFright, Stopped, ExceptionGroup) as error:
            refused = failure(Code.INTERNAL_ERROR, str(_first(error)), fix="see the log below")
            say_error(refused["error"])
            say(stage.log_tail())
            raise typer.Exit(Exit.REFUSED) from None
        finally:
            stage.stop()
    took = monotonic() - began
    if as_json:
        scenes = [asdict(scene) for scene in story.scenes]
        typer.echo(json.dumps({"ok": True, "data": {"scenes": scenes}, "error": None}))
    else:
        say(f"\nAll of it in {took:.0f} s; the directories are gone.")


def _first(error: Exception) -> Exception:
    """Return the one failure inside the groups that task groups wrap around it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
