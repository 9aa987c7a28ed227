"""What an agent or a person asked to be told of a price, and lists of symbols they keep."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ordergate.model.values import PrincipalId, Symbol


class ConditionKind(enum.StrEnum):
    PRICE_ABOVE = "price_above"  # mid at or above the level
    PRICE_BELOW = "price_below"  # mid at or below the level
    PRICE_CROSSES = "price_crosses"  # mid on the other side of the level than when it was armed
    CHANGE_PERCENT = "change_percent"  # mid so far from its low or high of the window
    SPREAD_ABOVE = "spread_above"  # ask - bid at or above the level
    QUOTE_STALE = "quote_stale"  # no usable price: missing, stale or frozen
    RULE = "rule"  # an expression of the rules language has become true on a closed bar


class AlertState(enum.StrEnum):
    ARMED = "armed"
    FIRED = "fired"  # waits until the price has gone back, then it is armed again
    DONE = "done"  # fired once, and told no more


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAlert:
    """One condition on one symbol. Prices are mids; `level` is a price, a distance or percent."""

    alert_id: str
    principal: PrincipalId
    symbol: Symbol
    kind: ConditionKind
    level: Decimal
    window_s: int  # of a change; else 0
    repeats: bool  # armed again once the price has gone back by the hysteresis
    hysteresis_percent: Decimal  # of the level
    side: str  # "above" or "below" the level when it was armed; of a crossing alone
    note: str  # the principal's own words
    state: AlertState
    fired: int  # how often
    created_at: datetime
    fired_at: datetime | None = None
    fired_price: Decimal | None = None
    rule: str = ""  # of RULE alone, as are the two below
    timeframe: str = ""
    seen_to: datetime | None = None  # bars that ended later are yet to be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks to be told of; checked by the door that took it."""

    principal: PrincipalId
    symbol: Symbol
    kind: ConditionKind
    level: Decimal
    window_s: int = 0
    repeats: bool = False
    hysteresis_percent: Decimal = Decimal("0.1")
    note: str = ""
    rule: str = ""
    timeframe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """A named list of symbols of one principal."""

    principal: PrincipalId
    name: str
    symbols: str  # separated by spaces
    created_at: datetime
    updated_at: datetime
