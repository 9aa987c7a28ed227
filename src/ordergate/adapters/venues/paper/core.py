"""The paper venue without threads or waiting: requests and slices in, durable changes out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ordergate.adapters.venues.paper import (
    accounting,
    changing,
    mapping,
    matching,
    placing,
    reports,
)
from ordergate.adapters.venues.paper.book import (
    AccountRow,
    Book,
    CashRow,
    OrderRow,
    RefusalRow,
    Work,
)
from ordergate.adapters.venues.paper.client import VenueFile, applied, placed
from ordergate.adapters.venues.paper.floor import Floor
from ordergate.adapters.venues.paper.mapping import refusal
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.model import hours
from ordergate.model.accounts import CashKind, VenueHistory
from ordergate.model.market import Slice
from ordergate.model.orders import VenueCancel, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked, VenueRefusal, VenueStatus
from ordergate.model.values import Tag, VenueOrderId, plain
from ordergate.ports.market_facts import MarketFacts


class SpecChanged(Exception):
    """The file's books were kept in other units than the market now quotes."""


class Core:
    """Decides; the caller commits each Work to the file and then lands it."""

    def __init__(self, path: Path, markets: MarketFacts, terms: PaperTerms, account: str) -> None:
        """Open the books or start new ones; raise SpecChanged, ForeignFile."""
        self.file = VenueFile(path)
        stored = {
            symbol: mapping.decode_instrument(text)
            for symbol, text in self.file.instruments().items()
        }
        for instrument in markets.instruments():
            kept = stored.get(instrument.symbol)
            if kept is not None and not mapping.same_units(kept, instrument):
                self.file.close()
                raise SpecChanged(f"{path}: {instrument.symbol} was kept in other units")
        self.floor = Floor(markets, terms, stored)
        self.account = account
        self._stored = set(stored)
        self.book = self._open(self.file.load())

    def _open(self, kept: Book | None) -> Book:
        """Take up the kept books, or begin; a market clock that went back begins its day again."""
        now = self.floor.now()
        book = kept or Book(_new_account(self.floor.terms.balance, now), {}, {})
        work = Work(book)
        if kept is None or hours.trading_day(mapping.moment(now)).isoformat() < book.account.day:
            accounting.begin_day(work, self.floor, now=now)
        for order in [row for row in work.orders.values() if row.since > now]:
            work.put_order(order._replace(since=now))
        for position in [row for row in work.positions.values() if row.since > now]:
            work.put_position(position._replace(since=now))
        work.account = work.account._replace(venue_time=now)
        self.file.commit(work)
        work.land(book)
        return book

    def place(self, work: Work, order: VenueOrder, *, now: int) -> Acked:
        """Decide an order. A refusal is remembered with its tag; raise it after the commit."""
        self._check(order.tag, order.account)
        if (
            order.oco_group
            and not self.floor.terms.plain
            and self.file.group_spent(order.oco_group)
        ):
            raise refusal("GROUP_SPENT")
        row = placing.place(work, self.floor, order, now=now)
        work.tags.append(placed(order.tag, now))
        if order.symbol not in self._stored:
            instrument = self.floor.known(order.symbol).instrument
            work.instruments.append((order.symbol, mapping.encode_instrument(instrument)))
        return self._acked(work, row, now=now)

    def refuse(self, work: Work, order: VenueOrder, no: VenueRefusal, *, now: int) -> None:
        """Remember a refused order, so that a lost answer can be looked up."""
        if no.code == "DUPLICATE_TAG":
            return
        work.tags.append(placed(order.tag, now))
        work.refusals.append(
            RefusalRow(
                number=work.number(),
                tag=order.tag,
                symbol=order.symbol,
                side=order.side.value,
                kind=order.order_type.value,
                quantity=plain(order.quantity) if order.quantity.is_finite() else "0",
                time_in_force=order.time_in_force.value,
                code=no.code,
                at=now,
            )
        )

    def modify(self, work: Work, change: VenueModify, *, now: int) -> Acked:
        self._check(change.tag, change.account)
        if self.floor.terms.plain:
            raise refusal("NOT_OFFERED", "cancel the order and send another")
        work.tags.append(applied(change.tag, now))
        if change.position_id is not None:
            position = changing.change_position(work, self.floor, change, now=now)
            return Acked(
                venue_order_id=VenueOrderId(f"P{position.number}"),
                status=VenueStatus.FILLED,
                position_id=reports.position_id(position.number),
                venue_time=mapping.moment(now),
            )
        self._check_resting(work, change.venue_order_id or "")
        row = changing.change_order(work, self.floor, change, now=now)
        return self._acked(work, row, now=now)

    def cancel(self, work: Work, cancel: VenueCancel, *, now: int) -> Acked:
        self._check(cancel.tag, cancel.account)
        work.tags.append(applied(cancel.tag, now))
        self._check_resting(work, cancel.venue_order_id)
        row = changing.cancel(work, cancel, now=now)
        return self._acked(work, row, now=now)

    def pay(self, work: Work, kind: CashKind, amount: Decimal, *, note: str, now: int) -> None:
        """Book cash that no trade explains: what the venue's clerk does, not a trader."""
        work.book_cash(
            CashRow(
                number=work.number(),
                kind=kind.value,
                amount=mapping.money(amount),
                symbol="",
                steps=0,
                at=now,
                note=note,
            )
        )

    def begin(self, now: int) -> Work:
        """Start a change, with what time alone has brought by `now`."""
        work = Work(self.book)
        if self.book.due <= now:
            accounting.catch_up(work, self.floor, now=now)
        return work

    def watch(self, slice_: Slice) -> Work | None:
        """Return what a slice changes in the books; None when nothing."""
        end = mapping.micros(slice_.end)
        concerned = slice_.symbol in self.book.symbols
        if not concerned and end < self.book.due:
            return None
        work = self.begin(mapping.micros(slice_.start))
        if concerned and self.floor.was_open(slice_):
            stretch = self.floor.stretch(slice_)
            if stretch is not None:
                matching.meet(work, self.floor, stretch)
        accounting.catch_up(work, self.floor, now=end)
        return None if work.empty else work

    def pulse(self) -> Work:
        """Return a change that keeps the newest marks and the time, and nothing else."""
        work = Work(self.book)
        for position in list(work.positions.values()):
            mark, rate = self.floor.mark(position), self.floor.position_rate(position)
            if (mark, rate) != (position.mark, position.rate):
                work.put_position(position._replace(mark=mark, rate=rate))
        return work

    def commit(self, work: Work, at: int) -> None:
        """Make a change durable, dated with the venue's time; nothing sees it before `land`."""
        work.account = work.account._replace(venue_time=max(at, work.account.venue_time))
        self.file.commit(work)

    def land(self, work: Work) -> None:
        """Make a durable change the present."""
        work.land(self.book)
        self._stored.update(symbol for symbol, _ in work.instruments)

    def history(self, since: datetime) -> VenueHistory:
        """Read everything since a moment from the file; may run beside a commit."""
        found = self.file.history(mapping.micros(since))
        known = self.floor.known
        orders = [reports.order_state(row, known) for row in found.orders]
        orders += [reports.refused_state(row) for row in found.refusals]
        return VenueHistory(
            orders=tuple(orders),
            fills=tuple(reports.fill(row, known) for row in found.fills),
            applied=frozenset(Tag(tag) for tag in found.applied),
            venue_time=self.floor.markets.venue_now(),
            cash=tuple(reports.cash(row, known) for row in found.cash),
        )

    def _check(self, tag: str, account: str) -> None:
        if account != self.account:
            raise refusal("ACCOUNT_MISMATCH")
        if self.file.knows_tag(tag):
            raise refusal("DUPLICATE_TAG")

    def _check_resting(self, work: Work, order_id: str) -> None:
        number = changing.order_number(order_id)
        if number not in work.orders and self.file.knows_order(number):
            raise refusal("ORDER_CLOSED")

    def _acked(self, work: Work, row: OrderRow, *, now: int) -> Acked:
        work.requested = row.number
        own = [fill for fill in work.fills if fill.venue_order_id == f"O{row.number}"]
        return reports.acked(row, own, at=now, spec_of=self.floor.known)


def _new_account(balance: Decimal, now: int) -> AccountRow:
    return AccountRow(
        balance=mapping.money(balance),
        day="",
        day_end=now,
        day_start_equity=0,
        realised_today=0,
        next_number=1,
        venue_time=now,
    )
