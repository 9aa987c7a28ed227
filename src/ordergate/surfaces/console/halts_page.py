"""The halts in force, and the ways to release and engage them."""

from __future__ import annotations

from ordergate.identity.authority import Act
from ordergate.model.records import HaltRecord, ScopeKind
from ordergate.surfaces.console.frame import (
    Frame,
    button,
    card,
    factor,
    facts,
    field,
    form,
    moment,
    spoken,
)
from ordergate.surfaces.console.markup import Child, Html, tag


def halt_title(halt: HaltRecord) -> str:
    """Return a halt in a few words: KILL: global."""
    scope = halt.scope if halt.scope is ScopeKind.GLOBAL else f"{halt.scope} {halt.target}"
    return f"{halt.kind.upper()}: {scope}"


def halt_card(halt: HaltRecord, *, frame: Frame) -> Html:
    """Return one halt with the form that releases it."""
    rows: list[tuple[str, Child]] = [
        ("Engaged by", halt.engaged_by),
        ("Since", moment(halt.engaged_at)),
        ("Reason given", spoken(halt.reason)),
    ]
    return card(
        halt_title(halt),
        facts(rows),
        form(
            f"/halts/{halt.halt_id}/release",
            field("Why it may be released", "reason", maxlength="500"),
            factor(frame, "Release", act=Act.RELEASE, target=halt.halt_id, kind="no"),
            csrf=frame.csrf,
        ),
    )


def engage_card(*, csrf: str) -> Html:
    """Return the form that stops all new risk."""
    return card(
        "Stop all new risk",
        tag("p", "Opening orders are refused and cancelled. Exits always pass."),
        form(
            "/halts",
            field("Why", "reason", maxlength="500"),
            button("Engage the kill switch", kind="no"),
            csrf=csrf,
        ),
    )
