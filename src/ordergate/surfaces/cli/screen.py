"""How answers look: tables for people, the bare envelope for programs."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ordergate.surfaces.cli.doors import Envelope
from ordergate.surfaces.cli.exits import Exit, exit_of

Json = Annotated[bool, typer.Option("--json", help="Print the envelope as JSON.")]
Draw = Callable[[Any], Iterable[RenderableType]]

PIPE_COLUMNS: Final = 160
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_RIGHT: Final = frozenset(
    [
        "bid",
        "ask",
        "spread",
        "quantity",
        "filled",
        "price",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "pnl",
        "equity",
        "balance",
        "value",
        "limit",
        "headroom",
        "swap",
    ]
)


def show(
    envelope: Envelope,
    *,
    as_json: bool,
    draw: Draw,
    exit_code: Callable[[Envelope], int] = exit_of,
) -> None:
    """Print an answer and leave with its exit code when that is not 0."""
    if as_json:
        typer.echo(json.dumps(envelope, ensure_ascii=False))
    elif envelope["ok"]:
        say(*draw(envelope["data"]))
    else:
        say_error(envelope["error"])
    code = exit_code(envelope)
    if code != Exit.OK:
        raise typer.Exit(code)


def say(*parts: RenderableType) -> None:
    """Print to standard output; a pipe gets wide lines, and no line of text is broken."""
    wide = None if sys.stdout.isatty() else PIPE_COLUMNS
    console = Console(highlight=False, markup=False, emoji=False, width=wide)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))


def say_error(error: Mapping[str, Any]) -> None:
    """Print `CODE: message` and the way out beside it, on the error stream."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    line = Text(f"{error['code']}: {in_commands(error['message'])}", style="bold red")
    if error.get("fix"):
        line.append(f"  -> {in_commands(error['fix'])}", style="not bold default")
    console.print(line, soft_wrap=True)
    for verdict in (error.get("details") or {}).get("checklist") or ():
        numbers = verdict_line(verdict)
        if numbers and verdict.get("finding") in ("refuse", "ask"):
            console.print(Text(f"  {verdict['rule']}: {numbers}"), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Group:
    """Return a titled table; numbers stand right, what is missing is a dash."""
    drawn = Table(header_style="bold", box=None)
    for column in columns:
        drawn.add_column(
            column,
            justify="right" if column in _RIGHT else "left",
            overflow="fold",
            no_wrap=column.endswith("id"),  # an id is there to be copied
        )
    for row in rows:
        drawn.add_row(*(Text(_shown(cell)) for cell in row))
    return Group(_title(title), drawn)


def pairs(title: str, values: Iterable[tuple[str, object]]) -> Text:
    """Return titled names and values, one a line; missing values are left out."""
    held = [(name, _shown(value)) for name, value in values if value not in (None, "", [], ())]
    width = max((len(name) for name, _ in held), default=0)
    drawn = _title(title)
    for name, value in held:
        drawn.append(f"\n  {name:<{width}}  {value}", style="not bold")
    return drawn


def checklist(verdicts: Sequence[Mapping[str, Any]]) -> Group:
    """Return every rule that was asked, with its number, its limit and what is left."""
    asked = _asked(verdicts)
    numbers = ("rule", "value", "limit", "headroom", "unit")
    drawn = table(
        "Checklist",
        ("", *numbers),
        (
            (_MARKS.get(verdict["finding"], "?"), *(verdict.get(name) for name in numbers))
            for verdict in asked
        ),
    )
    return Group(drawn, *_said(asked))


def summary(verdicts: Sequence[Mapping[str, Any]]) -> Group:
    """Return the checklist in one line, and a line for each rule that did not just say yes."""
    asked = _asked(verdicts)
    passed = [verdict for verdict in asked if verdict["finding"] == "pass"]
    count = "all" if len(passed) == len(asked) else str(len(passed))
    line = Text(f"judged by {len(asked)} rules, {count} passed")
    measured = [(slack, verdict) for verdict in passed if (slack := _slack(verdict)) is not None]
    if measured:
        _, tightest = min(measured, key=lambda pair: pair[0])
        line.append(f"; tightest: {plain(tightest['rule'])}: {verdict_line(tightest)}")
    return Group(line, *_said(asked))


def verdict_line(verdict: Mapping[str, Any]) -> str:
    """Return the numbers of one rule's word; empty where it has none."""
    numbers = [
        f"{word} {plain(str(verdict[word]))}"
        for word in ("value", "limit", "headroom")
        if verdict.get(word) is not None
    ]
    return f"{', '.join(numbers)} {plain(verdict.get('unit') or '')}".rstrip() if numbers else ""


def sparkline(values: Sequence[Decimal]) -> str:
    """Draw values as one line of blocks, lowest to highest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    steps = len(_BLOCKS) - 1
    return "".join(
        _BLOCKS[int((value - low) / (high - low) * steps) if high > low else 0] for value in values
    )


def in_commands(text: str) -> str:
    """Return an answer's words with the commands of ours in place of the tools they name."""
    return _TOOL.sub(lambda found: _COMMANDS[found[0]], plain(text))


def plain(text: str) -> str:
    """Take control, bidirectional and invisible characters out of text that others wrote."""
    return "".join(
        letter if unicodedata.category(letter)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


_COMMANDS: Final = {
    "list_orders": "`ordergate orders`",
    "get_order": "`ordergate order show`",
    "wait_order": "`ordergate order wait`",
    "cancel_order": "`ordergate order cancel`",
    "close_position": "`ordergate order close`",
    "check_risk": "`ordergate risk check`",
    "get_limits": "`ordergate risk limits`",
    "get_positions": "`ordergate positions`",
    "get_status": "`ordergate status`",
    "idempotency_key": "--key",
}
_TOOL: Final = re.compile(rf"\b(?:{'|'.join(_COMMANDS)})\b")
_MARKS: Final = {"pass": "ok", "warn": "warn", "ask": "ASK", "refuse": "NO"}


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value))


def _asked(verdicts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [verdict for verdict in verdicts if verdict["finding"] != "not_asked"]


def _slack(verdict: Mapping[str, Any]) -> Decimal | None:
    """Return how far from its limit a rule came out, as a share of the limit."""
    if verdict.get("value") is None or verdict.get("limit") is None:
        return None
    value, limit = Decimal(str(verdict["value"])), Decimal(str(verdict["limit"]))
    return abs(limit - value) / abs(limit) if limit else None


def _said(asked: Sequence[Mapping[str, Any]]) -> list[Text]:
    return [
        Text(f"{_MARKS[verdict['finding']]} {verdict['rule']}: {plain(verdict['message'])}")
        for verdict in asked
        if verdict["finding"] != "pass" and verdict.get("message")
    ]


def _title(title: str) -> Text:
    return Text(plain(title), style="bold")
