"""A halt or alarm that nobody answers for the time set: at it, around it, and who is there."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from ordergate.alerts.unanswered import unanswered
from ordergate.model.alerts import AlertKind, AlertRecord, Severity

NOW = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
AFTER = timedelta(minutes=30)
TICK = timedelta(microseconds=1)


def an_alert(age: timedelta, **terms: object) -> AlertRecord:
    alert = AlertRecord(
        alert_id="a1",
        kind=AlertKind.ALARM,
        severity=Severity.CRITICAL,
        subject="p1",
        title="ALARM: naked position",
        text="",
        link="",
        created_at=NOW - age,
        next_at=NOW,
    )
    return dataclasses.replace(alert, **terms)  # type: ignore[arg-type]  # its own fields


@pytest.mark.parametrize(
    ("age", "late"), [(AFTER - TICK, False), (AFTER, True), (AFTER + TICK, True)]
)
def test_what_is_grave_is_late_from_the_limit_on(age: timedelta, late: bool) -> None:
    found = unanswered([an_alert(age)], now=NOW, touched=None, after=AFTER)
    assert (found is not None) is late


@pytest.mark.parametrize(
    "terms",
    [
        {"acknowledged_at": NOW, "acknowledged_by": "operator:ann"},
        {"ended_at": NOW},
        {"severity": Severity.WARNING},
    ],
    ids=str,
)
def test_what_was_answered_is_over_or_is_not_grave_stops_nothing(terms: dict[str, object]) -> None:
    one = an_alert(timedelta(days=1), **terms)
    assert unanswered([one], now=NOW, touched=None, after=AFTER) is None


def test_who_released_everything_is_there() -> None:
    old = an_alert(timedelta(days=1))
    assert unanswered([old], now=NOW, touched=NOW - AFTER + TICK, after=AFTER) is None
    assert unanswered([old], now=NOW, touched=NOW - AFTER, after=AFTER) == old


def test_the_oldest_is_named() -> None:
    young, old = an_alert(AFTER), an_alert(timedelta(hours=2), alert_id="a2")
    assert unanswered([young, old], now=NOW, touched=None, after=AFTER) == old
