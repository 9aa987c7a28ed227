"""The approval page: what the order is, from canonical fields, and the whole checklist."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ordergate.identity.authority import Act
from ordergate.model.accounts import Mode
from ordergate.model.canonical import plain_data
from ordergate.model.orders import CancelIntent, CloseIntent, Keep, ModifyIntent, PlaceIntent
from ordergate.model.records import OrderRecord, TicketRecord, TicketState
from ordergate.model.views import Difference, OrderView, TicketView
from ordergate.surfaces.console.frame import (
    LABELS,
    NOTHING,
    Frame,
    button,
    card,
    factor,
    facts,
    field,
    form,
    moment,
    number,
    priced,
    spoken,
)
from ordergate.surfaces.console.markup import Child, Html, tag

APART: Final = frozenset({"note", "strategy", "account", "venue"})
SIGNS: Final = {"pass": "✓", "warn": "!", "ask": "?", "refuse": "✗", "not_asked": "·"}
ENDED: Final = {
    TicketState.APPROVED: "approved",
    TicketState.DENIED: "denied",
    TicketState.EXPIRED: "ended unanswered: its time was over",
    TicketState.WITHDRAWN: "withdrawn before anyone answered",
    TicketState.SUPERSEDED: "answered after the price had left its band: nothing was sent",
}


def headline(order: OrderRecord) -> str:
    """Return the order in a few words: BUY 0.5 EURUSD, market."""
    match order.intent:
        case PlaceIntent() as intent:
            kind = intent.order_type.value.replace("_", " ")
            return f"{intent.side.upper()} {number(intent.quantity)} {intent.symbol}, {kind}"
        case CloseIntent() as intent:
            size = "all of" if intent.quantity is None else f"{number(intent.quantity)} of"
            return f"CLOSE {size} position {intent.position_id}, {intent.symbol}"
        case ModifyIntent() as intent:
            target = intent.position_id or intent.venue_order_id
            return f"CHANGE {target}, {intent.symbol}"
        case CancelIntent() as intent:
            return f"CANCEL {intent.venue_order_id}, {intent.symbol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """What an ask says otherwise than the one before it, and what is otherwise by now."""

    before: tuple[Difference, ...] = ()
    since: tuple[Difference, ...] = ()


def ticket_content(
    view: TicketView, altered: Altered, *, frame: Frame, now: datetime, anchor: str = ""
) -> list[Child]:
    """Return the approval page's parts; the agent's words come last, far from the buttons."""
    ticket, order = view.ticket, view.order
    open_now = ticket.state is TicketState.OPEN and now < ticket.expires_at
    return [
        _mode_frame(frame),
        _asked_anew(altered.before) if altered.before else None,
        _changed_since(altered.since) if altered.since and open_now else None,
        tag("p", headline(order), class_="headline"),
        card("The ask", _ask_facts(view, frame=frame, now=now)),
        card("The order", order_facts(order)),
        _answers(ticket, frame=frame) if open_now else _decided(ticket, order, now=now),
        card("Checklist", checklist(order)),
        agent_words(order),
        tag("p", f"The record: {anchor}") if anchor else None,
    ]


def order_content(view: OrderView, *, mode: str) -> list[Child]:
    """Return the page of one order."""
    attempt = view.attempt
    rows: list[tuple[str, Child]] = [
        ("Status", view.status),
        ("Code", view.code or NOTHING),
        *([("The venue's word", spoken(view.venue_code))] if view.venue_code else []),
        ("Mode", mode),
        ("Filled", number(attempt.filled_quantity) if attempt else NOTHING),
        ("Average price", number(attempt.average_price) if attempt else NOTHING),
        ("Asked by", view.order.principal),
        ("Updated", moment(view.order.updated_at)),
    ]
    return [
        tag("p", headline(view.order), class_="headline"),
        card("Where it stands", facts(rows)),
        card("The order", order_facts(view.order)),
        card("Checklist", checklist(view.order)),
        agent_words(view.order),
    ]


def order_facts(order: OrderRecord) -> Html:
    """Return every canonical field that the order sets."""
    rows: list[tuple[str, Child]] = [
        ("Account", f"{order.venue} {order.account}"),
        ("Asked by", order.principal),
    ]
    changes = isinstance(order.intent, ModifyIntent)
    for name, value in plain_data(order.intent).items():
        if name in APART or value is False or value == Keep.KEEP.value:
            continue
        if value is not None:
            rows.append((name.replace("_", " ").capitalize(), spoken(str(value))))
        elif changes and name in ("stop_loss", "take_profit"):
            rows.append((name.replace("_", " ").capitalize(), "REMOVED"))
    return facts(rows)


def checklist(order: OrderRecord) -> Html:
    """Return the recorded verdict of every rule, with its number and headroom."""
    verdicts = _verdicts(order)
    if not verdicts:
        return tag("p", "Not judged yet: it is judged when it is submitted.")
    head = tag("tr", [tag("th", name) for name in ("", "Rule", "Value", "Limit", "Headroom")])
    return tag(
        "table",
        tag("thead", head),
        tag("tbody", [_verdict_row(verdict) for verdict in verdicts]),
        class_="checklist",
    )


def agent_words(order: OrderRecord) -> Child:
    """Return the agent's note and strategy: labelled, plain, cut."""
    intent = order.intent
    said = [("Note", intent.note)]
    if isinstance(intent, PlaceIntent):
        said.append(("Strategy", intent.strategy))
    rows = [(name, spoken(words)) for name, words in said if words]
    if not rows:
        return None
    return card(
        "Words of the agent",
        tag("p", "Untrusted: written by a program, not checked by anyone.", class_="label"),
        [tag("blockquote", f"{name}: {words}") for name, words in rows],
        class_="untrusted",
    )


def _ask_facts(view: TicketView, *, frame: Frame, now: datetime) -> Html:
    ticket, order = view.ticket, view.order
    left_s = int((ticket.expires_at - now).total_seconds())
    band = f"{number(ticket.band_low)} – {number(ticket.band_high)}"
    rows: list[tuple[str, Child]] = [
        ("Mode", LABELS[frame.mode] if frame.mode else "unknown"),
        ("Why it waits", _why(order)),
        ("Number to match", tag("strong", f"{ticket.number:02d}", class_="match")),
        ("Price now", [priced(view.now), " ", _where(view)]),
        ("Price when asked", number(ticket.reference_price)),
        ("Price band of a yes", band),
        ("Notional", figure(order, "order_notional")),
        ("Risk to the stop", figure(order, "risk_per_trade")),
        *((f"{name}: used", words) for name, words in limits_used(order)),
        ("Time left", f"{left_s} s, until {moment(ticket.expires_at)}" if left_s > 0 else "none"),
        ("This page shows", moment(now)),
    ]
    return facts(rows)


def _why(order: OrderRecord) -> str:
    asking = [verdict for verdict in _verdicts(order) if verdict["finding"] == "ask"]
    return (
        "; ".join(str(verdict.get("message") or verdict["rule"]) for verdict in asking) or NOTHING
    )


def _where(view: TicketView) -> Html:
    price, ticket = view.now.price, view.ticket
    if price is None:
        return tag("em", "no price now", class_="warn")
    if ticket.band_low <= price <= ticket.band_high:
        return tag("em", "✓ inside the band", class_="good")
    return tag("em", "✗ outside the band: a yes will ask again", class_="warn")


def _answers(ticket: TicketRecord, *, frame: Frame) -> Html:
    shown = tag("input", type="hidden", name="fingerprint", value=ticket.fingerprint)
    here = f"/approve/{ticket.ticket_id}"
    return tag(
        "section",
        form(
            f"{here}/yes",
            shown,
            factor(frame, "Approve this order", act=Act.APPROVE, target=ticket.ticket_id),
            csrf=frame.csrf,
        ),
        form(
            f"{here}/no",
            field("Why not (optional)", "reason", required=False, maxlength="500"),
            button("Deny", kind="no"),
            csrf=frame.csrf,
        ),
        class_="answers",
    )


def _decided(ticket: TicketRecord, order: OrderRecord, *, now: datetime) -> Html:
    if ticket.state is TicketState.OPEN:
        return card("No answer is possible", tag("p", f"Its time ended {moment(now)}."))
    by = f" by {ticket.decided_by} at {moment(ticket.decided_at)}" if ticket.decided_by else ""
    newer = order.ticket_id if order.ticket_id != ticket.ticket_id else None
    return card(
        "This ask was decided already",
        tag("p", f"It was {ENDED.get(ticket.state, ticket.state)}{by}. The first answer counts."),
        tag("p", tag("a", "See the order", href=f"/orders/{order.order_id}")),
        tag("p", tag("a", "Open the newer ask", href=f"/approve/{newer}")) if newer else None,
        class_="decided",
    )


def _mode_frame(frame: Frame) -> Html:
    """Return the account's mode in words and in a frame that cannot be mistaken."""
    words = {
        Mode.LIVE: "LIVE ACCOUNT: REAL MONEY",
        Mode.DEMO: "Demo account: the broker's play money",
        Mode.PAPER: "Paper account: no money moves",
    }
    said = words[frame.mode] if frame.mode else "The venue cannot be read: the mode is not known"
    return tag("p", said, class_=f"mode-frame {frame.mode or 'unknown'}", role="status")


def _asked_anew(changes: Iterable[Difference]) -> Html:
    return card(
        "This is a new ask: what changed",
        tag("p", "Nothing was sent. The order is not what you were shown before:"),
        _differences(changes),
        class_="changed",
    )


def _changed_since(changes: Iterable[Difference]) -> Html:
    return card(
        "Changed since this was asked",
        tag("p", "A yes sends nothing now: it asks you anew, on these terms."),
        _differences(changes),
        class_="changed",
    )


def _differences(changes: Iterable[Difference]) -> Html:
    head = tag("tr", [tag("th", name) for name in ("What", "Was", "Now")])
    rows = [
        tag("tr", tag("td", one.what), tag("td", one.was), tag("td", tag("strong", one.now)))
        for one in changes
    ]
    return tag("table", tag("thead", head), tag("tbody", rows), class_="differences")


def figure(order: OrderRecord, rule: str) -> str:
    """Return the number that a rule came to, with its unit."""
    for verdict in _verdicts(order):
        if verdict["rule"] == rule and verdict.get("value") is not None:
            return f"{verdict['value']} {verdict.get('unit') or ''}".strip()
    return NOTHING


def limits_used(order: OrderRecord) -> list[tuple[str, str]]:
    """Return the limits with a number: what this order comes to, of what, and what is left."""
    rows = []
    for verdict in _verdicts(order):
        if verdict.get("value") is None or verdict.get("limit") is None:
            continue
        left = f", {verdict['headroom']} left" if verdict.get("headroom") is not None else ""
        unit = f" {verdict.get('unit') or ''}".rstrip()
        name = str(verdict["rule"]).replace("_", " ").capitalize()
        rows.append((name, f"{verdict['value']} of {verdict['limit']}{unit}{left}"))
    return rows


def _verdicts(order: OrderRecord) -> Iterable[Mapping[str, Any]]:
    if order.decision_json is None:
        return ()
    verdicts: list[Mapping[str, Any]] = json.loads(order.decision_json)["verdicts"]
    return verdicts


def _verdict_row(verdict: Mapping[str, Any]) -> Html:
    finding = str(verdict["finding"])
    said = [verdict.get("message"), verdict.get("fix") if finding == "refuse" else None]
    numbers = [verdict.get(name) for name in ("value", "limit", "headroom")]
    measured = any(number is not None for number in numbers)
    if measured:
        said.append(verdict.get("unit"))
    return tag(
        "tr",
        tag("td", SIGNS.get(finding, finding), title=finding, class_="sign"),
        tag(
            "td",
            tag("span", str(verdict["rule"]).replace("_", " ")),
            [tag("small", str(words)) for words in said if words],
        ),
        [tag("td", NOTHING if n is None else str(n), class_="n") for n in numbers],
        class_=f"finding-{finding}" if measured else f"finding-{finding} bare",
    )
