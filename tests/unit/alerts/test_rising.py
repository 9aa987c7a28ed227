"""Each sealed record of note gives one alert, the same each time; others give none."""

from __future__ import annotations

from typing import Any

import pytest

from ordergate.alerts.rising import ENDS, RISES, Source, alarm, ends, outcome, over, risen
from ordergate.alerts.wording import Words
from ordergate.model.alerts import AlertKind, AlertRecord, Severity
from ordergate.model.canonical import canonical
from ordergate.model.records import AuditRow
from support.journal_rows import START, a_ticket, an_order

CONSOLE = "https://gate.example"


def a_row(kind: str, body: dict[str, Any], *, corr: str = "c1", seq: int = 9) -> AuditRow:
    return AuditRow(
        seq=seq,
        ts=START,
        kind=kind,
        actor="local-agent",
        corr=corr,
        body=canonical({"body": body}),
        h="",
    )


def an_alert(kind: str, body: dict[str, Any], source: Source | None = None) -> AlertRecord:
    alert = risen(a_row(kind, body), source or Source(), CONSOLE)
    assert alert is not None
    return alert


def test_a_halt_is_critical_and_leads_to_the_halts() -> None:
    alert = an_alert(
        "halt.engaged", {"kind": "kill", "scope": "symbol", "target": "EURUSD", "reason": "x"}
    )
    assert (alert.kind, alert.severity) == (AlertKind.HALT, Severity.CRITICAL)
    assert alert.title == "KILL: symbol EURUSD"
    assert alert.link == "https://gate.example/halts"
    assert alert.next_at == START
    assert alert.subject == "c1"


def test_an_ask_is_about_its_ticket_and_leads_to_its_page() -> None:
    alert = an_alert("ticket.opened", {}, Source(order=an_order(1), ticket=a_ticket(1)))
    assert (alert.kind, alert.subject) == (AlertKind.ASK, "ticket-1")
    assert alert.link == "https://gate.example/approve/ticket-1"
    assert risen(a_row("ticket.opened", {}), Source(), CONSOLE) is None


@pytest.mark.parametrize(
    ("kind", "severity", "wait_s"),
    [
        ("attempt.not_found", Severity.CRITICAL, 0),
        ("attempt.lost_sight", Severity.WARNING, 2),
        ("attempt.vanished", Severity.WARNING, 2),
    ],
)
def test_an_order_of_unknown_fate_is_told_once_it_stays_so(
    kind: str, severity: Severity, wait_s: int
) -> None:
    alert = an_alert(kind, {}, Source(order=an_order(1)))
    assert (alert.kind, alert.severity) == (AlertKind.ORDER, severity)
    assert alert.next_at is not None
    assert (alert.next_at - START).total_seconds() == wait_s
    assert alert.link.endswith("/orders/c1")


def test_a_naked_position_is_the_same_alarm_from_the_log_and_from_the_stream() -> None:
    alert = an_alert("exit.naked", {"position": "p1", "symbol": "EURUSD"})
    subject, words = alarm({"alarm": "naked position", "position_id": "p1", "symbol": "EURUSD"})
    assert (alert.subject, alert.title) == (subject, words.title)
    assert alert.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("kind", "position", "over_now"),
    [
        ("exit.protected", "p1", True),
        ("exit.ended", "p1", True),
        ("exit.protected", "p2", False),
        ("exit.ended", "1", False),
    ],
)
def test_an_alarm_ends_with_its_own_position_alone(
    kind: str, position: str, over_now: bool
) -> None:
    alert = an_alert("exit.naked", {"position": "p1", "symbol": "EURUSD"})
    assert ends(a_row(kind, {"position": position}), alert) is over_now


def test_a_record_without_a_position_ends_no_alarm() -> None:
    assert not ends(a_row("exit.ended", {}), an_alert("exit.naked", {}))


@pytest.mark.parametrize("kind", sorted(RISES))
def test_every_kind_gives_the_same_alert_each_time(kind: str) -> None:
    source = Source(order=an_order(1), ticket=a_ticket(1))
    row = a_row(kind, {"limit": "limits.x", "reason": "see evil.example"})
    first, second = (risen(row, source, CONSOLE) for _ in range(2))
    assert first is not None
    assert first == second
    assert first.alert_id == "r9"
    assert "evil.example" not in first.text + first.title
    assert first.title


def test_nothing_both_raises_and_ends() -> None:
    assert not RISES.keys() & ENDS.keys()


def test_the_end_of_what_was_told_is_told_quietly() -> None:
    import dataclasses

    alert = dataclasses.replace(an_alert("halt.engaged", {}), ended_at=START)
    words = over(alert, None)
    assert words == Words("Released: HALT: global", "", "/alerts")
    told = outcome(alert, words, alert_id="r9-over", console=CONSOLE)
    assert (told.kind, told.severity) == (AlertKind.OUTCOME, Severity.INFO)
    ask = an_alert("ticket.opened", {}, Source(order=an_order(1), ticket=a_ticket(1)))
    assert "ask 42" in over(ask, Source(order=an_order(1), ticket=a_ticket(1))).title
