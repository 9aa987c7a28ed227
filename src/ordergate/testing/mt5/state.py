"""What the simulated server stands on: terms, specifications, quotes, books and switches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from ordergate.testing.mt5.book import MONEY, AccountTerms, Books, Switches, TickRow
from ordergate.testing.mt5.dealing import Dealing
from ordergate.testing.mt5.faults import FaultPlan
from ordergate.testing.mt5.money import Money
from ordergate.testing.mt5.specs import STANDARD, Spec


class State:
    """One account at one broker, as it stands."""

    def __init__(
        self,
        terms: AccountTerms = AccountTerms(),  # noqa: B008 - frozen
        specs: Iterable[Spec] = STANDARD,
    ) -> None:
        self.lock = threading.RLock()
        self.terms = terms
        self.specs = {spec.name: spec for spec in specs}
        self.switches = Switches()
        self.books = Books(balance=terms.balance * MONEY)
        self.ticks: dict[str, TickRow] = {}
        self.history: dict[str, deque[TickRow]] = {}
        self.closed: set[str] = set()  # symbols whose session is closed
        self.msc = 0  # broker time
        self.money = Money(terms, self.specs, self.ticks)
        self.dealing = Dealing(terms, self.specs, self.books, self.money, self.switches)
        self.faults = FaultPlan()
        self.free = threading.Event()  # set: calls that hang come back

    def equity(self) -> int:
        open_profit = sum(self.money.open_profit(p) for p in self.books.positions.values())
        swaps = sum(position.swap for position in self.books.positions.values())
        return self.books.balance + open_profit + swaps

    def margin_used(self) -> int:
        return self.money.used(self.books.positions.values())
