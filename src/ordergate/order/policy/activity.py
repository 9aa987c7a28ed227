"""What was claimed and filled lately: what throttle, repetition and duplicate look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from ordergate.model.canonical import from_iso
from ordergate.model.orders import Intent, PlaceIntent, Side
from ordergate.model.records import RecentOrder, ScopeKind
from ordergate.model.values import AccountId, OrderId, PrincipalId, Symbol
from ordergate.order.policy.facts import MINUTE, Activity, seconds, terms_of
from ordergate.order.policy.limits import Limits
from ordergate.order.standing import release_of, yes_to

HOUR: Final = timedelta(hours=1)


class Claims(Protocol):
    """Where claims and fills are kept: the journal's transaction."""

    def fact(self, name: str) -> str | None: ...
    def recent_requests(self, principal: PrincipalId, *, since: datetime) -> int: ...
    def account_requests(self, account: AccountId, *, since: datetime) -> int: ...
    def asks_waiting(self, principal: PrincipalId, *, but: OrderId | None) -> int: ...
    def asks_since(
        self, principal: PrincipalId, *, since: datetime, but: OrderId | None
    ) -> int: ...
    def recent_openings(
        self,
        principal: PrincipalId,
        symbol: Symbol,
        side: Side | None,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> int: ...
    def recent_twin(
        self, account: AccountId, terms: str, *, since: datetime, but: OrderId | None
    ) -> RecentOrder | None: ...
    def farthest_price(
        self,
        account: AccountId,
        symbol: Symbol,
        side: Side,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> Decimal | None: ...
    def hands_off_fills(
        self, account: AccountId, principal: PrincipalId, *, since: datetime
    ) -> int: ...
    def losing_closes(
        self, account: AccountId, principal: PrincipalId, *, since: datetime
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, for which order, and when."""

    principal: PrincipalId
    order_id: OrderId | None  # judged again, it is no duplicate of itself
    now: datetime
    venue_now: datetime


def activity(claims: Claims, intent: Intent, asking: Asking, *, limits: Limits) -> Activity:
    """Count the recent claims and fills; what an operator has looked at is not counted again."""
    asker, account, now, but = asking.principal, intent.account, asking.now, asking.order_id
    side = intent.side if isinstance(intent, PlaceIntent) else None
    twin = claims.recent_twin(
        account, terms_of(intent), since=now - _span(limits.duplicate_window_s), but=but
    )
    window = now - _span(limits.repeat_window_s)
    since = _since(claims, release_of(ScopeKind.AGENT, asker), window)
    untouched = _since(claims, yes_to(asker), since)
    hour = _since(claims, release_of(ScopeKind.AGENT, asker), now - HOUR)
    drift = now - _span(limits.drift_window_s)
    followed = _since(claims, release_of(ScopeKind.SYMBOL, intent.symbol), drift)
    return Activity(
        in_minute=claims.recent_requests(asker, since=now - MINUTE),
        account_in_minute=claims.account_requests(account, since=now - MINUTE),
        repeats=claims.recent_openings(asker, intent.symbol, side, since=since, but=but),
        duplicate_of=None if twin is None else twin.order_id,
        duplicate_age_s=None if twin is None else seconds(now - twin.claimed_at),
        farthest=None
        if side is None
        else claims.farthest_price(account, intent.symbol, side, since=followed, but=but),
        hands_off=claims.hands_off_fills(account, asker, since=untouched),
        asks_waiting=claims.asks_waiting(asker, but=but),
        asks_in_hour=claims.asks_since(asker, since=hour, but=but),
        losing=claims.losing_closes(account, asker, since=asking.venue_now - (now - untouched)),
    )


def _span(seconds_: Decimal) -> timedelta:
    return timedelta(microseconds=int(seconds_ * 1_000_000))


def _since(claims: Claims, fact: str, begin: datetime) -> datetime:
    """Return when counting begins: with the window, or after a human's last touch."""
    touched = claims.fact(fact)
    return begin if touched is None else max(begin, from_iso(touched))
