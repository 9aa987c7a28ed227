"""What is pushed to the human: one alert, how grave it is, and what became of telling it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class Severity(enum.StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"  # repeated until acknowledged or over; knows no quiet hours


class AlertKind(enum.StrEnum):
    ASK = "ask"  # an order waits for a yes
    OUTCOME = "outcome"  # what became of something that was told before
    HALT = "halt"  # new risk is stopped
    ALARM = "alarm"  # an unprotected position, a record that cannot be written, ...
    ORDER = "order"  # an order of unknown fate
    PRICE = "price"  # what somebody asked to be told of has come
    GATEWAY = "gateway"  # the gateway itself: an unclean start, live armed, limits changed


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """One thing the human is told, for as long as it needs telling."""

    alert_id: str
    kind: AlertKind
    severity: Severity
    subject: str  # ticket, halt, order or position it is about
    title: str
    text: str
    link: str
    created_at: datetime
    next_at: datetime | None  # when it is told next; None = never again
    tries: int = 0  # since it was last told
    told: int = 0
    told_at: datetime | None = None
    ended_at: datetime | None = None  # the condition is over
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    problem: str | None = None  # why the last try reached nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel carries: words and a link, never anything to press."""

    title: str
    text: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one channel made of a message. `channel` names it without its secrets."""

    channel: str
    problem: str | None  # None = it was taken
