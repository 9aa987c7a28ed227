"""A paper venue on a manual market, and short words for its requests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from ordergate.adapters.venues.paper.faults import Fault
from ordergate.adapters.venues.paper.terms import PaperTerms
from ordergate.adapters.venues.paper.venue import PaperVenue
from ordergate.model.accounts import VenueHistory, VenueSnapshot
from ordergate.model.orders import OrderType, Side, VenueCancel, VenueModify, VenueOrder
from ordergate.model.outcomes import Acked, VenueRefusal
from ordergate.model.values import AccountId, PositionId, Symbol, Tag, VenueOrderId
from support.manual_clock import ManualClock
from support.manual_market import ManualMarket

T = TypeVar("T")
ACCOUNT = AccountId("paper-1")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def decimal(value: str | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)


class Orders:
    """Makes venue requests with tags of their own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def tag(self) -> Tag:
        return Tag(f"G{next(self._numbers):013d}")

    def place(
        self, side: str, quantity: str, symbol: str = "EURUSD", kind: str = "market", **more: Any
    ) -> VenueOrder:
        """Return an order; prices in `more` may be text."""
        for name in ("limit_price", "stop_price", "trail_amount", "trail_percent"):
            more[name] = decimal(more.get(name))
        for name in ("stop_loss", "take_profit"):
            more[name] = decimal(more.get(name))
        tag = more.pop("tag", None) or self.tag()
        return VenueOrder(
            tag=tag,
            magic=1,
            account=ACCOUNT,
            symbol=Symbol(symbol),
            side=Side(side),
            order_type=OrderType(kind),
            quantity=Decimal(quantity),
            **more,
        )

    def modify(self, symbol: str = "EURUSD", **more: Any) -> VenueModify:
        tag = more.pop("tag", None) or self.tag()
        for name, value in more.items():
            if isinstance(value, str) and not name.endswith("_id"):
                more[name] = Decimal(value)
        return VenueModify(tag=tag, account=ACCOUNT, symbol=Symbol(symbol), **more)

    def cancel(self, venue_order_id: str, symbol: str = "EURUSD", **more: Any) -> VenueCancel:
        tag = more.pop("tag", None) or self.tag()
        return VenueCancel(
            tag=tag,
            account=ACCOUNT,
            symbol=Symbol(symbol),
            venue_order_id=VenueOrderId(venue_order_id),
        )


class VenueBench:
    """The words for requests at a venue under test, whichever it is."""

    venue: Any
    market: ManualMarket
    orders: Orders

    def quote(self, symbol: str = "EURUSD", bid: str = "1.10000", ask: str = "1.10010") -> None:
        self.market.set(symbol, bid, ask)

    def submit(self, order: VenueOrder) -> Acked:
        return run(self.venue.submit(order))

    def buy(
        self, quantity: str, symbol: str = "EURUSD", kind: str = "market", **more: Any
    ) -> Acked:
        return self.submit(self.orders.place("buy", quantity, symbol, kind, **more))

    def sell(
        self, quantity: str, symbol: str = "EURUSD", kind: str = "market", **more: Any
    ) -> Acked:
        return self.submit(self.orders.place("sell", quantity, symbol, kind, **more))

    def close(self, position_id: PositionId | None, quantity: str, side: str = "sell") -> Acked:
        position = next(p for p in self.snapshot().positions if p.position_id == position_id)
        order = self.orders.place(side, quantity, position.symbol)
        return self.submit(replace(order, position_id=position_id))

    def modify(self, symbol: str = "EURUSD", **more: Any) -> Acked:
        return run(self.venue.modify(self.orders.modify(symbol, **more)))

    def cancel(self, venue_order_id: str, symbol: str = "EURUSD") -> Acked:
        return run(self.venue.cancel(self.orders.cancel(venue_order_id, symbol)))

    def snapshot(self) -> VenueSnapshot:
        return run(self.venue.snapshot())

    def history(self) -> VenueHistory:
        return run(self.venue.history(self.market.venue_now().replace(year=2000)))

    def refused(self, order: VenueOrder) -> str:
        """Submit an order that must be refused; return the code."""
        try:
            answer = self.submit(order)
        except VenueRefusal as no:
            return no.code
        raise AssertionError(f"not refused: {answer}")


class PaperBench(VenueBench):
    """A venue under test with everything a test moves: its market, its clock, its file."""

    def __init__(
        self,
        folder: Path,
        *,
        market: ManualMarket | None = None,
        terms: PaperTerms | None = None,
        faults: tuple[Fault, ...] = (),
        file: str = "paper.db",
    ) -> None:
        self.path = folder / file
        self.market = market or ManualMarket()
        self.clock = ManualClock()
        self.terms = terms or PaperTerms()
        self.orders = Orders()
        self.venue = self._open(faults)
        self.market.listen(lambda slice_: self.venue.on_slice(slice_))

    def _open(self, faults: tuple[Fault, ...] = ()) -> PaperVenue:
        return PaperVenue(
            path=self.path, markets=self.market, clock=self.clock, terms=self.terms, faults=faults
        )

    def restart(self) -> None:
        """Stop the venue in good order and start it again on its file."""
        run(self.venue.close())
        self.venue = self._open()

    def crash(self) -> None:
        """Start another venue on the file as it stands, the old one never closed."""
        self.venue = self._open()
