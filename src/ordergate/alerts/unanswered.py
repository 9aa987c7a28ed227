"""A grave alert that no human has answered for too long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ordergate.alerts.pace import repeats
from ordergate.model.alerts import AlertRecord


def unanswered(
    open_alerts: Iterable[AlertRecord],
    *,
    now: datetime,
    touched: datetime | None,
    after: timedelta,
) -> AlertRecord | None:
    """Return the oldest grave alert that nobody has answered for `after`; None where all is well.

    `touched` is when a human last released everything: who did that is there.
    """
    waiting = sorted(filter(repeats, open_alerts), key=lambda one: one.created_at)
    for one in waiting:
        since = one.created_at if touched is None else max(one.created_at, touched)
        if now - since >= after:
            return one
    return None
