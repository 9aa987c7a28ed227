"""What the human reads: every number with its unit, every mode in capitals, nothing to press."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ordergate.model.accounts import Mode
from ordergate.model.orders import (
    CancelIntent,
    CloseIntent,
    Keep,
    ModifyIntent,
    PlaceIntent,
)
from ordergate.model.records import OrderRecord, TicketRecord, TicketState
from ordergate.model.values import plain

SAID_MAX: Final = 200
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MARKUP: Final = re.compile(r"[\[\]<>`*_#|~\\]")
# What a messenger would turn into a link: names with dots, addresses, schemes.
_LINKING: Final = re.compile(r"(?<=\w)\.(?=[^\W\d])|(?<=\d)\.(?=\d+\.\d)|(?<=\w):(?=[\w/])|@")


@dataclass(frozen=True, slots=True)
class Words:
    """One message: the line a lock screen shows, the lines below it, and where the link leads."""

    title: str
    text: str
    path: str  # below the console's address


def said(words: str) -> str:
    """Return another's words fit for a message: no control, markup, mention or link survives."""
    seen = "".join(" " if unicodedata.category(letter) in _UNSEEN else letter for letter in words)
    broken = _LINKING.sub(
        lambda found: " at " if found[0] == "@" else f"{found[0]} ", _MARKUP.sub("", seen)
    )
    return " ".join(broken.split())[:SAID_MAX]


def masked(account: str) -> str:
    """Return the account's last four characters: a lock screen is read by others."""
    return f"...{account[-4:]}"


def mode_word(mode: Mode | None) -> str:
    return "MODE UNKNOWN" if mode is None else mode.upper()


def asked(order: OrderRecord, ticket: TicketRecord, mode: Mode | None) -> Words:
    """Say what waits for a yes: all that a person needs before they open the link."""
    lines = [
        f"{mode_word(mode)} {order.venue} {masked(order.account)}",
        what(order),
        f"Price as drafted {plain(ticket.reference_price)}, "
        f"good from {plain(ticket.band_low)} to {plain(ticket.band_high)}",
        *_sizes(order),
        f"Agent {said(order.principal)}",
        f"Number to match: {ticket.number:02d}",
        f"The ask ends {at(ticket.expires_at)}",
        "Read it and answer on its page:",
    ]
    title = f"{mode_word(mode)} ask {ticket.number:02d}: {what(order)}"
    return Words(title, "\n".join(lines), f"/approve/{ticket.ticket_id}")


_ENDS: Final = {
    TicketState.APPROVED: "was approved",
    TicketState.DENIED: "was denied",
    TicketState.EXPIRED: "ended without an answer",
    TicketState.WITHDRAWN: "was withdrawn",
    TicketState.SUPERSEDED: "is void: the price left its band, a new ask follows",
}


def answered(order: OrderRecord, ticket: TicketRecord, mode: Mode | None) -> Words:
    """Say what became of an ask that was told."""
    by = f" by {said(ticket.decided_by)}" if ticket.method and ticket.decided_by else ""
    became = _ENDS.get(ticket.state, "is open")
    title = f"{mode_word(mode)} ask {ticket.number:02d} {became}{by}"
    return Words(title, what(order), f"/orders/{order.order_id}")


_CONDITIONS: Final = {
    "price_above": "at or above {level}",
    "price_below": "at or below {level}",
    "price_crosses": "crossed {level}",
    "change_percent": "moved {level} % within {window_s} s",
    "spread_above": "spread at or above {level}",
    "quote_stale": "no usable price",
    "rule": "{timeframe}: {rule}",
}


_TOLD: Final = ("level", "window_s", "price", "rule", "timeframe")


def priced(body: Mapping[str, Any], *, asked_by: str) -> Words:
    """Say that a price alert fired: what was asked for, and the price with its source."""
    words = {name: said(str(body.get(name, ""))) for name in _TOLD}
    condition = _CONDITIONS.get(str(body.get("condition")), "as asked").format(**words)
    made_up = ", SYNTHETIC" if body.get("synthetic") == "true" else ""
    price = str(body.get("price", ""))
    lines = [
        f"Price {price}{made_up}, of {body.get('as_of', '')}" if price else "There is no price.",
        f"From {said(str(body.get('source', '')))}" if price else "",
        f"Asked for by {said(asked_by)}",
        f"Their note: {said(str(body['note']))}" if body.get("note") else "",
    ]
    title = f"{said(str(body.get('symbol', '')))} {condition}"
    return Words(title, "\n".join(filter(None, lines)), "/alerts")


def what(order: OrderRecord) -> str:
    """Return an order in one line, from its canonical fields alone."""
    match order.intent:
        case PlaceIntent() as new:
            prices = (
                ("limit", new.limit_price),
                ("trigger", new.stop_price),
                ("stop loss", new.stop_loss),
                ("take profit", new.take_profit),
            )
            told = "".join(f", {name} {plain(price)}" for name, price in prices if price)
            kind = new.order_type.replace("_", " ")
            return f"{new.side.upper()} {plain(new.quantity)} {new.symbol} {kind}{told}"
        case ModifyIntent() as change:
            named = f"CHANGE of {change.position_id or change.venue_order_id} {change.symbol}"
            return named + "".join(_news(change))
        case CloseIntent() as close:
            size = "all" if close.quantity is None else plain(close.quantity)
            return f"CLOSE {size} of {close.position_id} {close.symbol}"
        case CancelIntent() as cancel:
            return f"CANCEL {cancel.venue_order_id} {cancel.symbol}"


_TERMS: Final = ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit")


def _news(change: ModifyIntent) -> Iterator[str]:
    """Yield what a change sets and what it takes away."""
    for name in _TERMS:
        value: Decimal | Keep | None = getattr(change, name)
        if not isinstance(value, Keep):
            told = "REMOVED" if value is None else plain(value)
            yield f", {name.replace('_', ' ')} {told}"


_SIZES: Final = {"order_notional": "Notional", "risk_per_trade": "Risk to the stop"}


def _sizes(order: OrderRecord) -> list[str]:
    """Return what the order comes to, as its recorded checklist measured it."""
    verdicts = json.loads(order.decision_json or "{}").get("verdicts", ())
    found = {one.get("rule"): one for one in verdicts}
    lines = []
    for rule, name in _SIZES.items():
        value = found.get(rule, {}).get("value")
        unit = found.get(rule, {}).get("unit", "")
        lines.append(f"{name} {plain(_cents(value))} {unit}".rstrip() if value else f"{name} ?")
    return lines


def _cents(value: str) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"))


def at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
