"""Commands that backtest: reports, sweeps, walks, comparisons; jobs of the running gateway.

The options of a command are the fields of its operation's request: one list, kept in one place.
"""

from __future__ import annotations

import inspect
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ordergate.surfaces.catalogue.fields import Request
from ordergate.surfaces.catalogue.research_requests import RunBacktest, RunSweep, WalkForward
from ordergate.surfaces.cli.backtesting import backtest_app
from ordergate.surfaces.cli.doors import Envelope
from ordergate.surfaces.cli.exits import Exit, exit_of
from ordergate.surfaces.cli.screen import Json, pairs, plain, say_error, show, table
from ordergate.surfaces.cli.session import Session, TokenFile, session

LOOK_S: Final = 0.5
ENDED: Final = frozenset({"done", "failed", "cancelled", "interrupted"})
SINGULAR: Final = {"parameters": "--parameter", "terms": "--term", "axes": "--axis"}
STYLES: Final = {"stop": "bold red", "doubt": "yellow", "fine": "green"}
JobId = Annotated[str, typer.Argument(help="As the sweep named it, or `backtest jobs`.")]


def register(app: typer.Typer) -> None:
    del app  # the group of `backtest run` takes them
    for name, tool, request, words in (
        ("report", "run_backtest", RunBacktest, "Backtest once and report, costs stressed."),
        ("sweep", "run_sweep", RunSweep, "Try many parameters; report on the best, and the luck."),
        ("walk-forward", "walk_forward", WalkForward, "Choose on the past, trade what came after."),
    ):
        backtest_app.command(name, help=words)(_asking(tool, request))


@backtest_app.command()
def jobs(context: typer.Context, token_file: TokenFile = None, as_json: Json = False) -> None:
    """List my jobs, the newest first."""
    show(session(context).call("get_job", token_file=token_file), as_json=as_json, draw=_jobs)


@backtest_app.command()
def job(
    context: typer.Context,
    job_id: JobId,
    out: Annotated[Path | None, typer.Option(help="Copy report.html and trades.csv here.")] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show how a job goes, or its report once it is done."""
    held = session(context)
    answer = held.call("get_job", token_file=token_file, job_id=job_id)
    if answer["ok"] and out is not None:
        _copied(held, answer, out)
    show(answer, as_json=as_json, draw=_report)


@backtest_app.command()
def cancel(
    context: typer.Context, job_id: JobId, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Stop a job; what it tried stays counted."""
    answer = session(context).call("cancel_job", token_file=token_file, acts=True, job_id=job_id)
    show(answer, as_json=as_json, draw=_report)


@backtest_app.command()
def overfit(
    context: typer.Context, job_id: JobId, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Judge a finished job anew, with all that was tried since."""
    answer = session(context).call("overfit_report", token_file=token_file, job_id=job_id)
    show(answer, as_json=as_json, draw=_overfit)


@backtest_app.command()
def stress(
    context: typer.Context, job_id: JobId, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Show a finished job under wider spreads, other costs and later fills."""
    answer = session(context).call("cost_stress", token_file=token_file, job_id=job_id)
    show(answer, as_json=as_json, draw=_stress)


@backtest_app.command()
def compare(
    context: typer.Context,
    job_ids: Annotated[list[str], typer.Argument(help="Two to ten finished jobs.")],
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show finished jobs side by side, with the paired difference to the first."""
    answer = session(context).call("compare_backtests", token_file=token_file, job_ids=job_ids)
    show(answer, as_json=as_json, draw=_compared)


def _asking(tool: str, request: type[Request]) -> Callable[..., None]:
    """Return a command that asks for a job with the request's fields as its options."""

    def command(context: typer.Context, **given: Any) -> None:
        as_json, wait = given.pop("as_json"), given.pop("wait")
        out, token_file = given.pop("out"), given.pop("token_file")
        held = session(context)
        asked = {name: value for name, value in given.items() if value not in (None, [])}
        answer = held.call(tool, token_file=token_file, acts=True, **asked)
        if answer["ok"] and wait:
            answer = _waited(held, answer, token_file, quiet=as_json)
            if out is not None and answer["ok"]:
                _copied(held, answer, out)
        show(answer, as_json=as_json, draw=_report, exit_code=_exit)

    options = [_option(name, field) for name, field in request.model_fields.items()]
    common = [
        _parameter("out", Path | None, typer.Option(help="Copy report.html and trades.csv here.")),
        _parameter("wait", bool, typer.Option(help="Wait until it has ended."), default=True),
        _parameter("token_file", get_args(TokenFile)[0], get_args(TokenFile)[1]),
        _parameter("as_json", get_args(Json)[0], get_args(Json)[1], default=False),
    ]
    first = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    made = inspect.Signature([first, *options, *common])
    command.__signature__ = made  # type: ignore[attr-defined]  # what Typer reads
    command.__annotations__ = {name: one.annotation for name, one in made.parameters.items()}
    return command


def _option(name: str, field: Any) -> inspect.Parameter:
    words = field.description or ""
    if name == "symbols":
        return _parameter(name, list[str], typer.Argument(help="One or several together."), ...)
    kind, default = _kind(field.annotation), field.default
    if kind is not bool and isinstance(default, str | int):
        words = f"{words} (default: {default})".strip()
    flag = SINGULAR.get(name, f"--{name.replace('_', '-')}")
    if kind is bool:
        flag = f"{flag}/--no-{flag[2:]}"
    return _parameter(name, kind | None, typer.Option(flag, help=words))


def _kind(annotation: Any) -> Any:
    """Return str, int, bool or list[str] for a field's type, whatever bounds it has."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is list or any(get_origin(part) is list for part in parts):
        return list[str]
    for kind in (bool, int):
        if annotation is kind or kind in parts:
            return kind
    return str


def _parameter(name: str, kind: Any, option: Any, default: Any = None) -> inspect.Parameter:
    empty = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, option],
        default=empty,
    )


def _waited(held: Session, answer: Envelope, token_file: Path | None, *, quiet: bool) -> Envelope:
    """Look at a job until it has ended, with a bar to look at; Ctrl-C leaves it running."""
    job_id = answer["data"]["job"]["job_id"]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"))
    with Progress(*columns, TimeElapsedColumn(), disable=quiet, transient=True) as progress:
        shown = progress.add_task(f"job {job_id[:8]}", total=None)
        while answer["ok"] and answer["data"]["job"]["state"] not in ENDED:
            time.sleep(LOOK_S)
            answer = held.call("get_job", token_file=token_file, job_id=job_id)
            if answer["ok"]:
                found = answer["data"]["job"]
                progress.update(
                    shown,
                    description=plain(f"{found['state']} {found['words']}"),
                    completed=found["done"],
                    total=found["total"] or None,
                )
    return answer


def _copied(held: Session, answer: Envelope, out: Path) -> None:
    """Copy a finished job's files from the data directory, which is this machine's."""
    job_id = answer["data"]["job"]["job_id"]
    folder = held.starts.data_dir() / "jobs" / job_id
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in ("report.html", "trades.csv", "equity.png"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, out / name)
    except OSError as error:
        say_error({"code": "INVALID_ARGUMENT", "message": f"{out}: {error.strerror}", "fix": ""})


def _exit(answer: Envelope) -> Exit:
    """Say failure of a job that did not come to its end."""
    job = (answer["data"] or {}).get("job") if answer["ok"] else None
    if job is not None and job["state"] in ENDED - {"done"}:
        return Exit.REFUSED
    return exit_of(answer)


def _report(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    job, report = found["job"], found["report"]
    if report is None:
        error = job["error"] or {}
        yield pairs(
            f"{job['kind']} {job['job_id']}: {job['state']}",
            [
                ("done", f"{job['done']} of {job['total'] or '?'} {job['words']}"),
                ("error", f"{error['code']}: {error['message']}" if error else ""),
                ("fix", error.get("fix", "")),
                ("next", "" if job["ended_at"] else f"ordergate backtest job {job['job_id']}"),
            ],
        )
        return
    yield Text(plain(report["headline"]), style="bold")
    yield from _findings(report["findings"])
    yield pairs("Figures", list(report["figures"].items()))
    yield pairs("Where the money went", list(report["costs"].items()))
    if report["stress"]:
        yield _table("Under other costs and later fills", report["stress"])
    if report["rows"]:
        yield _table(plain(report["rows_title"]), report["rows"])
    for note in report["notes"]:
        yield Text(plain(note))
    yield pairs("", [("job", job["job_id"]), ("again", report["again"]["command"])])


def _jobs(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    names = ("job_id", "kind", "state", "done", "total", "asked_at")
    yield table("Jobs", names, ([item[name] for name in names] for item in found["jobs"]))


def _overfit(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield Text(plain(found["headline"]), style="bold")
    yield from _findings(found["findings"])
    numbers = {name: value for name, value in found["overfit"].items() if name != "leakage"}
    yield pairs(plain(found["dataset"]), list(numbers.items()))


def _stress(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield _table(plain(found["message"]), found["table"])


def _compared(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    names = ("job_id", "strategy", "same_bars", "deflated_sharpe", "believable")
    apart = ("difference", "difference_low", "difference_high")
    rows = (
        [
            *(item[name] for name in names),
            *(item["figures"][name] for name in ("net", "max_drawdown", "trades")),
            *(item[name] for name in apart),
        ]
        for item in found["backtests"]
    )
    yield table(plain(found["message"]), (*names, "net", "max_drawdown", "trades", *apart), rows)


def _findings(findings: Iterable[Mapping[str, str]]) -> Iterable[RenderableType]:
    for one in findings:
        yield Text(f"- {plain(one['words'])}", style=STYLES[one["weight"]])


def _table(title: str, rows: list[Mapping[str, Any]]) -> RenderableType:
    names = tuple(rows[0])
    return table(title, names, ([row[name] for name in names] for row in rows))
