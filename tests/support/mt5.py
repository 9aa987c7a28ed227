"""A MetaTrader 5 venue on the simulated terminal, and short words for its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ordergate.adapters.venues.mt5.client import Client
from ordergate.adapters.venues.mt5.link import Link, account_id
from ordergate.adapters.venues.mt5.mapping import magic_of
from ordergate.adapters.venues.mt5.venue import Mt5Venue
from ordergate.model.market import Slice
from ordergate.model.orders import VenueOrder
from ordergate.model.outcomes import Acked
from ordergate.model.values import AccountId, Tag
from ordergate.testing.mt5.book import AccountTerms
from ordergate.testing.mt5.constants import Constants as K
from ordergate.testing.mt5.faults import Fault, FaultKind
from ordergate.testing.mt5.server import Server
from ordergate.testing.mt5.terminal import SimulatedTerminal
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket
from support.paper import Orders, VenueBench, run

LOGIN = 50_001
ACCOUNT = account_id(LOGIN)
NETTING = AccountTerms(margin_mode=K.ACCOUNT_MARGIN_MODE_RETAIL_NETTING)
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
AHEAD = timedelta(hours=2)
ACTIONS = {
    "submit": K.TRADE_ACTION_DEAL,
    "modify": K.TRADE_ACTION_MODIFY,
    "protect": K.TRADE_ACTION_SLTP,
    "cancel": K.TRADE_ACTION_REMOVE,
}
LOST = {
    "reply": FaultKind.NONE_AFTER,
    "request": FaultKind.NONE,
    "late": FaultKind.LATE,
}


class Mt5Orders(Orders):
    """Requests as the gate makes them for MetaTrader 5: a tag's magic number is its own."""

    def __init__(self, account: AccountId = ACCOUNT) -> None:
        super().__init__()
        self._account = account

    def place(
        self, side: str, quantity: str, symbol: str = "EURUSD", kind: str = "market", **more: Any
    ) -> VenueOrder:
        order = super().place(side, quantity, symbol, kind, **more)
        return replace(order, magic=magic_of(order.tag), account=self._account)

    def modify(self, symbol: str = "EURUSD", **more: Any) -> Any:
        return replace(super().modify(symbol, **more), account=self._account)

    def cancel(self, venue_order_id: str, symbol: str = "EURUSD", **more: Any) -> Any:
        return replace(super().cancel(venue_order_id, symbol, **more), account=self._account)


def on_ticks(server: Server) -> Any:
    """Return a listener that lets a market's quotes reach the server, where it has the symbol."""

    def tick(slice_: Slice) -> None:
        if slice_.symbol in server.specs:
            at = int(slice_.end.timestamp() * 1000)
            server.tick(slice_.symbol, float(slice_.bid_close), float(slice_.ask_close), at)

    return tick


def a_venue(server: Server, market: ManualMarket, **more: Any) -> Mt5Venue:
    """Return a venue over a terminal of its own, which starts attached."""
    terminal = more.pop("terminal", None) or SimulatedTerminal(server)
    client = Client(lambda: terminal)
    link = Link(
        client,
        now=market.venue_now,
        symbols=SYMBOLS,
        offset=more.pop("offset", AHEAD),
        simulated=True,
    )
    recall = more.pop("recall", None) or nobody
    return Mt5Venue(link, account=account_id(server.terms.login), recall=recall, **more)


async def nobody(magics: Sequence[int]) -> Mapping[int, Tag]:
    return {}


class Mt5Bench(VenueBench):
    """A venue under test with everything a test moves: its market, its clock, its server."""

    name = "mt5"

    def __init__(self, folder: Path, *, terms: AccountTerms | None = None) -> None:
        self.market = ManualMarket()
        self.clock = ManualClock()
        self.server = Server(terms or AccountTerms())
        self.orders = Mt5Orders()
        self.journal: dict[int, Tag] = {}
        self.venue = self._open()
        self.market.listen(on_ticks(self.server))

    def _open(self) -> Mt5Venue:
        return a_venue(self.server, self.market, recall=self._recall)

    async def _recall(self, magics: Sequence[int]) -> Mapping[int, Tag]:
        return {magic: self.journal[magic] for magic in magics if magic in self.journal}

    def lose(self, what: str, operation: str) -> None:
        """Let the next request, its reply, or both for a while, get lost."""
        self.server.faults.add(Fault(kind=LOST[what], action=ACTIONS[operation]))

    def refuse(self, retcode: int) -> None:
        self.server.faults.add(Fault(kind=FaultKind.RETCODE, retcode=retcode))

    def arrive(self) -> None:
        self.server.arrive()

    def restart(self) -> None:
        run(self.venue.close())
        self.venue = self._open()

    crash = restart

    def submit(self, order: VenueOrder) -> Acked:
        self.journal[order.magic] = order.tag
        return super().submit(order)
