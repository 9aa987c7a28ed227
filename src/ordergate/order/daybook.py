"""The daybook: what days, weeks and drawdowns are measured from, kept; the book's loss, watched."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from ordergate.model.accounts import VenueSnapshot
from ordergate.model.records import BaselineRecord
from ordergate.model.values import ZERO
from ordergate.order.accounts import Accounts
from ordergate.order.journal.record import Instance
from ordergate.order.policy.baselines import (
    BookTerms,
    began,
    kept,
    measured_from,
    paid,
    worth_keeping,
)
from ordergate.order.policy.judge import Judge
from ordergate.order.policy.wholebook import lost
from ordergate.ports.journal import JournalTx
from ordergate.ports.market_facts import MarketFacts

WRITTEN_EVERY: Final = timedelta(minutes=1)  # venue clock; a day that begins, a new peak: at once


class Daybook:
    """Reads every account of the book every few seconds; what it keeps survives a restart."""

    def __init__(
        self,
        *,
        instance: Instance,
        accounts: Accounts,
        markets: MarketFacts,
        judge: Judge,
        terms: BookTerms,
    ) -> None:
        self._journal = instance.journal
        self._record = instance.record
        self._actor = instance.name
        self._accounts = accounts
        self._markets = markets
        self._judge = judge
        self._terms = terms

    async def keep(self) -> bool:
        """Take one reading of all accounts; say whether the book's day has lost its share.

        An account that cannot be read keeps its baselines, and nothing is said about the book.
        """
        own, others = await self._accounts.read()
        seen = [own, *(other.snapshot for other in others)]
        snapshots = [snapshot for snapshot in seen if snapshot is not None]
        rows = await self._journal.read(lambda tx: [self._row(tx, one) for one in snapshots])
        if any(worth_keeping(before, after, every=WRITTEN_EVERY) for before, after, _ in rows):
            await self._journal.write(lambda tx: self._keep(tx, snapshots))
        if own is None or len(snapshots) < len(seen):
            return False
        currency = self._terms.currency or own.account.currency
        equity = start = ZERO
        for snapshot, (_, row, paid_in) in zip(snapshots, rows, strict=True):
            rate = self._markets.rate(snapshot.account.currency, currency)
            began_at = measured_from(row, paid_in).book_day_start_equity
            if rate is None or began_at is None:
                return False
            equity += snapshot.account.equity * rate
            start += began_at * rate
        limits = await self._journal.read(self._judge.effective)
        loss, limit = lost(equity, start, fraction=limits.book_daily_loss_fraction)
        return loss >= limit

    def _row(
        self, tx: JournalTx, snapshot: VenueSnapshot
    ) -> tuple[BaselineRecord | None, BaselineRecord, Decimal]:
        account, state = snapshot.identity.account, snapshot.account
        paid_in = paid(state, tx.paid_in(account))
        before = tx.baseline(account)
        day = self._terms.day(snapshot.venue_time)
        after = kept(before, state, account=account, paid_in=paid_in, day=day)
        return before, after, paid_in

    def _keep(self, tx: JournalTx, snapshots: list[VenueSnapshot]) -> None:
        for snapshot in snapshots:
            before, after, paid_in = self._row(tx, snapshot)
            tx.put_baseline(after)
            if began(before, after):
                self._record.note(
                    tx,
                    "baseline.began",
                    actor=self._actor,
                    corr=after.account,
                    body={
                        "week": after.week,
                        "week_start": after.week_start + paid_in,
                        "book_day": after.day.isoformat(),
                        "book_day_start": after.day_start + paid_in,
                        "currency": after.currency,
                    },
                )
