"""What the venue says of an account: one consistent statement from memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from ordergate.adapters.venues.paper import accounting, mapping, reports
from ordergate.adapters.venues.paper.book import Book, PositionRow
from ordergate.adapters.venues.paper.floor import Floor
from ordergate.model.accounts import (
    AccountIdentity,
    AccountState,
    Capabilities,
    Mode,
    Position,
    VenueSnapshot,
)
from ordergate.model.orders import OrderType, TimeInForce
from ordergate.model.values import AccountId, VenueName

VENUE: Final = VenueName("paper")
ACCOUNT: Final = AccountId("paper-1")
IDENTITY: Final = AccountIdentity(ACCOUNT, VENUE, Mode.PAPER, "embedded paper venue")
CAPABILITIES: Final = Capabilities(
    order_types=frozenset(OrderType),
    time_in_force=frozenset(TimeInForce),
    attached_stops=True,
    modify_in_place=True,
    refuses_over_close=True,
    settle_window_s=Decimal(5),
    refusals={word: known.code for word, known in mapping.REFUSALS.items()},
)
PLAIN: Final = replace(
    CAPABILITIES,
    order_types=frozenset(OrderType) - {OrderType.TRAILING_STOP},
    attached_stops=False,
    modify_in_place=False,
    refuses_over_close=False,
    oco_groups=False,
)


def snapshot(book: Book, floor: Floor, account: AccountId = ACCOUNT) -> VenueSnapshot:
    """Return the account as the books stand, marked at the newest prices."""
    now = floor.markets.venue_now()
    profits = accounting.profits(book.positions.values(), floor)
    open_profit = sum(profits.values())
    equity = book.account.balance + open_profit
    used = accounting.margin_used(book.positions.values(), floor)
    return VenueSnapshot(
        identity=replace(IDENTITY, account=account),
        account=AccountState(
            currency=floor.terms.currency,
            balance=mapping.amount(book.account.balance),
            equity=mapping.amount(equity),
            margin_used=mapping.amount(used),
            margin_free=mapping.amount(equity - used),
            open_pnl=mapping.amount(open_profit),
            day=date.fromisoformat(book.account.day),
            day_start_equity=mapping.amount(book.account.day_start_equity),
            realised_today=mapping.amount(book.account.realised_today),
            time=now,
            paid_in=mapping.amount(book.paid_in),
        ),
        positions=tuple(
            _position(row, floor, profits[row.number]) for row in book.positions.values()
        ),
        open_orders=tuple(reports.order_state(row, floor.known) for row in book.orders.values()),
        venue_time=now,
    )


def _position(row: PositionRow, floor: Floor, profit: int) -> Position:
    touch = floor.touch(row.symbol)
    return reports.position(
        row,
        floor.known(row.symbol),
        mark=None if touch is None else touch.pays(-row.side),
        open_profit=None if touch is None else profit,
    )
