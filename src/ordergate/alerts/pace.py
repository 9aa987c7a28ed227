"""When an alert is told: at once, again while nobody answers, later in quiet hours, or no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from ordergate.model.alerts import AlertRecord, Severity

OPEN_MAX: Final = 500
BACKOFF: Final = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 20, 40, 60))
GIVE_UP: Final = timedelta(hours=1)  # what is not grave is old news then
_RANK: Final = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only what is critical is told; may go over midnight."""

    start: time
    end: time
    zone: tzinfo

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet ends, or None outside of it."""
        local = now.astimezone(self.zone)
        clock = local.time()
        if self.start <= self.end:
            inside = self.start <= clock < self.end
        else:
            inside = clock >= self.start or clock < self.end
        if not inside:
            return None
        ends = local.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        if ends <= local:
            ends = (local + timedelta(days=1)).replace(
                hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0
            )
        return ends.astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often the human is told. Nothing here can silence what is critical."""

    repeat: timedelta = timedelta(minutes=5)
    later: timedelta = timedelta(minutes=15)
    level: Severity = Severity.INFO
    quiet: Quiet | None = None

    def first(self, alert: AlertRecord) -> datetime | None:
        """Return when an alert is told first; None where its level is not wanted."""
        wanted = alert.next_at or alert.created_at
        if alert.severity is Severity.CRITICAL:
            return wanted
        if _RANK[alert.severity] > _RANK[self.level]:
            return None
        return (self.quiet.until(wanted) if self.quiet is not None else None) or wanted

    def told(self, alert: AlertRecord, now: datetime) -> AlertRecord:
        """Return the alert after somebody could read it; what is critical comes again."""
        again = None
        if repeats(alert):
            again = now + (self.repeat if alert.told == 0 else self.later)
        return dataclasses.replace(
            alert, told=alert.told + 1, told_at=now, tries=0, next_at=again, problem=None
        )


def failed(alert: AlertRecord, now: datetime, problem: str) -> AlertRecord:
    """Return the alert after a try that reached nobody: it is tried again, each time later."""
    wait = BACKOFF[min(alert.tries, len(BACKOFF) - 1)]
    over = alert.severity is not Severity.CRITICAL and now - alert.created_at >= GIVE_UP
    return dataclasses.replace(
        alert, tries=alert.tries + 1, problem=problem, next_at=None if over else now + wait
    )


def repeats(alert: AlertRecord) -> bool:
    """Say whether it is told until somebody acknowledges it or its condition is over."""
    return (
        alert.severity is Severity.CRITICAL
        and alert.acknowledged_at is None
        and alert.ended_at is None
    )


def due(open_alerts: Iterable[AlertRecord], now: datetime) -> list[AlertRecord]:
    """Return what is to be told now, the gravest first, then the oldest."""
    ready = [one for one in open_alerts if one.next_at is not None and one.next_at <= now]
    return sorted(ready, key=lambda one: (_RANK[one.severity], one.created_at, one.alert_id))


def surplus(open_alerts: Iterable[AlertRecord], most: int = OPEN_MAX) -> list[AlertRecord]:
    """Return what is dropped where too much waits: the least grave and oldest, never a halt."""
    waiting = list(open_alerts)
    droppable = sorted(
        (one for one in waiting if one.severity is not Severity.CRITICAL),
        key=lambda one: (-_RANK[one.severity], one.created_at, one.alert_id),
    )
    return droppable[: max(0, len(waiting) - most)]
