"""What is different between two asks for one order: price, limits, and what it would change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ordergate.model.records import AuditRow
from ordergate.model.values import TicketId
from ordergate.model.views import Difference

SUBJECT: Final = ("side", "order_type", "quantity", "limit_price", "stop_price", "stop_loss")
NOTHING: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the operator was asked about, as it was sealed."""

    ticket_id: TicketId
    reference: str
    band: tuple[str, str]
    policy: str = ""
    subject: Mapping[str, str]


def asks(rows: Iterable[AuditRow]) -> tuple[Asked, ...]:
    """Return every ask of an order's sealed history, oldest first."""
    found: list[Asked] = []
    opened: Mapping[str, Any] | None = None
    for row in rows:
        body = json.loads(row.body)["body"]
        if row.kind == "ticket.opened":
            opened = body
        elif opened is not None and "facts" in body:
            found.append(_asked(opened, body))
            opened = None
    return tuple(found)


def limits_in(row: AuditRow) -> Mapping[str, str]:
    """Return the numbers of a sealed `limits.in_force`."""
    limits: Mapping[str, str] = json.loads(row.body)["body"]["limits"]
    return limits


def terms_changed(was: Asked, now: Asked) -> tuple[Difference, ...]:
    """Return what is another: the price, its band, and the position or order it would change."""
    rows = [
        ("Price", was.reference, now.reference),
        ("Price band", " – ".join(was.band), " – ".join(now.band)),
        *(
            (name.replace("_", " ").capitalize(), was.subject.get(name), now.subject.get(name))
            for name in (*SUBJECT, "take_profit")
        ),
    ]
    return tuple(
        Difference(what, old or NOTHING, new or NOTHING) for what, old, new in rows if old != new
    )


def limits_changed(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    """Return every limit that has another number."""
    names = [*was, *(name for name in now if name not in was)]
    return tuple(
        Difference(name, was.get(name, NOTHING), now.get(name, NOTHING))
        for name in names
        if was.get(name) != now.get(name)
    )


def _asked(opened: Mapping[str, Any], judged: Mapping[str, Any]) -> Asked:
    facts = json.loads(judged["facts"])
    subject = facts.get("position") or facts.get("resting") or {}
    low, high = opened["band"]
    return Asked(
        ticket_id=TicketId(opened["ticket"]),
        reference=opened["reference"],
        band=(low, high),
        policy=judged["policy"],
        subject={name: str(value) for name, value in subject.items() if value is not None},
    )
