"""The venue's books in memory: immutable rows, and a change in the making over them.

Integers throughout: prices in ticks, sizes in lot steps, money in 10^-8 of the account currency,
times in microseconds of the venue's clock since 1970. 0 or "" = not set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

WORKING = "working"
PARTIAL = "partial"
FILLED = "filled"
CANCELED = "canceled"
EXPIRED = "expired"
PAYMENTS = frozenset({"deposit", "withdrawal"})
OPEN_STATUSES = frozenset({WORKING, PARTIAL})


class OrderRow(NamedTuple):
    number: int
    tag: str
    symbol: str
    side: int  # +1 buys, -1 sells
    kind: str
    steps: int
    limit: int
    stop: int  # the trigger; of a trailing stop its present level
    trail: int
    trail_ppm: int
    stop_loss: int
    take_profit: int
    time_in_force: str
    good_till: int
    reduce_only: int
    closes: int  # 1: `position` is the one it reduces; 0: the one it opened
    position: int
    oco_group: str
    placed_at: int
    since: int  # of its present terms: prices before it do not count
    status: str = WORKING
    filled: int = 0
    cost: int = 0  # sum of fill price x steps
    triggered: int = 0
    done_at: int = 0
    code: str = ""

    @property
    def left(self) -> int:
        return self.steps - self.filled


class PositionRow(NamedTuple):
    number: int
    tag: str
    symbol: str
    side: int  # +1 long, -1 short
    steps: int  # 0 = closed
    cost: int  # sum of open price x steps
    stop_loss: int
    take_profit: int
    swap: int
    opened_at: int
    since: int  # of its present stop and target
    mark: int  # last known price it would close at
    rate: int  # last known conversion of its profit, see sim.costs.RATE_SCALE


class FillRow(NamedTuple):
    number: int
    venue_order_id: str
    tag: str
    symbol: str
    side: int
    steps: int
    price: int
    commission: int  # a cost is positive
    realised: int  # before commission
    time: int
    position: int
    effect: str
    reason: str


class RefusalRow(NamedTuple):
    """An order the venue refused, in the words it was asked in."""

    number: int
    tag: str
    symbol: str
    side: str
    kind: str
    quantity: str
    time_in_force: str
    code: str
    at: int


class CashRow(NamedTuple):
    """One line of the statement that is no execution: a payment, a swap, a dividend."""

    number: int
    kind: str
    amount: int
    symbol: str
    steps: int  # a split added to the holding, signed
    at: int
    note: str


class AccountRow(NamedTuple):
    balance: int
    day: str  # the venue's trading day
    day_end: int
    day_start_equity: int
    realised_today: int
    next_number: int
    venue_time: int


@dataclass(slots=True)
class Book:
    """What is open now, and the account."""

    account: AccountRow
    orders: dict[int, OrderRow]
    positions: dict[int, PositionRow]
    paid_in: int = 0  # deposits less withdrawals so far
    symbols: frozenset[str] = field(init=False)
    due: int = field(init=False)  # when time alone changes the books: day's end or an expiry

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        self.symbols = frozenset(
            [row.symbol for row in self.orders.values()]
            + [row.symbol for row in self.positions.values()]
        )
        ends = [row.good_till for row in self.orders.values() if row.good_till]
        self.due = min(self.account.day_end, *ends) if ends else self.account.day_end


class Work:
    """One change in the making: reads see it, the book does not, until it is durable."""

    def __init__(self, book: Book) -> None:
        self.account = book.account
        self.orders = dict(book.orders)
        self.positions = dict(book.positions)
        self.changed_orders: dict[int, OrderRow] = {}
        self.changed_positions: dict[int, PositionRow] = {}
        self.fills: list[FillRow] = []
        self.refusals: list[RefusalRow] = []
        self.cash: list[CashRow] = []
        self.paid_in = book.paid_in
        self.tags: list[tuple[str, str, int]] = []  # tag, what it did, when
        self.instruments: list[tuple[str, str]] = []  # units of symbols new to the books
        self.requested = 0  # the order a request is about; its answer tells of it
        self.before = book.account

    @property
    def empty(self) -> bool:
        return self.account == self.before and not (
            self.changed_orders
            or self.changed_positions
            or self.fills
            or self.refusals
            or self.cash
            or self.tags
        )

    @property
    def is_news(self) -> bool:
        """Say whether something changed of which no request's answer tells."""
        if self.cash or any(fill.venue_order_id != f"O{self.requested}" for fill in self.fills):
            return True
        return any(
            row.number != self.requested and (row.done_at or row.filled or row.triggered)
            for row in self.changed_orders.values()
        )

    def number(self) -> int:
        """Return the next number of this venue; none is ever used twice."""
        number = self.account.next_number
        self.account = self.account._replace(next_number=number + 1)
        return number

    def put_order(self, row: OrderRow) -> None:
        self.changed_orders[row.number] = row
        if row.status in OPEN_STATUSES:
            self.orders[row.number] = row
        else:
            self.orders.pop(row.number, None)

    def put_position(self, row: PositionRow) -> None:
        self.changed_positions[row.number] = row
        if row.steps:
            self.positions[row.number] = row
        else:
            self.positions.pop(row.number, None)

    def credit(self, amount: int) -> None:
        """Book an amount to the balance and to the day's result."""
        account = self.account
        self.account = account._replace(
            balance=account.balance + amount, realised_today=account.realised_today + amount
        )

    def book_cash(self, row: CashRow) -> None:
        """Book a line to the balance; a payment is no result of the day, it moves its start."""
        self.cash.append(row)
        if row.kind not in PAYMENTS:
            self.credit(row.amount)
            return
        account = self.account
        self.paid_in += row.amount
        self.account = account._replace(
            balance=account.balance + row.amount,
            day_start_equity=account.day_start_equity + row.amount,
        )

    def end_order(self, row: OrderRow, status: str, *, code: str, at: int) -> OrderRow:
        """Take an order out of the market."""
        ended = row._replace(status=status, code=code, done_at=at)
        self.put_order(ended)
        return ended

    def land(self, book: Book) -> None:
        """Make this change the book's present, after it has become durable."""
        book.account = self.account
        book.orders = self.orders
        book.positions = self.positions
        book.paid_in = self.paid_in
        book.index()
