"""When a price alert is met, and when it is armed again: pure, and never on a price in doubt.

A condition is a function of an alert and a `View`; `CONDITIONS` names them all.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.market import Quality, Quote, QuoteQuality
from ordergate.model.price_alerts import AlertState, ConditionKind, PriceAlert
from ordergate.model.values import ZERO

BUCKETS: Final = 120  # of a window: a change is seen to a hundred-and-twentieth of it
REST: Final = timedelta(seconds=60)  # an alert that repeats is silent so long, whatever moves
PERCENT: Final = Decimal(100)
_USABLE: Final = frozenset({Quality.OK, Quality.ZERO_SPREAD})
_STALE: Final = frozenset({Quality.MISSING, Quality.STALE, Quality.FROZEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a rule says of one closed bar. `holds` is None where it cannot be told."""

    ends: datetime
    holds: bool | None
    close: Decimal
    source: str
    synthetic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known of a symbol now. `low` and `high` are of the alert's window.

    `word` is a rule's, on the bar that is looked at; it alone counts there.
    """

    quote: Quote | None
    quality: QuoteQuality
    low: Decimal | None = None
    high: Decimal | None = None
    word: Word | None = None

    @property
    def price(self) -> Decimal | None:
        """Return the mid; None where it is stale, out of order, crossed or otherwise in doubt."""
        usable = self.quote is not None and self.quality.verdict in _USABLE
        return self.quote.mid if self.quote is not None and usable else None


class Span:
    """The low and the high of a symbol's mids within a window that moves on."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._width = window / BUCKETS
        self._kept: deque[tuple[datetime, Decimal, Decimal]] = deque(maxlen=BUCKETS + 1)
        self._begun: datetime | None = None

    def add(self, at: datetime, price: Decimal) -> None:
        """Take a price; times never go back."""
        self._begun = self._begun or at
        while self._kept and at - self._kept[0][0] >= self._window:
            self._kept.popleft()
        if self._kept and at - self._kept[-1][0] < self._width:
            begun, low, high = self._kept[-1]
            self._kept[-1] = (begun, min(low, price), max(high, price))
        else:
            self._kept.append((at, price, price))

    def missing(self, now: datetime) -> str | None:
        """Say what of the window is not known; None where all of it is.

        A change within the part that is known is one within the window, so it is told all the same.
        """
        if self._begun is None:
            return "no usable price since the gateway watches"
        if now - self._begun < self._window:
            return f"its window is known since {self._begun:%Y-%m-%dT%H:%M:%SZ} alone"
        return None

    @property
    def low(self) -> Decimal | None:
        return min((low for _, low, _ in self._kept), default=None)

    @property
    def high(self) -> Decimal | None:
        return max((high for _, _, high in self._kept), default=None)


Condition = Callable[[PriceAlert, View], bool | None]  # None = cannot be told now


def side_of(price: Decimal, level: Decimal) -> str:
    """Return on which side of a level a price is; on it counts as below."""
    return "above" if price > level else "below"


def met(alert: PriceAlert, view: View) -> bool | None:
    """Say whether the condition holds now; None where that cannot be told."""
    return CONDITIONS[alert.kind](alert, view)


def gone_back(alert: PriceAlert, view: View, *, now: datetime) -> bool:
    """Say whether a fired alert may be armed again: rested, and back by the hysteresis."""
    if alert.kind is ConditionKind.RULE:
        return met(alert, view) is False  # on a later bar: no bar is looked at twice
    if alert.fired_at is None or now - alert.fired_at < REST:
        return False
    if alert.kind is ConditionKind.PRICE_CROSSES:
        return _away(alert, view)
    return met(_eased(alert), view) is False


def after(alert: PriceAlert, view: View, *, now: datetime) -> PriceAlert | None:
    """Return the alert as it is after this look, fired or armed again; None = nothing changed."""
    if alert.state is AlertState.ARMED and met(alert, view):
        return dataclasses.replace(
            alert,
            state=AlertState.FIRED if alert.repeats else AlertState.DONE,
            fired=alert.fired + 1,
            fired_at=now,
            fired_price=_price_told(view),
        )
    if alert.state is AlertState.FIRED and gone_back(alert, view, now=now):
        side = alert.side if view.price is None else side_of(view.price, alert.level)
        crossing = alert.kind is ConditionKind.PRICE_CROSSES
        return dataclasses.replace(
            alert, state=AlertState.ARMED, side=side if crossing else alert.side
        )
    return None


def _above(alert: PriceAlert, view: View) -> bool | None:
    return None if view.price is None else view.price >= alert.level


def _below(alert: PriceAlert, view: View) -> bool | None:
    return None if view.price is None else view.price <= alert.level


def _crosses(alert: PriceAlert, view: View) -> bool | None:
    return None if view.price is None else side_of(view.price, alert.level) != alert.side


def _change(alert: PriceAlert, view: View) -> bool | None:
    """Say whether the price is `level` percent above the window's low or below its high."""
    if view.price is None or not view.low or not view.high:
        return None
    risen = view.price / view.low - 1
    fallen = 1 - view.price / view.high
    return max(risen, fallen) * PERCENT >= alert.level


def _spread(alert: PriceAlert, view: View) -> bool | None:
    if view.price is None or view.quote is None:
        return None
    return view.quote.spread >= alert.level


def _stale(alert: PriceAlert, view: View) -> bool | None:
    return view.quality.verdict in _STALE


def _rule(alert: PriceAlert, view: View) -> bool | None:
    return None if view.word is None else view.word.holds


def _price_told(view: View) -> Decimal | None:
    if view.word is not None:
        return view.word.close
    return None if view.quote is None else view.quote.mid


CONDITIONS: Final[Mapping[ConditionKind, Condition]] = {
    ConditionKind.PRICE_ABOVE: _above,
    ConditionKind.PRICE_BELOW: _below,
    ConditionKind.PRICE_CROSSES: _crosses,
    ConditionKind.CHANGE_PERCENT: _change,
    ConditionKind.SPREAD_ABOVE: _spread,
    ConditionKind.QUOTE_STALE: _stale,
    ConditionKind.RULE: _rule,
}


def _eased(alert: PriceAlert) -> PriceAlert:
    """Return the alert with its level moved to where the condition must not hold any more."""
    part = alert.hysteresis_percent / PERCENT
    factor = 1 + part if alert.kind is ConditionKind.PRICE_BELOW else 1 - part
    return dataclasses.replace(alert, level=alert.level * factor)


def _away(alert: PriceAlert, view: View) -> bool:
    """Say whether the price is away from the level by the hysteresis, on whichever side."""
    if view.price is None or alert.level <= ZERO:
        return False
    return abs(view.price / alert.level - 1) * PERCENT >= alert.hysteresis_percent
