"""Which sealed records a human is told of, how gravely, and when such a thing is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ordergate.alerts.wording import Words, answered, asked, priced, said, what
from ordergate.model.accounts import Mode
from ordergate.model.alerts import AlertKind, AlertRecord, Severity
from ordergate.model.records import AuditRow, OrderRecord, TicketRecord

NAKED: Final = "naked position"
LOST_FOR: Final = timedelta(seconds=2)  # most lost replies are found out within it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """What a kind of record comes to."""

    kind: AlertKind
    severity: Severity
    title: str = ""
    path: str = "/alerts"
    wait: timedelta = timedelta(0)


def _news(title: str) -> Rise:
    return Rise(kind=AlertKind.GATEWAY, severity=Severity.WARNING, title=title)


# Kinds that other parts of the house may seal; a kind nobody seals costs one look at an index.
RISES: Final[Mapping[str, Rise]] = {
    "ticket.opened": Rise(kind=AlertKind.ASK, severity=Severity.WARNING),
    "halt.engaged": Rise(kind=AlertKind.HALT, severity=Severity.CRITICAL, path="/halts"),
    "exit.naked": Rise(kind=AlertKind.ALARM, severity=Severity.CRITICAL, title=NAKED),
    "attempt.not_found": Rise(
        kind=AlertKind.ORDER,
        severity=Severity.CRITICAL,
        title="PARKED: the venue shows no trace of an order; look there, then resolve it",
        path="/orders/{corr}",
    ),
    "attempt.lost_sight": Rise(
        kind=AlertKind.ORDER,
        severity=Severity.WARNING,
        title="UNKNOWN: it is not known whether an order was placed; it is being found out",
        path="/orders/{corr}",
        wait=LOST_FOR,
    ),
    "attempt.vanished": Rise(
        kind=AlertKind.ORDER,
        severity=Severity.WARNING,
        title="UNKNOWN: a resting order is gone from the venue's books; it is being found out",
        path="/orders/{corr}",
        wait=LOST_FOR,
    ),
    "price_alert.fired": Rise(kind=AlertKind.PRICE, severity=Severity.INFO),
    "link.returned": _news("Back at the venue after a silence: resting openings are cancelled"),
    "live.armed": _news("LIVE TRADING IS ARMED: orders move real money"),
    "live.disarmed": _news("Live trading is no longer armed"),
    "limit.loosening_announced": _news("A limit will be loosened after its delay"),
    "limit.loosening_withdrawn": _news("A limit will not be loosened after all"),
    "limit.loosened": _news("A limit was loosened"),
}
# What ends alarms: which ones of the position that the record names; "" = every one.
ENDS: Final[Mapping[str, str]] = {"exit.protected": NAKED, "exit.ended": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rows that a sealed record speaks of."""

    order: OrderRecord | None = None
    ticket: TicketRecord | None = None
    mode: Mode | None = None


def body_of(row: AuditRow) -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads(row.body)["body"]
    return body


def risen(row: AuditRow, source: Source, console: str) -> AlertRecord | None:
    """Return the alert of a sealed record; the same record always gives the same one."""
    rise = RISES[row.kind]
    words = _words(row, source, rise)
    if words is None:
        return None
    subject = row.corr
    if rise.kind is AlertKind.ALARM:
        subject = alarm({"alarm": rise.title, **_position(body_of(row))})[0]
    if rise.kind is AlertKind.PRICE:
        subject = f"{row.corr}:{row.seq}"  # each firing is news of its own
    if rise.kind is AlertKind.ASK and source.ticket is not None:
        subject = source.ticket.ticket_id
    return AlertRecord(
        alert_id=f"r{row.seq}",
        kind=rise.kind,
        severity=rise.severity,
        subject=subject,
        title=words.title,
        text=words.text,
        link=console + words.path,
        created_at=row.ts,
        next_at=row.ts + rise.wait,
    )


def _words(row: AuditRow, source: Source, rise: Rise) -> Words | None:
    body = body_of(row)
    match rise.kind:
        case AlertKind.ASK:
            if source.order is None or source.ticket is None:
                return None
            return asked(source.order, source.ticket, source.mode)
        case AlertKind.HALT:
            return halted(body, actor=row.actor)
        case AlertKind.ALARM:
            return alarm({"alarm": rise.title, **_position(body)})[1]
        case AlertKind.ORDER:
            text = "" if source.order is None else what(source.order)
            return Words(rise.title, text, rise.path.format(corr=row.corr))
        case AlertKind.PRICE:
            return priced(body, asked_by=row.actor)
    told = ", ".join(f"{name} {said(str(value))}" for name, value in sorted(body.items()))
    return Words(rise.title, f"{told}\nby {said(row.actor)}", rise.path)


def alarm(body: Mapping[str, Any]) -> tuple[str, Words]:
    """Return what an alarm is about and how it is said: `alarm` names it, all else explains it."""
    name = said(str(body.get("alarm", "alarm")))
    subject = f"{name}:{said(str(body.get('position_id', '')))}"
    told = [
        f"{said(key.replace('_', ' '))}: {said(str(value))}"
        for key, value in body.items()
        if key != "alarm" and value not in (None, "")
    ]
    return subject, Words(f"ALARM: {name}", "\n".join(told), "/alerts")


def ends(row: AuditRow, alert: AlertRecord) -> bool:
    """Say whether a sealed record says that an alarm's condition is over."""
    name, position = ENDS[row.kind], _position(body_of(row)).get("position_id", "")
    if not position or alert.kind is not AlertKind.ALARM:
        return False
    return alert.subject.endswith(f"{name}:{position}" if name else f":{position}")


def _position(body: Mapping[str, Any]) -> dict[str, str]:
    known = {"position_id": body.get("position"), "symbol": body.get("symbol")}
    return {key: str(value) for key, value in known.items() if value}


def halted(body: Mapping[str, Any], *, actor: str) -> Words:
    """Say that new risk is stopped, where, by whom and why."""
    target = f" {said(str(body['target']))}" if body.get("target") else ""
    title = f"{str(body.get('kind', 'halt')).upper()}: {body.get('scope', 'global')}{target}"
    text = (
        f"New risk is stopped; exits pass.\nBy {said(actor)}\n"
        f"Reason given: {said(str(body.get('reason', ''))) or 'none'}"
    )
    return Words(title, text, "/halts")


def outcome(alert: AlertRecord, words: Words, *, alert_id: str, console: str) -> AlertRecord:
    """Return the message that something told before is over."""
    assert alert.ended_at is not None
    return AlertRecord(
        alert_id=alert_id,
        kind=AlertKind.OUTCOME,
        severity=Severity.INFO,
        subject=alert.subject,
        title=words.title,
        text=words.text,
        link=console + words.path,
        created_at=alert.ended_at,
        next_at=alert.ended_at,
    )


def over(alert: AlertRecord, source: Source | None) -> Words:
    """Say how what was told has ended."""
    if source is not None and source.ticket is not None and source.order is not None:
        return answered(source.order, source.ticket, source.mode)
    ended = {AlertKind.HALT: "Released", AlertKind.ORDER: "Known again"}
    return Words(f"{ended.get(alert.kind, 'Over')}: {alert.title}", "", "/alerts")
