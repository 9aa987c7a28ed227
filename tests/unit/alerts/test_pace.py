"""What is critical comes again until acknowledged, at any hour; the rest waits or is dropped."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ordergate.alerts.pace import (
    BACKOFF,
    GIVE_UP,
    Quiet,
    Rhythm,
    due,
    failed,
    repeats,
    surplus,
)
from ordergate.model.alerts import AlertKind, AlertRecord, Severity

NOW = datetime(2026, 1, 7, 23, 30, tzinfo=UTC)
NIGHT = Quiet(time(22), time(7), UTC)


def an_alert(severity: Severity = Severity.CRITICAL, **fields: object) -> AlertRecord:
    alert = AlertRecord(
        alert_id="a1",
        kind=AlertKind.HALT,
        severity=severity,
        subject="h1",
        title="KILL: global",
        text="",
        link="http://x/halts",
        created_at=NOW,
        next_at=NOW,
    )
    return dataclasses.replace(alert, **fields)  # type: ignore[arg-type]  # its own fields


def test_a_halt_is_told_at_once_after_five_minutes_and_then_every_fifteen() -> None:
    alert, now, times = an_alert(), NOW, []
    for _ in range(4):
        alert = Rhythm().told(alert, now)
        assert alert.next_at is not None
        times.append(alert.next_at - now)
        now = alert.next_at
    assert times == [timedelta(minutes=5)] + [timedelta(minutes=15)] * 3


@pytest.mark.parametrize("ended", [{"acknowledged_at": NOW}, {"ended_at": NOW}])
def test_it_is_silent_once_acknowledged_or_over(ended: dict[str, object]) -> None:
    assert repeats(an_alert())
    assert not repeats(an_alert(**ended))
    assert Rhythm().told(an_alert(**ended), NOW).next_at is None


def test_an_ask_is_told_once() -> None:
    assert Rhythm().told(an_alert(Severity.WARNING), NOW).next_at is None


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.INFO])
def test_quiet_hours_hold_back_all_but_what_is_critical(severity: Severity) -> None:
    rhythm = Rhythm(quiet=NIGHT)
    assert rhythm.first(an_alert(severity)) == datetime(2026, 1, 8, 7, tzinfo=UTC)
    assert rhythm.first(an_alert()) == NOW


def test_no_level_silences_what_is_critical() -> None:
    rhythm = Rhythm(level=Severity.CRITICAL)
    assert rhythm.first(an_alert()) == NOW
    assert rhythm.first(an_alert(Severity.WARNING)) is None
    assert Rhythm(level=Severity.WARNING).first(an_alert(Severity.INFO)) is None


@pytest.mark.parametrize(
    ("hour", "ends"),
    [(21, None), (22, (8, 7)), (23, (8, 7)), (6, (7, 7)), (7, None), (12, None)],
)
def test_quiet_hours_over_midnight(hour: int, ends: tuple[int, int] | None) -> None:
    until = NIGHT.until(NOW.replace(hour=hour, minute=0))
    assert until == (None if ends is None else datetime(2026, 1, ends[0], ends[1], tzinfo=UTC))


def test_quiet_hours_follow_their_zone() -> None:
    noon = Quiet(time(12), time(13), ZoneInfo("Asia/Kolkata"))
    assert noon.until(datetime(2026, 1, 7, 6, 45, tzinfo=UTC)) == datetime(
        2026, 1, 7, 7, 30, tzinfo=UTC
    )


def test_a_failure_is_tried_again_each_time_later_and_never_given_up_when_critical() -> None:
    alert, waits = an_alert(), []
    for _ in range(9):
        alert = failed(alert, NOW, "down")
        assert alert.next_at is not None
        waits.append(alert.next_at - NOW)
    assert tuple(waits[: len(BACKOFF)]) == BACKOFF
    assert waits[-1] == timedelta(seconds=60)
    assert failed(an_alert(), NOW + timedelta(days=9), "down").next_at is not None
    old = failed(an_alert(Severity.WARNING), NOW + GIVE_UP, "down")
    assert old.next_at is None
    young = failed(an_alert(Severity.WARNING), NOW + GIVE_UP - timedelta(seconds=1), "down")
    assert young.next_at is not None


def test_the_gravest_goes_first() -> None:
    ask = an_alert(Severity.WARNING, alert_id="ask", created_at=NOW - timedelta(minutes=1))
    later = an_alert(alert_id="later", next_at=NOW + timedelta(seconds=1))
    halt = an_alert(alert_id="halt")
    assert [one.alert_id for one in due([ask, later, halt], NOW)] == ["halt", "ask"]


def test_what_is_too_much_is_dropped_the_least_first_and_never_a_halt() -> None:
    halts = [an_alert(alert_id=f"h{n}") for n in range(5)]
    ask = an_alert(Severity.WARNING, alert_id="ask")
    news = an_alert(Severity.INFO, alert_id="news", created_at=NOW + timedelta(minutes=1))
    assert surplus([*halts, ask, news], 7) == []
    assert [one.alert_id for one in surplus([*halts, ask, news], 6)] == ["news"]
    assert [one.alert_id for one in surplus([*halts, ask, news], 2)] == ["news", "ask"]
    assert surplus(halts, 2) == []
