"""What a rule says of each closed bar: true, false, or not known. Pure."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ordergate.market.alerts.condition import Word
from ordergate.market.features.frame import Frame, closed
from ordergate.market.features.higher import close_times
from ordergate.market.features.indicators import bars_for
from ordergate.market.features.sessions import moment, nanoseconds
from ordergate.market.signals.rules import Rule, parse
from ordergate.model.errors import DataUnavailable
from ordergate.model.market import Timeframe

if TYPE_CHECKING:
    from datetime import datetime

    from ordergate.model.series import Series

MISSED_MAX: Final = 100  # bars that closed unseen and are still gone through, the newest
DIGITS: Final = 10


@lru_cache(maxsize=512)
def rule_of(text: str) -> Rule:
    """Return the rule of a text; raise RuleError."""
    return parse(text)


def wanted(texts: tuple[str, ...], timeframe: Timeframe) -> int:
    """Return how many bars these rules need, for the newest bar and those that were missed."""
    rules = [rule_of(text) for text in texts]
    session = any(rule.needs_session for rule in rules)
    required = max(rule.required_history for rule in rules)
    return bars_for(required, timeframe, session=session, rows=MISSED_MAX)


def words(
    text: str, series: Series, *, since: datetime | None, synthetic: bool
) -> tuple[Word, ...]:
    """Return the rule's word on the bars that ended after `since`, oldest first.

    At most the newest MISSED_MAX; without `since` the newest alone. Raises DataUnavailable where
    the history is too short for the newest bar, BadBars where a bar has a hole.
    """
    rule, whole = rule_of(text), closed(series)
    if len(whole) < rule.required_history:
        raise DataUnavailable(
            f"insufficient_history: {len(whole)} closed {series.timeframe} bars,"
            f" {rule.required_history} needed"
        )
    ends = close_times(whole)
    first = len(whole) - 1
    if since is not None:
        first = int((ends <= nanoseconds(since)).sum())
    first = max(first, len(whole) - MISSED_MAX, rule.required_history - 1)
    said = rule.values(Frame(whole))
    return tuple(
        Word(
            ends=moment(int(ends[at])),
            holds=None if math.isnan(said[at]) else bool(said[at] == 1),
            close=Decimal(f"{whole.close[at]:.{DIGITS}g}"),
            source=series.source,
            synthetic=synthetic,
        )
        for at in range(first, len(whole))
    )
