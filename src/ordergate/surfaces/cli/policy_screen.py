"""The policy drawn: limits in force, what waits to be looser, and what other limits had done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ordergate.surfaces.cli.screen import pairs, table


def draw_limits(found: Mapping[str, Any], only: str | None = None) -> Iterable[RenderableType]:
    """Draw the limits in force, or the one that is named with or without "limits."."""
    yield table(
        "Limits in force",
        ("limit_name", "value", "unit", "source", "agents may tighten"),
        (
            (row["name"], row["value"], row["unit"], row["source"], row["agents_may_tighten"])
            for row in found["limits"]
            if only is None or row["name"] in (only, f"limits.{only}")
        ),
    )
    waiting = [row for row in found.get("loosenings", ()) if not row.get("withdrawn")]
    if waiting:
        yield table(
            "Looser numbers that wait: announced, not in force",
            ("limit_name", "source", "in force", "asked for", "counts from", "by"),
            (
                (
                    row["limit_name"],
                    row["source"] or "file",
                    row["old"],
                    row["new"],
                    row["effective_at"],
                    row["by"],
                )
                for row in waiting
            ),
        )


def draw_simulated(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Draw what other limits had changed: the decisions, then counts and totals."""
    if found["changed"]:
        yield table(
            f"Otherwise under {found['policy']}",
            ("time", "order id", "by", "order", "then", "now", "value", "limit", "unit", "source"),
            (
                (
                    row["at"],
                    row["order_id"],
                    row["principal"],
                    row["order"],
                    row["then"],
                    row["now"],
                    row["value"],
                    row["limit"],
                    row["unit"],
                    row["source"],
                )
                for row in found["changed"]
            ),
        )
    else:
        yield Text(f"no decision had come out otherwise under {found['policy']}")
    amounts = found["notional"]
    yield pairs(
        f"{found['decisions']} decisions, {len(found['changed'])} otherwise",
        [
            *found["counts"].items(),
            ("sent by itself, value", f"{amounts['sent_then']} -> {amounts['sent_now']}"),
            ("put to a human, value", f"{amounts['asked_then']} -> {amounts['asked_now']}"),
            *((f"not replayed: {why}", count) for why, count in found["not_replayed"].items()),
            ("not exact for", ", ".join(found["not_exact_for"])),
        ],
    )
    yield Text(found["note"], style="dim")


def draw_rejudged(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Draw each recorded verdict beside the one made anew."""
    for row in found["judgements"]:
        yield pairs(
            f"{'reproduced' if row['same'] else 'DIFFERS'}: {row['kind']}",
            [
                ("record", row["seq"]),
                ("at", row["at"]),
                ("recorded", row["recorded"] or row["recorded_sha256"]),
                ("now", (row["now"] if row["recorded"] else row["now_sha256"]) or "cannot be made"),
                ("note", row["note"]),
            ],
        )
