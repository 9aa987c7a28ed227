"""The desk's first page: what waits for the operator, what is parked, what was tightened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ordergate.identity.authority import Act
from ordergate.model.records import HaltRecord, Loosening, Tightening
from ordergate.model.views import OrderView, SafetyView, TicketView
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
from ordergate.surfaces.console.halts_page import halt_title
from ordergate.surfaces.console.markup import Child, Html, tag
from ordergate.surfaces.console.ticket_page import headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """What lies on the desk now."""

    asks: tuple[TicketView, ...]
    drafts: tuple[OrderView, ...]
    parked: tuple[OrderView, ...]
    safety: SafetyView


def home_content(desktop: Desktop, *, frame: Frame, now: datetime) -> list[Child]:
    """Return the page's parts; what is parked and tightened stands there only when there is any."""
    asks, drafts, halts = desktop.asks, desktop.drafts, desktop.safety.halts
    return [
        card(f"Waiting for your yes: {len(asks)}", [_ask_line(view, now) for view in asks]),
        card(f"Drafts: {len(drafts)}", [_draft_line(view) for view in drafts]),
        card(f"Halts in force: {len(halts)}", [_halt_line(halt) for halt in halts]),
        [_parked_card(view, frame=frame) for view in desktop.parked],
        [
            _waiting_card(row, csrf=frame.csrf)
            for row in desktop.safety.loosenings
            if not row.withdrawn
        ],
        [_tight_card(name, desktop.safety, frame=frame) for name in _tight_names(desktop.safety)],
    ]


def _ask_line(view: TicketView, now: datetime) -> Html:
    left_s = max(0, int((view.ticket.expires_at - now).total_seconds()))
    return tag(
        "p",
        tag("a", headline(view.order), href=f"/approve/{view.ticket.ticket_id}"),
        tag("small", f"{view.order.principal} · number {view.ticket.number:02d} · {left_s} s left"),
        class_="line",
    )


def _draft_line(view: OrderView) -> Html:
    return tag(
        "p",
        tag("a", headline(view.order), href="/drafts"),
        tag("small", f"{view.order.principal} · {moment(view.order.created_at)}"),
        class_="line",
    )


def _halt_line(halt: HaltRecord) -> Html:
    return tag(
        "p",
        tag("a", halt_title(halt), href="/halts"),
        tag("small", spoken(halt.reason)),
        class_="line",
    )


def _parked_card(view: OrderView, *, frame: Frame) -> Html:
    here = f"/orders/{view.order.order_id}"
    parked = {"act": Act.RESOLVE.value, "target": view.order.order_id, "kind": "no"}
    rows: list[tuple[str, Child]] = [("Order", tag("a", view.order.order_id, href=here))]
    if view.attempt is not None:
        rows += [
            ("Sent", moment(view.attempt.claimed_at)),
            ("Parked since", moment(view.attempt.updated_at)),
            ("Tag to look for", view.attempt.tag),
        ]
    return card(
        f"Parked: {headline(view.order)}",
        tag("p", "The venue shows no trace of it. Look there by the tag, then say what you found."),
        facts(rows),
        tag(
            "div",
            form(
                f"{here}/not-placed",
                field("How you know that it never arrived", "reason", maxlength="500"),
                factor(frame, "It was not placed", **parked),
                csrf=frame.csrf,
            ),
            form(
                f"{here}/placed",
                field("How you know that it was there and is gone", "reason", maxlength="500"),
                factor(frame, "It was placed and is gone", **parked),
                csrf=frame.csrf,
            ),
            class_="answers",
        ),
        class_="parked",
    )


def _waiting_card(row: Loosening, *, csrf: str) -> Html:
    return card(
        f"Loosening: {row.limit_name}" + (f" ({row.source})" if row.source else ""),
        facts(
            [
                ("In force", row.old),
                ("Asked for", row.new),
                ("Announced", f"{moment(row.announced_at)} by {row.by}"),
                ("Counts from", moment(row.effective_at)),
            ]
        ),
        form(
            f"/limits/{row.limit_name}/withdraw",
            field("Why it must stay as it is", "reason", maxlength="500"),
            button("Keep the stricter number", kind="no"),
            csrf=csrf,
        ),
        class_="tightened",
    )


def _tight_names(safety: SafetyView) -> list[str]:
    return list(dict.fromkeys(one.limit_name for one in safety.tightenings))


def _tight_card(name: str, safety: SafetyView, *, frame: Frame) -> Html:
    held = [one for one in safety.tightenings if one.limit_name == name]
    value = next((row.value for row in safety.limits if row.name == name), None)
    return card(
        f"Tightened: {name}" + (f" is {value}" if value is not None else ""),
        [_tight_line(one) for one in held],
        form(
            f"/limits/{name}/loosen",
            field(
                "Why the file's number may count again, after the delay", "reason", maxlength="500"
            ),
            factor(frame, "Take it back", act=Act.LOOSEN, target=name, kind="no"),
            csrf=frame.csrf,
        ),
        class_="tightened",
    )


def _tight_line(one: Tightening) -> Html:
    said = f"{spoken(one.reason)} · " if one.reason else ""
    return tag(
        "p",
        f"{one.value:f} by {one.set_by}",
        tag("small", f"{said}{moment(one.set_at)}"),
        class_="line",
    )
