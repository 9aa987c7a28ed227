"""What limits are made of inside a transaction: reservations, use, recent claims, halts, facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Numeric, bindparam, cast, delete, func, literal_column, null, select, update

from ordergate.adapters.storage.statements import Shelf, given, text_of, upsert
from ordergate.adapters.storage.tables import (
    FACTS,
    HALTS,
    RECENT_ORDERS,
    RESERVATIONS,
    TIGHTENINGS,
    USAGE,
)
from ordergate.adapters.storage.transaction import Transaction
from ordergate.model.canonical import iso
from ordergate.model.orders import Lane, Side
from ordergate.model.records import HaltRecord, RecentOrder, Reservation, Tightening, Usage
from ordergate.model.values import (
    ZERO,
    AccountId,
    AttemptId,
    OrderId,
    PrincipalId,
    Symbol,
    plain,
)

RECENT_KEPT: Final = timedelta(days=1)
_PRUNED_AT_ONCE: Final = 16

_R = RESERVATIONS.c
_RESERVATIONS: Final = Shelf(RESERVATIONS, Reservation)
_RESERVATION: Final = _RESERVATIONS.select(given(_R.attempt_id))
_HELD: Final = _RESERVATIONS.select(given(_R.account), _R.released_seq.is_(null()))
_RELEASED_AFTER: Final = _RESERVATIONS.select(
    given(_R.account), _R.released_seq > bindparam("mark")
)
_PUT_RESERVATION: Final = _RESERVATIONS.update(given(_R.attempt_id), but=("attempt_id",))

_N = RECENT_ORDERS.c
_RECENT: Final = Shelf(RECENT_ORDERS, RecentOrder)
_AFTER: Final = _N.claimed_at > bindparam("since")
_ANOTHER: Final = _N.order_id.is_distinct_from(bindparam("but"))
_REQUESTS: Final = text_of(select(func.count()).where(given(_N.principal), _AFTER))
_OPENINGS: Final = text_of(
    select(func.count()).where(
        given(_N.principal),
        _AFTER,
        given(_N.symbol),
        _N.side.is_not_distinct_from(bindparam("side")),
        given(_N.lane),
        _ANOTHER,
    )
)
_ALL_REQUESTS: Final = text_of(select(func.count()).where(given(_N.account), _AFTER))
_PRICES: Final = select(_N.price).where(
    given(_N.account), _AFTER, given(_N.symbol), given(_N.side), _N.price.is_not(null()), _ANOTHER
)
_AS_NUMBER: Final = cast(_N.price, Numeric)  # orders the texts; the text itself is the price
_FARTHEST: Final = {
    Side.BUY: text_of(
        _PRICES.order_by(_AS_NUMBER).limit(literal_column("1")).offset(literal_column("0"))
    ),
    Side.SELL: text_of(
        _PRICES.order_by(_AS_NUMBER.desc()).limit(literal_column("1")).offset(literal_column("0"))
    ),
}
_TWINS: Final = _RECENT.select(
    given(_N.account), given(_N.terms), _AFTER, _ANOTHER, order_by=(_N.claimed_at.desc(),)
)
_OLDEST_RECENT: Final = text_of(
    select(_N.claimed_at)
    .where(_N.claimed_at < bindparam("before"))
    .order_by(_N.claimed_at)
    .limit(bindparam("row_limit"))
    .offset(literal_column("0"))
)
_FORGET_RECENT: Final = text_of(delete(RECENT_ORDERS).where(_N.claimed_at <= bindparam("upto")))

_U = USAGE.c
_USED: Final = text_of(
    select(_U.principal, _U.orders, _U.notional, _U.result).where(given(_U.account), given(_U.day))
)
_PUT_USAGE: Final = upsert(USAGE)

_H = HALTS.c
_HALTS: Final = Shelf(HALTS, HaltRecord)
_IN_FORCE: Final = _HALTS.select(_H.released_at.is_(null()), order_by=(_H.engaged_at,))
# A release is final: what was released is never changed again.
_PUT_HALT: Final = _HALTS.update(given(_H.halt_id), _H.released_at.is_(null()), but=("halt_id",))

_TIGHTENINGS: Final = Shelf(TIGHTENINGS, Tightening)
_T = TIGHTENINGS.c
_TIGHT_NOW: Final = _TIGHTENINGS.select(_T.lifted_at.is_(null()), order_by=(_T.n,))
_LIFT: Final = text_of(
    update(TIGHTENINGS)
    .where(given(_T.limit_name), _T.lifted_at.is_(null()), _T.set_at <= bindparam("set_until"))
    .values(lifted_by=bindparam("lifted_by"), lifted_at=bindparam("lifted_at"))
)

_FACT: Final = text_of(select(FACTS.c.value).where(given(FACTS.c.name)))
_PUT_FACT: Final = upsert(FACTS)


class LimitsTx(Transaction):
    def add_reservation(self, reservation: Reservation) -> None:
        self._add(_RESERVATIONS, reservation)

    def put_reservation(self, reservation: Reservation) -> None:
        self._put(_PUT_RESERVATION, _RESERVATIONS.rows.to_row(reservation))

    def reservations(self, account: AccountId, *, mark: int) -> Sequence[Reservation]:
        held = self._records(_RESERVATIONS, _HELD, account=account)
        return [*held, *self._records(_RESERVATIONS, _RELEASED_AFTER, account=account, mark=mark)]

    def reservation(self, attempt_id: AttemptId) -> Reservation | None:
        return self._record(_RESERVATIONS, _RESERVATION, attempt_id=attempt_id)

    def add_recent(self, recent: RecentOrder) -> None:
        self._add(_RECENT, recent)
        before = iso(recent.claimed_at - RECENT_KEPT)
        oldest = self._all(_OLDEST_RECENT, before=before, row_limit=_PRUNED_AT_ONCE)
        if oldest:
            self._changed(_FORGET_RECENT, upto=oldest[-1][0])

    def recent_requests(self, principal: PrincipalId, *, since: datetime) -> int:
        return int(self._one(_REQUESTS, principal=principal, since=iso(since))[0])

    def account_requests(self, account: AccountId, *, since: datetime) -> int:
        return int(self._one(_ALL_REQUESTS, account=account, since=iso(since))[0])

    def farthest_price(
        self,
        account: AccountId,
        symbol: Symbol,
        side: Side,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> Decimal | None:
        found = self._one(
            _FARTHEST[side],
            account=account,
            since=iso(since),
            symbol=symbol,
            side=side.value,
            but=but,
        )
        return None if found is None else Decimal(found[0])

    def recent_openings(
        self,
        principal: PrincipalId,
        symbol: Symbol,
        side: Side | None,
        *,
        since: datetime,
        but: OrderId | None,
    ) -> int:
        found = self._one(
            _OPENINGS,
            principal=principal,
            since=iso(since),
            symbol=symbol,
            side=None if side is None else side.value,
            lane=Lane.OPEN.value,
            but=but,
        )
        return int(found[0])

    def recent_twin(
        self, account: AccountId, terms: str, *, since: datetime, but: OrderId | None
    ) -> RecentOrder | None:
        return self._record(
            _RECENT, _TWINS, account=account, terms=terms, since=iso(since), but=but
        )

    def add_usage(
        self, account: AccountId, principal: PrincipalId, day: date, usage: Usage
    ) -> None:
        before = self.usage(account, principal, day)
        self._changed(
            _PUT_USAGE,
            account=account,
            principal=principal,
            day=day.isoformat(),
            orders=before.orders + usage.orders,
            notional=plain(before.notional + usage.notional),
            result=plain(before.result + usage.result),
        )

    def usage(self, account: AccountId, principal: PrincipalId | None, day: date) -> Usage:
        kept = self._all(_USED, account=account, day=day.isoformat())
        rows = [
            Usage(orders=orders, notional=Decimal(notional), result=Decimal(result))
            for who, orders, notional, result in kept
            if principal is None or who == principal
        ]
        return Usage(
            orders=sum(row.orders for row in rows),
            notional=sum((row.notional for row in rows), ZERO),
            result=sum((row.result for row in rows), ZERO),
        )

    def halts(self) -> Sequence[HaltRecord]:
        return self._records(_HALTS, _IN_FORCE)

    def add_halt(self, halt: HaltRecord) -> None:
        self._add(_HALTS, halt)

    def put_halt(self, halt: HaltRecord) -> None:
        self._put(_PUT_HALT, _HALTS.rows.to_row(halt))

    def tightenings(self) -> Sequence[Tightening]:
        return self._records(_TIGHTENINGS, _TIGHT_NOW)

    def add_tightening(self, tightening: Tightening) -> None:
        self._add(_TIGHTENINGS, tightening)

    def lift_tightenings(
        self, limit_name: str, *, by: PrincipalId, at: datetime, set_until: datetime
    ) -> int:
        return self._changed(
            _LIFT,
            limit_name=limit_name,
            lifted_by=by,
            lifted_at=iso(at),
            set_until=iso(set_until),
        )

    def fact(self, name: str) -> str | None:
        row = self._one(_FACT, name=name)
        return None if row is None else str(row[0])

    def put_fact(self, name: str, value: str) -> None:
        self._changed(_PUT_FACT, name=name, value=value)
