"""The whole book: every account the gate reads, added up in one currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from ordergate.model.accounts import AccountState, Baselines, Elsewhere, VenueSnapshot
from ordergate.model.instruments import Instrument
from ordergate.model.market import Quote
from ordergate.model.orders import Side
from ordergate.model.records import BaselineRecord
from ordergate.model.values import ZERO, AccountId, Symbol, VenueName
from ordergate.order.policy.baselines import BookTerms, kept, measured_from, paid
from ordergate.order.policy.exposure import Book, Worth, book, is_exit, seen_at_rest
from ordergate.order.policy.underlyings import Underlyings

Rate = Callable[[str, str], Decimal | None]
WorthIn = Callable[[Symbol, VenueName, str], Worth]


class Keeper(Protocol):
    """Where baselines and payments are kept: the journal's transaction."""

    def baseline(self, account: AccountId) -> BaselineRecord | None: ...
    def paid_in(self, account: AccountId) -> Decimal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBook:
    """All accounts together, in `currency`; money None = some part of it is not known."""

    currency: str
    rate: Decimal | None  # of the judged account's currency into it
    accounts: int
    missing: tuple[str, ...] = ()  # what is not known of which account
    equity: Decimal | None = None
    day_start_equity: Decimal | None = None  # of the book's own day
    gross: Decimal | None = None
    long: Decimal | None = None  # of the order's underlying, all that may fill counted
    short: Decimal | None = None
    net_long: Decimal | None = None  # longs less shorts, as far up as it may come
    net_short: Decimal | None = None

    def at_side(self, side: Side) -> Decimal | None:
        """Return the worst case of the underlying on one side."""
        return self.long if side is Side.BUY else self.short

    def net_at_side(self, side: Side) -> Decimal | None:
        """Return how far the whole book may come to lean to one side."""
        return self.net_long if side is Side.BUY else self.net_short


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One account's part of the book, in its own currency, and what that is worth in the book's."""

    account: AccountId
    state: AccountState
    holds: Book
    baselines: Baselines
    rate: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """With what the book is counted."""

    terms: BookTerms
    rate: Rate
    instrument: Callable[[Symbol], Instrument | None]
    quote: Callable[[Symbol], Quote | None]
    shock: Callable[[Instrument], Decimal]  # fraction of the price that one leap may take
    named: Underlyings
    keeper: Keeper

    def worth(self, symbol: Symbol, venue: VenueName, currency: str) -> Worth:
        """Return what one lot is worth in a currency, and what it shares its risk with."""
        instrument, quote = self.instrument(symbol), self.quote(symbol)
        rate = None if instrument is None else self.rate(instrument.quote_currency, currency)
        return Worth(
            underlying=self._underlying(symbol, venue),
            leverage=1 if instrument is None else instrument.leverage,
            unit=None if instrument is None or rate is None else instrument.contract_size * rate,
            price=None if quote is None else quote.ask,
            shock=ZERO if instrument is None else self.shock(instrument),
        )

    def aliases(self, symbol: Symbol, venue: VenueName) -> frozenset[str]:
        """Return the symbol's underlying and every name that was confirmed to be the same."""
        return self.named.aliases(self._underlying(symbol, venue))

    def _underlying(self, symbol: Symbol, venue: VenueName) -> str:
        instrument = self.instrument(symbol)
        shipped = "" if instrument is None else instrument.underlying
        return self.named.of(symbol, venue=venue, shipped=shipped)

    def baselines(self, snapshot: VenueSnapshot | None) -> Baselines:
        """Return what an account's losses are measured from, this reading counted."""
        if snapshot is None:
            return Baselines()
        state, account = snapshot.account, snapshot.identity.account
        paid_in = paid(state, self.keeper.paid_in(account))
        row = kept(
            self.keeper.baseline(account),
            state,
            account=account,
            paid_in=paid_in,
            day=self.terms.day(snapshot.venue_time),
        )
        return measured_from(row, paid_in)

    def whole(
        self,
        symbol: Symbol,
        venue: VenueName,
        *,
        own: VenueSnapshot | None,
        holds: Book | None,
        others: Iterable[Elsewhere],
    ) -> WholeBook | None:
        """Add up every account; one that cannot be read or counted leaves every sum unknown."""
        if own is None or holds is None:
            return None
        currency = self.terms.currency or own.account.currency
        shares, missing = [self._share(own, holds, currency)], list[str]()
        for other in others:
            if other.snapshot is None:
                missing.append(f"account {other.account} on {other.venue} cannot be read")
                continue
            elsewhere = self._holds(symbol, venue, other.snapshot)
            shares.append(self._share(other.snapshot, elsewhere, currency))
        for share in shares:
            missing += _lacking(share, currency)
        return _added(tuple(shares), currency=currency, missing=tuple(missing))

    def _share(self, snapshot: VenueSnapshot, holds: Book, currency: str) -> Share:
        return Share(
            account=snapshot.identity.account,
            state=snapshot.account,
            holds=holds,
            baselines=self.baselines(snapshot),
            rate=self.rate(snapshot.account.currency, currency),
        )

    def _holds(self, symbol: Symbol, venue: VenueName, snapshot: VenueSnapshot) -> Book:
        """Return what another account holds; what the order's symbol is there stands beside it."""
        there, currency = snapshot.identity.venue, snapshot.account.currency
        resting = [order for order in snapshot.open_orders if not is_exit(order)]
        names = {row.symbol for row in snapshot.positions} | {row.symbol for row in resting}
        worths: Mapping[Symbol, Worth] = {name: self.worth(name, there, currency) for name in names}
        judged = self.worth(symbol, venue, currency)
        return book(
            symbol,
            positions=snapshot.positions,
            pending=[seen_at_rest(order, worths[order.symbol]) for order in resting],
            exits={},
            worths={symbol: judged, **worths},
            underlying=judged.underlying,
        )


def _lacking(share: Share, currency: str) -> list[str]:
    lacks = []
    if share.rate is None:
        lacks.append(f"the rate of {share.state.currency} in {currency}")
    if share.holds.unvalued:
        names = ", ".join(share.holds.unvalued)
        lacks.append(f"the value of {names} on account {share.account}")
    return lacks


def _added(shares: tuple[Share, ...], *, currency: str, missing: tuple[str, ...]) -> WholeBook:
    def total(part: Callable[[Share], Decimal | None]) -> Decimal | None:
        found = ZERO
        for share in shares:
            amount = part(share)
            if missing or amount is None or share.rate is None:
                return None
            found += amount * share.rate
        return found

    return WholeBook(
        currency=currency,
        rate=shares[0].rate,
        accounts=len(shares),
        missing=missing,
        equity=total(lambda share: share.state.equity),
        day_start_equity=total(lambda share: share.baselines.book_day_start_equity),
        gross=total(lambda share: share.holds.gross),
        long=total(lambda share: share.holds.long),
        short=total(lambda share: share.holds.short),
        net_long=total(lambda share: share.holds.net_long),
        net_short=total(lambda share: share.holds.net_short),
    )


def lost(equity: Decimal, start: Decimal, *, fraction: Decimal) -> tuple[Decimal, Decimal]:
    """Return the loss of the book's day, and the loss that ends it."""
    return start - equity, fraction * start
